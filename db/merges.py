"""Postings that are one job: moved together, and apart again.

A merge is a row. The raw postings of the posting that goes move to the one that stays, with every sighting; the row of
the posting that goes disappears, so no list and no statistic counts the job twice; what people had decided about
its flags stays in the merge. A split turns the row round; the next reading makes the posting anew, under its old id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, delete, func, or_, select, update

from db.alone import alone
from db.bulk import last_of_each, one_of, rows_by_id, update_rows, upsert
from db.decisions import audit
from db.keys import key
from db.session import Ledger, LedgerError, committed, reading, writing
from db.tables import CHANGE, FLAG, MERGE, POSTING, RAW

RULES = "rules"


@dataclass(frozen=True, slots=True)
class Merge:
    """`other` is the same job as `posting`, which stays; `why` in words."""

    posting: str
    other: str
    score: float
    why: str


def unmatched(connection: Connection, version: int, limit: int) -> list[Row[Any]]:
    """(id, block) of postings for which the rules of this version have not looked for duplicates, block by block."""
    query = select(POSTING.c.id, POSTING.c.block).where(POSTING.c.match_version < version)
    return list(connection.execute(query.order_by(POSTING.c.match_version, POSTING.c.block).limit(limit)))


def crowded_blocks(connection: Connection, blocks: Iterable[str]) -> list[str]:
    """Those of the blocks that hold more than one posting."""
    query = select(POSTING.c.block).group_by(POSTING.c.block).having(func.count() > 1)
    return [row.block for row in rows_by_id(connection, query, POSTING.c.block, blocks)]


def postings_of(connection: Connection, blocks: Iterable[str]) -> list[Row[Any]]:
    """The postings of these blocks, in order of block and id."""
    rows = rows_by_id(connection, select(POSTING), POSTING.c.block, blocks)
    return sorted(rows, key=lambda row: (row.block, row.id))


def publishers_of(connection: Connection, posting_ids: Iterable[str]) -> list[Row[Any]]:
    """(posting_id, id, source, url) of the raw postings of these postings."""
    query = select(RAW.c.posting_id, RAW.c.id, RAW.c.source, RAW.c.url)
    return rows_by_id(connection, query, RAW.c.posting_id, posting_ids)


def kept_apart(connection: Connection, posting_ids: Iterable[str]) -> set[frozenset[str]]:
    """Pairs that a person keeps apart."""
    ids = list(posting_ids)
    query = select(MERGE.c.posting_id, MERGE.c.other_id).where(MERGE.c.state == "split")
    rows = rows_by_id(connection, query, MERGE.c.posting_id, ids) + rows_by_id(connection, query, MERGE.c.other_id, ids)
    return {frozenset((row.posting_id, row.other_id)) for row in rows}


def roots(connection: Connection, posting_ids: Iterable[str]) -> dict[str, str]:
    """For each id the posting that it is part of today: itself, or the end of its chain of merges."""
    found = {id_: id_ for id_ in posting_ids}
    query = select(MERGE.c.other_id, MERGE.c.posting_id).where(MERGE.c.state == "merged")
    ends = set(found)
    while ends:
        step = {row.other_id: row.posting_id for row in rows_by_id(connection, query, MERGE.c.other_id, ends)}
        found = {id_: step.get(end, end) for id_, end in found.items()}
        ends = set(step.values())
    return found


def members(connection: Connection, posting_id: str) -> list[str]:
    """The posting and all that were merged into it, directly or not."""
    found, ends = {posting_id}, {posting_id}
    query = select(MERGE.c.other_id).where(MERGE.c.state == "merged")
    while ends:
        ends = {row.other_id for row in rows_by_id(connection, query, MERGE.c.posting_id, ends)} - found
        found |= ends
    return sorted(found)


def survivor_of(ledger: Ledger, posting_id: str) -> str:
    """Where a posting's id leads today."""
    with reading(ledger) as connection:
        return roots(connection, [posting_id])[posting_id]


def keep_matches(
    engine: Engine, merges: Sequence[Merge], examined: Iterable[str], *, version: int, now: datetime
) -> int:
    """Merges what the rules found and remembers that these postings were examined, in one transaction."""
    ids = list(examined)

    def work(connection: Connection) -> None:
        for merge in merges:
            _merge(connection, merge, version=version, decided_by=RULES, now=now)
        connection.execute(update(POSTING).where(one_of(connection, POSTING.c.id, ids)).values(match_version=version))

    committed(engine, work)
    return len(merges)


def _merge(connection: Connection, merge: Merge, *, version: int, decided_by: str, now: datetime) -> None:
    flags = connection.execute(select(FLAG).where(FLAG.c.posting_id == merge.other, FLAG.c.state != "open")).all()
    row = {
        "id": key("merge", merge.posting, merge.other),
        "posting_id": merge.posting,
        "other_id": merge.other,
        "state": "merged",
        "score": merge.score,
        "why": merge.why,
        "rules_version": version,
        "decisions": [_as_json(flag._mapping) for flag in flags],
        "decided_by": decided_by,
        "at": now,
    }
    # An id leads to one posting only: an earlier pairing of the same one, undone since, gives way.
    connection.execute(delete(MERGE).where(MERGE.c.other_id == merge.other, MERGE.c.posting_id == merge.posting))
    upsert(connection, MERGE, [row], ["id"])
    connection.execute(
        update(RAW).where(RAW.c.posting_id == merge.other).values(posting_id=merge.posting, rules_version=0)
    )
    connection.execute(update(RAW).where(RAW.c.posting_id == merge.posting).values(rules_version=0))
    connection.execute(delete(FLAG).where(FLAG.c.posting_id == merge.other))
    connection.execute(delete(POSTING).where(POSTING.c.id == merge.other))
    _record(connection, merge.posting, merge.other, None, merge.other, decided_by, now)


def _record(
    connection: Connection, posting: str, other: str, old: str | None, new: str | None, decided_by: str, now: datetime
) -> None:
    cause = "rules" if decided_by == RULES else "person"
    rows = [
        {
            "id": key("change", posting, "merged", other, old or "", new or "", now.isoformat()),
            "posting_id": posting,
            "field": "merged",
            "old": old,
            "new": new,
            "cause": cause,
            "at": now,
        }
    ]
    upsert(connection, CHANGE, last_of_each(rows, "id"), ["id"])


def _as_json(flag: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in flag.items()}


def kept_decisions(connection: Connection, posting_ids: Iterable[str]) -> list[dict[str, Any]]:
    """What people had decided about flags of postings that were merged and are apart again."""
    query = select(MERGE.c.decisions).where(MERGE.c.state == "split")
    found = [flag for row in rows_by_id(connection, query, MERGE.c.other_id, posting_ids) for flag in row.decisions]
    times = ("raised_at", "decided_at")
    return [
        flag | {name: datetime.fromisoformat(flag[name]) if flag[name] is not None else None for name in times}
        for flag in found
    ]


def merge_postings(engine: Engine, posting_id: str, other_id: str, *, who: str, why: str | None, now: datetime) -> str:
    """A person says that two postings are one job; returns the id that stays. The aggregator then reads it anew."""
    with alone(engine), writing(engine) as connection:
        stays, goes = (_require(connection, id_) for id_ in (posting_id, other_id))
        if stays == goes:
            raise LedgerError(f"{posting_id} and {other_id} are one posting already")
        merge = Merge(stays, goes, 1.0, why or "a person says so")
        _lift_splits(connection, stays, goes)
        _merge(connection, merge, version=0, decided_by=who, now=now)
        audit(connection, who=who, action="postings merge", subject=f"{stays} {goes}", detail=why or "", now=now)
    return stays


def _lift_splits(connection: Connection, stays: str, goes: str) -> None:
    mine, theirs = members(connection, stays), members(connection, goes)
    pairs = or_(
        MERGE.c.posting_id.in_(mine) & MERGE.c.other_id.in_(theirs),
        MERGE.c.posting_id.in_(theirs) & MERGE.c.other_id.in_(mine),
    )
    connection.execute(delete(MERGE).where(MERGE.c.state == "split", pairs))


def split_posting(engine: Engine, other_id: str, *, who: str, why: str | None, now: datetime) -> str:
    """A person says that a merged posting is a job of its own; returns the id that it was part of.

    `other_id` is the id that went, or a posting into which just one other was merged. The two are never merged by our
    rules again; the aggregator then reads both anew.
    """
    with alone(engine), writing(engine) as connection:
        row = _merge_of(connection, other_id)
        connection.execute(
            update(MERGE).where(MERGE.c.id == row.id).values(state="split", decided_by=who, why=why, at=now)
        )
        root = roots(connection, [row.posting_id])[row.posting_id]
        leaving = members(connection, row.other_id)
        connection.execute(update(RAW).where(RAW.c.posting_id == root).values(rules_version=0))
        connection.execute(update(RAW).where(one_of(connection, RAW.c.id, leaving)).values(posting_id=None))
        _record(connection, root, row.other_id, row.other_id, None, who, now)
        audit(connection, who=who, action="postings split", subject=row.other_id, detail=why or "", now=now)
    return root


def _merge_of(connection: Connection, id_: str) -> Row[Any]:
    merged = select(MERGE).where(MERGE.c.state == "merged")
    found = connection.execute(merged.where(MERGE.c.other_id == id_)).first()
    if found is not None:
        return found
    into = connection.execute(merged.where(MERGE.c.posting_id == id_)).all()
    if not into:
        raise LedgerError(f"no merge of {id_!r}: `jobledger postings merges` lists them")
    if len(into) > 1:
        names = ", ".join(row.other_id for row in into)
        raise LedgerError(f"several postings were merged into {id_}: name the one to split off: {names}")
    return into[0]


def _require(connection: Connection, id_: str) -> str:
    root = roots(connection, [id_])[id_]
    if connection.execute(select(POSTING.c.id).where(POSTING.c.id == root)).first() is None:
        raise LedgerError(f"no posting {id_!r}")
    return root


def undo_stale_merges(engine: Engine, merge_ids: Sequence[str], *, now: datetime) -> int:
    """Takes back merges of our own that today's rules would not make."""
    with writing(engine) as connection:
        rows = rows_by_id(connection, select(MERGE), MERGE.c.id, merge_ids)
        for row in rows:
            connection.execute(delete(MERGE).where(MERGE.c.id == row.id))
            root = roots(connection, [row.posting_id])[row.posting_id]
            leaving = members(connection, row.other_id)
            connection.execute(update(RAW).where(RAW.c.posting_id == root).values(rules_version=0))
            connection.execute(update(RAW).where(one_of(connection, RAW.c.id, leaving)).values(posting_id=None))
            _record(connection, root, row.other_id, row.other_id, None, RULES, now)
    return len(rows)


def merges_to_review(connection: Connection, version: int) -> list[Row[Any]]:
    """Merges that rules of an older version made."""
    query = select(MERGE).where(MERGE.c.state == "merged", MERGE.c.decided_by == RULES, MERGE.c.rules_version < version)
    return list(connection.execute(query.order_by(MERGE.c.id)).all())


def confirm_merges(engine: Engine, merge_ids: Sequence[str], version: int) -> None:
    """Marks merges as made by today's rules too."""
    with writing(engine) as connection:
        statement = update(MERGE).where(MERGE.c.id == bindparam("merge")).values(rules_version=version)
        update_rows(connection, statement, [{"merge": id_} for id_ in merge_ids])


def mark_merges_for_review(engine: Engine) -> None:
    """Every merge of our own is to be judged again, and every posting matched again."""
    with writing(engine) as connection:
        connection.execute(update(MERGE).where(MERGE.c.decided_by == RULES).values(rules_version=0))
        connection.execute(update(POSTING).values(match_version=0))


def list_merges(engine: Engine) -> list[dict[str, Any]]:
    """Every merge and split, newest first."""
    names = ("posting_id", "other_id", "state", "score", "why", "decided_by", "at")
    with reading(engine) as connection:
        rows = connection.execute(select(MERGE).order_by(MERGE.c.at.desc(), MERGE.c.id)).all()
    return [{name: row._mapping[name] for name in names} for row in rows]
