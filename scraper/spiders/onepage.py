"""One page as it is, unread: the start of a source that nobody has written yet."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import scrapy
from scrapy.http import Response

from db.records import PageRecord, utc_now
from scraper.sources import Source


class OnePageSpider(scrapy.Spider):
    name = "onepage"

    def __init__(self, source: Source, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source

    async def start(self) -> AsyncIterator[Any]:
        yield scrapy.Request(self.source.url or "", callback=self.parse)

    def parse(self, response: Response, **_: Any) -> Any:
        yield PageRecord(
            source=self.source.name,
            url=response.url,
            content_hash=hashlib.blake2b(response.body, digest_size=16).hexdigest(),
            seen_at=utc_now(),
            status=response.status,
            body=response.body,
        )
