"""The second half of the road, on one screen: raw postings and articles in, postings, flags and claims out.

    pending raw posting -> read -> compose -> judge -> posting, flags, history
    pending article     -> roles and claims

A raw posting is pending when today's rules have not read it: it is new, it changed, or the rules did. Reading is pure
and happens outside any transaction; writing is one transaction a batch, so a killed process loses nothing but time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from aggregator.claims import read_article
from aggregator.composing import compose
from aggregator.normalise.money import Rates
from aggregator.reading import Reading, read
from aggregator.rules import RULES_VERSION
from db import articles, postings
from db.postings import PostingCounts
from db.session import reading

BATCH = 1_000
"""Raw postings a transaction: large enough to be fast, small enough to hold the write lock for a moment only."""


@dataclass(frozen=True, slots=True)
class AggregateCounts:
    read: int = 0
    articles: int = 0
    postings: PostingCounts = field(default_factory=PostingCounts)


def aggregate(
    engine: Engine, *, now: datetime, everything: bool = False, progress: Callable[[int, int], None] | None = None
) -> AggregateCounts:
    """Reads what is pending, or `everything` again; `progress(done, all)` is called after each batch."""
    if everything:
        postings.mark_all_pending(engine)
        articles.mark_all_pending(engine)
    with reading(engine) as connection:
        total = postings.count_pending(connection, RULES_VERSION)
        rates = Rates(postings.stored_rates(connection))
    done, counts = 0, PostingCounts()
    while batch := _next_batch(engine):
        drafts = [compose(posting_id, readings, rates) for posting_id, readings in batch.items()]
        counts += postings.keep_postings(engine, drafts, rules_version=RULES_VERSION, now=now)
        done += sum(map(len, batch.values()))
        if progress is not None:
            progress(done, max(total, done))
    return AggregateCounts(read=done, articles=_aggregate_articles(engine), postings=counts)


def _next_batch(engine: Engine) -> dict[str, list[Reading]]:
    """Readings of the next pending raw postings and of all that describe the same jobs, by posting."""
    with reading(engine) as connection:
        rows = {row.id: row for row in postings.pending(connection, RULES_VERSION, BATCH)}
        owners = {row.posting_id for row in rows.values() if row.posting_id is not None}
        rows |= {row.id: row for row in postings.siblings(connection, owners)}
    batch: dict[str, list[Reading]] = {}
    for row in rows.values():
        batch.setdefault(row.posting_id or row.id, []).append(read(row))
    return batch


def _aggregate_articles(engine: Engine) -> int:
    with reading(engine) as connection:
        pending = articles.pending(connection, RULES_VERSION)
    return articles.keep_readings(engine, [read_article(a) for a in pending], rules_version=RULES_VERSION)
