"""Many sources crawled now: several at once, those of one host one after the other, here or by workers of a cluster.

On a worker a crawl is what it is here: a run that is claimed, kept alive, judged and finished, in a child process. When
the worker dies its child ends within a second, the engine hands the task to another worker, and that one writes the
dead run off and begins a new one: what was kept before is kept, and crawling again adds the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from db.holder import this_holder
from db.records import utc_now
from db.runs import RunRow, recent_runs
from db.workers import address_of, engine_at
from scheduler.cluster import TaskLost
from scheduler.conductor import ABANDONED, give_up, is_abandoned
from scheduler.jobs import run_source
from scraper.hosts import chains
from scraper.sources import Source

NEXT = timedelta(microseconds=1)
"""Between the slots of the attempts at one source: a slot has one run."""
MOST_TRIES = 5
LOOK_SECONDS = 0.5

Begin = Callable[[Source], "Future[int]"]
"""Begins the crawl of a source; its result is the run's id."""


def crawl_in_turn(
    sources: Iterable[Source], begin: Begin, lost: Callable[[Source], int] | None = None
) -> dict[str, int]:
    """Crawls all, those of one host one after the other; returns the id of each source's run.

    `lost` is asked for the run of a source whose crawl took its workers with it: the others go on.
    """
    todo = chains(sources)
    found: dict[str, int] = {}
    running = {begin(chain[0]): chain for chain in todo}
    try:
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                source, *rest = running.pop(future)
                try:
                    found[source.name] = future.result()
                except TaskLost:
                    if lost is None:
                        raise
                    found[source.name] = lost(source)
                if rest:
                    running[begin(rest[0])] = rest
    finally:
        for future in running:
            future.cancel()
    return found


def crawl_on_workers(
    sources: Sequence[Source], *, engine: Engine, pool: Executor, started: datetime, limit: int | None
) -> dict[str, int]:
    """`crawl_in_turn` by the tasks of `pool`. Raises `ClusterError` when the engine is gone."""
    ledger = address_of(engine)

    def begin(source: Source) -> Future[int]:
        sendable = replace(source, options=dict(source.options))  # read-only views cannot be pickled
        return pool.submit(crawl_task, ledger, sendable, started, limit)

    return crawl_in_turn(sources, begin, lambda source: _written_off(engine, source, started))


def crawl_task(ledger: URL, source: Source, started: datetime, limit: int | None) -> int:
    """The task of a worker: one run of a source, whatever became of earlier attempts; returns the run's id."""
    engine = engine_at(ledger)
    for attempt in range(MOST_TRIES):
        slot = started + attempt * NEXT
        result = run_source(
            source,
            engine=engine,
            database_url=ledger.render_as_string(hide_password=False),
            scheduled_for=slot,
            trigger="manual",
            now=utc_now,
            limit=limit,
            holder=this_holder("cluster"),
        )
        if result is not None:
            return result.run_id
        run = _settled(engine, source, slot)
        if run is not None:
            return run.id
    raise TaskLost(f"{source.name}: {MOST_TRIES} workers died while they crawled it")


def _settled(engine: Engine, source: Source, slot: datetime) -> RunRow | None:
    """The run of an earlier attempt, if it came to an end; None once it is written off, for its worker is dead."""
    while True:
        run = next(run for run in recent_runs(engine, source.name) if run.scheduled_for == slot)
        now = utc_now()
        if run.state == "finished":
            return None if run.reasons == (ABANDONED,) else run
        if is_abandoned(run, now, None):
            give_up(engine, run, now)
            return None
        time.sleep(LOOK_SECONDS)


def _written_off(engine: Engine, source: Source, started: datetime) -> int:
    """The last run of a source whose workers died; none of its runs is left open."""
    ids = []
    for attempt in range(MOST_TRIES):
        slot = started + attempt * NEXT
        for run in recent_runs(engine, source.name):
            if run.scheduled_for == slot:
                ids.append(run.id)
                if run.state != "finished":
                    give_up(engine, run, utc_now())
    if not ids:
        raise TaskLost(f"{source.name}: its workers died before they began")
    return ids[-1]
