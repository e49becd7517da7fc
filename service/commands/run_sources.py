"""sources: what is read, whether it answers, and the beginning of a new one."""

from __future__ import annotations

from pathlib import Path

import typer

from service.commands.ledger import Needs, uses
from service.commands.schedules import SourcesFile, sources_of, timetable_rows
from service.settings import UsageError, WorkFailed


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
    from service.narrow import moment, print_fitting
    from service.output import require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    runs_of = {row["name"]: row for row in timetable_rows(context, path)}
    found = [
        {"name": s.name, "platform": s.spider, "enabled": s.enabled, "schedule": s.schedule, "terms": s.terms}
        | {name: runs_of.get(s.name, {}).get(name) for name in ("next_run", "last_run", "verdict", "health")}
        for s in sources_of(context, path)
    ]
    columns = list(found[0]) if found else ["name"]
    if kind != "table":
        write_rows(found, kind, columns=columns, output=None)
        return
    now, enabled = utc_now(), sum(row["enabled"] for row in found)
    print_fitting(
        "Sources (UTC)",
        [(name, name.replace("_", " ").capitalize()) for name in columns if name != "terms"],
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
