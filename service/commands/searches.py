"""searches: filters that are kept, and tell only what is new."""

from __future__ import annotations

from typing import Any

import typer

from service.commands.ledger import Needs, existing_ledger, uses
from service.commands.options import with_filters
from service.settings import UsageError, WorkFailed

searches = typer.Typer(
    no_args_is_help=True, help="Saved searches: only what is new, nothing twice.", rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    app.add_typer(searches, name="searches")


def _open(context: typer.Context) -> Any:

    return existing_ledger(context)


def _named(engine: Any, name: str) -> Any:
    """The saved search of this name; an error that says where they are listed."""
    from db.searches import saved_searches

    found = next((search for search in saved_searches(engine) if search.name == name), None)
    if found is None:
        raise UsageError(f"no saved search {name!r}: `jobledger searches list` shows them")
    return found


@searches.command(epilog="Example: jobledger searches add berlin --city Berlin --has-salary --channel file:new.jsonl")
@uses(Needs.CHANGES)
@with_filters
def add(
    context: typer.Context,
    filters: Any,
    name: str = typer.Argument(..., metavar="NAME"),
    channel: str = typer.Option(
        ..., "--channel", metavar="WHERE", help="file:PATH, webhook:URL, feed, or an Apprise address: mailto://…"
    ),
    schedule: str = typer.Option("@daily", "--schedule", metavar="CRON", help="When to look, in UTC."),
) -> None:
    """Saves a search; what matches now counts as known."""
    from db.records import utc_now
    from db.searches import add_search
    from scheduler.channels import AlertError
    from scheduler.cron import CronError, trigger
    from scheduler.searching import FEED, check_channel

    try:
        trigger(schedule)
        check_channel(channel)
    except (CronError, AlertError) as error:
        raise UsageError(str(error)) from error
    add_search(_open(context), name, filters, schedule=schedule, channel=channel, now=utc_now())
    typer.echo(f"{name} is saved; the scheduler looks at {schedule} (UTC)")
    if channel == FEED:
        from service.web.view import query

        typer.echo(f"its feed, from `jobledger serve`: /api/v1/postings.atom{query(filters.stated())}")


@searches.command("list", epilog="Example: jobledger searches list --json")
@uses(Needs.READS)
def list_all(context: typer.Context, as_json: bool = typer.Option(False, "--json")) -> None:
    """Saved searches with what they told."""
    import json

    from db.queries import as_json as jsonable
    from db.searches import saved_searches, told_counts
    from db.session import reading
    from service.output import print_table, to_stderr

    with reading(_open(context)) as view:
        counts, saved = told_counts(view), saved_searches(view)
    rows = [
        {
            "name": search.name,
            "filters": search.filters.stated(),
            "schedule": search.schedule,
            "channel": search.channel.partition("://")[0] + "://…" if "://" in search.channel else search.channel,
            "last_looked": search.last_told_at,
            "told": counts.get(search.id, (0, 0))[0],
            "unsure": counts.get(search.id, (0, 0))[1],
        }
        for search in saved
    ]
    if as_json:
        typer.echo(json.dumps(jsonable(rows), ensure_ascii=False))
        return
    shown = [row | {"filters": json.dumps(row["filters"], ensure_ascii=False)} for row in rows]
    names = ("name", "filters", "schedule", "channel", "last_looked", "told", "unsure")
    print_table("Saved searches", [(name, name.replace("_", " ").capitalize()) for name in names], shown)
    for row in rows:
        if row["unsure"]:
            to_stderr(
                f"{row['name']}: nobody knows whether {row['unsure']} arrived, their teller died; "
                f"`jobledger searches unsure {row['name']}` shows them, `resend` tells them again, `drop` does not"
            )


@searches.command(epilog="Example: jobledger searches unsure berlin")
@uses(Needs.READS)
def unsure(
    context: typer.Context,
    name: str = typer.Argument(..., metavar="NAME"),
    as_json: bool = typer.Option(False, "--json"),
) -> None:
    """What a search may have told and may not: its teller died in between. `resend` tells it, `drop` does not."""
    import json

    from db.queries import as_json as jsonable
    from db.records import utc_now
    from db.searches import unsure_postings
    from service.output import print_table

    engine = _open(context)
    rows = unsure_postings(engine, _named(engine, name), utc_now())
    if as_json:
        typer.echo(json.dumps(jsonable(rows), ensure_ascii=False))
        return
    columns = (("posting_id", "Posting"), ("title", "Title"), ("company", "Employer"), ("at", "Claimed"))
    print_table(f"Unsure of {name}", columns, rows)


@searches.command(epilog="Example: jobledger searches resend berlin")
@uses(Needs.CHANGES)
def resend(
    context: typer.Context,
    name: str = typer.Argument(..., metavar="NAME"),
    at_once: bool = typer.Option(False, "--now", help="Also what was claimed in the last ten minutes."),
) -> None:
    """Tells again what nobody knows to have arrived; some of it may arrive twice."""
    from datetime import timedelta

    from db.records import utc_now
    from scheduler.channels import AlertError
    from scheduler.searching import TELLING, tell_again

    engine = _open(context)
    search = _named(engine, name)
    try:
        number = tell_again(engine, search, utc_now(), wait=timedelta() if at_once else TELLING)
    except AlertError as error:
        raise WorkFailed(str(error)) from error
    typer.echo(f"{name}: {number} told again")


@searches.command(epilog="Example: jobledger searches drop berlin")
@uses(Needs.CHANGES)
def drop(context: typer.Context, name: str = typer.Argument(..., metavar="NAME")) -> None:
    """Counts as told what nobody knows to have arrived."""
    from db.records import utc_now
    from db.searches import drop_unsure
    from scheduler.searching import TELLING

    engine = _open(context)
    typer.echo(f"{name}: {drop_unsure(engine, _named(engine, name), utc_now() - TELLING)} dropped")


@searches.command(epilog="Example: jobledger searches remove berlin")
@uses(Needs.CHANGES)
def remove(context: typer.Context, name: str = typer.Argument(..., metavar="NAME")) -> None:
    """Forgets a saved search."""
    from db.searches import remove_search

    remove_search(_open(context), name)
    typer.echo(f"{name} is removed")


@searches.command(epilog="Example: jobledger searches run berlin")
@uses(Needs.CHANGES)
def run(
    context: typer.Context,
    name: str | None = typer.Argument(None, metavar="[NAME]", help="This one, due or not; else every due one."),
) -> None:
    """Tells what is new now; the scheduler does it by itself."""
    from db.records import utc_now
    from scheduler.channels import AlertError
    from scheduler.searching import tell_searches

    engine = _open(context)
    if name is not None:
        _named(engine, name)
    try:
        told = tell_searches(engine, utc_now(), only=name)
    except AlertError as error:
        raise WorkFailed(str(error)) from error
    for search, number in told.items():
        typer.echo(f"{search}: {number} new")
    if not told:
        typer.echo("no saved search is due")
