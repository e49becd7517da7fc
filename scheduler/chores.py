"""The scheduler's own work besides crawling: each chore is a function of the ledger and the moment.

Chores run in a child process, so that a leak or a hang ends with the child. What a chore returns is kept in its run's
`stats`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine, text

from db.checks import find_damage
from db.erasure import forget_bodies
from db.runs import Outcome, forget_job_runs
from db.session import LedgerError, open_ledger, writing
from processes.child import Ended, run_child
from processes.parent import say
from scheduler.ailments import JOB_FAILED
from scheduler.channels import AlertError
from scheduler.chore_settings import ChoreSettings
from scheduler.reporting import ReportError, write_weekly_report
from scheduler.searching import tell_searches
from scheduler.timetable import Job

MEMORY_MB = 2048
BODIES_KEPT = timedelta(days=90)
"""A stored page is needed only to read it again with a mended parser."""
JOB_RUNS_KEPT = timedelta(days=30)
"""Rows of the scheduler's own jobs; a source's runs are kept for good."""

Chore = Callable[[Engine, datetime], Mapping[str, Any]]


def aggregate(engine: Engine, now: datetime) -> Mapping[str, Any]:
    """Normalises what is pending."""
    from aggregator.pipeline import aggregate as run_pipeline

    return asdict(run_pipeline(engine, now=now))


def cohort_flags(engine: Engine, now: datetime) -> Mapping[str, Any]:
    """Flags pay that is far from that of its role family, level and country; lifts flags that no longer hold."""
    from aggregator.cohorts import flag_cohorts

    changes = flag_cohorts(engine, now=now)
    return asdict(changes) | {"rejected": len(changes.rejected)} if changes is not None else {}


def retention(engine: Engine, now: datetime) -> Mapping[str, Any]:
    """Erases the bodies of pages that were last seen long ago, and the scheduler's own old runs."""
    bodies = forget_bodies(engine, now - BODIES_KEPT)
    return {"bodies": bodies, "job_runs": forget_job_runs(engine, now - JOB_RUNS_KEPT)}


def maintenance(engine: Engine, now: datetime) -> Mapping[str, Any]:  # noqa: ARG001 - every chore takes the moment
    """Refreshes the planner's statistics, folds SQLite's log back, and says whether the file is whole."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE)"))
        return {"analyzed": True}
    with writing(engine) as connection:
        connection.exec_driver_sql("PRAGMA optimize")
    problems = find_damage(engine)
    raw = engine.raw_connection()  # a checkpoint cannot run inside a transaction
    try:
        cursor = raw.cursor()
        busy = next(iter(cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")))[0]
        cursor.close()
    finally:
        raw.close()
    if problems:
        raise LedgerError(f"the ledger is damaged: {'; '.join(problems)}")
    return {"checkpointed": not busy}


def searches(engine: Engine, now: datetime) -> Mapping[str, Any]:
    """Tells saved searches what is new for them."""
    try:
        return {"told": dict(tell_searches(engine, now))}
    except AlertError as error:
        raise LedgerError(f"saved searches: {error}") from error


def rates(engine: Engine, now: datetime, *, settings: ChoreSettings) -> Mapping[str, Any]:
    """Fetches the newest exchange rates; what was doubted is said, and not written."""
    from scraper.rates import RatesError, refresh_rates

    if settings.rates_url is None:
        return {}
    try:
        made = refresh_rates(engine, now=now, base=settings.rates_url)
    except RatesError as error:
        raise LedgerError(str(error)) from error
    for doubt in (*made.suspect, *made.refused):
        sys.stderr.write(f"not written: {doubt}\n")
    if made.suspect:
        raise LedgerError(
            f"rates jump and were not written: {'; '.join(made.suspect)}; if they are right: jobledger rates refresh "
            "--believe CODE"
        )
    return asdict(made)


def report(engine: Engine, now: datetime, *, settings: ChoreSettings) -> Mapping[str, Any]:
    """Writes the salary report of the last whole week into a folder, and says so to whoever hears alerts."""
    try:
        return write_weekly_report(engine.url.render_as_string(hide_password=False), now, settings)
    except (ReportError, AlertError) as error:
        raise LedgerError(f"weekly report: {error}") from error


def chores(settings: ChoreSettings) -> Mapping[str, Chore]:
    """What each of the scheduler's own jobs does, by name."""
    return {
        "@searches": searches,
        "@aggregate": aggregate,
        "@rates": partial(rates, settings=settings),
        "@cohort-flags": cohort_flags,
        "@retention": retention,
        "@maintenance": maintenance,
        "@report": partial(report, settings=settings),
    }


def chore_outcome(job: Job, database_url: str, settings: ChoreSettings | None = None) -> Outcome:
    """Does a chore in a child process and says what came of it."""
    ended = run_child(
        "scheduler.chores:do_chore",
        job.name,
        database_url,
        settings or ChoreSettings(),
        seconds=job.time_limit.total_seconds(),
        memory_mb=MEMORY_MB,
    )
    return read_end(ended)


ANSWER = "answer"


def read_end(ended: Ended) -> Outcome:
    """How a child's end reads as an outcome: only an answer and a good end are success."""
    if JOB_FAILED in ended.said:
        why = ended.said[JOB_FAILED]
        return Outcome(verdict="failed", reasons=(why,), stats={JOB_FAILED: 1}, log_tail=ended.log_tail)
    if ended.failure is not None or ANSWER not in ended.said:
        why = f"the job's process {ended.failure or 'ended without an answer'}"
        return Outcome(verdict="failed", reasons=(why,), log_tail=ended.log_tail)
    return Outcome(verdict="healthy", complete=True, stats=ended.said[ANSWER], log_tail=ended.log_tail or None)


def do_chore(name: str, database_url: str, settings: ChoreSettings) -> int:
    """The child: does one chore and tells the parent what it returned, or why it failed."""
    try:
        engine = open_ledger(database_url, create=False)
        result = chores(settings)[name](engine, datetime.now(UTC))
        engine.dispose()
    except LedgerError as error:
        say({JOB_FAILED: str(error)})
        return 1
    say({ANSWER: result})
    return 0
