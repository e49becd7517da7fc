"""backfill: web-archive files in bulk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from service.commands.ledger import Needs, uses
from service.commands.options import CLUSTER, settings_of
from service.settings import UsageError, WorkFailed

AT_ONCE = 256
"""Files handed to a cluster at a time, times what each worker may have waiting."""


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: jobledger backfill crawl/ --out backfill --workers 4 --json")(backfill)


@uses(Needs.CREATES)
def backfill(
    context: typer.Context,
    files: list[str] = typer.Argument(None, metavar="[FILES|URLS]...", help="WARC files, folders of them, addresses."),
    out: Path = typer.Option(Path("backfill"), "--out", metavar="DIR", help="Where the Parquet partitions go."),
    store: bool = typer.Option(False, "--store", help="Write into the ledger too, and normalise at the end."),
    workers: int = typer.Option(1, "--workers", min=1, max=256, help="Local processes; 1 is this process itself."),
    allow_host: list[str] = typer.Option(
        [], "--allow-host", metavar="HOST", help="A host that may have a private or loopback address."
    ),
    cluster: str | None = CLUSTER,
    seconds: float = typer.Option(20.0, "--seconds-a-page", min=0.1, help="A page that takes longer is reported."),
    cdx: str | None = typer.Option(None, "--cdx", metavar="PATTERN", help="Look an address up in an archive's index."),
    archive: str = typer.Option("wayback", "--archive", metavar="NAME", help="wayback or commoncrawl; with --cdx."),
    match: str = typer.Option("prefix", "--match", metavar="HOW", help="exact, prefix, host or domain; with --cdx."),
    since: str | None = typer.Option(None, "--from", metavar="TIME", help="Earliest capture, as 2023 or 20230131."),
    until: str | None = typer.Option(None, "--to", metavar="TIME", help="Latest capture."),
    crawl: list[str] = typer.Option([], "--crawl", metavar="ID", help="A crawl of Common Crawl: CC-MAIN-2023-06."),
    limit: int | None = typer.Option(None, "--limit", min=1, metavar="N", help="At most N pages; with --cdx."),
    server: str | None = typer.Option(None, "--cdx-server", metavar="URL", help="Another index than the archive's."),
    data: str | None = typer.Option(None, "--cdx-data", metavar="URL", help="Where another index's WARC files are."),
    pause: float = typer.Option(2.0, "--pause", min=0.0, help="Seconds between requests; with --cdx."),
    as_json: bool = typer.Option(False, "--json", help="Print the summary as one JSON object."),
) -> None:
    """Reads WARC files of Common Crawl, Wayback and others in bulk: articles, featured jobs and schema.org JobPostings.

    Writes Parquet partitions; run again, it goes on where it was broken off. Exit code 1 only when nothing could be
    read; files and records that could not be are named.
    """
    from service.progress import measured

    settings = settings_of(context)
    if bool(files) == (cdx is not None):
        raise UsageError("name WARC files, folders of them or web addresses, or give --cdx PATTERN")
    options: dict[str, Any] = {
        "database_url": settings.database_url if store else None,
        "allow_hosts": tuple(allow_host),
        "seconds_a_page": seconds,
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror or error}") from error
    with measured("reading") as show:
        options["progress"] = lambda done, total, _sums: show(done, total)
        if cdx is None:
            summary = _read_files(files, out, workers, cluster, options)
        else:
            wanted: dict[str, Any] = {"url": cdx, "archive": archive, "match": match, "since": since, "until": until}
            wanted |= {"crawls": tuple(crawl), "limit": limit, "server": server, "data": data}
            summary = _read_pattern(wanted, str(out), workers > 1 or cluster is not None, pause, options)
    counts = summary.as_json()
    if store:
        counts |= _normalised(settings.database_url)
    _report(counts, as_json=as_json)
    if summary.results and len(summary.failed) == len(summary.results):
        raise WorkFailed(f"nothing could be read: {summary.failed[0].file}: {summary.failed[0].error}")
    if counts["records"] and counts["rejected"] == counts["records"]:
        raise WorkFailed(f"no record could be read: the reasons are in {out / 'rejected'}")


def _read_files(files: list[str], out: Path, workers: int, cluster: str | None, options: dict[str, Any]) -> Any:
    from db.session import open_ledger
    from scheduler.backfill import backfill as run
    from scheduler.backfill import find_warcs
    from scheduler.cluster import pool
    from scraper.backfill.inputs import is_url

    try:
        found = find_warcs(files)
    except OSError as error:
        raise UsageError(str(error)) from error
    if cluster is None:
        return run(found, str(out), workers=workers, **options)
    url = options["database_url"]
    there = [name if is_url(name) else str(Path(name).resolve()) for name in found]  # workers stand in other folders
    with pool(cluster, 1, ledger=open_ledger(url) if url is not None else None) as executor:
        return run(there, str(out.resolve()), pool=executor, workers=AT_ONCE, **options)


def _read_pattern(wanted: dict[str, Any], out: str, spread: bool, pause: float, options: dict[str, Any]) -> Any:
    from scheduler.backfill_cdx import ARCHIVES, MATCHES, Pattern, backfill_pattern
    from service.output import to_stderr

    for name, allowed in (("archive", ARCHIVES), ("match", MATCHES)):
        if wanted[name] not in allowed:
            raise UsageError(f"--{name} {wanted[name]!r} does not exist; choose from: {', '.join(allowed)}")
    if spread:
        to_stderr("archives are asked one request at a time: --workers and --cluster do nothing with --cdx")
    return backfill_pattern(Pattern(**wanted), out, seconds_between=pause, **options)


def _normalised(database_url: str) -> dict[str, Any]:
    """Aggregates what was kept; what the ledger gained."""
    from db.session import open_ledger
    from service.commands.collect import _aggregate

    made = _aggregate(open_ledger(database_url))
    return {"stored": {"postings": made.postings.postings, "new": made.postings.new, "updated": made.postings.updated}}


def _report(counts: dict[str, Any], *, as_json: bool) -> None:
    from db.files import printable
    from service.commands.collect import print_counts
    from service.output import to_stderr

    for failed in counts["errors"]:
        to_stderr(f"failed {printable(failed['file'])}: {failed['error']}")
    for line in counts["ends_early"]:
        to_stderr(f"ends early: {line}")
    for poison in counts["poison"]:
        to_stderr(f"left out of {poison['file']}: record at {poison['record']}")
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        lists = ("errors", "ends_early", "poison", "stored")
        print_counts({name: count for name, count in counts.items() if name not in lists}, as_json=False)
        if counts.get("stored"):
            typer.echo("ledger: " + ", ".join(f"{count:,} {name}" for name, count in counts["stored"].items()))
