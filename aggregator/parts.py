"""Reading what is pending in parts, each by a task that any process may do: on this machine or on another.

A part is some jobs with all raw postings that describe them, so that no two parts write the same posting. The task
reads them from the ledger, composes and writes in one transaction, and returns counts: done twice it is done once, so
that what a dead worker leaves is simply done again. What must see all postings at once (review, matching, cohorts) is
left to the caller, who is alone with the ledger meanwhile (`db.alone`) and in whose turn the tasks write.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from aggregator.containing import compose_all
from aggregator.normalise.money import Rates
from aggregator.rules import RULES_VERSION
from db.pending import Pending, ads_of, pending_jobs
from db.postings import PostingCounts, keep_postings, stored_rates
from db.records import RejectedRecord
from db.session import reading
from db.workers import address_of, engine_at, patiently

LARGEST, SMALLEST = 1_000, 100
"""Raw postings of a part: some 50 to 500 ms of work, and one short transaction."""
AT_ONCE = 200
"""Parts that are handed out before the ledger is asked what else is pending."""
LEAST_PARTS = 16
"""Where less is pending, parts are smaller, so that every worker has some and they end at about the same time."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some jobs to be read, and in whose turn."""

    ledger: URL
    turn: str
    now: datetime
    jobs: Pending


@dataclass(frozen=True, slots=True)
class Done:
    """How many raw postings were read, what came of it, and those that were rejected."""

    read: int = 0
    counts: PostingCounts = field(default_factory=PostingCounts)
    rejected: tuple[RejectedRecord, ...] = ()

    def __add__(self, other: Done) -> Done:
        return Done(self.read + other.read, self.counts + other.counts, self.rejected + other.rejected)


def read_in_parts(engine: Engine, pool: Executor, *, turn: str, now: datetime, progress: Callable[[int], None]) -> Done:
    """Has what is pending read by the tasks of `pool`.

    What little is left, because it changed meanwhile or is not worth a task, is left pending. `progress` is told the
    number after each part. Raises what a task raised, after which the others are not begun.
    """
    done = Done()
    whole = Part(address_of(engine), turn, now, {})
    while True:
        jobs = patiently(lambda: _pending(engine))
        if sum(map(len, jobs.values())) < SMALLEST:
            return done
        futures = [pool.submit(read_part, replace(whole, jobs=part)) for part in parts_of(jobs)]
        try:
            for future in as_completed(futures):
                done += future.result()
                progress(done.read)
        finally:
            for future in futures:
                future.cancel()


def _pending(engine: Engine) -> dict[str, list[str]]:
    with reading(engine) as connection:
        return pending_jobs(connection, RULES_VERSION, LARGEST * AT_ONCE)


def parts_of(jobs: Pending) -> Iterator[dict[str, tuple[str, ...]]]:
    """Cuts jobs into parts of about equal size, in their order.

    >>> [len(part) for part in parts_of({str(n): [str(n)] for n in range(250)})]
    [100, 100, 50]
    """
    wanted = min(LARGEST, max(SMALLEST, sum(map(len, jobs.values())) // LEAST_PARTS))
    part: dict[str, tuple[str, ...]] = {}
    size = 0
    for posting_id, pending in jobs.items():
        part[posting_id] = tuple(pending)
        size += len(pending)
        if size >= wanted:
            yield part
            part, size = {}, 0
    if part:
        yield part


def read_part(part: Part) -> Done:
    """The task: reads, composes and writes one part.

    Waits for a ledger that is away. Raises `db.turns.TurnOver` when somebody else has begun to aggregate.
    """
    with rarely_collected():
        return patiently(lambda: _read_part(part))


def _read_part(part: Part) -> Done:
    engine = engine_at(part.ledger)
    with reading(engine) as connection:
        batch = ads_of(connection, part.jobs)
    made = compose_all(_rates(part.ledger, part.turn), batch, now=part.now)
    counts = keep_postings(engine, made, rules_version=RULES_VERSION, now=part.now, turn=part.turn)
    return Done(sum(len(rows) for _, rows in batch), counts, tuple(made.rejected))


@lru_cache(maxsize=1)
def _rates(ledger: URL, turn: str) -> Rates:  # noqa: ARG001 - rates are read once a turn
    with reading(engine_at(ledger)) as connection:
        return Rates(stored_rates(connection))


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Looks for cycles a hundred times less often: readings and drafts make none, and to look costs a tenth."""
    before = gc.get_threshold()
    gc.set_threshold(before[0] * 100, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
