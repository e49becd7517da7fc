"""sources, schedule, runs: what is read, when, and how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from service.commands.options import settings_of
from service.settings import UsageError, WorkFailed


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


def _chores(context: typer.Context) -> Any:
    """What the scheduler's own jobs are told, out of the settings."""
    import sys

    from scheduler.chore_settings import ChoreSettings

    settings = settings_of(context)
    address = {} if settings.rates_url is None else {"rates_url": settings.rates_url or None}
    return ChoreSettings(
        **address,
        report_folder=str(settings.report_folder) if settings.report_folder is not None else None,
        report_weeks=settings.report_weeks,
        report_options=settings.report_options,
        reports_kept=settings.reports_kept,
        report_command=(sys.executable, "-m", "service.cli"),
        alerts=settings.alerts,
    )


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
    from scheduler.timetable import next_runs, wanted_jobs

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
        for line in next_runs(_sources(context, path), utc_now(), engine, wanted_jobs(_chores(context)))
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


@sources.command("new", epilog="Example: jobledger sources new https://boards.greenhouse.io/acme --sources mine.toml")
def new_source(
    url: str = typer.Argument(..., metavar="URL", help="A careers page, or a page that embeds one."),
    path: Path = typer.Option(Path("sources.toml"), "--sources", metavar="FILE", help="Where the entry is appended."),
    page: Path | None = typer.Option(None, "--page", metavar="FILE", help="The page, saved; fetched without."),
    project: Path = typer.Option(Path(), "--project", metavar="DIR", help="Where an unknown site's spider is begun."),
) -> None:
    """Recognises the platform of a careers page and writes the entry; begins a spider for an unknown site."""
    from scraper.new_source import new_source as write_new
    from scraper.platforms import recognise

    if page is not None and not page.is_file():
        raise UsageError(f"--page {page}: no such file")
    html = page.read_bytes() if page is not None else None if recognise(url) is not None else _fetched(url)
    made = write_new(url, html, sources_file=path, project=project)
    if made.recognised is not None:
        where = "address" if made.recognised.found_in == "address" else "page"
        typer.echo(f"{made.recognised.platform.title}, known by the {where}. Written to {path}:\n\n{made.entry}")
        typer.echo(f"Look at it: jobledger crawl {made.name} --sources {path} --limit 20")
        return
    typer.echo(f"No platform that we know. Begun: {', '.join(str(file) for file in made.files)}")
    typer.echo("The test fails until the spider reads the saved page; docs/add-a-source.md says how.")


def _fetched(url: str) -> bytes:
    """The page at `url`, asked for as politely as any crawl."""
    import tempfile

    from db.looking import find_page_body
    from db.session import open_ledger
    from scraper.crawl import crawl
    from scraper.sources import Source

    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no web address: write https://…")
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'page.db'}"
        result = crawl(Source(name="new", spider="onepage", url=url), database_url=database)
        body = find_page_body(open_ledger(database), "new")
    if body is None:
        raise WorkFailed(f"{url} could not be fetched: {'; '.join(result.reasons)}; save the page and give --page FILE")
    return body


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
            chores=_chores(context),
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
    done = run_due_once(
        _sources(context, path),
        engine=engine,
        database_url=settings.database_url,
        now=utc_now,
        chores=_chores(context),
    )
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
