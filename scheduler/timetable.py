"""What the scheduler does and when, as data: its own jobs, and one job for each source with a schedule.

Times are UTC. A job's slots come from its cron expression; `delay` moves the start of each by a moment that is the same
in every process, so that many boards of one platform are not asked in the same second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from db.runs import accounted
from db.source_state import SourceEntry
from scheduler.chore_settings import ChoreSettings
from scheduler.cron import interval, next_slot
from scheduler.states import State, states
from scraper.sources import Source

JOB_SPIDER = "@job"
"""What stands for a spider in the source table's rows of the scheduler's own jobs."""
MISFIRE_GRACE = timedelta(seconds=90)
"""A slot started later than this is caught up, not on time."""
LARGEST_JITTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One thing that is done again and again."""

    name: str
    cron: str
    source: Source | None = None
    """What to crawl; None for the scheduler's own jobs, whose work is in `scheduler.chores.chores`."""
    jitter: timedelta = timedelta(0)
    grace: timedelta = MISFIRE_GRACE
    catch_up: timedelta | None = None
    """How late a missed slot is still worth catching up; None = however late."""
    at_once: bool = False
    """Whether a job that never ran is due now, without waiting for its first slot."""
    time_limit: timedelta = timedelta(minutes=30)
    what: str = ""
    needs: str | None = None
    """The setting of `ChoreSettings` without which this job is not wanted."""

    @property
    def interval(self) -> timedelta:
        return interval(self.cron)


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

AGGREGATE = Job(name="@aggregate", cron="*/5 * * * *", at_once=True, what="normalises what the crawls brought")
JOBS = (
    AGGREGATE,
    Job(name="@searches", cron="*/5 * * * *", what="tells saved searches what is new"),
    Job(
        name="@rates",
        cron="30 15 * * 1-5",  # the bank publishes about 16:00 in Frankfurt, summer and winter, on its working days
        catch_up=DAY,
        at_once=True,
        time_limit=10 * MINUTE,
        needs="rates_url",
        what="fetches the day's exchange rates",
    ),
    Job(name="@cohort-flags", cron="45 4 * * *", catch_up=12 * HOUR, what="flags pay that is odd among its like"),
    Job(name="@retention", cron="25 3 * * *", what="erases stored pages and old job runs after their time"),
    Job(name="@maintenance", cron="40 3 * * 0", catch_up=2 * DAY, time_limit=2 * HOUR, what="tends the database"),
    Job(name="@report", cron="30 5 * * 1", catch_up=6 * DAY, needs="report_folder", what="writes the week's report"),
)
"""The scheduler's own jobs. Sources come from `sources.toml`."""


def wanted_jobs(settings: ChoreSettings, jobs: Iterable[Job] = JOBS) -> tuple[Job, ...]:
    """The jobs of ours that have what they need.

    >>> [job.name for job in JOBS if job not in wanted_jobs(ChoreSettings(rates_url=None))]
    ['@rates', '@report']
    """
    return tuple(job for job in jobs if job.needs is None or getattr(settings, job.needs))


def timetable_of(sources: Iterable[Source], jobs: Iterable[Job] = JOBS) -> tuple[Job, ...]:
    """Every job that runs by itself: ours, and the enabled sources that have a schedule."""
    return (*jobs, *(source_job(source) for source in sources if source.enabled and source.schedule is not None))


def source_job(source: Source) -> Job:
    """The job that crawls a source. Its jitter is a tenth of its interval, a minute at most."""
    if source.schedule is None:
        raise ValueError(f"source {source.name!r} has no schedule")
    jitter = min(LARGEST_JITTER, interval(source.schedule) / 10)
    what = f"crawls {source.name}"
    return Job(name=source.name, cron=source.schedule, source=source, jitter=jitter, at_once=True, what=what)


def delay(job: Job, slot: datetime) -> timedelta:
    """How much later than its slot a job starts: between nothing and its jitter, the same whoever asks.

    >>> from datetime import UTC
    >>> delay(Job(name="acme", cron="@daily"), datetime(2026, 1, 1, tzinfo=UTC))
    datetime.timedelta(0)
    """
    if not job.jitter:
        return timedelta(0)
    digest = hashlib.blake2b(f"{job.name} {slot.timestamp()}".encode(), digest_size=4).digest()
    return timedelta(seconds=int(job.jitter.total_seconds() * int.from_bytes(digest) / 2**32))


def entries(sources: Iterable[Source], jobs: Iterable[Job] = JOBS) -> list[SourceEntry]:
    """What the ledger keeps of the timetable: its rows of sources and jobs."""
    listed = [
        SourceEntry(name=s.name, spider=s.spider, url=s.url, enabled=s.enabled, schedule=s.schedule, terms=s.terms)
        for s in sources
    ]
    return listed + [SourceEntry(name=job.name, spider=JOB_SPIDER, schedule=job.cron) for job in jobs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming(State):
    """One line of `schedule list`."""

    name: str
    what: str
    cron: str
    next_run: datetime | None
    next_is_probe: bool


def next_runs(sources: Iterable[Source], now: datetime, engine: Engine, jobs: Iterable[Job] = JOBS) -> list[Upcoming]:
    """What runs next and when, what ran last and how it went; soonest first, jobs and sources together."""
    timetable = timetable_of(sources, jobs)
    names = [job.name for job in timetable]
    known, done = states(engine, names), accounted(engine, names, now)
    lines = [_upcoming(job, known[job.name], done.get(job.name), now) for job in timetable]
    return sorted(lines, key=lambda line: (line.next_run is None, line.next_run or now, line.name))


def _upcoming(job: Job, state: State, done: datetime | None, now: datetime) -> Upcoming:
    condition = state.condition
    first = condition.scheduled_since or now
    upcoming = first if done is None and job.at_once else next_slot(job.cron, max(done or first, first))
    if upcoming is not None and upcoming != first:
        upcoming += delay(job, upcoming)
    probe = condition.probe_after
    is_probe = probe is not None and (condition.circuit != "closed" or upcoming is None or probe < upcoming)
    return Upcoming(
        name=job.name,
        what=job.what,
        cron=job.cron,
        next_run=probe if is_probe else upcoming,
        next_is_probe=is_probe,
        condition=condition,
        last_run=state.last_run,
        ailment=state.ailment,
        health=state.health,
    )
