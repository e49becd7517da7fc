"""What could not be read: kept with its reason, listed, and marked as resolved when a later reading succeeds.

A rejection stands on one of two things. One of a page (`url`) is resolved when the page is read again without it. One
of a row of ours (`subject`: a raw posting, a posting, an article) is resolved when the rules read that row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from db.bulk import last_of_each, one_of, rows_by_id, update_rows, upsert
from db.records import PageRecord, RejectedRecord, storable
from db.session import Ledger, committed, reading
from db.tables import PAGE, REJECTED, SIGHTING

UNREADABLE, UNCOMPARED, UNPLACED, UNCLAIMED = "rule_failed", "comparison_failed", "cohort_failed", "claims_failed"
"""Reasons of our rules: reading or composing a posting, comparing it with others of its employer, or with the pay of
its cohort, reading the claims of an article."""
PARSER_FAILED = "parser_failed"
"""The reason of our parsers: a page, an entry or a record made one of them fail."""
STANDING = REJECTED.c.resolved_at.is_(None)


def keep_rejected(connection: Connection, records: Sequence[RejectedRecord]) -> int:
    """Writes rejections; one that was resolved stands again. Returns how many were given."""
    addresses = _pages_of(connection, [r.subject for r in records if r.subject is not None and not r.url])
    rows = [
        {
            "id": r.id,
            "source": r.source,
            "url": storable(r.url or addresses.get(r.subject, "")),
            "reason": r.reason,
            "detail": storable(r.detail),
            "excerpt": storable(r.excerpt),
            "subject": r.subject,
            "rules_version": r.rules_version,
            "first_seen": r.seen_at,
            "last_seen": r.seen_at,
            "resolved_at": None,
        }
        for r in records
    ]
    upsert(connection, REJECTED, last_of_each(rows, "id"), ["id"], earliest=["first_seen"], latest=["last_seen"])
    return len(records)


def _pages_of(connection: Connection, raw_ids: Sequence[str]) -> dict[str | None, str]:
    """A page on which each of these raw postings stood."""
    query = select(SIGHTING.c.raw_posting_id, func.min(PAGE.c.url).label("url"))
    query = query.join(PAGE, PAGE.c.id == SIGHTING.c.page_id).group_by(SIGHTING.c.raw_posting_id)
    return {row.raw_posting_id: row.url for row in rows_by_id(connection, query, SIGHTING.c.raw_posting_id, raw_ids)}


def resolve_rows(connection: Connection, subjects: Iterable[str], reason: str, at: datetime) -> None:
    """These rows have been read: what stood against them for this reason is resolved."""
    ours = one_of(connection, REJECTED.c.subject, subjects)
    connection.execute(update(REJECTED).where(ours, STANDING, REJECTED.c.reason == reason).values(resolved_at=at))


def resolve_pages(connection: Connection, pages: Sequence[PageRecord]) -> None:
    """These pages have been read: what was rejected of them before that moment is resolved."""
    if not pages:
        return
    read_at = {(page.source, storable(page.url)): page.seen_at for page in pages}
    query = select(REJECTED.c.id, REJECTED.c.source, REJECTED.c.url, REJECTED.c.last_seen)
    query = query.where(STANDING, REJECTED.c.subject.is_(None), REJECTED.c.source.in_({page.source for page in pages}))
    rows = [
        {"rejection": row.id, "at": read_at[row.source, row.url]}
        for row in rows_by_id(connection, query, REJECTED.c.url, [url for _, url in read_at])
        if (row.source, row.url) in read_at and row.last_seen < read_at[row.source, row.url]
    ]
    at = bindparam("at", type_=REJECTED.c.resolved_at.type)
    update_rows(
        connection, update(REJECTED).where(REJECTED.c.id == bindparam("rejection")).values(resolved_at=at), rows
    )


def keep_rejections(
    engine: Engine, records: Sequence[RejectedRecord], *, examined: Iterable[str], reason: str, now: datetime
) -> None:
    """What was found to reject for one reason among the rows `examined`; the others of these are resolved."""
    subjects = set(examined) - {record.subject for record in records}

    def work(connection: Connection) -> None:
        resolve_rows(connection, subjects, reason, now)
        keep_rejected(connection, records)

    committed(engine, work)


COLUMNS = (
    "source", "url", "reason", "detail", "rules_version", "first_seen", "last_seen", "resolved_at", "excerpt", "id",
)  # fmt: skip
"""What a list of rejections shows of each."""


def list_rejected(
    ledger: Ledger,
    *,
    source: str | None = None,
    reason: str | None = None,
    since: datetime | None = None,
    resolved: bool = False,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """What could not be read, newest first; with `resolved` also what could be read later."""
    query = select(*(REJECTED.c[name] for name in COLUMNS)).order_by(REJECTED.c.last_seen.desc(), REJECTED.c.id)
    if source is not None:
        query = query.where(REJECTED.c.source == source)
    if reason is not None:
        query = query.where(REJECTED.c.reason == reason)
    if since is not None:
        query = query.where(REJECTED.c.last_seen >= since)
    if not resolved:
        query = query.where(STANDING)
    with reading(ledger) as connection:
        return [dict(row._mapping) for row in connection.execute(query.limit(limit))]


def rejected_reasons(engine: Engine) -> list[str]:
    """Every reason that the ledger knows."""
    with reading(engine) as connection:
        return list(connection.execute(select(REJECTED.c.reason).distinct().order_by(REJECTED.c.reason)).scalars())


def count_rejected(connection: Connection) -> dict[str, int]:
    """How many rejections stand, by source."""
    query = select(REJECTED.c.source, func.count().label("n")).where(STANDING).group_by(REJECTED.c.source)
    return {row.source: row.n for row in connection.execute(query)}


def failed_since(engine: Engine, source: str, since: datetime) -> int:
    """How many rows of a source our rules have failed on since a moment."""
    query = select(func.count()).select_from(REJECTED).where(STANDING, REJECTED.c.rules_version.is_not(None))
    with reading(engine) as connection:
        found = query.where(REJECTED.c.source == source, REJECTED.c.last_seen >= since)
        return connection.execute(found).scalar_one()


def rejected_sources(engine: Engine) -> list[str]:
    """Every source of which something was rejected."""
    with reading(engine) as connection:
        return list(connection.execute(select(REJECTED.c.source).distinct().order_by(REJECTED.c.source)).scalars())
