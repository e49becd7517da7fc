"""The work on one WARC file: pages in, rows of Parquet and records of the ledger out. One call is one task."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from aggregator.normalise.money import Rates
from aggregator.rules import RULES_VERSION
from db.contained import Failure, contained
from db.files import FilePart, open_file, printable
from db.keys import bytes_hash
from db.records import ArticleRecord, RawPostingRecord, Record, RejectedRecord
from db.rejected import PARSER_FAILED
from db.session import LedgerError, open_ledger
from db.store import keep
from db.text import without_personal_data
from scheduler.backfill_parquet import ROWS, Partitions, forget, read_manifest, write_manifest
from scheduler.backfill_rows import Where, article_row, posting_row, rejected_row
from scheduler.backfill_watch import BusyError, TooManyDeathsError, Trail, Watch
from scraper.backfill.inputs import InputError, input_of, is_url
from scraper.backfill.likely import is_dull
from scraper.files.records import HTML, Archived, Broken, Entry
from scraper.files.warc import read_warc
from scraper.limits import PageTooSlow
from scraper.pipelines import cleaned
from scraper.spiders.archives import archived_records, broken_record, with_first_sighting

SOURCE: Final = "backfill"
"""The source of what is read in bulk, in rows and in the ledger."""
SECONDS_A_PAGE: Final = 20.0
KEPT_AT_ONCE: Final = 500
"""Records a transaction of the ledger."""
MOST_POISON_NAMED: Final = 20
CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class BackfillResult:
    """What one file came to."""

    file: str
    records: int = 0
    """Answers of servers in the file, readable or not."""
    pages: int = 0
    """Answers 200 of a type that may hold a job."""
    pages_with_jobs: int = 0
    postings: int = 0
    articles: int = 0
    rejected: int = 0
    bytes: int = 0
    """Of pages, unpacked."""
    seconds: float = 0.0
    skipped: bool = False
    """Read before, under the same rules: the counts are those of then."""
    poison: tuple[str, ...] = ()
    """Records that killed a worker or took too long, as `offset: reason`; at most the first twenty."""
    ends_early: str | None = None
    """Where the file ends inside a record, in one line; None where it ends behind one."""
    error: str | None = None
    """Why the file could not be read, in one line; None when it was."""


def backfill_file(
    source: str,
    out: str,
    *,
    database_url: str | None = None,
    allow_hosts: tuple[str, ...] = (),
    seconds_a_page: float = SECONDS_A_PAGE,
    rows_a_partition: int = ROWS,
) -> BackfillResult:
    """Reads one WARC file (a path or web address) into the folder `out`, and into the ledger where one is named.

    Needs nothing but its arguments and the folder, so it may run in any process or on any machine that sees the same
    paths, once or again: a second call on a finished file does nothing, one after a death begins the file anew and
    leaves out the records that killed. Expected failures are in `error`; nothing is raised for them.
    """
    started = time.monotonic()
    result = BackfillResult(source)
    try:
        identity = identity_of(source)
        found = finished(Path(out), identity, database_url)
        if found is not None:
            return replace(found, file=source)
        trail = Trail(Path(out), identity["key"])
        found = finished(Path(out), identity, database_url)
        if found is not None:  # meanwhile, by another process
            trail.close(finished=True)
            return replace(found, file=source)
    except (OSError, InputError, BusyError, TooManyDeathsError) as error:
        return replace(result, error=getattr(error, "strerror", None) or str(error))
    whole = False
    try:
        name = PurePosixPath(urlsplit(source).path).name if is_url(source) else printable(Path(source).name)
        work = Work(name or source, Path(out), identity, trail, database_url, rows_a_partition)
        with closing(work), Watch(seconds_a_page) as watch:
            result = work.read(read_warc(input_of(source, allow_hosts).open_at), watch)
            if result.error is None:
                result = replace(result, seconds=round(time.monotonic() - started, 3))
                work.finish(result)
                whole = True
    except (OSError, InputError) as error:
        result = replace(result, error=str(error))
    except (SQLAlchemyError, LedgerError) as error:
        result = replace(result, error=f"the ledger cannot be written: {getattr(error, 'orig', None) or error}"[:500])
    finally:
        trail.close(finished=whole)
    return replace(result, file=source, seconds=round(time.monotonic() - started, 3))


def identity_of(source: str) -> dict[str, Any]:
    """What tells a file from others: its bytes, wherever it lies; of a web address, the address.

    Raises OSError when the file cannot be read.
    """
    if is_url(source):
        return {"key": bytes_hash(source.encode()), "file": source}
    path = Path(source)
    digest = hashlib.sha256()  # in hardware on most machines
    with open_file(path) as file:
        before = os.fstat(file.fileno())
        content = FilePart(file, before.st_size)
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return {
        "key": digest.hexdigest()[:32],
        "file": os.path.realpath(path),
        "size": before.st_size,
        "mtime_ns": before.st_mtime_ns,
    }


def finished(out: Path, identity: dict[str, Any], database_url: str | None) -> BackfillResult | None:
    """What the file came to when it was read before under today's rules, and into this ledger where one is named."""
    return result_in(read_manifest(out, identity["key"]), database_url)


def result_in(manifest: dict[str, Any] | None, database_url: str | None) -> BackfillResult | None:
    """The result that a manifest tells; None when the file has to be read again."""
    if manifest is None or manifest.get("rules_version") != RULES_VERSION:
        return None
    if database_url is not None and bytes_hash(database_url.encode()) not in manifest.get("ledgers", ()):
        return None
    counts = manifest["counts"]
    return BackfillResult(**{**counts, "poison": tuple(counts["poison"]), "skipped": True})


class Work:
    """One reading of one file, or of one page of an index."""

    def __init__(
        self, name: str, out: Path, identity: dict[str, Any], trail: Trail, database_url: str | None, rows: int
    ) -> None:
        self._name, self._out, self._identity, self._trail = name, out, identity, trail
        self._database_url = database_url
        self._engine = open_ledger(database_url) if database_url is not None else None
        self._old = read_manifest(out, identity["key"]) or {}
        self._partitions = Partitions(out, identity["key"], rows)
        self._rates = Rates()
        self._batch: list[Record] = []
        self._poison: list[str] = []
        self._ends_early: str | None = None
        self._records = self._pages = self._pages_with_jobs = self._bytes = 0
        self._last = datetime(1970, 1, 1, tzinfo=UTC)
        """When the newest page so far was archived: what a record without a readable time is filed under."""

    def read(self, entries: Iterable[Entry], watch: Watch) -> BackfillResult:
        for entry in entries:
            self._records += 1
            if isinstance(entry, Broken):
                self._reject(entry)
            elif isinstance(entry, Archived):
                self._pages += 1
                self._bytes += len(entry.body)
                if entry.truncated or entry.content_type not in HTML or not is_dull(entry.body):
                    self._trail.at(entry.number)
                    self._page(entry, watch)
                    self._trail.leave()
        self._keep()
        counts = self._partitions.counts
        return BackfillResult(
            file=self._name,
            records=self._records,
            pages=self._pages,
            pages_with_jobs=self._pages_with_jobs,
            postings=counts["postings"],
            articles=counts["articles"],
            rejected=counts["rejected"],
            bytes=self._bytes,
            poison=tuple(self._poison[:MOST_POISON_NAMED]),
            ends_early=self._ends_early,
            error=None if self._records else "holds no answer of a server: is it a WARC file?",
        )

    def finish(self, result: BackfillResult) -> None:
        forget(self._out, self._identity["key"])
        written = self._partitions.finish()
        # The ledger keeps what it was given, so a reading for another ledger does not undo that.
        ledgers = set(self._old.get("ledgers", ())) if self._old.get("rules_version") == RULES_VERSION else set()
        if self._database_url is not None:
            ledgers.add(bytes_hash(self._database_url.encode()))
        manifest = {
            **self._identity,
            "rules_version": RULES_VERSION,
            "partitions": written,
            "ledgers": sorted(ledgers),
            "counts": {**asdict(result), "skipped": False},
        }
        write_manifest(self._out, self._identity["key"], manifest)

    def close(self) -> None:
        self._partitions.close()
        if self._engine is not None:
            self._engine.dispose()

    def _page(self, answer: Archived, watch: Watch) -> None:
        self._last = max(self._last, answer.at)
        if answer.number in self._trail.poison:
            self._poisonous(answer, "kills_worker", "workers died on this record; it is left out")
            return
        try:
            with watch.page():
                read = contained(self._read_page, answer)
        except PageTooSlow:
            self._poisonous(answer, "too_slow", "reading the page took longer than it may")
            return
        if isinstance(read, Failure):
            self._reject(_faulty(answer, PARSER_FAILED, str(read)), answer.at)
            return
        records, rows = read
        for table, row in rows:
            self._partitions.add(table, row)
        self._pages_with_jobs += any(isinstance(record, RawPostingRecord) for record in records)
        self._batch += (
            records if answer.first is None else with_first_sighting(iter(records), answer.first, of=answer.url)
        )
        if len(self._batch) >= KEPT_AT_ONCE:
            self._keep()

    def _read_page(self, answer: Archived) -> tuple[list[Record], list[tuple[str, dict[str, Any]]]]:
        """The records of a page as they are kept, and their rows."""
        where = Where(self._name, answer.offset)
        records = [_without_persons(record) for record in archived_records(answer, SOURCE)]
        return records, [row for record in records if (row := self._row(record, where)) is not None]

    def _row(self, record: Record, where: Where) -> tuple[str, dict[str, Any]] | None:
        if isinstance(record, RawPostingRecord):
            return "postings", posting_row(record, self._rates, where)
        if isinstance(record, ArticleRecord):
            return "articles", article_row(record, where)
        if isinstance(record, RejectedRecord):
            return "rejected", rejected_row(record, where)
        return None

    def _poisonous(self, answer: Archived, reason: str, detail: str) -> None:
        self._poison.append(f"{answer.offset}: {reason}")
        self._reject(_faulty(answer, reason, detail), answer.at)

    def _reject(self, broken: Broken, at: datetime | None = None) -> None:
        record = broken_record(broken, SOURCE, self._name, at or self._last)
        if broken.reason == "truncated":
            self._ends_early = record.detail
        self._partitions.add("rejected", rejected_row(record, Where(self._name, broken.offset)))
        self._batch.append(record)

    def _keep(self) -> None:
        if self._engine is not None and self._batch:
            keep(self._engine, self._batch)
        self._batch = []


def _faulty(answer: Archived, reason: str, detail: str) -> Broken:
    return Broken(answer.offset, reason, detail, answer.url, answer.number)


def _without_persons(record: Record) -> Record:
    """The record as the ledger takes it: without e-mail addresses and telephone numbers."""
    if isinstance(record, RawPostingRecord):
        return cleaned(record)
    if isinstance(record, RejectedRecord):
        detail, excerpt = without_personal_data(record.detail), without_personal_data(record.excerpt)
        return replace(record, detail=detail, excerpt=excerpt)
    return record
