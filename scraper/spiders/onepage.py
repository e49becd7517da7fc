"""One page or file as it is, kept and unread: a file of exchange rates, the start of a source nobody has written yet.

options.stay = true        # an answer from another host is refused
options.largest = 4194304  # bytes; without it the bound of every answer
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.http import Response
from twisted.python.failure import Failure

from db.records import PageRecord, utc_now
from scraper.middlewares import CONDITIONAL, PageUnchanged
from scraper.responses import page_record
from scraper.sources import Source


class OnePageSpider(scrapy.Spider):
    """Keeps the page under the entry's address, so that what is read from it can be traced to what was said."""

    name = "onepage"

    def __init__(self, source: Source, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.source, self.address = source, source.url or ""
        if source.options.get("stay"):
            self.allowed_domains = [urlsplit(self.address).hostname or ""]

    async def start(self) -> AsyncIterator[Any]:
        meta: dict[str, Any] = {CONDITIONAL: True}
        if "largest" in self.source.options:
            meta["download_maxsize"] = self.source.options["largest"]
        yield scrapy.Request(self.address, callback=self.parse, errback=self.unchanged, meta=meta)

    def parse(self, response: Response, **_: Any) -> Iterator[PageRecord]:
        source, url = self.source.name, self.address
        yield page_record(response, source=source, seen_at=utc_now(), kind="page", url=url, body=response.body)

    def unchanged(self, failure: Failure) -> None:
        """A 304 is what we hope for; every other failure is counted where runs are judged, and logged by Scrapy."""
        if not isinstance(failure.value, PageUnchanged):
            self.logger.error("%s: %s", self.address, failure.getErrorMessage())
