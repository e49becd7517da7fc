"""schedule, runs: when sources are read, and how it went."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from service.commands.ledger import Needs, existing_ledger, ledger_or_none, uses
from service.commands.options import settings_of
from service.settings import UsageError, WorkFailed

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from scraper.sources import Source


def register(app: typer.Typer) -> None:
    app.add_typer(schedule, name="schedule")
    app.command(epilog="Example: jobledger runs --source greenhouse-anthropic --limit 5")(runs)


schedule = typer.Typer(no_args_is_help=True, help="When it is read: run, list, once.", rich_markup_mode=None)

SourcesFile = typer.Option(None, "--sources", metavar="FILE", help="A file of sources.")


def sources_of(context: typer.Context, path: Path | None) -> tuple[Any, ...]:
    """The entries of the sources file that this call means."""
    from scraper.sources import load_sources

    settings = settings_of(context)
    return load_sources(path or settings.sources, spiders=settings.spiders)


def say_faults(sources: tuple[Any, ...]) -> None:
    """Names on stderr each enabled source whose spider cannot be used: the others are not concerned."""
    from scraper.spider_files import spider_fault
    from service.output import to_stderr

    for source in sources:
        if source.enabled and (fault := spider_fault(source)) is not None:
            to_stderr(f"{source.name} cannot be used: {fault}")


def _chores(context: typer.Context) -> Any:
    """What the scheduler's own jobs are told, out of the settings."""
    from scheduler.chore_settings import ChoreSettings

    settings = settings_of(context)
    address = {} if settings.rates_url is None else {"rates_url": settings.rates_url or None}
    return ChoreSettings(
        **address,
        report_folder=str(settings.report_folder) if settings.report_folder is not None else None,
        report_weeks=settings.report_weeks,
        report_options=settings.report_options,
        reports_kept=settings.reports_kept,
        report_command="service.cli:main",
        alerts=settings.alerts,
    )


TIMETABLE = (
    ("name", "Job"),
    ("what", "What it does"),
    ("schedule", "Cron"),
    ("next_run", "Next run"),
    ("last_run", "Last run"),
    ("verdict", "Verdict"),
    ("health", "Health"),
)


def timetable_rows(context: typer.Context, sources: Sequence[Source], engine: Engine) -> list[dict[str, Any]]:
    """What runs next, what ran last and how each job fares; a row a job."""
    from db.records import utc_now
    from scheduler.timetable import next_runs, wanted_jobs

    return [
        {
            "name": line.name,
            "what": line.what,
            "schedule": line.cron,
            "next_run": line.next_run,
            "probe": line.next_is_probe,
            **state_row(line),
        }
        for line in next_runs(sources, utc_now(), engine, wanted_jobs(_chores(context)))
    ]


def state_row(state: Any) -> dict[str, Any]:
    """How a source or job fares, as columns."""
    last = state.last_run
    return {
        "last_run": (last.finished_at or last.started_at) if last else None,
        "verdict": (last.verdict or last.state) if last else None,
        "health": state.health,
    }


@schedule.command("run", epilog="Example: jobledger schedule run --port 9108")
@uses(Needs.CREATES)
def run_schedule(
    context: typer.Context,
    path: Path | None = SourcesFile,
    port: int | None = typer.Option(
        None, "--port", min=0, max=65535, help="Serve /healthz, /readyz and /metrics on this port."
    ),
    host: str = typer.Option(
        "127.0.0.1", "--host", metavar="ADDRESS", help="The address of --port; another one shows them to others."
    ),
    log_format: str | None = typer.Option(None, "--log-format", metavar="FORMAT", help="text or json."),
) -> None:
    """The long-running scheduler: keeps every enabled source fresh. SIGTERM stops it, SIGHUP re-reads the sources."""
    from scheduler.runner import SchedulerSettings, run

    settings = settings_of(context)
    chosen = log_format or settings.log_format
    if chosen not in {"text", "json"}:
        raise UsageError(f"--log-format {chosen!r} does not exist; choose from: text, json")
    code = run(
        SchedulerSettings(
            database_url=settings.database_url,
            sources_path=path or settings.sources,
            spiders=settings.spiders,
            base_url=settings.base_url,
            log_format=chosen,
            http_host=host,
            http_port=port,
            alerts=settings.alerts,
            chores=_chores(context),
        )
    )
    raise typer.Exit(code)


@schedule.command("list", epilog="Example: jobledger schedule list --format json")
@uses(Needs.MAY_READ)
def list_schedule(
    context: typer.Context,
    path: Path | None = SourcesFile,
    format: str = typer.Option("table", "--format", metavar="FORMAT", help="table, json, jsonl or csv."),
) -> None:
    """What runs next and when, and how the last run of each source went."""
    from db.records import utc_now
    from service.narrow import moment, print_fitting
    from service.output import require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    sources = sources_of(context, path)
    found = timetable_rows(context, sources, ledger_or_none(context))
    say_faults(sources)
    if kind != "table":
        write_rows(found, kind, columns=list(found[0]) if found else ["name"], output=None)
        return
    now = utc_now()
    rows = [row | {name: moment(row[name], now) for name in ("next_run", "last_run")} for row in found]
    print_fitting("Timetable (UTC)", TIMETABLE, rows, spare=("what", "schedule"))


@schedule.command("once", epilog="Example: jobledger schedule once")
@uses(Needs.CREATES)
def once(context: typer.Context, path: Path | None = SourcesFile) -> None:
    """Runs every due job once, tells what broke or recovered, then ends: for cron, and to try a timetable."""
    from db.records import utc_now
    from db.session import open_ledger
    from scheduler.alerts import waiting
    from scheduler.channels import make_teller
    from scheduler.runner import run_due_once

    settings = settings_of(context)
    teller = make_teller(settings.alerts)  # what is wrong with an address is said before anything is read
    sources = sources_of(context, path)
    engine = open_ledger(settings.database_url)
    done = run_due_once(
        sources,
        engine=engine,
        database_url=settings.database_url,
        now=utc_now,
        chores=_chores(context),
        teller=teller,
        base_url=settings.base_url,
    )
    for line in done:
        typer.echo(line)
    if not done:
        typer.echo("nothing is due")
    if untold := waiting(engine):
        raise WorkFailed(f"nobody could be told of {untold} sources: the next `schedule once` tries again")


RUNS_SPARE = ("sightings", "unchanged", "rejected", "pages", "updated", "seconds", "new")
"""Columns of `runs` that step aside in a narrow terminal, the first first."""


@uses(Needs.READS)
def runs(
    context: typer.Context,
    source: str | None = typer.Option(
        None, "--source", metavar="NAME", help="Only of this source; @aggregate and such are jobs."
    ),
    everything: bool = typer.Option(False, "--all", help="Show the scheduler's own jobs too."),
    limit: int = typer.Option(50, "--limit", min=1, metavar="N"),
    format: str = typer.Option("table", "--format", metavar="FORMAT", help="table, json, jsonl or csv."),
) -> None:
    """Past runs with verdict, counts and reasons, newest first."""
    from db.queries import list_runs
    from db.records import utc_now
    from service.commands.collect import RUN_COLUMNS
    from service.narrow import moment, print_fitting
    from service.output import require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    engine = existing_ledger(context)
    found = list_runs(engine, source=source, limit=limit, jobs=everything)
    if kind != "table":
        columns = list(found[0]) if found else ["id", "source"]
        write_rows(found, kind, columns=columns, output=None)
        return
    now = utc_now()
    rows = [
        run
        | {"scheduled_for": moment(run["scheduled_for"], now), "verdict": run["verdict"] or run["state"]}
        | {"reasons": "; ".join(run["reasons"])}
        for run in found
    ]
    # A run ends before its postings are read: what is flagged then stands in `flags list`.
    names = ("scheduled_for", *(name for name in RUN_COLUMNS if name != "flagged"))
    shown = [(name, name.replace("_", " ").capitalize()) for name in names]
    counted = f"{len(found):,} {'run' if len(found) == 1 else 'runs'}"
    print_fitting("Runs (UTC)", shown, rows, spare=RUNS_SPARE, footer=counted)
