"""rates: the exchange rates by which pay is compared: refresh, list."""

from __future__ import annotations

from dataclasses import asdict

import typer

from service.commands.ledger import Needs, existing_ledger, uses
from service.commands.options import settings_of
from service.settings import UsageError, WorkFailed

rates = typer.Typer(no_args_is_help=True, help="Exchange rates: refresh, list.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(rates, name="rates")


@rates.command(epilog="Example: jobledger rates refresh")
@uses(Needs.CHANGES)
def refresh(
    context: typer.Context,
    url: str | None = typer.Option(
        None, "--url", metavar="URL", help="The folder of the files; the European Central Bank's without."
    ),
    believe: list[str] = typer.Option(
        None, "--believe", metavar="CODE", help="Take this currency's rate although it jumps. May be repeated."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Fetches the newest rates now; the scheduler does it every working day."""
    import json

    from db.queries import as_json as jsonable
    from db.records import utc_now
    from scraper.rates import ECB, RatesError, refresh_rates
    from service.output import to_stderr

    if url is not None and not url.startswith(("https://", "http://")):
        raise UsageError(f"--url {url!r} is no web address: write https://…")
    settings = settings_of(context)
    engine = existing_ledger(context)
    codes = {code.upper() for code in believe or []}
    try:
        made = refresh_rates(engine, now=utc_now(), base=url or settings.rates_url or ECB, believe=codes)
    except RatesError as error:
        raise WorkFailed(str(error)) from error
    for doubt in (*made.suspect, *made.refused):
        to_stderr(f"not written: {doubt}")
    if as_json:
        typer.echo(json.dumps(jsonable(asdict(made)), ensure_ascii=False))
    else:
        counts = f"{made.new:,} new, {made.revised:,} revised, {made.unchanged:,} unchanged"
        typer.echo(f"rates up to {made.newest}: {counts}")
    if made.suspect:
        raise WorkFailed("some rates jump by more than 30 % and were not written; if they are right, --believe CODE")


COLUMNS = (("currency", "Currency"), ("on", "Day"), ("usd", "US dollars"), ("origin", "Origin"))


@rates.command("list", epilog="Example: jobledger rates list --format csv")
@uses(Needs.READS)
def list_rates(
    context: typer.Context,
    format: str = typer.Option("table", "--format", metavar="FORMAT", help="table, json, jsonl or csv."),
) -> None:
    """The newest stored rate of each currency: US dollars for one unit, its day, and who said so."""
    from db.rates import newest_rates
    from service.output import print_table, require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    rows = [asdict(rate) for rate in newest_rates(existing_ledger(context))]
    if kind != "table":
        write_rows(rows, kind, columns=[name for name, _ in COLUMNS], output=None)
        return
    shown = [row | {"usd": f"{row['usd']:.6g}"} for row in rows]
    none = "none stored: the history that comes with the program is used; `jobledger rates refresh` fetches newer ones"
    print_table("Exchange rates", COLUMNS, shown, footer=f"{len(rows):,} currencies" if rows else none)
