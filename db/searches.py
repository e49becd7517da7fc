"""Saved searches: a filter with a schedule and a channel, and which postings it has told of.

What matches when a search is saved is known already; later each posting is told once. A posting is claimed (a row in
`told`) before it is told: a process that dies in between leaves it claimed and undelivered, so nothing is ever told
twice; what failed for certain is given back and told the next time. Of a claim that is left nobody knows whether it was
told: it is unsure, until a person says that it was (`drop_unsure`) or has it told again (`reclaim_unsure`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, exists, func, insert, literal, select, update

from db.bulk import one_of
from db.filters import Filters, parse_filters
from db.queries import find_postings
from db.session import Ledger, LedgerError, reading, writing
from db.tables import POSTING, SEARCH, TOLD

MOST_AT_ONCE = 500
"""Postings of one message; the next round tells the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    id: int
    name: str
    filters: Filters
    schedule: str
    """A cron expression, in UTC."""
    channel: str
    created_at: datetime
    last_told_at: datetime | None
    """When it was last looked at."""


def add_search(engine: Engine, name: str, filters: Filters, *, schedule: str, channel: str, now: datetime) -> int:
    """Saves a search and returns its id; what matches now counts as told."""
    with writing(engine) as connection:
        if connection.execute(select(SEARCH.c.id).where(SEARCH.c.name == name)).first() is not None:
            raise LedgerError(f"a search named {name!r} is saved already: remove it first, or take another name")
        made = connection.execute(
            insert(SEARCH)
            .values(name=name, filters=filters.stated(), schedule=schedule, channel=channel, created_at=now)
            .returning(SEARCH.c.id)
        ).scalar_one()
        known = select(literal(made), POSTING.c.id, literal(now, TOLD.c.at.type), literal(True)).where(
            *filters.conditions()
        )
        connection.execute(insert(TOLD).from_select(["saved_search_id", "posting_id", "at", "delivered"], known))
    return int(made)


def remove_search(engine: Engine, name: str) -> None:
    with writing(engine) as connection:
        row = connection.execute(select(SEARCH.c.id).where(SEARCH.c.name == name)).first()
        if row is None:
            raise LedgerError(f"no saved search {name!r}: `jobledger searches list` shows them")
        connection.execute(delete(TOLD).where(TOLD.c.saved_search_id == row.id))
        connection.execute(delete(SEARCH).where(SEARCH.c.id == row.id))


def saved_searches(ledger: Ledger) -> list[Search]:
    with reading(ledger) as connection:
        rows = connection.execute(select(SEARCH).order_by(SEARCH.c.name)).all()
    return [Search(**{**row._mapping, "filters": parse_filters(row.filters)}) for row in rows]


def told_counts(ledger: Ledger) -> Mapping[int, tuple[int, int]]:
    """By search: postings told since it was saved, and postings claimed of which nobody knows whether they arrived."""
    since = select(
        TOLD.c.saved_search_id,
        func.count().filter(TOLD.c.delivered.is_(True), TOLD.c.at > SEARCH.c.created_at).label("told"),
        func.count().filter(TOLD.c.delivered.is_(False)).label("unsure"),
    ).join(SEARCH, SEARCH.c.id == TOLD.c.saved_search_id)
    with reading(ledger) as connection:
        return {
            row.saved_search_id: (row.told, row.unsure)
            for row in connection.execute(since.group_by(TOLD.c.saved_search_id))
        }


def claim_new(engine: Engine, search: Search, now: datetime) -> list[dict[str, Any]]:
    """Postings that match and were never claimed, now claimed by the caller; oldest first."""
    claimed = exists().where(TOLD.c.saved_search_id == search.id, TOLD.c.posting_id == POSTING.c.id)
    query = select(POSTING.c.id).where(*search.filters.conditions(), ~claimed)
    with writing(engine) as connection:
        ids = list(connection.execute(query.order_by(POSTING.c.first_seen, POSTING.c.id).limit(MOST_AT_ONCE)).scalars())
        if ids:
            row = {"saved_search_id": search.id, "at": now, "delivered": False}
            connection.execute(insert(TOLD), [row | {"posting_id": id_} for id_ in ids])
        connection.execute(update(SEARCH).where(SEARCH.c.id == search.id).values(last_told_at=now))
    if not ids:
        return []
    return find_postings(engine, Filters(ids=tuple(ids)), sort="first_seen", limit=len(ids))[0]


def unsure_postings(engine: Engine, search: Search, before: datetime) -> list[dict[str, Any]]:
    """What was claimed before a moment and never ticked off, oldest claim first: (posting_id, at, title, company, url).

    Title, employer and address are null where the posting is gone since.
    """
    query = (
        select(TOLD.c.posting_id, TOLD.c.at, POSTING.c.title, POSTING.c.company, POSTING.c.url)
        .join(POSTING, POSTING.c.id == TOLD.c.posting_id, isouter=True)
        .where(_unsure(search, before))
        .order_by(TOLD.c.at, TOLD.c.posting_id)
    )
    with reading(engine) as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def reclaim_unsure(engine: Engine, search: Search, before: datetime, now: datetime) -> list[dict[str, Any]]:
    """Unsure postings, claimed anew by the caller, who tells them again; those that are gone since are dropped."""
    with writing(engine) as connection:
        mine = _unsure(search, before)
        gone = TOLD.c.posting_id.not_in(select(POSTING.c.id))
        connection.execute(delete(TOLD).where(mine, gone))
        oldest = select(TOLD.c.posting_id).where(mine).order_by(TOLD.c.at, TOLD.c.posting_id).limit(MOST_AT_ONCE)
        ids = list(connection.execute(oldest).scalars())
        claimed = (TOLD.c.saved_search_id == search.id) & one_of(connection, TOLD.c.posting_id, ids)
        connection.execute(update(TOLD).where(claimed).values(at=now))
    return find_postings(engine, Filters(ids=tuple(ids)), sort="first_seen", limit=len(ids))[0] if ids else []


def drop_unsure(engine: Engine, search: Search, before: datetime) -> int:
    """Counts what is unsure as told; returns how many those were."""
    with writing(engine) as connection:
        return connection.execute(update(TOLD).where(_unsure(search, before)).values(delivered=True)).rowcount


def _unsure(search: Search, before: datetime) -> ColumnElement[bool]:
    return and_(TOLD.c.saved_search_id == search.id, TOLD.c.delivered.is_(False), TOLD.c.at < before)


def settle(engine: Engine, search: Search, posting_ids: Sequence[str], *, delivered: bool) -> None:
    """Ticks claimed postings off as told, or gives them back because telling failed."""
    with writing(engine) as connection:
        mine = (TOLD.c.saved_search_id == search.id) & one_of(connection, TOLD.c.posting_id, posting_ids)
        if delivered:
            connection.execute(update(TOLD).where(mine).values(delivered=True))
        else:
            connection.execute(delete(TOLD).where(mine, TOLD.c.delivered.is_(False)))
