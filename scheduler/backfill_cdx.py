"""Backfill from the archives' own indexes: the captures of an address pattern, page by page of the index.

One page of the index (Wayback) or one crawl (Common Crawl) is one piece of work with its manifest, as a file is. All of
it is asked one request at a time in this process: the archives are few and ask for patience, so workers do not help.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from db.keys import bytes_hash
from db.session import LedgerError
from scheduler.backfill import BackfillSummary, Progress
from scheduler.backfill_file import (
    SECONDS_A_PAGE,
    SOURCE,
    BackfillResult,
    Work,
    result_in,
)
from scheduler.backfill_parquet import ROWS, read_manifest
from scheduler.backfill_watch import BusyError, TooManyDeathsError, Trail, Watch
from scraper.answers import AnswerError, Ask, api_of
from scraper.backfill.inputs import InputError
from scraper.backfill.manners import SECONDS_BETWEEN, Manners
from scraper.files.records import Archived, Broken, Entry
from scraper.pages.rows import decoded_json
from scraper.sources import Source
from scraper.spiders import archives

ARCHIVES: Final = ("wayback", "commoncrawl")
MATCHES: Final = ("exact", "prefix", "host", "domain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What to look for in which archive."""

    url: str
    archive: str = "wayback"
    match: str = "prefix"
    since: str | None = None
    """Earliest capture, `2022` to `20221231235959`."""
    until: str | None = None
    crawls: tuple[str, ...] = ()
    """Common Crawl only; the newest crawl where none is named."""
    limit: int | None = None
    """Pages at most."""
    server: str | None = None
    """Another index server than the archive's own; `data` where its WARC files are."""
    data: str | None = None

    def source(self) -> Source:
        options: dict[str, object] = {"archive": self.archive, "match": self.match}
        named = {"from": self.since, "to": self.until, "api": self.server, "data": self.data}
        options |= {name: value for name, value in named.items() if value is not None}
        return Source(name=SOURCE, spider="archives", url=self.url, complete=False, options=options)


@dataclass(slots=True)
class _Left:
    """How many pages may still be asked for."""

    pages: int | None

    def take(self) -> bool:
        if self.pages is None:
            return True
        self.pages -= 1
        return self.pages >= 0


@dataclass(frozen=True, slots=True)
class _Options:
    out: Path
    database_url: str | None
    seconds_a_page: float
    rows_a_partition: int
    manners: Manners
    left: _Left = field(default_factory=lambda: _Left(None))


def backfill_pattern(
    pattern: Pattern,
    out: str,
    *,
    database_url: str | None = None,
    allow_hosts: tuple[str, ...] = (),
    seconds_a_page: float = SECONDS_A_PAGE,
    rows_a_partition: int = ROWS,
    seconds_between: float = SECONDS_BETWEEN,
    progress: Progress | None = None,
) -> BackfillSummary:
    """Reads the newest capture of each page that the pattern matches; a page of the index that was read is skipped."""
    started = time.monotonic()
    manners = Manners(allow_hosts, seconds_between)
    options = _Options(Path(out), database_url, seconds_a_page, rows_a_partition, manners, _Left(pattern.limit))
    results: list[BackfillResult] = []
    for result in _each_piece(pattern, options):
        results.append(result)
        summary = BackfillSummary(tuple(results), round(time.monotonic() - started, 3))
        if progress is not None:
            progress(len(results), len(results), summary.totals)
    return BackfillSummary(tuple(results), round(time.monotonic() - started, 3))


def _each_piece(pattern: Pattern, options: _Options) -> Iterator[BackfillResult]:
    source = pattern.source()
    if pattern.archive == "wayback":
        resume: str | None = None
        pages = archives.IndexPages()
        while True:
            result, resume, content = _piece(pattern, source, archives.wayback_lookup(source, resume), options)
            why = pages.why_last(content, resume)
            yield result if why is None else replace(result, ends_early=f"{result.file}: {why}")
            if resume is None or why or (options.left.pages is not None and options.left.pages <= 0):
                return
    try:
        crawls: Sequence[str] = pattern.crawls or (_newest(source, options.manners),)
    except (InputError, AnswerError) as error:
        yield BackfillResult(f"commoncrawl:{pattern.url}", error=str(error))
        return
    for crawl in crawls:
        yield _piece(pattern, source, archives.crawl_lookup(source, crawl), options)[0]


def _newest(source: Source, manners: Manners) -> str:
    answer = manners.get(f"{api_of(source, archives.INDEX)}/collinfo.json")
    return archives.newest_crawl(decoded_json(answer.body))


def _piece(pattern: Pattern, source: Source, look_up: Ask, options: _Options) -> tuple[BackfillResult, str | None, str]:
    """One page of the index with the pages it names, the key of the next one, and its fingerprint."""
    key = bytes_hash(f"{look_up.url} {pattern.limit}".encode())
    manifest = read_manifest(options.out, key)
    if (found := result_in(manifest, options.database_url)) is not None and manifest is not None:
        if options.left.pages is not None:
            options.left.pages -= found.records
        return found, manifest.get("next"), str(manifest.get("captures", key))
    name = f"{pattern.archive}:{pattern.url}"
    started = time.monotonic()
    result = BackfillResult(name)
    try:
        answer = options.manners.get(look_up.url)
        captures, following = _captures(pattern, answer.status, answer.body)
        content = archives.fingerprint(captures)
        identity: dict[str, Any] = {"key": key, "file": look_up.url, "next": following, "captures": content}
        trail = Trail(options.out, key)
    except (InputError, AnswerError, OSError, BusyError, TooManyDeathsError) as error:
        return replace(result, error=str(error)), None, key
    whole = False
    try:
        work = Work(name, options.out, identity, trail, options.database_url, options.rows_a_partition)
        with closing(work), Watch(options.seconds_a_page) as watch:
            asks = archives.capture_asks(captures, source, pattern.archive == "wayback")
            result = replace(work.read(_entries(asks, options), watch), error=None)
            work.finish(replace(result, seconds=round(time.monotonic() - started, 3)))
            whole = True
    except OSError as error:
        result = replace(result, error=str(error))
    except (SQLAlchemyError, LedgerError) as error:
        result = replace(result, error=f"the ledger cannot be written: {getattr(error, 'orig', None) or error}"[:500])
    finally:
        trail.close(finished=whole)
    return replace(result, seconds=round(time.monotonic() - started, 3)), following, content


def _captures(pattern: Pattern, status: int, body: bytes) -> tuple[list[dict[str, str]], str | None]:
    """The captures of a look-up and the key to go on with. Raises `InputError` or `AnswerError`."""
    if status == 404 and pattern.archive == "commoncrawl":
        return [], None  # the index says so when it knows no capture
    if status != 200:
        raise InputError(f"the index of {pattern.archive} answered {status}")
    return archives.wayback_captures(body) if pattern.archive == "wayback" else (archives.crawl_captures(body), None)


def _entries(asks: Iterator[Ask], options: _Options) -> Iterator[Entry]:
    """The archived pages, fetched one by one; what cannot be had is named and passed over."""
    for number, ask in enumerate(asks):
        if not options.left.take():
            return
        url = str(ask.state["original"])
        try:
            answer = options.manners.get(ask.url.partition("#")[0] if ask.state.get("warc") else ask.url, ask.headers)
            if answer.status not in (200, 206):
                raise InputError(f"the archive answered {answer.status}")
            entries = list(archives.archived_in(answer.body, ask, answer.content_type, answered=answer.url))
        except InputError as error:
            entries = [Broken(number, "not_fetched", str(error)[:300], url)]
        for entry in entries:
            placed = replace(entry, offset=number, number=number)
            yield replace(placed, first=ask.state["first"]) if isinstance(placed, Archived) else placed
