"""Records of a crawl into the ledger, in batches: the only file of the scraper that writes to one.

A batch is one transaction. A killed crawl therefore keeps its finished batches, and a second run changes nothing in
them but the time last seen. Before anything is kept, what no statistic needs and nobody should hold is taken out:
e-mail addresses and telephone numbers in descriptions and payloads, addresses that are no web pages.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final, cast

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.contained import Failure, contained
from db.raw_postings import rejected_record
from db.records import ArticleRecord, PageRecord, RawPostingRecord, Record, RejectedRecord, utc_now
from db.rejected import PARSER_FAILED
from db.revisits import see_page_again, validators
from db.session import LedgerError, open_ledger
from db.store import KeepCounts, keep
from db.text import without_personal_data
from scraper.middlewares import page_unchanged
from scraper.pages.addresses import split_address
from scraper.sources import Source

logger = logging.getLogger(__name__)

BATCH: Final = 500
"""Records of one transaction."""
BATCH_SECONDS: Final = 10.0
"""A slow crawl keeps what it has at least this often."""
CACHE_MIB: Final = 16
"""Of the ledger, in the memory of one crawl: many run side by side."""
PARSER_FAILURES: Final = "jobledger/parser_failures"
"""Stats key: pages, entries and records that made a parser fail; each is in `rejected`."""
STORE_FAILED: Final = "store_failed"
"""Finish reason of a run whose records could not be written."""
LIMIT: Final = "limit_reached"
"""Finish reason of a run that was asked for so many postings only."""
COVERED: Final = (
    "company_text",
    "location_text",
    "employment_text",
    "level_text",
    "description_text",
    "posted_on",
    "url",
)
"""Fields whose share of postings is counted, so that a parser that lost one is noticed; pay is counted apart."""


class StorePipeline:
    """Gathers records and keeps them; counts what was kept in the crawl's stats under `jobledger/`."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.url: str = crawler.settings["JOBLEDGER_DATABASE_URL"]
        self.batch: list[Record] = []
        self.counted: set[str] = set()
        self.counts = KeepCounts()
        self.kept_at = time.monotonic()
        self.failed = False
        self.limit: int | None = crawler.settings["JOBLEDGER_LIMIT"]
        self.postings = 0
        crawler.signals.connect(self.see_again, signal=page_unchanged)
        self.ending: asyncio.Future[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StorePipeline:
        return cls(crawler)

    def open_spider(self) -> None:
        self.engine: Engine = open_ledger(self.url, cache_mib=CACHE_MIB)
        spider = self.crawler.spider
        if spider is not None and hasattr(spider, "source"):
            spider.validators = validators(self.engine, spider.source.name)  # type: ignore[attr-defined]  # ours

    def process_item(self, item: Any) -> Any:
        """Takes a record into the batch. Raises `DropItem` for what is no record, or once the ledger is lost."""
        if not isinstance(item, PageRecord | ArticleRecord | RawPostingRecord | RejectedRecord):
            self._count("jobledger/no_record")
            raise DropItem(f"no record: {type(item).__name__}")
        if self.failed:
            raise DropItem("the ledger cannot be written", log_level="DEBUG")
        if isinstance(item, RawPostingRecord):
            self._require_room()
            made = contained(cleaned, item)
            item = rejected_record(item, made) if isinstance(made, Failure) else made
        if isinstance(item, RawPostingRecord):
            self._cover(item)
        elif isinstance(item, RejectedRecord):
            if item.reason == PARSER_FAILED:
                self._count(PARSER_FAILURES)
                logger.warning("rejected %r: %r", item.url, item.detail)
            item = replace(item, detail=without_personal_data(item.detail), excerpt=without_personal_data(item.excerpt))
        self.batch.append(item)
        if len(self.batch) >= BATCH or time.monotonic() - self.kept_at > BATCH_SECONDS:
            self.flush()
        return item

    async def close_spider(self) -> None:
        if not self.failed:
            self.flush()
        self.engine.dispose()

    def flush(self) -> None:
        """Keeps the batch. A ledger that cannot be written ends the run: what is lost must not look like success."""
        if self.batch and self._write(lambda: keep(self.engine, self.batch, counted=self.counted)):
            self.batch = []
            self.kept_at = time.monotonic()

    def _write(self, change: Callable[[], KeepCounts]) -> bool:
        try:
            self.counts += change()
        except (SQLAlchemyError, LedgerError) as error:
            self.failed = True
            reason = str(getattr(error, "orig", None) or error)[:500]
            self._set("jobledger/store_error", reason)
            logger.error("the ledger cannot be written: %s", reason)
            self._end(STORE_FAILED)
            return False
        for name, count in asdict(self.counts).items():
            self._set(f"jobledger/{name}", count)
        return True

    def _require_room(self) -> None:
        """Ends the run at its limit of postings. Raises `DropItem` for what comes after."""
        self.postings += 1
        if self.limit is not None and self.postings > self.limit:
            self._end(LIMIT)
            raise DropItem("the limit of this run is reached", log_level="DEBUG")

    def _end(self, reason: str) -> None:
        if self.ending is None and self.crawler.engine is not None:
            self.ending = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason=reason))

    def see_again(self, url: str) -> None:
        """A page that the site calls unchanged: what stood on it is seen again."""
        source: Source | None = getattr(self.crawler.spider, "source", None)
        if source is None or self.failed:
            return
        self.flush()
        self._write(lambda: see_page_again(self.engine, source.name, url, utc_now(), counted=self.counted))

    def _cover(self, record: RawPostingRecord) -> None:
        """Counts which fields a posting has; a card shows only part of them by its nature."""
        if record.partial:
            return
        self._count("jobledger/postings_read")
        for name in COVERED:
            if getattr(record, name):
                self._count(f"jobledger/field/{name}")
        if record.salary_text or record.pay:
            self._count("jobledger/field/pay")

    def _count(self, key: str) -> None:
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value(key)

    def _set(self, key: str, value: object) -> None:
        if self.crawler.stats is not None:
            self.crawler.stats.set_value(key, value)


def cleaned(record: RawPostingRecord) -> RawPostingRecord:
    """The posting without personal data, and without an address that is no web page.

    >>> from db.records import utc_now
    >>> record = RawPostingRecord(
    ...     source="x", title_text="Nurse", page_url="https://x.example/", seen_at=utc_now(),
    ...     url="javascript:alert(1)", description_text="Write to jane@x.example")
    >>> cleaned(record).url, cleaned(record).description_text
    (None, 'Write to [e-mail removed]')
    """
    changes: dict[str, Any] = {}
    if record.description_text:
        changes["description_text"] = without_personal_data(record.description_text)
    if record.payload:
        changes["payload"] = _without_personal_data(record.payload)
    if record.url is not None and split_address(record.url).scheme not in ("https", "http"):
        changes["url"] = None
        changes["payload"] = {**cast(Mapping[str, object], changes.get("payload", record.payload)), "url": record.url}
    return replace(record, **changes) if changes else record


def _without_personal_data(value: object) -> Any:
    if isinstance(value, str):
        return without_personal_data(value)
    if isinstance(value, Mapping):
        return {name: _without_personal_data(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_personal_data(part) for part in value]
    return value
