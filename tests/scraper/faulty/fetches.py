"""Fetches the addresses that its entry names, and says what became of each."""

from typing import ClassVar

import scrapy

from db.records import PageRecord, RejectedRecord, utc_now
from scraper.middlewares import CONDITIONAL, PageUnchanged


class Fetches(scrapy.Spider):
    name = "fetches"
    custom_settings: ClassVar = {"DOWNLOAD_TIMEOUT": 2, "DOWNLOAD_MAXSIZE": 8_000_000, "RETRY_TIMES": 1}

    async def start(self):
        for url in self.source.options["urls"]:
            yield scrapy.Request(
                url, callback=self.got, errback=self.failed, dont_filter=True, meta={CONDITIONAL: True}
            )

    def got(self, response):
        etag = response.headers.get("ETag")
        yield PageRecord(
            source=self.source.name,
            url=response.url,
            content_hash=str(len(response.body)),
            seen_at=utc_now(),
            status=response.status,
            etag=etag.decode() if etag else None,
        )

    def failed(self, failure):
        if not failure.check(PageUnchanged):
            yield RejectedRecord(
                source=self.source.name,
                url=failure.request.url,
                reason=failure.type.__name__,
                detail=str(failure.value),
                seen_at=utc_now(),
            )
