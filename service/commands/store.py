"""db: the ledger as a file or a server: upgrade, check, stats, backup."""

from __future__ import annotations

from pathlib import Path

import typer

from service.commands.options import settings_of
from service.settings import WorkFailed


def register(app: typer.Typer) -> None:
    app.add_typer(db, name="db")


db = typer.Typer(no_args_is_help=True, help="The ledger: upgrade, check, stats, backup.", rich_markup_mode=None)


@db.command(epilog="Example: jobledger --db sqlite:///jobs.db db upgrade")
def upgrade(context: typer.Context) -> None:
    """Creates the tables, or brings them to this program's schema."""
    from db.session import SCHEMA_HEAD, open_ledger

    open_ledger(settings_of(context).database_url).dispose()
    typer.echo(f"the ledger is at schema {SCHEMA_HEAD}")


@db.command(epilog="Example: jobledger db check")
def check(context: typer.Context) -> None:
    """Looks for damage: the file itself, references, times, flags, statistics. Exit code 1 when anything is found."""
    from db.checks import check_ledger
    from db.session import open_ledger

    problems = check_ledger(open_ledger(settings_of(context).database_url, create=False))
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise WorkFailed(
            f"{len(problems)} problems found; `jobledger aggregate --all` mends what follows from raw postings"
        )
    typer.echo("the ledger is sound")


@db.command(epilog="Example: jobledger db stats --json")
def stats(context: typer.Context, as_json: bool = typer.Option(False, "--json")) -> None:
    """Rows of each table."""
    from db.queries import table_counts
    from db.session import open_ledger
    from service.commands.collect import print_counts

    print_counts(table_counts(open_ledger(settings_of(context).database_url, create=False)), as_json=as_json)


@db.command(epilog="Example: jobledger db backup jobledger-2026-11-21.db")
def backup(context: typer.Context, file: Path = typer.Argument(..., metavar="FILE")) -> None:
    """A whole copy of the ledger while others use it: a database file (SQLite) or a dump (PostgreSQL)."""
    from db.backup import backup_ledger
    from db.session import open_ledger

    backup_ledger(open_ledger(settings_of(context).database_url, create=False), file)
    typer.echo(f"the ledger is copied to {file}")
