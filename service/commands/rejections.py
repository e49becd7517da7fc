"""rejected list: what could not be read or fetched, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import typer

from service.commands.ledger import Needs, existing_ledger, uses
from service.settings import UsageError


def register(app: typer.Typer) -> None:
    app.add_typer(rejected, name="rejected")


rejected = typer.Typer(
    no_args_is_help=True, help="What could not be read or fetched, with the reason.", rich_markup_mode=None
)

TABLE = (
    ("source", "Source"),
    ("url", "Address"),
    ("reason", "Reason"),
    ("detail", "Detail"),
    ("last_seen", "When"),
)


@rejected.command("list", epilog="Example: jobledger rejected list --source acme --reason rule_failed --format jsonl")
@uses(Needs.READS)
def list_all(
    context: typer.Context,
    source: str | None = typer.Option(None, "--source", metavar="NAME", help="Only what this source gave."),
    reason: str | None = typer.Option(
        None, "--reason", metavar="CODE", help="Only this reason: rule_failed, parser_failed, http_404, missing_field…"
    ),
    since: str | None = typer.Option(None, "--since", metavar="DATE", help="Only what was rejected on or after."),
    resolved: bool = typer.Option(False, "--resolved", help="Also what a later reading could read."),
    limit: int | None = typer.Option(None, "--limit", min=1, metavar="N"),
    format: str = typer.Option("table", "--format", metavar="FORMAT", help="table, json, jsonl or csv."),
    output: Path | None = typer.Option(None, "--output", metavar="FILE", help="Write to a file instead of stdout."),
) -> None:
    """What could not be read or fetched, newest first: source, address, reason, when."""
    from db.rejected import COLUMNS, list_rejected
    from service.output import print_table, require_format, write_rows

    kind = require_format(format, ("table", "json", "jsonl", "csv"))
    if kind == "table" and output is not None:
        raise UsageError("--output needs --format json, jsonl or csv")
    engine = existing_ledger(context)
    _require_known(engine, source, reason)
    found = list_rejected(engine, source=source, reason=reason, since=_day(since), resolved=resolved, limit=limit)
    if kind != "table":
        write_rows(found, kind, columns=list(COLUMNS), output=output)
        return
    print_table("Rejected", TABLE, found, footer=f"{len(found):,} rejected")


def _require_known(engine: Any, source: str | None, reason: str | None) -> None:
    """A name that the ledger does not know is a mistake, not an empty answer."""
    from db.queries import list_sources
    from db.rejected import rejected_reasons, rejected_sources

    if source is not None:
        known = sorted({row["name"] for row in list_sources(engine)} | set(rejected_sources(engine)))
        if source not in known:
            raise UsageError(f"--source {source!r} does not exist; choose from: {', '.join(known) or 'none yet'}")
    if reason is not None and reason not in (reasons := rejected_reasons(engine)):
        raise UsageError(f"--reason {reason!r} does not exist; choose from: {', '.join(reasons) or 'none yet'}")


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--since {text!r} is no date; write 2026-11-21") from error
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
