"""One file of exchange rates, fetched as politely and as carefully as any page; `scraper.rates` reads it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

import scrapy
from scrapy.http import Response

from db.records import PageRecord, utc_now
from scraper.middlewares import CONDITIONAL, PageUnchanged
from scraper.sources import Source

LARGEST: Final = 4 * 1024 * 1024
"""Bytes; ninety days of rates are a twentieth of it."""


class RatesSpider(scrapy.Spider):
    """Keeps the file as a page, so that a rate can be traced to what the bank said. Other hosts are not asked."""

    name = "rates_spider"

    def __init__(self, source: Source, **given: Any) -> None:
        super().__init__(**given)
        self.source = source
        self.allowed_domains = [urlsplit(source.url or "").hostname or ""]

    async def start(self) -> AsyncIterator[Any]:
        meta = {CONDITIONAL: True, "download_maxsize": LARGEST}
        yield scrapy.Request(self.source.url or "", callback=self.parse, errback=self.unchanged, meta=meta)

    def parse(self, response: Response, **_: Any) -> Any:
        yield PageRecord(
            source=self.source.name,
            url=self.source.url or response.url,
            content_hash=hashlib.blake2b(response.body, digest_size=16).hexdigest(),
            seen_at=utc_now(),
            kind="feed",
            status=response.status,
            etag=_header(response, "ETag"),
            last_modified=_header(response, "Last-Modified"),
            body=response.body,
        )

    def unchanged(self, failure: Any) -> None:
        """A 304 is what we hope for; every other failure is counted where runs are judged, and logged by Scrapy."""
        if not failure.check(PageUnchanged):
            self.logger.error("%s: %s", self.source.url, failure.getErrorMessage())


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value is not None else None
