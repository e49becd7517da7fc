"""The second half of the road, on one screen: raw postings and articles in, postings, flags and claims out.

    pending raw posting -> read -> compose -> judge -> posting, flags, history
    postings            -> match -> merges, and the postings that grew are read again
    postings            -> cohorts -> flags on pay that is far from its like
    pending article     -> roles and claims

A raw posting is pending when today's rules have not read it: it is new, it changed, or the rules did. Reading is pure
and happens outside any transaction; writing is one transaction a batch, so a killed process loses nothing but time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from aggregator.claims import read_article
from aggregator.cohorts import flag_cohorts
from aggregator.matching import match, review
from aggregator.normalise.money import Rates
from aggregator.parts import Job, compose_all, rarely_collected, read_in_parts
from aggregator.rules import RULES_VERSION
from db import articles, merges, postings
from db.alone import alone
from db.pending import ads_of, pending_jobs
from db.postings import PostingCounts
from db.session import reading
from db.turns import require_turn, turn

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
    with reading(engine) as connection:
        total = postings.count_pending(connection, RULES_VERSION)
        rates = Rates(postings.stored_rates(connection))
    read, counts = _read_first(engine, rates, pool, total, now, progress)
    split = review(engine, rates, now=now)
    if split:
        counts += _read_pending(engine, rates, 0, now, None)[1]
    merged = 0
    while found := match(engine, now=now):
        merged += found
        _read_pending(engine, rates, 0, now, None)  # counted already, under the ids they had
    if counts.new or counts.updated or split or merged:
        flag_cohorts(engine, now=now, at_most=COHORTS_AT_ONCE)
    counts += PostingCounts(postings=-min(merged, counts.new), new=-min(merged, counts.new))
    return AggregateCounts(read, _aggregate_articles(engine), counts, merged, split)


def _read_first(
    engine: Engine,
    rates: Rates,
    pool: Executor | None,
    total: int,
    now: datetime,
    progress: Progress | None,
) -> tuple[int, PostingCounts]:
    """What is pending at first, which may be much: by the pool where there is one, and here what that leaves."""
    read, counts = 0, PostingCounts()
    if pool is not None:
        with turn(engine) as name:
            told = partial(_tell, progress, total)
            read, counts = read_in_parts(engine, pool, turn=name, now=now, progress=told)
            with reading(engine) as connection:  # a server that restarted meanwhile may have let somebody else in
                require_turn(connection, name)
    left, more = _read_pending(engine, rates, total, now, progress)
    return read + left, counts + more


def _tell(progress: Progress | None, total: int, done: int) -> None:
    if progress is not None:
        progress(done, max(total, done))


def _read_pending(
    engine: Engine, rates: Rates, total: int, now: datetime, progress: Progress | None
) -> tuple[int, PostingCounts]:
    done, counts = 0, PostingCounts()
    while batch := _next_batch(engine, BATCH):
        drafts = compose_all(rates, batch)
        counts += postings.keep_postings(engine, drafts, rules_version=RULES_VERSION, now=now)
        done += sum(len(rows) for _, rows in batch)
        _tell(progress, total, done)
    return done, counts


def _next_batch(engine: Engine, size: int) -> Sequence[Job]:
    """The next pending raw postings and all others that describe the same jobs, by posting."""
    with reading(engine) as connection:
        return ads_of(connection, pending_jobs(connection, RULES_VERSION, size))


def _aggregate_articles(engine: Engine) -> int:
    with reading(engine) as connection:
        pending = articles.pending(connection, RULES_VERSION)
    return articles.keep_readings(engine, [read_article(a) for a in pending], rules_version=RULES_VERSION)
