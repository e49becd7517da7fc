"""The second half of the road, on one screen: raw postings and articles in, postings, flags and claims out.

    pending raw posting -> read -> compose -> judge -> posting, flags, history
    postings            -> match -> merges, and the postings that grew are read again
    postings            -> cohorts -> flags on pay that is far from its like
    pending article     -> roles and claims

A raw posting is pending when today's rules have not read it: it is new, it changed, or the rules did. Reading is pure
and happens outside any transaction; writing is one transaction a batch, so a killed process loses nothing but time. A
row that makes a rule fail is rejected with the reason, and the other rows are read (`aggregator.containing`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from aggregator.claims import read_article
from aggregator.cohorts import flag_cohorts
from aggregator.containing import Job, compose_all, rejection
from aggregator.matching import match, review
from aggregator.normalise.money import Rates
from aggregator.parts import Done, rarely_collected, read_in_parts
from aggregator.rules import RULES_VERSION
from db import articles, merges, postings
from db.alone import alone
from db.contained import Failure, contained
from db.pending import ads_of, pending_jobs
from db.postings import PostingCounts
from db.records import RejectedRecord
from db.rejected import UNCLAIMED, keep_rejections
from db.session import reading
from db.turns import require_turn, turn

logger = logging.getLogger(__name__)

BATCH = 1_000
"""Raw postings a transaction: large enough to be fast, small enough to hold the write lock for a moment only."""
COHORTS_AT_ONCE = 50_000
"""A ledger with more paid postings is left to the scheduler's nightly cohort job: comparing them takes seconds."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class AggregateCounts:
    read: int = 0
    articles: int = 0
    postings: PostingCounts = field(default_factory=PostingCounts)
    merged: int = 0
    """Postings that went into another one, because both are one job."""
    split: int = 0
    """Merges of older rules that today's rules took back."""
    rejected: int = 0
    """Raw postings, postings and articles that a rule failed on; the table `rejected` has the reasons."""


def aggregate(
    engine: Engine,
    *,
    now: datetime,
    everything: bool = False,
    pool: Executor | None = None,
    progress: Progress | None = None,
) -> AggregateCounts:
    """Reads what is pending, or `everything` again; `progress(done, all)` after each batch.

    With a `pool` of other processes they read and write in parts (`aggregator.parts`), and the rows come out the same.
    One at a time: a second call waits for the first one, and then reads what came meanwhile.
    """
    with alone(engine), rarely_collected():
        return _aggregate(engine, now, everything, pool, progress)


def _aggregate(
    engine: Engine, now: datetime, everything: bool, pool: Executor | None, progress: Progress | None
) -> AggregateCounts:
    if everything:
        postings.mark_all_pending(engine)
        articles.mark_all_pending(engine)
        merges.mark_merges_for_review(engine)
    rejected = Rejections()
    with reading(engine) as connection:
        total = postings.count_pending(connection, RULES_VERSION)
        rates = Rates(postings.stored_rates(connection))
    first = _read_first(engine, rates, pool, total, now, progress)
    counts = first.counts
    rejected.note(first.rejected)
    split = review(engine, rates, now=now)
    if split:
        again = _read_pending(engine, rates, 0, now, None)
        counts += again.counts
        rejected.note(again.rejected)
    merged = 0
    while (found := match(engine, now=now)).merged:
        merged += found.merged
        rejected.note(found.rejected)
        _read_pending(engine, rates, 0, now, None)  # counted already, under the ids they had
    rejected.note(found.rejected)
    if counts.new or counts.updated or split or merged:
        changes = flag_cohorts(engine, now=now, at_most=COHORTS_AT_ONCE)
        rejected.note(changes.rejected if changes is not None else ())
    counts += PostingCounts(postings=-min(merged, counts.new), new=-min(merged, counts.new))
    read_articles, failed = _aggregate_articles(engine, now)
    rejected.note(failed)
    rejected.end()
    return AggregateCounts(first.read, read_articles, counts, merged, split, len(rejected.ids))


MOST_LOGGED = 20
"""Rejections of one call that are logged one by one; the others are counted."""


class Rejections:
    """What one call rejected, each row and reason once: a job may be read several times, and is logged once."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def note(self, records: Sequence[RejectedRecord]) -> None:
        for record in records:
            if record.id not in self.ids:
                self.ids.add(record.id)
                if len(self.ids) <= MOST_LOGGED:
                    logger.warning("rejected %s of %s: %s", record.subject, record.source, record.detail)

    def end(self) -> None:
        if len(self.ids) > MOST_LOGGED:
            more = len(self.ids) - MOST_LOGGED
            logger.warning("rejected %d more: `jobledger rejected list` shows them", more)


def _read_first(
    engine: Engine, rates: Rates, pool: Executor | None, total: int, now: datetime, progress: Progress | None
) -> Done:
    """What is pending at first, which may be much: by the pool where there is one, and here what that leaves."""
    done = Done()
    if pool is not None:
        with turn(engine) as name:
            told = partial(_tell, progress, total)
            done = read_in_parts(engine, pool, turn=name, now=now, progress=told)
            with reading(engine) as connection:  # a server that restarted meanwhile may have let somebody else in
                require_turn(connection, name)
    return done + _read_pending(engine, rates, total, now, progress)


def _tell(progress: Progress | None, total: int, done: int) -> None:
    if progress is not None:
        progress(done, max(total, done))


def _read_pending(engine: Engine, rates: Rates, total: int, now: datetime, progress: Progress | None) -> Done:
    done = Done()
    while batch := _next_batch(engine, BATCH):
        made = compose_all(rates, batch, now=now)
        counts = postings.keep_postings(engine, made, rules_version=RULES_VERSION, now=now)
        done += Done(sum(len(rows) for _, rows in batch), counts, tuple(made.rejected))
        _tell(progress, total, done.read)
    return done


def _next_batch(engine: Engine, size: int) -> Sequence[Job]:
    """The next pending raw postings and all others that describe the same jobs, by posting."""
    with reading(engine) as connection:
        return ads_of(connection, pending_jobs(connection, RULES_VERSION, size))


def _aggregate_articles(engine: Engine, now: datetime) -> tuple[int, list[RejectedRecord]]:
    """An article that a rule fails on states no claims until it can be read."""
    with reading(engine) as connection:
        pending = articles.pending(connection, RULES_VERSION)
    readings, rejected = [], []
    for article in pending:
        found = contained(read_article, article)
        if isinstance(found, Failure):
            rejected.append(rejection(article, found, now, reason=UNCLAIMED))
            found = articles.ArticleReading(id=article.id, content_hash=article.content_hash, roles=(), claims=())
        readings.append(found)
    keep_rejections(engine, rejected, examined=[a.id for a in pending], reason=UNCLAIMED, now=now)
    return articles.keep_readings(engine, readings, rules_version=RULES_VERSION), rejected
