"""What a job does, as plain functions: crawl a source, or do one of the scheduler's own chores. Each is one run.

A run is claimed, kept alive by heartbeats while it goes, judged, and finished together with the source's condition.
The work itself happens in a child process: its death is a failed run, never ours.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db.errors import LedgerDamaged
from db.holder import this_holder
from db.runs import Outcome, RunRow, claim_run, finish_run, heartbeat, history
from db.source_state import set_condition
from scheduler.chore_settings import ChoreSettings
from scheduler.chores import chore_outcome
from scheduler.conditions import after_abandoned, after_run, probing
from scheduler.cron import interval
from scheduler.timetable import DAY, Job
from scraper.sources import Source

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
HISTORY = 30
"""So many past healthy runs a new one is judged against; doubted ones must not push them out of sight."""
WRITE_SECONDS = 540.0
"""How long a finished run waits for a ledger that is away; then it is given up for dead."""
LONGEST_PAUSE_SECONDS = 15.0
LAST_WRITE_SECONDS = 30.0
"""The same once we are stopping."""

STOPPED = "cut short: the scheduler was stopped"
LOST = "cut short: the ledger went away"

Clock = Callable[[], datetime]
Progress = Callable[[Mapping[str, int]], None]
Weigh = Callable[[Engine, "Claimed", Outcome, datetime], Outcome]
"""From the outcome of a crawl to what it is worth beside what the ledger holds."""
Made = TypeVar("Made")


class Crawl(Protocol):
    """`scraper.crawl.crawl`, or a stand-in in tests."""

    def __call__(
        self,
        source: Source,
        *,
        database_url: str,
        limit: int | None = ...,
        history: Sequence[Any] = ...,
        progress: Progress | None = ...,
    ) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """One run, finished."""

    source: str
    run_id: int
    scheduled_for: datetime
    trigger: str
    outcome: Outcome
    kept: bool
    """Whether it was written down; False when the run was given up for dead meanwhile and another took its place."""

    @property
    def verdict(self) -> str:
        return self.outcome.verdict

    def __str__(self) -> str:
        """One line for people."""
        made = self.outcome
        counts = f"{made.pages} pages, {made.new} new, {made.updated} updated, {made.unchanged} unchanged"
        told = "" if self.source.startswith("@") else f", {counts}"
        reasons = f": {'; '.join(made.reasons)}" if made.reasons else ""
        return f"{self.source}: {made.verdict} in {made.seconds or 0:.1f} s{told}{reasons}"


def run_source(
    source: Source,
    *,
    engine: Engine,
    database_url: str,
    scheduled_for: datetime,
    trigger: str,
    now: Clock,
    crawl: Crawl | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
    holder: str | None = None,
    lease: str | None = None,
) -> RunResult | None:
    """Claims, crawls, judges and finishes one run of one source; None when the slot was claimed before."""
    me = holder or this_holder()
    run_id = claim_run(engine, source.name, scheduled_for, trigger, me, now(), lease=lease)
    if run_id is None:
        return None
    set_condition(engine, source.name, probing)
    run = Claimed(id=run_id, name=source.name, scheduled_for=scheduled_for, trigger=trigger, holder=me)
    work = partial(crawl_outcome, source, engine, database_url, crawl=crawl, limit=limit, progress=progress)
    result = perform(run, work, engine=engine, cron=source.schedule, now=now, weigh=weighed)
    close_absent(engine, result, now())
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A run that is ours."""

    id: int
    name: str
    scheduled_for: datetime
    trigger: str
    holder: str


def as_it_is(_engine: Engine, _run: Claimed, outcome: Outcome, _now: datetime) -> Outcome:
    """A job of our own has no ads to compare."""
    return outcome


def perform(
    run: Claimed,
    work: Callable[[], Outcome],
    *,
    engine: Engine,
    cron: str | None,
    now: Clock,
    is_stopping: Callable[[], bool] = lambda: False,
    weigh: Weigh = as_it_is,
) -> RunResult:
    """Does the work of a claimed run, keeping it alive, and finishes it whatever happens.

    `weigh` judges the outcome by what the ledger holds, just before it is written. An error of ours is a failed run
    that says so. A run that fails while we are stopping (`is_stopping`), or because the ledger went away, was cut
    short by us: the source is not blamed and is read again soon.
    """
    started = time.monotonic()
    rhythm = interval(cron) if cron is not None else DAY
    outcome = Outcome(verdict="failed", reasons=("the run was interrupted",))
    try:
        with kept_alive(engine, run, now):
            outcome = work()
    except DBAPIError as error:
        outcome = Outcome(verdict="failed", reasons=(LOST, str(error.orig or error).splitlines()[0]))
    except Exception as error:
        logger.exception("%s: run %d broke", run.name, run.id)
        outcome = Outcome(verdict="failed", reasons=(_of_ours(error),))
    finally:
        if outcome.seconds is None:
            outcome = replace(outcome, seconds=round(time.monotonic() - started, 3))
        was_cut_short = outcome.reasons[:1] == (LOST,)  # the source did nothing wrong, and was perhaps not even asked
        if outcome.verdict == "failed" and is_stopping():
            outcome, was_cut_short = replace(outcome, reasons=(STOPPED, *outcome.reasons)), True

        finish = partial(_finish, engine, run, outcome, weigh, None if was_cut_short else rhythm, now)
        outcome, kept = _written(run, finish, is_stopping) or (outcome, False)
    return RunResult(
        source=run.name,
        run_id=run.id,
        scheduled_for=run.scheduled_for,
        trigger=run.trigger,
        outcome=outcome,
        kept=kept,
    )


def work(
    job: Job,
    run: Claimed,
    *,
    engine: Engine,
    database_url: str,
    now: Clock,
    crawl: Crawl | None = None,
    chores: ChoreSettings | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> RunResult:
    """The whole of one claimed run of a job, in the calling thread."""
    if job.source is not None:
        doing = partial(crawl_outcome, job.source, engine, database_url, crawl=crawl)
    else:
        doing = partial(chore_outcome, job, database_url, chores)
    weigh = weighed if job.source is not None else as_it_is
    result = perform(run, doing, engine=engine, cron=job.cron, now=now, is_stopping=is_stopping, weigh=weigh)
    if job.source is not None:
        close_absent(engine, result, now())
    return result


def weighed(engine: Engine, run: Claimed, outcome: Outcome, now: datetime) -> Outcome:
    """The outcome of a crawl once its ads are compared with those that earlier runs showed."""
    from aggregator.lifecycle import weigh  # the aggregator is slow to import

    return weigh(engine, run.name, run.id, outcome, now)


def close_absent(engine: Engine, result: RunResult, now: datetime) -> None:
    """Lets a run that read its whole source count what it did not see, and close what was missed often enough."""
    if not result.kept:
        return
    from aggregator.lifecycle import after_run as count_absences  # the aggregator is slow to import

    try:
        closing = count_absences(engine, result.source, result, now)
    except DBAPIError as error:  # the next run counts again: a posting is closed a run later
        logger.warning("%s: absences were not counted: %s", result.source, error.orig or error)
        return
    if closing.closed:
        logger.info("%s: %d postings closed", result.source, closing.closed)


def crawl_outcome(
    source: Source,
    engine: Engine,
    database_url: str,
    *,
    crawl: Crawl | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Crawls a source in a child process and says what came of it."""
    if crawl is None:
        from scraper.crawl import crawl as real_crawl  # brings the whole crawl machinery; listing runs needs none of it

        crawl = real_crawl
    past: list[RunRow] = history(engine, source.name, HISTORY, verdict="healthy")
    result = crawl(source, database_url=database_url, limit=limit, history=past, progress=progress)
    return outcome_of(result)


def outcome_of(result: Any) -> Outcome:
    """A crawl's result as the columns of a run: the fields that both have."""
    values = {f.name: getattr(result, f.name) for f in fields(Outcome) if hasattr(result, f.name)}
    return Outcome(**{**values, "reasons": tuple(values.get("reasons", ()))})


@contextmanager
def kept_alive(engine: Engine, run: Claimed, now: Clock, every: float = HEARTBEAT_SECONDS) -> Iterator[None]:
    """Beats the run's heart in a thread while the block runs."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(every):
            try:
                if not heartbeat(engine, run.id, run.holder, now()):
                    logger.warning("run %s of %s is no longer ours", run.id, run.name)
                    return
            except DBAPIError as error:  # the ledger is away: the next beat may reach it
                logger.warning("no heartbeat for run %s of %s: %s", run.id, run.name, error.orig or error)

    thread = threading.Thread(target=beat, name=f"heartbeat-{run.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _finish(
    engine: Engine, run: Claimed, outcome: Outcome, weigh: Weigh, rhythm: timedelta | None, now: Clock
) -> tuple[Outcome, bool]:
    """Writes the end of a run; what it came to, and whether it was still ours. No `rhythm`: it was cut short."""
    moment = now()
    try:
        judged = weigh(engine, run, outcome, moment)
    except DBAPIError:
        raise
    except Exception as error:
        logger.exception("%s: run %d could not be judged", run.name, run.id)
        judged = replace(outcome, verdict="failed", complete=False, reasons=(*outcome.reasons, _of_ours(error)))
    after = (
        partial(after_abandoned, was_abandoned_before=False, now=moment)
        if rhythm is None
        else partial(after_run, outcome=judged, interval=rhythm, now=moment)
    )
    return judged, finish_run(engine, run.id, judged, moment, holder=run.holder, after=after)


def _of_ours(error: Exception) -> str:
    return f"an error of ours: {type(error).__name__}: {error}"


def _written(run: Claimed, write: Callable[[], Made], is_stopping: Callable[[], bool]) -> Made | None:
    """What `write` returns; waits for a ledger that is away, so that a crawl of an hour is not forgotten.

    None when the ledger stayed away for too long.
    """
    deadline, pause, last = time.monotonic() + WRITE_SECONDS, 1.0, False
    while True:
        try:
            return write()
        except LedgerDamaged as error:  # it does not mend while we wait
            logger.error("run %s of %s could not be written down: %s", run.id, run.name, error)
            return None
        except DBAPIError as error:
            why = error.orig or error
        if is_stopping() and not last:
            last, deadline = True, min(deadline, time.monotonic() + LAST_WRITE_SECONDS)
        if time.monotonic() >= deadline:
            logger.error("run %s of %s could not be written down: %s", run.id, run.name, why)
            return None
        logger.warning("the ledger is away (%s): run %s waits %.0f s", why, run.id, pause)
        _sleep(pause, is_stopping)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _sleep(seconds: float, is_stopping: Callable[[], bool]) -> None:
    """Sleeps; no longer than a second once we are stopping."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 1.0))
        if is_stopping():
            return
