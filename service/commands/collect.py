"""ingest, crawl, aggregate: the road itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import typer

from service.commands.ledger import Needs, existing_ledger, uses
from service.commands.options import CLUSTER, settings_of
from service.settings import Settings, UsageError, WorkFailed


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: jobledger ingest captures/ more/page.html --json")(ingest)
    app.command(epilog="Example: jobledger crawl greenhouse-anthropic --limit 20")(crawl)
    app.command(epilog="Example: jobledger aggregate --all")(aggregate)


@uses(Needs.CREATES)
def ingest(
    context: typer.Context,
    paths: list[str] = typer.Argument(..., metavar="PATH...", help="Files or folders; - is stdin."),
    as_json: bool = typer.Option(False, "--json", help="Print the counts as one JSON object."),
) -> None:
    """Reads captured pages from files, without a network, down the same road as a crawl."""
    from db.queries import seen_since
    from db.records import utc_now
    from db.session import open_ledger
    from scraper.crawl import crawl as crawl_source
    from scraper.sources import captures_source
    from service.output import to_stderr
    from service.progress import counting

    settings = settings_of(context)
    _require_paths(paths)
    engine = open_ledger(settings.database_url)
    started = utc_now()
    with counting("reading") as show:
        try:
            result = crawl_source(captures_source(), database_url=settings.database_url, paths=paths, progress=show)
        except OSError as error:
            raise WorkFailed(f"standard input cannot be read: {error.strerror or error}") from error
    if result.cut_short:
        raise WorkFailed(f"{'; '.join(result.reasons)}; what was kept stays: run again to go on")
    for line in (*result.notes, *result.reasons):
        to_stderr(line)
    if result.verdict == "failed" and not result.pages:
        raise WorkFailed(f"nothing could be read: {'; '.join(result.reasons) or 'see --verbose'}")
    made = _aggregate(engine)
    postings, flagged = seen_since(engine, "captures", started)
    counts = {
        "pages": result.pages,
        "articles": result.articles,
        "sightings": result.sightings,
        "raw_postings": result.raw_postings,
        "postings": max(postings, made.postings.postings),
        "new": result.new,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "flagged": flagged,
        "rejected": result.rejected + made.rejected,
    }
    _say_rejected(engine, started)
    print_counts(counts, as_json=as_json)
    if result.rejected and not (result.articles or result.sightings):
        raise WorkFailed("nothing could be read: the reasons stand above and in the table of rejected pages")


def _require_paths(paths: list[str]) -> None:
    if "-" in paths and sys.stdin.isatty():
        raise UsageError("- reads from stdin, but stdin is a terminal: pipe a page into it")
    for path in paths:
        if path != "-" and not os.path.lexists(path):
            raise UsageError(f"{path}: no such file or folder")


def _say_rejected(engine: Any, started: Any) -> None:
    from db.rejected import list_rejected
    from service.output import to_stderr

    for row in list_rejected(engine, since=started, limit=20):
        if row["rules_version"] is None:  # what our rules failed on is logged where they run
            to_stderr(f"rejected {row['url']}: {row['detail']}")


def _aggregate(engine: Any, *, everything: bool = False, pool: Any = None) -> Any:
    from aggregator.pipeline import aggregate as aggregate_pending
    from db.records import utc_now
    from service.progress import measured

    with measured("normalising") as show:
        return aggregate_pending(engine, now=utc_now(), everything=everything, pool=pool, progress=show)


def print_counts(counts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(counts))
        return
    for name, number in counts.items():
        typer.echo(f"{name.replace('_', ' '):<13} {number:>9,}")


@uses(Needs.CREATES)
def crawl(
    context: typer.Context,
    names: list[str] = typer.Argument(None, metavar="[NAME...]", help="Sources by name."),
    everything: bool = typer.Option(False, "--all", help="Every enabled source."),
    sources: Path | None = typer.Option(None, "--sources", metavar="FILE", help="A file of sources."),
    limit: int | None = typer.Option(None, "--limit", min=1, metavar="N", help="At most N postings a source."),
    parallel: int = typer.Option(
        4, "--parallel", "--workers", min=1, max=64, help="Sources read at the same time; those of one host in turn."
    ),
    cluster: str | None = CLUSTER,
    as_json: bool = typer.Option(False, "--json", help="Print the runs as one JSON object."),
) -> None:
    """Crawls sources now, then normalises what they gave. Exit code 1 when any run failed."""
    settings = settings_of(context)
    chosen = _chosen(settings, names or [], everything, sources)
    runs = crawl_now(settings, chosen, limit=limit, parallel=parallel, cluster=cluster)
    if as_json:
        typer.echo(json.dumps({"runs": runs}))
    else:
        from service.output import print_table

        columns = [(name, name) for name in RUN_COLUMNS]
        print_table("Runs", columns, runs)
    if any(run["verdict"] == "failed" for run in runs):
        raise typer.Exit(1)


RUN_COLUMNS = (
    "source",
    "verdict",
    "reasons",
    "pages",
    "sightings",
    "new",
    "updated",
    "unchanged",
    "flagged",
    "rejected",
    "seconds",
)


def _chosen(settings: Settings, names: list[str], everything: bool, path: Path | None) -> list[Any]:
    from scraper.sources import load_sources

    known = load_sources(path or settings.sources, spiders=settings.spiders)
    if everything == bool(names):
        raise UsageError("name one or more sources, or give --all; `jobledger sources list` shows them")
    if everything:
        return [source for source in known if source.enabled]
    by_name = {source.name: source for source in known}
    for name in names:
        if name not in by_name:
            raise UsageError(f"no source {name!r}; the sources are: {', '.join(sorted(by_name))}")
    return [by_name[name] for name in names]


def crawl_now(
    settings: Settings, sources: list[Any], *, limit: int | None, parallel: int, cluster: str | None = None
) -> list[dict[str, Any]]:
    """Runs the sources, each in a process of its own, here or on a cluster; aggregates; returns a row a run."""
    from db.queries import list_runs, seen_since
    from db.records import utc_now
    from db.rejected import failed_since
    from db.session import open_ledger
    from scheduler.cluster import pool
    from scheduler.crawling import crawl_on_workers

    engine = open_ledger(settings.database_url)
    started = utc_now()
    with pool(cluster, 1, ledger=engine) as executor:
        if executor is None:
            ids = _crawl_here(settings, engine, sources, started, limit=limit, parallel=parallel)
        else:
            ids = crawl_on_workers(sources, engine=engine, pool=executor, started=started, limit=limit)
        _aggregate(engine, pool=executor)
    rows = []
    for source in sources:
        run = next(row for row in list_runs(engine, source=source.name) if row["id"] == ids[source.name])
        run["flagged"] = seen_since(engine, source.name, started)[1]
        run["rejected"] += failed_since(engine, source.name, started)
        rows.append({name: run[name] for name in RUN_COLUMNS})
    return rows


INTERRUPTED_SECONDS = 5.0
"""How long crawls may take to close when the command is broken off."""


def _crawl_here(
    settings: Settings, engine: Any, sources: list[Any], started: Any, *, limit: int | None, parallel: int
) -> dict[str, int]:
    """`parallel` crawls at a time; the id of each source's run."""
    from concurrent.futures import Future, ThreadPoolExecutor

    from db.records import utc_now
    from processes.child import end_children
    from scheduler.crawling import crawl_in_turn
    from scheduler.jobs import run_source
    from service.progress import counting

    with counting("crawling") as show, ThreadPoolExecutor(max_workers=parallel) as threads:

        def crawled(source: Any) -> int:
            made = run_source(
                source,
                engine=engine,
                database_url=settings.database_url,
                scheduled_for=started,
                trigger="manual",
                now=utc_now,
                limit=limit,
                progress=show,
            )
            if made is None:
                raise WorkFailed(f"{source.name}: another crawl took this very moment; run again")
            return made.run_id

        def begin(source: Any) -> Future[int]:
            return threads.submit(crawled, source)

        try:
            return crawl_in_turn(sources, begin)
        except BaseException:
            end_children(INTERRUPTED_SECONDS)  # else the threads would wait for crawls that may take hours
            raise


@uses(Needs.CHANGES)
def aggregate(
    context: typer.Context,
    everything: bool = typer.Option(False, "--all", help="Read every raw posting again with today's rules."),
    workers: int = typer.Option(1, "--workers", min=1, max=64, help="Processes that normalise."),
    cluster: str | None = CLUSTER,
    as_json: bool = typer.Option(False, "--json", help="Print the counts as one JSON object."),
) -> None:
    """Normalises what is pending: raw postings into postings, flags and history; articles into claims."""
    from scheduler.cluster import pool

    engine = existing_ledger(context)
    with pool(cluster, workers, ledger=engine) as executor:
        made = _aggregate(engine, everything=everything, pool=executor)
    counts = {
        "read": made.read,
        "articles": made.articles,
        "postings": made.postings.postings,
        "new": made.postings.new,
        "updated": made.postings.updated,
        "unchanged": made.postings.unchanged,
        "merged": made.merged,
        "split": made.split,
        "rejected": made.rejected,
    }
    changed = dict(sorted(made.postings.fields_changed.items()))
    print_counts(counts | ({"fields_changed": changed} if as_json else {}), as_json=as_json)
    if changed and not as_json:
        typer.echo("changed: " + ", ".join(f"{name} of {number:,}" for name, number in changed.items()))
