"""demo: the main job in a minute, on a sample careers site that comes with the program."""

from __future__ import annotations

from pathlib import Path

import typer

from service.commands.ledger import Needs, uses
from service.commands.options import settings_of
from service.settings import DEFAULT_DATABASE_URL, Settings


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: jobledger demo --folder try-it")(demo)


@uses(Needs.CREATES)
def demo(
    context: typer.Context,
    folder: Path = typer.Option(Path("demo"), "--folder", metavar="DIR", help="Where the ledger and the report go."),
) -> None:
    """Serves the sample site on loopback, crawls it with the real spiders, reports, and says what to try next."""
    from dataclasses import replace

    from scraper.site import demo_source, serve
    from service.commands.collect import RUN_COLUMNS, crawl_now
    from service.output import print_table

    settings = settings_of(context)
    folder.mkdir(parents=True, exist_ok=True)
    if settings.database_url == DEFAULT_DATABASE_URL:
        settings = replace(settings, database_url=f"sqlite:///{folder / 'jobledger.db'}")
    with serve() as url:
        typer.echo(f"A sample careers site is served at {url}; crawling it with the real spiders…")
        runs = crawl_now(settings, [demo_source(url)], limit=None, parallel=1)
    print_table("Runs", [(name, name) for name in RUN_COLUMNS], runs)
    _show(settings, folder)
    if any(run["verdict"] == "failed" for run in runs):
        raise typer.Exit(1)


def _show(settings: Settings, folder: Path) -> None:
    from db.filters import Filters
    from db.queries import list_flags
    from db.records import utc_now
    from db.session import open_ledger
    from insights import render
    from insights.report import build_report
    from service.output import print_table, write_text
    from service.report_table import print_report

    engine = open_ledger(settings.database_url)
    flags = [flag for flag in list_flags(engine) if flag["severity"] == "exclude"]
    columns = [("title", "Title"), ("salary_text", "Pay as stated"), ("code", "Flag"), ("detail", "Why it is left out")]
    print_table("Left out of every statistic", columns, flags)
    made = build_report(settings.database_url, filters=Filters(), by=("role", "level"), currency="USD", now=utc_now())
    print_report(made)
    page = folder / "salary-report.html"
    write_text(render.html(made), page)
    db = f"--db {settings.database_url}"
    typer.echo(f"\nThe report with charts and method: {page}\n\nTry next:")
    for words in (
        "postings --country DE --has-salary",
        "articles --claims",
        "flags list",
        "report --by country --format md",
        "export postings.csv",
        "runs",
        "serve",
    ):
        typer.echo(f"  jobledger {words} {db}")
