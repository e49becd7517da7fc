"""backfill: web-archive files in bulk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from service.commands.options import settings_of
from service.settings import UsageError, WorkFailed


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: jobledger backfill crawl/ --out backfill --workers 4 --json")(backfill)


def backfill(
    context: typer.Context,
    files: list[str] = typer.Argument(None, metavar="[FILES|URLS]...", help="WARC files, folders of them, addresses."),
    out: Path = typer.Option(Path("backfill"), "--out", metavar="DIR", help="Where the Parquet partitions go."),
    store: bool = typer.Option(False, "--store", help="Write into the ledger too, and normalise at the end."),
    workers: int = typer.Option(1, "--workers", min=1, max=256, help="Local processes; 1 is this process itself."),
    allow_host: list[str] = typer.Option(
        [], "--allow-host", metavar="HOST", help="A host that may have a private or loopback address."
    ),
    seconds: float = typer.Option(20.0, "--seconds-a-page", min=0.1, help="A page that takes longer is reported."),
    as_json: bool = typer.Option(False, "--json", help="Print the summary as one JSON object."),
) -> None:
    """Reads WARC files of Common Crawl, Wayback and others in bulk: articles, featured jobs and schema.org JobPostings.

    Writes Parquet partitions; run again, it goes on where it was broken off. Exit code 1 only when nothing could be
    read; files and records that could not be are named.
    """
    from scheduler.backfill import backfill as run
    from scheduler.backfill import find_warcs
    from service.progress import measured

    settings = settings_of(context)
    if not files:
        raise UsageError("name WARC files, folders of them or web addresses")
    try:
        found = find_warcs(files)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(str(error)) from error
    with measured("reading") as show:
        summary = run(
            found,
            str(out),
            workers=workers,
            database_url=settings.database_url if store else None,
            allow_hosts=tuple(allow_host),
            seconds_a_page=seconds,
            progress=lambda done, total, _sums: show(done, total),
        )
    counts = summary.as_json()
    if store:
        counts |= _normalised(settings.database_url)
    _report(counts, as_json=as_json)
    if len(summary.failed) == len(found):
        raise WorkFailed(f"nothing could be read: {summary.failed[0].file}: {summary.failed[0].error}")


def _normalised(database_url: str) -> dict[str, Any]:
    """Aggregates what was kept; what the ledger gained."""
    from db.session import open_ledger
    from service.commands.collect import _aggregate

    made = _aggregate(open_ledger(database_url))
    return {"stored": {"postings": made.postings.postings, "new": made.postings.new, "updated": made.postings.updated}}


def _report(counts: dict[str, Any], *, as_json: bool) -> None:
    from service.commands.collect import print_counts
    from service.output import to_stderr

    for failed in counts["errors"]:
        to_stderr(f"failed {failed['file']}: {failed['error']}")
    for poison in counts["poison"]:
        to_stderr(f"left out of {poison['file']}: record at {poison['record']}")
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        lists = ("errors", "poison", "stored")
        print_counts({name: count for name, count in counts.items() if name not in lists}, as_json=False)
        if counts.get("stored"):
            typer.echo("ledger: " + ", ".join(f"{count:,} {name}" for name, count in counts["stored"].items()))
