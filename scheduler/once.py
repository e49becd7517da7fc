"""Every due job once (`schedule once`): for a crontab or a try, without a process that stays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Engine

from db.holder import this_holder
from db.runs import claim_run
from scheduler.alerts import tell_all
from scheduler.channels import Teller
from scheduler.chore_settings import ChoreSettings
from scheduler.conductor import Conductor
from scheduler.decide import Start
from scheduler.jobs import Claimed, Clock, Crawl, RunResult, work
from scheduler.timetable import JOBS, Job, wanted_jobs
from scraper.sources import Source

PAUSE_SECONDS = 0.05
NONE = timedelta(0)
"""No delay: who asks now wants it now."""
AFTER_CRAWLS = "@aggregate"
"""Done after crawls even when its own slot has not come: what was crawled should show."""


def run_due_once(
    sources: Iterable[Source],
    *,
    engine: Engine,
    database_url: str,
    now: Clock,
    jobs: Sequence[Job] = JOBS,
    chores: ChoreSettings | None = None,
    workers: int = 4,
    crawl: Crawl | None = None,
    report: Callable[[RunResult], None] | None = None,
    teller: Teller | None = None,
    base_url: str | None = None,
) -> list[RunResult]:
    """Does every due job once, crawls before our own jobs; returns the finished runs, `report`s each as it ends.

    With a `teller`, says at the end what broke and what recovered. Needs no lead: each run is claimed, so beside a
    running scheduler it does what that one has not begun.
    """
    told = chores or ChoreSettings()
    ours = wanted_jobs(told, jobs)
    once = _Once(engine, database_url, tuple(sources), now, ours, told, workers, crawl, report or _say_nothing)
    crawls = once.round(lambda job: job.source is not None)
    own = once.round(lambda job: job.source is None)
    if crawls and not any(result.source == AFTER_CRAWLS for result in own):
        own += once.now(AFTER_CRAWLS)
    if teller is not None:
        tell_all(engine, teller, now(), base_url=base_url)
    return crawls + own


def _say_nothing(_result: RunResult) -> None:
    return


@dataclass(frozen=True, slots=True)
class _Once:
    engine: Engine
    database_url: str
    sources: tuple[Source, ...]
    clock: Clock
    jobs: tuple[Job, ...]
    chores: ChoreSettings
    workers: int
    crawl: Crawl | None
    report: Callable[[RunResult], None]

    def round(self, is_wanted: Callable[[Job], bool]) -> list[RunResult]:
        """Runs what is due among the wanted jobs, so many at a time."""
        futures: list[Future[RunResult]] = []
        with ThreadPoolExecutor(self.workers) as pool:

            def launch(start: Start, run: Claimed) -> None:
                future = pool.submit(self._work, start.job, run)
                futures.append(future)
                future.add_done_callback(lambda _: conductor.is_over(run.id))

            def has_room(_job: Job) -> bool:  # a run that waited in a queue would have no heartbeat
                return sum(not future.done() for future in futures) < self.workers

            holder = this_holder("once")
            conductor = Conductor(
                self.engine, holder=holder, launch=launch, has_room=has_room, lease=None, jobs=self.jobs
            )
            now = self.clock()
            conductor.follow(self.sources, now)
            conductor.timetable = tuple(replace(job, jitter=NONE) for job in conductor.timetable if is_wanted(job))
            while conductor.tick(now).waiting:  # one moment throughout: what falls due meanwhile is for next time
                time.sleep(PAUSE_SECONDS)
        return [future.result() for future in futures]

    def now(self, name: str) -> list[RunResult]:
        """Runs one of our own jobs whatever the time."""
        job = next((job for job in self.jobs if job.name == name), None)
        now, holder = self.clock(), this_holder("once")
        run_id = claim_run(self.engine, name, now, "manual", holder, now) if job is not None else None
        if job is None or run_id is None:
            return []
        return [self._work(job, Claimed(id=run_id, name=name, scheduled_for=now, trigger="manual", holder=holder))]

    def _work(self, job: Job, run: Claimed) -> RunResult:
        result = work(
            job,
            run,
            engine=self.engine,
            database_url=self.database_url,
            now=self.clock,
            crawl=self.crawl,
            chores=self.chores,
        )
        self.report(result)
        return result
