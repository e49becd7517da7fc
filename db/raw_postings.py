"""Keeping what was published of single job ads: records in, rows out, nothing lost and nothing twice.

What an ad's own page says stands. A list entry fills its gaps. A page that says of an ad what it said before is no news
and changes nothing but the time last seen, so reading the same pages again, in any order, changes nothing else. What an
older capture says fills gaps too: the newer word stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, bindparam, case, func, or_, select, update

from db.bulk import last_of_each, one_of, rows_by_id, update_rows, upsert
from db.contained import Failure, contained
from db.keys import bytes_hash, canonical, content_hash, key
from db.records import RawPostingRecord, RejectedRecord, storable, storable_bytes
from db.rejected import PARSER_FAILED
from db.tables import CHANGE, PAGE, POSTING, RAW, SIGHTING

PUBLISHED = tuple(
    name
    for name in (column.name for column in RAW.c)
    if name in {f.name for f in fields(RawPostingRecord)} and name not in {"source", "source_id"}
)
"""The columns that hold what a site published."""
DATES = frozenset({"posted_on", "updated_on", "valid_through"})
GAPS: tuple[Any, ...] = (None, "", [], {}, False)
TOGETHER = 20
"""So many rows that become alike are worth a statement of their own."""
"""Values that state nothing."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Ids of the raw postings of one call, by what became of them."""

    new: frozenset[str] = frozenset()
    updated: frozenset[str] = frozenset()
    unchanged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Said:
    """What one record says of one ad, ready to be a row."""

    id: str
    source: str
    identity: str
    page_id: str
    page_url: str
    first_at: datetime
    since: datetime
    """Since when the page says just this."""
    seen_at: datetime
    partial: bool
    published: dict[str, Any]
    hash: str
    before: str | None = None
    """The hash of what this page said of the ad until now."""


def keep_raw_postings(
    connection: Connection, records: Sequence[RawPostingRecord]
) -> tuple[Kept, list[RejectedRecord], int]:
    """Writes raw postings, their pages, sightings and changes; returns what became of them, those that no row can be
    made of, and the sightings given."""
    if not records:
        return Kept(), [], 0
    said, failed = prepared(records)
    return write_said(connection, said), failed, len(records) - len(failed)


def prepared(records: Sequence[RawPostingRecord]) -> tuple[list[Said], list[RejectedRecord]]:
    """Records hashed and identified, one a page and ad: all that can be done without the ledger; and what failed."""
    all_said, failed = [], []
    for record in records:
        said = contained(_said, record)
        if isinstance(said, Failure):
            failed.append(rejected_record(record, said))
        else:
            all_said.append(said)
    return _last_words(all_said), failed


def rejected_record(record: RawPostingRecord, failure: Failure) -> RejectedRecord:
    """A published ad of which no row can be made."""
    return RejectedRecord(
        source=record.source,
        url=record.page_url,
        reason=PARSER_FAILED,
        detail=f"{failure}; ad {record.source_id or record.url or ''}",
        seen_at=record.seen_at,
    )


def write_said(connection: Connection, all_said: Sequence[Said]) -> Kept:
    """Writes what was said; what was said before costs the comparison of a hash and a new time."""
    groups: dict[str, list[Said]] = {}
    for said in all_said:
        groups.setdefault(said.id, []).append(said)
    _keep_unread_pages(connection, all_said)
    known = {row[0]: row[1] for row in rows_by_id(connection, _KNOWN, RAW.c.id, groups)}
    new = [_row(id_, _merged(None, group), group, None) for id_, group in sorted(groups.items()) if id_ not in known]
    updated, changes = _updated(connection, groups, known)
    changed = frozenset(row["id"] for row in updated)
    unchanged = {id_: groups[id_] for id_ in sorted(known) if id_ not in changed}
    upsert(
        connection,
        RAW,
        sorted(new + updated, key=lambda row: row["id"]),
        ["id"],
        keep_old=["source", "source_id"],
        earliest=["first_seen"],
        latest=["last_seen"],
        all_new=not updated,
    )
    upsert(connection, CHANGE, last_of_each(changes, "id"), ["id"])
    _see_again(connection, unchanged)
    _keep_sightings(connection, all_said, all_new=not known)
    return Kept(frozenset(row["id"] for row in new), changed, frozenset(unchanged))


_KNOWN = select(RAW.c.id, RAW.c.content_hash)


def _said(record: RawPostingRecord) -> Said:
    published: dict[str, Any] = record.published_fields
    data = storable_bytes(canonical(published))
    if data is None:
        published = storable(published)
        data = canonical(published).encode()
    identity = storable(record.identity)
    return Said(
        id=key("posting", record.source, identity),
        source=record.source,
        identity=identity,
        page_id=key("page", record.source, record.page_url),
        page_url=record.page_url,
        first_at=record.seen_at,
        since=record.seen_at,
        seen_at=record.seen_at,
        partial=record.partial,
        published=published,
        hash=bytes_hash(data),
    )


def _last_words(all_said: Sequence[Said]) -> list[Said]:
    """What each page says last of each ad: a page that contradicts itself has one word."""
    words: dict[tuple[str, str, bool], Said] = {}
    for said in sorted(all_said, key=lambda s: s.seen_at):
        identity = (said.id, said.page_id, said.partial)
        first = words.get(identity)
        if first is not None:
            same = first.hash == said.hash
            said = replace(said, first_at=first.first_at, since=first.since if same else said.since)
        words[identity] = said
    return list(words.values())


def _updated(
    connection: Connection, groups: Mapping[str, list[Said]], known: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows that now read otherwise, and what changed in them."""
    suspects = [
        id_ for id_, known_hash in known.items() if any(said.partial or said.hash != known_hash for said in groups[id_])
    ]
    if not suspects:
        return [], []
    stored = {row.id: row._mapping for row in rows_by_id(connection, select(RAW), RAW.c.id, suspects)}
    sightings = rows_by_id(connection, select(SIGHTING), SIGHTING.c.raw_posting_id, suspects)
    before = {(r.raw_posting_id, r.page_id): (r.content_hash, r.listed_hash) for r in sightings}
    rows, changes = [], []
    for id_ in sorted(suspects):
        old = stored[id_]
        heard = [replace(s, before=before.get((id_, s.page_id), (None, None))[s.partial]) for s in groups[id_]]
        news = [said for said in heard if said.before != said.hash]
        merged = _merged(old, news)
        row = _row(id_, merged, groups[id_], old)
        if row["content_hash"] != old["content_hash"] or row["listed"] != old["listed"]:
            rows.append(row)
            changes += _changes(old, row)
    return rows, changes


WHOLE = "*"
"""Under this name `listed` holds the rank of the whole page that speaks, and the names it leaves to list entries."""


def _rank(said: Said) -> str:
    """Whose word goes first: a later day's, and on one day that of the greater hash: no order of reading matters."""
    return f"{said.since.date()}|{said.hash}"


def _yields(rank: str, said: Said, last_seen: datetime | None) -> bool:
    """Whether the word of this rank gives way: to a higher one, or to its own page that later says otherwise."""
    if said.before is not None and rank.endswith(f"|{said.before}"):
        return last_seen is None or said.seen_at >= last_seen
    return _rank(said) >= rank


def _merged(old: Mapping[str, Any] | None, news: Sequence[Said]) -> dict[str, Any]:
    """The published columns and `listed` after the news: the same whichever page was read first that day.

    `listed` maps each name that list entries state to [rank, value].
    """
    listed: dict[str, Any] = dict(old["listed"]) if old is not None else {}
    values = {name: old[name] for name in PUBLISHED} if old is not None else None
    last_seen = old["last_seen"] if old is not None else None
    for said in sorted(news, key=lambda s: (_rank(s), s.since)):
        values = (_with_entry if said.partial else _with_whole)(values, listed, said, last_seen)
    assert values is not None, "a posting is made of what at least one record says"
    return values | {"listed": listed}


def _with_entry(
    values: dict[str, Any] | None, listed: dict[str, Any], said: Said, last_seen: datetime | None
) -> dict[str, Any]:
    """A list entry fills what no whole page states; among entries the higher rank speaks."""
    merged = dict(values) if values is not None else dict.fromkeys(PUBLISHED) | _silent(said)
    rank = _rank(said)
    left_over = listed[WHOLE][1] if WHOLE in listed else None
    for name, value in said.published.items():
        if value in GAPS or (name in listed and not _yields(listed[name][0], said, last_seen)):
            continue
        listed[name] = [rank, _plain(value)]
        if left_over is None or name in left_over:
            merged[name] = value
        elif merged[name] in GAPS:
            merged[name] = value
            left_over.append(name)
            left_over.sort()
    return merged


def _silent(said: Said) -> dict[str, Any]:
    """Columns that nobody states, with the kind of nothing that each column has."""
    return {
        name: type(value)() if isinstance(value, list | dict | bool) else None for name, value in said.published.items()
    }


def _with_whole(
    values: dict[str, Any] | None, listed: dict[str, Any], said: Said, last_seen: datetime | None
) -> dict[str, Any]:
    """An ad's own page speaks for itself; an older one only fills gaps, and a lower one of the same day is silent."""
    rank = _rank(said)
    speaking = listed[WHOLE][0] if WHOLE in listed else ""
    if values is not None and not _yields(speaking, said, last_seen):
        if rank[:10] == speaking[:10]:
            return values
        return {name: said.published[name] if values[name] in GAPS else values[name] for name in PUBLISHED}
    left_over = sorted(name for name, value in said.published.items() if value in GAPS and name in listed)
    listed[WHOLE] = [rank, left_over]
    return {
        name: _typed(name, listed[name][1]) if name in left_over else value for name, value in said.published.items()
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _typed(name: str, value: Any) -> Any:
    return date.fromisoformat(value) if name in DATES else value


def _row(id_: str, merged: dict[str, Any], group: Sequence[Said], old: Mapping[str, Any] | None) -> dict[str, Any]:
    last_seen = max(said.seen_at for said in group)
    still_closed = old is not None and old["closed_at"] is not None and last_seen <= old["closed_at"]
    return {
        "id": id_,
        "source": group[0].source,
        "source_id": group[0].identity,
        **merged,
        # What one page says of a new ad is all that is known of it, and hashed already.
        "content_hash": group[0].hash
        if old is None and len(group) == 1
        else content_hash({name: merged[name] for name in PUBLISHED}),
        "first_seen": min(said.first_at for said in group),
        "last_seen": last_seen,
        "closed_at": old["closed_at"] if still_closed and old is not None else None,
        "missed": 0,
        "missed_at": None,
        "rules_version": 0,
    }


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    posting_id, at = old["posting_id"] or old["id"], new["last_seen"]
    return [
        {
            "id": key("change", old["id"], name, old["content_hash"], new["content_hash"], at.isoformat()),
            "posting_id": posting_id,
            "field": name,
            "old": _as_text(old[name]),
            "new": _as_text(new[name]),
            "cause": "site",
            "at": at,
        }
        for name in PUBLISHED
        if old[name] != new[name]
    ]


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


def _see_again(connection: Connection, groups: Mapping[str, Sequence[Said]]) -> None:
    """Widens the time in which unchanged ads were seen; what was closed before it was seen again is open again."""
    if not groups:
        return
    rows: list[dict[str, Any]] = [
        {
            "row_id": id_,
            "first": min([said.first_at for said in group]),
            "last": max([said.seen_at for said in group]),
        }
        for id_, group in groups.items()
    ]
    # One index less to mend: what else may follow from a sighting is rare, and asked for by itself.
    odd = _to_read_again(connection, groups, {row["row_id"]: row for row in rows})
    _mark_seen(connection, {row["row_id"]: row["last"] for row in rows})
    update_rows(connection, _READ_AGAIN, odd)
    _touch_postings(connection, groups)


def _mark_seen(connection: Connection, last_of: Mapping[str, datetime]) -> None:
    """Ads of one page share the moment at which it was read: one statement a moment, one a row where few share it."""
    at: dict[datetime, list[str]] = {}
    for id_, last in last_of.items():
        at.setdefault(last, []).append(id_)
    for last, ids in at.items():
        if len(ids) >= TOGETHER:
            connection.execute(_seen(one_of(connection, RAW.c.id, ids), last))
    few = [{"row_id": id_, "last": last} for last, ids in at.items() if len(ids) < TOGETHER for id_ in ids]
    update_rows(connection, _SEEN, few)


def _to_read_again(
    connection: Connection, ids: Iterable[str], seen: Mapping[str, Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The sightings that open a closed ad again, or that are earlier than the first: those move the exchange rate."""
    earliest = min(row["first"] for row in seen.values())
    query = select(RAW.c.id, RAW.c.closed_at, RAW.c.first_seen)
    query = query.where(or_(RAW.c.closed_at.is_not(None), RAW.c.first_seen > earliest))
    return [
        seen[row.id]
        for row in rows_by_id(connection, query, RAW.c.id, ids)
        if seen[row.id]["first"] < row.first_seen
        or (row.closed_at is not None and seen[row.id]["last"] > row.closed_at)
    ]


def _seen(which: ColumnElement[bool], last: Any) -> Update:
    return update(RAW).where(which, RAW.c.last_seen < last).values(last_seen=last, missed=0, missed_at=None)


def _updates() -> tuple[Update, Update]:
    moment = RAW.c.last_seen.type
    first, last = bindparam("first", type_=moment), bindparam("last", type_=moment)
    mine = RAW.c.id == bindparam("row_id")
    read_again = (
        update(RAW)
        .where(mine)
        .values(
            first_seen=case((first < RAW.c.first_seen, first), else_=RAW.c.first_seen),
            closed_at=case((last > RAW.c.closed_at, None), else_=RAW.c.closed_at),
            rules_version=0,
        )
    )
    return _seen(mine, last), read_again


_SEEN, _READ_AGAIN = _updates()


def _touch_postings(connection: Connection, raw_ids: Mapping[str, Any]) -> None:
    """A posting was last seen when the last of its ads was."""
    owners = select(RAW.c.posting_id).where(one_of(connection, RAW.c.id, raw_ids))
    newest = select(func.max(RAW.c.last_seen)).where(RAW.c.posting_id == POSTING.c.id).scalar_subquery()
    connection.execute(
        update(POSTING).where(POSTING.c.id.in_(owners), POSTING.c.last_seen < newest).values(last_seen=newest)
    )


def _keep_sightings(connection: Connection, all_said: Sequence[Said], *, all_new: bool) -> None:
    whole = any(not said.partial for said in all_said)
    for partial, column in ((False, "content_hash"), (True, "listed_hash")):
        rows = [
            {
                "raw_posting_id": said.id,
                "page_id": said.page_id,
                column: said.hash,
                "first_seen": said.first_at,
                "last_seen": said.seen_at,
            }
            for said in all_said
            if said.partial is partial
        ]
        upsert(
            connection,
            SIGHTING,
            last_of_each(rows, "raw_posting_id", "page_id"),
            ["raw_posting_id", "page_id"],
            earliest=["first_seen"],
            latest=["last_seen"],
            all_new=all_new and not (partial and whole),
        )


def _keep_unread_pages(connection: Connection, all_said: Sequence[Said]) -> None:
    """Pages that are only known by their address: a sighting on a page never stands without it."""
    rows: dict[str, dict[str, Any]] = {}
    for said in all_said:
        row = rows.setdefault(
            said.page_id,
            {
                "id": said.page_id,
                "source": said.source,
                "url": storable(said.page_url),
                "kind": "page",
                "content_hash": "",
                "first_seen": said.first_at,
                "last_seen": said.seen_at,
            },
        )
        row["first_seen"] = min(row["first_seen"], said.first_at)
        row["last_seen"] = max(row["last_seen"], said.seen_at)
    upsert(
        connection,
        PAGE,
        [rows[page_id] for page_id in sorted(rows)],
        ["id"],
        keep_old=["source", "url", "kind", "content_hash"],
        earliest=["first_seen"],
        latest=["last_seen"],
    )
