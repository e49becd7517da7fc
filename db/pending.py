"""Raw postings that today's rules have not read, by the job that they describe: what parts of the work are made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from db.bulk import rows_by_id
from db.merges import roots
from db.postings import siblings
from db.session import Ledger, reading
from db.tables import ARTICLE, RAW

Pending = Mapping[str, Collection[str]]
"""By the posting's id the ids of its pending raw postings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is collected and not read by today's rules: it is new, it changed, or the rules did."""

    ads: int = 0
    articles: int = 0
    oldest: datetime | None = None
    """When the one of them that waits longest was last seen."""


def is_pending(rules_version: int) -> Any:
    """The condition that a raw posting is pending."""
    return RAW.c.rules_version < rules_version


def unread_query(rules_version: int) -> Select[Any]:
    """How many raw postings are pending."""
    return select(func.count().label("ads")).select_from(RAW).where(is_pending(rules_version))


def waiting(ledger: Ledger, rules_version: int) -> Waiting:
    """What waits to be read, in one view."""
    ads = select(func.count(), func.min(RAW.c.last_seen)).where(is_pending(rules_version))
    articles = select(func.count(), func.min(ARTICLE.c.last_seen)).where(ARTICLE.c.rules_version != rules_version)
    with reading(ledger) as connection:
        found = [connection.execute(query).one() for query in (ads, articles)]
    moments = [oldest for _, oldest in found if oldest is not None]
    return Waiting(ads=found[0][0], articles=found[1][0], oldest=min(moments, default=None))


def pending_jobs(connection: Connection, rules_version: int, limit: int) -> dict[str, list[str]]:
    """So many pending raw postings, by the posting that they are part of today, in the order of its id.

    A raw posting without a posting founds its own, unless that is part of another one by now.
    """
    query = select(RAW.c.id, RAW.c.posting_id).where(is_pending(rules_version))
    # In no other order: always the front of one index, so that no batch is slower than the one before.
    found = connection.execute(query.order_by(RAW.c.rules_version).limit(limit)).all()
    owners = roots(connection, {row.posting_id or row.id for row in found})
    jobs: dict[str, list[str]] = {}
    for row in found:
        jobs.setdefault(owners[row.posting_id or row.id], []).append(row.id)
    return dict(sorted(jobs.items()))


def ads_of(connection: Connection, jobs: Pending) -> list[tuple[str, list[Row[Any]]]]:
    """All raw postings of these jobs, pending or not, by posting."""
    home = {raw_id: posting_id for posting_id, pending in jobs.items() for raw_id in pending}
    rows = {row.id: row for row in siblings(connection, jobs)}
    rows |= {row.id: row for row in rows_by_id(connection, select(RAW), RAW.c.id, home)}
    batch: dict[str, list[Row[Any]]] = {}
    for row in rows.values():
        batch.setdefault(home.get(row.id, row.posting_id), []).append(row)
    return sorted(batch.items())
