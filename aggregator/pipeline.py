"""The second half of the road, on one screen: raw postings and articles in, postings, flags and claims out.

    pending raw posting -> read -> compose -> judge -> posting, flags, history
    postings            -> match -> merges, and the postings that grew are read again
    postings            -> cohorts -> flags on pay that is far from its like
    pending article     -> roles and claims

A raw posting is pending when today's rules have not read it: it is new, it changed, or the rules did. Reading is pure
and happens outside any transaction; writing is one transaction a batch, so a killed process loses nothing but time.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from multiprocessing import get_context
from typing import Any

from sqlalchemy import Engine

from aggregator.claims import read_article
from aggregator.cohorts import flag_cohorts
from aggregator.composing import compose
from aggregator.matching import match, review
from aggregator.normalise.money import Rates
from aggregator.reading import read
from aggregator.rules import RULES_VERSION
from db import articles, merges, postings
from db.alone import alone
from db.postings import PostingCounts, PostingDraft
from db.session import reading

BATCH = 1_000
"""Raw postings a transaction: large enough to be fast, small enough to hold the write lock for a moment only."""


COHORTS_AT_ONCE = 50_000
"""A ledger with more paid postings is left to the scheduler's nightly cohort job: comparing them takes seconds."""

Job = tuple[str, list[Any]]
"""A posting's id and the rows of `raw_posting` that describe it."""

StoredRate = tuple[str, date, float, str]


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
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> AggregateCounts:
    """Reads what is pending, or `everything` again, in `workers` processes; `progress(done, all)` after each batch.

    One at a time: a second call waits for the first one, and then reads what came meanwhile.
    """
    with alone(engine), _rarely_collected():
        return _aggregate(engine, now, everything, workers, progress)


def _aggregate(
    engine: Engine,
    now: datetime,
    everything: bool,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> AggregateCounts:
    if everything:
        postings.mark_all_pending(engine)
        articles.mark_all_pending(engine)
        merges.mark_merges_for_review(engine)
    with reading(engine) as connection:
        total = postings.count_pending(connection, RULES_VERSION)
        rates = postings.stored_rates(connection)
    with _composer(rates, workers) as composed:
        read, counts = _read_pending(engine, composed, workers, total, now, progress)
        split = review(engine, rates, now=now)
        if split:
            counts += _read_pending(engine, composed, workers, 0, now, None)[1]
        merged = 0
        while found := match(engine, now=now):
            merged += found
            _read_pending(engine, composed, workers, 0, now, None)  # counted already, under the ids they had
    if counts.new or counts.updated or split or merged:
        flag_cohorts(engine, now=now, at_most=COHORTS_AT_ONCE)
    counts += PostingCounts(postings=-min(merged, counts.new), new=-min(merged, counts.new))
    return AggregateCounts(read, _aggregate_articles(engine), counts, merged, split)


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Looks for cycles a hundred times less often: readings and drafts make none, and to look costs a tenth."""
    before = gc.get_threshold()
    gc.set_threshold(before[0] * 100, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _read_pending(
    engine: Engine,
    composed: Callable[[Sequence[Job]], list[PostingDraft]],
    workers: int,
    total: int,
    now: datetime,
    progress: Callable[[int, int], None] | None,
) -> tuple[int, PostingCounts]:
    done, counts = 0, PostingCounts()
    while batch := _next_batch(engine, BATCH * workers):
        drafts = composed(batch)
        counts += postings.keep_postings(engine, drafts, rules_version=RULES_VERSION, now=now)
        done += sum(len(rows) for _, rows in batch)
        if progress is not None:
            progress(done, max(total, done))
    return done, counts


def _next_batch(engine: Engine, size: int) -> list[Job]:
    """The next pending raw postings and all others that describe the same jobs, by posting."""
    with reading(engine) as connection:
        pending = postings.pending(connection, RULES_VERSION, size)
        # A raw posting without a posting founds its own, unless that is part of another one by now.
        owners = merges.roots(connection, {row.posting_id or row.id for row in pending})
        rows = {row.id: row for row in postings.siblings(connection, set(owners.values()))}
        rows |= {row.id: row for row in pending}
    batch: dict[str, list[Any]] = {}
    for row in rows.values():
        owner = row.posting_id or row.id
        batch.setdefault(owners.get(owner, owner), []).append(row)
    return sorted(batch.items())


@contextmanager
def _composer(rates: Sequence[StoredRate], workers: int) -> Iterator[Callable[[Sequence[Job]], list[PostingDraft]]]:
    """What turns rows into drafts: here, or in processes of their own."""
    if workers == 1:
        yield partial(_compose_all, rates)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:

        def spread(batch: Sequence[Job]) -> list[PostingDraft]:
            parts = pool.map(partial(_compose_all, rates), [batch[n::workers] for n in range(workers)])
            return [draft for part in parts for draft in part]

        yield spread


def _compose_all(stored: Sequence[StoredRate], batch: Sequence[Job]) -> list[PostingDraft]:
    rates = Rates(stored)
    return [compose(posting_id, [read(row) for row in rows], rates) for posting_id, rows in batch]


def _aggregate_articles(engine: Engine) -> int:
    with reading(engine) as connection:
        pending = articles.pending(connection, RULES_VERSION)
    return articles.keep_readings(engine, [read_article(a) for a in pending], rules_version=RULES_VERSION)
