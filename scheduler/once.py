"""Every due job once (`schedule once`): for a crontab or a try, without a process that stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from db.runs import claim_run
from db.session import open_ledger
from scheduler.conductor import Conductor
from scheduler.decide import Start
from scheduler.holder import this_holder
from scheduler.jobs import Claimed, RunResult, work
from scheduler.settings import SchedulerSettings
from scheduler.timetable import Job
from scheduler.watch import WatchedSources
from scraper.sources import Source

PAUSE_SECONDS = 0.05
NONE = timedelta(0)
"""No delay: who asks now wants it now."""
AFTER_CRAWLS = "@aggregate"
"""Done after crawls even when its own slot has not come: what was crawled should show."""


def run_due_once(settings: SchedulerSettings, report: Callable[[RunResult], None] | None = None) -> list[RunResult]:
    """Does every due job once, crawls before our own jobs; returns the finished runs, `report`s each as it ends.

    Needs no lead: each run is claimed, so beside a running scheduler it does what that one has not begun. Raises
    `SourceError` and `LedgerError`.
    """
    sources = WatchedSources(settings.sources_path).sources
    engine = open_ledger(settings.database_url)
    try:
        crawls = _round(engine, settings, sources, lambda job: job.source is not None, report)
        chores = _round(engine, settings, sources, lambda job: job.source is None, report)
        if crawls and not any(result.source == AFTER_CRAWLS for result in chores):
            chores += _after_crawls(engine, settings, report)
    finally:
        engine.dispose()
    return crawls + chores


def _round(
    engine: Engine,
    settings: SchedulerSettings,
    sources: tuple[Source, ...],
    is_wanted: Callable[[Job], bool],
    report: Callable[[RunResult], None] | None,
) -> list[RunResult]:
    futures: list[Future[RunResult]] = []
    with ThreadPoolExecutor(settings.workers) as pool:

        def launch(start: Start, run: Claimed) -> None:
            future = pool.submit(_work, start.job, run, engine, settings)
            futures.append(future)
            future.add_done_callback(lambda _: conductor.is_over(run.id))
            if report is not None:
                future.add_done_callback(lambda done: report(done.result()))

        def has_room(_job: Job) -> bool:  # a run that waited in a queue would have no heartbeat
            return sum(not future.done() for future in futures) < settings.workers

        conductor = Conductor(
            engine, holder=this_holder("once"), launch=launch, has_room=has_room, lease=None, jobs=settings.jobs
        )
        now: datetime = settings.clock()
        conductor.follow(sources, now)
        conductor.timetable = tuple(replace(job, jitter=NONE) for job in conductor.timetable if is_wanted(job))
        while conductor.tick(now).waiting:  # the same moment throughout: what falls due meanwhile is for next time
            time.sleep(PAUSE_SECONDS)
    return [future.result() for future in futures]


def _after_crawls(
    engine: Engine, settings: SchedulerSettings, report: Callable[[RunResult], None] | None
) -> list[RunResult]:
    job = next((job for job in settings.jobs if job.name == AFTER_CRAWLS), None)
    if job is None:
        return []
    now, holder = settings.clock(), this_holder("once")
    run_id = claim_run(engine, job.name, now, "manual", holder, now)
    if run_id is None:
        return []
    run = Claimed(id=run_id, name=job.name, scheduled_for=now, trigger="manual", holder=holder)
    result = _work(job, run, engine, settings)
    if report is not None:
        report(result)
    return [result]


def _work(job: Job, run: Claimed, engine: Engine, settings: SchedulerSettings) -> RunResult:
    return work(job, run, engine=engine, database_url=settings.database_url, now=settings.clock, crawl=settings.crawl)
