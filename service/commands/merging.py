"""postings merge, split, merges: what a person says about which postings are one job."""

from __future__ import annotations

from typing import Any

import typer

from service.commands.ledger import Needs, existing_ledger, uses

Why = typer.Option(None, "--why", metavar="TEXT", help="The reason, for those who come later.")


def register(postings: typer.Typer) -> None:
    postings.command(epilog="Example: jobledger postings merge abcd1234abcd1234 efgh5678efgh5678")(merge)
    postings.command(epilog="Example: jobledger postings split efgh5678efgh5678 --why 'two teams'")(split)
    postings.command(epilog="Example: jobledger postings merges --format json")(merges)


def _open(context: typer.Context) -> Any:

    return existing_ledger(context)


@uses(Needs.CHANGES)
def merge(context: typer.Context, id: str, other: str, why: str | None = Why) -> None:
    """The two are one job: OTHER goes into ID, with its sightings. Later rules never take it back."""
    import getpass

    from aggregator.pipeline import aggregate
    from db.merges import merge_postings
    from db.records import utc_now

    engine = _open(context)
    stays = merge_postings(engine, id, other, who=getpass.getuser(), why=why, now=utc_now())
    aggregate(engine, now=utc_now())
    typer.echo(f"{other} is part of {stays}")


@uses(Needs.CHANGES)
def split(
    context: typer.Context,
    id: str = typer.Argument(..., metavar="ID", help="The id that was merged; `postings merges` lists them."),
    why: str | None = Why,
) -> None:
    """The merged posting is a job of its own again, under its old id. Later rules never merge the two again."""
    import getpass

    from aggregator.pipeline import aggregate
    from db.merges import split_posting
    from db.records import utc_now

    engine = _open(context)
    root = split_posting(engine, id, who=getpass.getuser(), why=why, now=utc_now())
    aggregate(engine, now=utc_now())
    typer.echo(f"split off {root}")


@uses(Needs.READS)
def merges(
    context: typer.Context,
    format: str = typer.Option("table", "--format", metavar="FORMAT", help="table, json or csv."),
) -> None:
    """Which postings were merged or kept apart, why, and by whom."""
    from db.merges import list_merges
    from service.output import print_table, require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    found = list_merges(_open(context))
    columns = ("posting_id", "other_id", "state", "score", "why", "decided_by", "at")
    if kind != "table":
        write_rows(found, kind, columns=columns, output=None)
        return
    print_table("Merges", [(name, name) for name in columns], found, footer=f"{len(found):,} merges")
