"""sources: what is read, whether it answers, and the beginning of a new one."""

from __future__ import annotations

from pathlib import Path

import typer

from service.commands.ledger import Needs, ledger_or_none, uses
from service.commands.options import settings_of
from service.commands.schedules import SourcesFile, say_faults, sources_of, state_row, timetable_rows
from service.settings import UsageError


def register(app: typer.Typer) -> None:
    app.add_typer(sources, name="sources")


sources = typer.Typer(no_args_is_help=True, help="What is read: list, check, new.", rich_markup_mode=None)


@sources.command("list", epilog="Example: jobledger sources list --format json")
@uses(Needs.MAY_READ)
def list_sources(
    context: typer.Context,
    path: Path | None = SourcesFile,
    format: str = typer.Option("table", "--format", metavar="FORMAT", help="table, json, jsonl or csv."),
) -> None:
    """Every source with its platform, timetable, last run and health."""
    from db.records import utc_now
    from scheduler.states import states
    from scraper.spider_files import spider_fault
    from service.narrow import moment, print_fitting
    from service.output import require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    sources = sources_of(context, path)
    engine = ledger_or_none(context)
    next_of = {row["name"]: row["next_run"] for row in timetable_rows(context, sources, engine)}
    known = states(engine, [source.name for source in sources])
    found = [
        {"name": s.name, "platform": s.spider, "enabled": s.enabled, "schedule": s.schedule, "terms": s.terms}
        | {"next_run": next_of.get(s.name)}
        | state_row(known[s.name])
        | {"ailment": known[s.name].ailment, "error": spider_fault(s)}
        for s in sources
    ]
    for row in found:
        row["health"] = "cannot be used" if row["error"] else row["health"]
    say_faults(sources)
    columns = list(found[0]) if found else ["name"]
    if kind != "table":
        write_rows(found, kind, columns=columns, output=None)
        return
    now, enabled = utc_now(), sum(row["enabled"] for row in found)
    print_fitting(
        "Sources (UTC)",
        [(name, name.replace("_", " ").capitalize()) for name in columns if name not in ("terms", "ailment", "error")],
        [
            row
            | {"last_run": moment(row["last_run"], now)}
            | {"next_run": moment(row["next_run"], now) if row["enabled"] else "off"}
            for row in found
        ],
        spare=("enabled", "schedule", "platform"),
        footer=f"{len(found):,} sources, {enabled:,} enabled",
    )


@sources.command("check", epilog="Example: jobledger sources check greenhouse-anthropic")
@uses(Needs.NOTHING)
def check_sources(
    context: typer.Context,
    names: list[str] = typer.Argument(None, metavar="[NAME...]", help="Sources by name; all enabled ones without."),
    path: Path | None = SourcesFile,
) -> None:
    """Asks each source for a few postings and says whether it answers and still parses; keeps nothing."""
    import tempfile

    from scraper.crawl import crawl
    from service.output import print_table

    known = {source.name: source for source in sources_of(context, path)}
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
@uses(Needs.NOTHING)
def new_source(
    context: typer.Context,
    url: str = typer.Argument(..., metavar="URL", help="A careers page, or a page that embeds one."),
    path: Path | None = typer.Option(
        None,
        "--sources",
        metavar="FILE",
        help="Where the entry is appended; else the configuration's, else sources.toml.",
    ),
    page: Path | None = typer.Option(None, "--page", metavar="FILE", help="The page, saved; then nothing is fetched."),
    allow_host: list[str] = typer.Option(
        [], "--allow-host", metavar="HOST", help="A host that may lie on a private address. May be repeated."
    ),
    name: str | None = typer.Option(None, "--name", metavar="NAME", help="What the source is called; else its host."),
    project: Path | None = typer.Option(
        None, "--project", metavar="DIR", help="A checkout of jobledger: the spider becomes one of ours."
    ),
) -> None:
    """Recognises who can read a careers page and writes the entry; begins a spider for an unknown site."""
    from service.commands.new_source import begin

    begin(
        settings_of(context),
        url,
        sources=path,
        page=page,
        name=name,
        allow_hosts=tuple(allow_host),
        project=project,
    )
