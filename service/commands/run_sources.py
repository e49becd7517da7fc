"""sources, schedule, runs: what is read, when, and how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from service.commands.options import settings_of
from service.settings import UsageError


def register(app: typer.Typer) -> None:
    app.add_typer(sources, name="sources")
    app.add_typer(schedule, name="schedule")
    app.command(epilog="Example: jobledger runs --source greenhouse-anthropic --limit 5")(runs)


sources = typer.Typer(no_args_is_help=True, help="What is read: list, check, new.", rich_markup_mode=None)
schedule = typer.Typer(no_args_is_help=True, help="When it is read: run, list, once.", rich_markup_mode=None)

SourcesFile = typer.Option(None, "--sources", metavar="FILE", help="A file of sources.")


def _sources(context: typer.Context, path: Path | None) -> tuple[Any, ...]:
    from scraper.sources import load_sources

    return load_sources(path or settings_of(context).sources)


@sources.command("list", epilog="Example: jobledger sources list --format json")
def list_sources(
    context: typer.Context,
    path: Path | None = SourcesFile,
    format: str = typer.Option("table", "--format", help="table, json, jsonl or csv."),
) -> None:
    """Every source with its platform, timetable, last run and health."""
    from service.output import print_table, require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    runs_of = {row["name"]: row for row in _timetable(context, path)}
    found = [
        {"name": s.name, "platform": s.spider, "enabled": s.enabled, "schedule": s.schedule, "terms": s.terms}
        | {name: runs_of.get(s.name, {}).get(name) for name in ("next_run", "last_run", "verdict", "health")}
        for s in _sources(context, path)
    ]
    columns = list(found[0]) if found else ["name"]
    if kind != "table":
        write_rows(found, kind, columns=columns, output=None)
        return
    enabled = sum(row["enabled"] for row in found)
    shown = [(name, name.replace("_", " ")) for name in columns if name != "terms"]
    print_table("Sources", shown, found, footer=f"{len(found):,} sources, {enabled:,} enabled")


TIMETABLE = (
    ("name", "Job"),
    ("what", "What it does"),
    ("schedule", "Cron"),
    ("next_run", "Next run"),
    ("last_run", "Last run"),
    ("verdict", "Verdict"),
    ("health", "Health"),
)


def _timetable(context: typer.Context, path: Path | None) -> list[dict[str, Any]]:
    """What runs next, what ran last and how each job fares; a row a job."""
    from db.records import utc_now
    from db.session import open_ledger
    from scheduler.timetable import next_runs

    engine = open_ledger(settings_of(context).database_url)
    return [
        {
            "name": line.name,
            "what": line.what,
            "schedule": line.cron,
            "next_run": line.next_run,
            "last_run": line.last_run.finished_at if line.last_run else None,
            "verdict": line.last_run.verdict if line.last_run else None,
            "health": line.condition.ailment or ("well" if line.last_run else None),
        }
        for line in next_runs(_sources(context, path), utc_now(), engine)
    ]


@sources.command("check", epilog="Example: jobledger sources check greenhouse-anthropic")
def check_sources(
    context: typer.Context,
    names: list[str] = typer.Argument(None, metavar="[NAME...]", help="Sources by name; all enabled ones without."),
    path: Path | None = SourcesFile,
) -> None:
    """Asks each source for a few postings and says whether it answers and still parses; keeps nothing."""
    import tempfile

    from scraper.crawl import crawl
    from service.output import print_table

    known = {source.name: source for source in _sources(context, path)}
    for name in names or []:
        if name not in known:
            raise UsageError(f"no source {name!r}; the sources are: {', '.join(sorted(known))}")
    chosen = [known[name] for name in names] if names else [source for source in known.values() if source.enabled]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for source in chosen:
            result = crawl(source, database_url=f"sqlite:///{Path(folder) / 'check.db'}", limit=5)
            answer = "yes" if result.sightings or result.articles else "no"
            rows.append(
                {"source": source.name, "reads": answer, "postings": result.raw_postings, "why": result.reasons}
            )
    print_table("Sources", [(name, name) for name in ("source", "reads", "postings", "why")], rows)
    if any(row["reads"] == "no" for row in rows):
        raise typer.Exit(1)


@schedule.command("run", epilog="Example: jobledger schedule run --port 9108")
def run_schedule(
    context: typer.Context,
    path: Path | None = SourcesFile,
    port: int | None = typer.Option(None, "--port", help="Serve /healthz, /readyz and /metrics on this port."),
    log_format: str | None = typer.Option(None, "--log-format", help="text or json."),
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
            log_format=chosen,
            http_port=port,
            alerts=settings.alerts,
        )
    )
    raise typer.Exit(code)


@schedule.command("list", epilog="Example: jobledger schedule list")
def list_schedule(context: typer.Context, path: Path | None = SourcesFile) -> None:
    """What runs next and when, and how the last run of each source went."""
    from service.output import print_table

    print_table("Timetable (UTC)", TIMETABLE, _timetable(context, path))


@schedule.command("once", epilog="Example: jobledger schedule once")
def once(context: typer.Context, path: Path | None = SourcesFile) -> None:
    """Runs every due job once, then ends: for cron, and to try a timetable."""
    from db.records import utc_now
    from db.session import open_ledger
    from scheduler.runner import run_due_once

    settings = settings_of(context)
    engine = open_ledger(settings.database_url)
    done = run_due_once(_sources(context, path), engine=engine, database_url=settings.database_url, now=utc_now)
    for line in done:
        typer.echo(line)
    if not done:
        typer.echo("nothing is due")


def runs(
    context: typer.Context,
    source: str | None = typer.Option(None, "--source", help="Only of this source."),
    limit: int = typer.Option(50, "--limit", min=1, metavar="N"),
    format: str = typer.Option("table", "--format", help="table, json, jsonl or csv."),
) -> None:
    """Past runs with verdict, counts and reasons, newest first."""
    from db.queries import list_runs
    from db.session import open_ledger
    from service.commands.collect import RUN_COLUMNS
    from service.output import print_table, require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    found = list_runs(open_ledger(settings_of(context).database_url), source=source, limit=limit)
    if kind != "table":
        columns = list(found[0]) if found else ["id", "source"]
        write_rows(found, kind, columns=columns, output=None)
        return
    names = ("scheduled_for", "state", *RUN_COLUMNS)
    print_table("Runs", [(name, name.replace("_", " ")) for name in names], found, footer=f"{len(found):,} runs")
