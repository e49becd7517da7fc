"""Writing normalised postings: what the aggregator made of raw postings, their flags and their history.

Ids are those of the raw posting that founded a posting, so re-reading keeps them. What a person decided about a flag
holds as long as the judged values are the same; when they change the flag is open again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, delete, func, select, update

from db.bulk import rows_by_id, update_rows, upsert
from db.keys import content_hash, key
from db.merges import kept_decisions
from db.records import RejectedRecord
from db.rejected import UNREADABLE, keep_rejected, resolve_rows
from db.session import committed, reading, writing
from db.tables import CHANGE, COMPANY, FLAG, POSTING, RATE, RAW, SIGHTING
from db.turns import require_turn
from db.unread import Unread, keep_unread
from db.words import keep_words, words_changed

LIFE = frozenset(
    {
        "id",
        "first_seen",
        "last_seen",
        "closed_at",
        "reopened",
        "reposted",
        "reposted_days",
        "excluded",
        "match_version",
        "content_hash",
        "rules_version",
    }
)
"""Columns that tell when, how often and what became of it, not what was said: no part of a posting's content."""
READ = ("first_seen", "last_seen", "closed_at", "reposted", "reposted_days")
"""Those of them that reading the raw postings gives."""

CONTENT = tuple(column.name for column in POSTING.c if column.name not in LIFE)

RECORDED = frozenset(CONTENT) - {"block", "company_id", "description_text", "fx_rate", "fx_date", "role_confidence"}
"""Columns whose change by our rules is written into the history."""


@dataclass(frozen=True, slots=True)
class FlagDraft:
    code: str
    severity: str
    detail: str
    suggestion: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PostingDraft:
    """A posting as today's rules read it. `values` holds every column of `CONTENT` and of `READ`."""

    id: str
    values: Mapping[str, Any]
    company: tuple[str, str] | None
    """Id and name."""
    flags: tuple[FlagDraft, ...]
    read_from: Mapping[str, str]
    """Its raw postings, those that could not be read too: id -> content hash at the time of reading."""

    content_hash: str = field(init=False)
    """Of all columns of `CONTENT`; made where the draft is made, so that workers share the work."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "content_hash", content_hash({name: self.values[name] for name in CONTENT}))


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some jobs: postings, jobs that could not be read at all, and the raw postings that failed."""

    drafts: Sequence[PostingDraft] = ()
    unread: Sequence[Unread] = ()
    rejected: Sequence[RejectedRecord] = ()


@dataclass(frozen=True, slots=True)
class PostingCounts:
    postings: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    fields_changed: Mapping[str, int] = field(default_factory=dict)
    """Normalised fields that now read otherwise, with how many postings."""

    def __add__(self, other: PostingCounts) -> PostingCounts:
        changed = dict(self.fields_changed)
        for name, number in other.fields_changed.items():
            changed[name] = changed.get(name, 0) + number
        return PostingCounts(
            self.postings + other.postings,
            self.new + other.new,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            changed,
        )


def count_pending(connection: Connection, rules_version: int) -> int:
    query = select(func.count()).select_from(RAW).where(RAW.c.rules_version < rules_version)
    return connection.execute(query).scalar_one()


def mark_all_pending(engine: Engine) -> None:
    """Every raw posting is to be read again."""
    with writing(engine) as connection:
        connection.execute(update(RAW).values(rules_version=0))


def siblings(connection: Connection, posting_ids: Iterable[str]) -> list[Row[Any]]:
    """All raw postings of these postings."""
    return list(rows_by_id(connection, select(RAW), RAW.c.posting_id, posting_ids))


def stored_rates(connection: Connection) -> list[tuple[str, Any, float, str]]:
    """Exchange rates read since the bundled table: currency, day, US dollars a unit, origin."""
    return [(r.currency, r.on, r.usd, r.origin) for r in connection.execute(select(RATE))]


def keep_postings(
    engine: Engine, batch: Batch, *, rules_version: int, now: datetime, turn: str | None = None
) -> PostingCounts:
    """Writes a batch in one transaction and marks its raw postings as read, or as rejected.

    A raw posting that changed while it was being read stays pending. Work done in the name of a `turn` of somebody who
    aggregates raises `db.turns.TurnOver`, and writes nothing, once that is over.
    """
    if not (batch.drafts or batch.unread):
        return PostingCounts()

    def work(connection: Connection) -> PostingCounts:
        if turn is not None:
            require_turn(connection, turn)
        return _keep_batch(connection, batch, rules_version, now)

    return committed(engine, work)


def _keep_batch(connection: Connection, batch: Batch, rules_version: int, now: datetime) -> PostingCounts:
    ordered = sorted(batch.drafts, key=lambda draft: draft.id)
    ids = [draft.id for draft in ordered] + [job.id for job in batch.unread]
    old = {row.id: row for row in rows_by_id(connection, select(POSTING), POSTING.c.id, ids)}
    _keep_companies(connection, ordered)
    decided = _decided_flags(connection, ordered)
    changed = [d for d in ordered if d.id not in old or _differs(old[d.id], d, rules_version)]
    upsert(
        connection,
        POSTING,
        [_posting_row(d, old.get(d.id), decided, rules_version) for d in changed],
        ["id"],
        all_new=not old,
    )
    keep_words(connection, [(d.id, d.values) for d in changed if words_changed(old.get(d.id), d.values)])
    _keep_flags(connection, ordered, decided, rules_version, now)
    keep_unread(connection, batch.unread, old, rules_version=rules_version, now=now)
    counts = _keep_changes(connection, ordered, batch.unread, old, now)
    owners: list[Owned] = [(draft.read_from, draft.id) for draft in ordered]
    owners += [(job.read_from, job.id if job.id in old else None) for job in batch.unread]
    _mark_read(connection, owners, rules_version)
    _keep_rejected(connection, owners, batch.rejected, now)
    return counts


Owned = tuple[Mapping[str, str], str | None]
"""Raw postings with the hash of what was read, and the posting that they belong to."""


def _mark_read(connection: Connection, owners: Sequence[Owned], rules_version: int) -> None:
    """Raw postings belong to their posting and are pending no more, unless they changed meanwhile."""
    read = update(RAW).where(RAW.c.id == bindparam("raw_id"), RAW.c.content_hash == bindparam("read_hash"))
    owned = [
        {"raw_id": raw_id, "read_hash": read_hash, "owner": owner}
        for read_from, owner in owners
        for raw_id, read_hash in read_from.items()
    ]
    update_rows(
        connection,
        read.values(posting_id=bindparam("owner"), rules_version=rules_version),
        sorted(owned, key=lambda row: row["raw_id"]),
    )


def _keep_rejected(
    connection: Connection, owners: Sequence[Owned], rejected: Sequence[RejectedRecord], now: datetime
) -> None:
    failed = {record.subject for record in rejected}
    resolve_rows(connection, [id_ for read, _ in owners for id_ in read if id_ not in failed], UNREADABLE, now)
    keep_rejected(connection, sorted(rejected, key=lambda record: record.id))


def _keep_companies(connection: Connection, drafts: Sequence[PostingDraft]) -> None:
    """Of the spellings of an employer's name the first in order stays, whoever of several writers comes first."""
    names: dict[str, str] = {}
    for draft in drafts:
        if draft.company is not None:
            id_, name = draft.company
            names[id_] = min(names.get(id_, name), name)
    known = {row.id: row.name for row in rows_by_id(connection, select(COMPANY), COMPANY.c.id, names)}
    # Only what changes is written: a row that is written is locked, and large employers are in every batch.
    rows = [{"id": id_, "name": name} for id_, name in sorted(names.items()) if id_ not in known or name < known[id_]]
    upsert(connection, COMPANY, rows, ["id"], earliest=["name"])


def _differs(old: Row[Any], draft: PostingDraft, rules_version: int) -> bool:
    return bool(
        old.content_hash != draft.content_hash
        or old.rules_version != rules_version
        or any(old._mapping[name] != draft.values[name] for name in READ)
    )


def _posting_row(
    draft: PostingDraft, old: Row[Any] | None, decided: Mapping[tuple[str, str], Row[Any]], rules_version: int
) -> dict[str, Any]:
    reopened = old.reopened if old is not None else 0
    if old is not None and old.closed_at is not None and draft.values["closed_at"] is None:
        reopened += 1
    return {
        "id": draft.id,
        **draft.values,
        "excluded": any(
            flag.severity == "exclude" and _state(draft, flag, decided) != "dismissed" for flag in draft.flags
        ),
        "reopened": reopened,
        "match_version": old.match_version if old is not None and old.content_hash == draft.content_hash else 0,
        "content_hash": draft.content_hash,
        "rules_version": rules_version,
    }


def judged_hash(draft: PostingDraft) -> str:
    """What a decision on a flag of this posting was about: the values that flags judge."""
    judged = (
        "title",
        "level",
        "level_text",
        "country",
        "salary_text",
        "salary_min",
        "salary_max",
        "currency",
        "period",
    )
    return content_hash({name: draft.values[name] for name in judged})


def _decided_flags(connection: Connection, drafts: Sequence[PostingDraft]) -> dict[tuple[str, str], Any]:
    """The flags of these postings, and what was decided about those of a posting that was merged and split again."""
    ids = [draft.id for draft in drafts]
    kept = [SimpleNamespace(**flag) for flag in kept_decisions(connection, ids)]
    stored = rows_by_id(connection, select(FLAG), FLAG.c.posting_id, ids)
    return {(flag.posting_id, flag.code): flag for flag in (*kept, *stored)}


def _state(draft: PostingDraft, flag: FlagDraft, known: Mapping[tuple[str, str], Row[Any]]) -> str:
    row = known.get((draft.id, flag.code))
    if row is None or row.state == "open" or row.seen_hash != judged_hash(draft):
        return "open"
    return str(row.state)


CONTEXT_CODES = frozenset({"cohort_outlier", "duplicate_in_source", "expired_but_listed"})
"""Flags that other postings or the clock raise: judged by their own jobs, not by reading one posting."""


def _keep_flags(
    connection: Connection,
    drafts: Sequence[PostingDraft],
    known: Mapping[tuple[str, str], Row[Any]],
    rules_version: int,
    now: datetime,
) -> None:
    rows, standing = [], set()
    for draft in drafts:
        for flag in draft.flags:
            standing.add((draft.id, flag.code))
            row, state = known.get((draft.id, flag.code)), _state(draft, flag, known)
            still = row is not None and state != "open"
            rows.append(
                {
                    "posting_id": draft.id,
                    "code": flag.code,
                    "severity": flag.severity,
                    "state": state,
                    "detail": flag.detail,
                    "suggestion": dict(flag.suggestion),
                    "rules_version": rules_version,
                    "raised_at": row.raised_at if row is not None else now,
                    "decided_at": row.decided_at if still and row is not None else None,
                    "decided_by": row.decided_by if still and row is not None else None,
                    "why": row.why if still and row is not None else None,
                    "seen_hash": judged_hash(draft),
                }
            )
    upsert(connection, FLAG, sorted(rows, key=lambda row: (row["posting_id"], row["code"])), ["posting_id", "code"])
    gone = [
        {"gone_posting": posting_id, "gone_code": code}
        for (posting_id, code), row in known.items()
        if (posting_id, code) not in standing and row.state == "open" and code not in CONTEXT_CODES
    ]
    if gone:
        connection.execute(
            delete(FLAG).where(FLAG.c.posting_id == bindparam("gone_posting"), FLAG.c.code == bindparam("gone_code")),
            gone,
        )


def _keep_changes(
    connection: Connection,
    drafts: Sequence[PostingDraft],
    unread: Sequence[Unread],
    old: Mapping[str, Row[Any]],
    now: datetime,
) -> PostingCounts:
    rows = [
        _change(job.id, "closed_at", old[job.id].closed_at, job.seen["closed_at"], "lifecycle", now)
        for job in unread
        if job.id in old and old[job.id].closed_at != job.seen["closed_at"]
    ]
    new = updated = 0
    fields_changed: dict[str, int] = {}
    for draft in drafts:
        before = old.get(draft.id)
        if before is None:
            new += 1
            continue
        if before.closed_at != draft.values["closed_at"]:
            rows.append(_change(draft.id, "closed_at", before.closed_at, draft.values["closed_at"], "lifecycle", now))
        if before.content_hash == draft.content_hash:
            continue
        updated += 1
        for name in RECORDED:
            if before._mapping[name] != draft.values[name]:
                fields_changed[name] = fields_changed.get(name, 0) + 1
                if not name.endswith("_text"):  # what a site published is recorded where it is kept
                    rows.append(_change(draft.id, name, before._mapping[name], draft.values[name], "rules", now))
    upsert(connection, CHANGE, sorted(rows, key=lambda row: row["id"]), ["id"])
    return PostingCounts(len(drafts), new, updated, len(drafts) - new - updated, fields_changed)


def _change(posting_id: str, name: str, old: object, new: object, cause: str, at: datetime) -> dict[str, Any]:
    was, is_ = (None if value is None else str(value) for value in (old, new))
    return {
        "id": key("change", posting_id, name, was or "", is_ or "", at.isoformat()),
        "posting_id": posting_id,
        "field": name,
        "old": was,
        "new": is_,
        "cause": cause,
        "at": at,
    }


def count_flagged(connection: Connection, raw_ids: Iterable[str] | None = None) -> int:
    """Postings kept out of statistics by an undismissed flag; of these raw postings only, where given."""
    query = select(func.count()).select_from(POSTING).where(POSTING.c.excluded.is_(True))
    if raw_ids is None:
        return connection.execute(query).scalar_one()
    owners = {row.posting_id for row in rows_by_id(connection, select(RAW.c.posting_id), RAW.c.id, raw_ids)}
    return len(rows_by_id(connection, select(POSTING.c.id).where(POSTING.c.excluded.is_(True)), POSTING.c.id, owners))


def sightings_of(engine: Engine, posting_ids: Sequence[str]) -> dict[str, int]:
    """How many pages each posting was seen on."""
    query = (
        select(RAW.c.posting_id, func.count())
        .join(SIGHTING, SIGHTING.c.raw_posting_id == RAW.c.id)
        .group_by(RAW.c.posting_id)
    )
    with reading(engine) as connection:
        return {row[0]: row[1] for row in rows_by_id(connection, query, RAW.c.posting_id, posting_ids)}
