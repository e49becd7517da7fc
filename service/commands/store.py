"""db: the ledger as a file or a server: upgrade, check, stats, backup, copy, forget, prune."""

from __future__ import annotations

from pathlib import Path

import typer

from service.commands.ledger import Needs, existing_ledger, uses
from service.commands.options import settings_of
from service.settings import UsageError, WorkFailed


def register(app: typer.Typer) -> None:
    app.add_typer(db, name="db")


db = typer.Typer(
    no_args_is_help=True,
    help="The ledger: upgrade, check, stats, backup, copy, forget, prune.",
    rich_markup_mode=None,
)


@db.command(epilog="Example: jobledger --db sqlite:///jobs.db db upgrade")
@uses(Needs.CREATES)
def upgrade(context: typer.Context) -> None:
    """Creates the tables, or brings them to this program's schema."""
    from db.session import SCHEMA_HEAD, open_ledger

    open_ledger(settings_of(context).database_url).dispose()
    typer.echo(f"the ledger is at schema {SCHEMA_HEAD}")


@db.command(epilog="Example: jobledger db check")
@uses(Needs.READS)
def check(context: typer.Context) -> None:
    """Looks for damage (the file itself, references, times, flags, statistics) and for ads that wait to be read.

    Names each damaged table and index. Exit code 1 when anything is found.
    """
    from db.checks import check_ledger
    from db.errors import LedgerDamaged
    from db.records import utc_now
    from scheduler.backlog import find_backlog
    from service.output import visible

    engine = existing_ledger(context)
    problems = check_ledger(engine)
    try:
        backlog = find_backlog(engine, utc_now())
    except LedgerDamaged:  # the damage stands among the problems already
        pass
    else:
        problems += [str(backlog)] if backlog.is_stuck else []
    for problem in problems:
        typer.echo(visible(problem))
    if problems:
        said = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise WorkFailed(f"{said} found; `jobledger aggregate --all` mends what follows from raw postings")
    typer.echo("the ledger is sound")


@db.command(epilog="Example: jobledger db stats --json")
@uses(Needs.READS)
def stats(context: typer.Context, as_json: bool = typer.Option(False, "--json")) -> None:
    """Rows of each table."""
    from db.queries import table_counts
    from service.commands.collect import print_counts

    print_counts(table_counts(existing_ledger(context)), as_json=as_json)


@db.command(epilog="Example: jobledger db backup jobledger-2026-11-21.db")
@uses(Needs.READS)
def backup(context: typer.Context, file: Path = typer.Argument(..., metavar="FILE")) -> None:
    """A whole copy of the ledger while others use it: a database file (SQLite) or a dump (PostgreSQL)."""
    from db.backup import backup_ledger

    backup_ledger(existing_ledger(context), file)
    typer.echo(f"the ledger is copied to {file}")


@db.command(epilog="Example: jobledger db copy sqlite:///jobledger.db postgresql://jobs@localhost/jobs")
@uses(Needs.NOTHING)
def copy(
    source: str = typer.Argument(..., metavar="SRC", help="The ledger to read: sqlite:///FILE or postgresql://…"),
    target: str = typer.Argument(..., metavar="DST", help="A new ledger; its tables are created."),
) -> None:
    """Moves a ledger to another store, row for row. The source stays as it is; the target must be empty."""
    from db.copying import copy_ledger
    from db.session import open_ledger

    old = open_ledger(source, create=False)
    new = open_ledger(target)
    if old.url == new.url:
        raise UsageError("SRC and DST are the same ledger")
    copied = copy_ledger(old, new)
    typer.echo(f"{sum(copied.values()):,} rows of {len(copied)} tables copied")


@db.command(epilog="Example: jobledger db forget --company 'Acme GmbH' --yes")
@uses(Needs.CHANGES)
def forget(
    context: typer.Context,
    url: str | None = typer.Option(None, "--url", metavar="URL", help="An ad, article or page."),
    company: str | None = typer.Option(None, "--company", metavar="NAME", help="An employer, in any spelling."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Erases everything held of an advertiser's page or of an employer, for good. A later crawl may bring it back."""
    import getpass

    from aggregator.normalise.company import parse_company
    from aggregator.pipeline import aggregate
    from db.erasure import forget_company, forget_old_words, forget_url
    from db.keys import key
    from db.records import utc_now

    if (url is None) == (company is None):
        raise UsageError("give --url or --company, one of them")
    if not yes:
        typer.confirm(f"Erase everything held of {url or company}?", abort=True, err=True)
    engine = existing_ledger(context)
    if url is not None:
        erased = forget_url(engine, url, who=getpass.getuser(), now=utc_now())
    else:
        known = parse_company(company)
        company_id = key("company", known.key) if known is not None else None
        erased = forget_company(engine, company or "", company_id, who=getpass.getuser(), now=utc_now())
    aggregate(engine, now=utc_now())
    forget_old_words(engine)  # of postings that stay, for others publish them too, and read otherwise now
    typer.echo(
        f"erased: {erased.raw_postings:,} ads, {erased.postings:,} postings, {erased.articles:,} articles, "
        f"{erased.pages:,} pages, {erased.rejected:,} rejected pages"
    )


@db.command(epilog="Example: jobledger db prune --days 90")
@uses(Needs.CHANGES)
def prune(
    context: typer.Context,
    days: int = typer.Option(90, "--days", min=0, metavar="N", help="Keep what was seen in the last N days."),
) -> None:
    """Erases the stored bodies of pages not seen for N days; what was read in them stays."""
    from datetime import timedelta

    from db.erasure import forget_bodies
    from db.records import utc_now

    engine = existing_ledger(context)
    typer.echo(f"{forget_bodies(engine, utc_now() - timedelta(days=days)):,} pages pruned")
