"""Yields records without a request, faster than they are kept."""

import scrapy

from db.records import PageRecord, RawPostingRecord, utc_now


class Pours(scrapy.Spider):
    name = "pours"

    async def start(self):
        yield PageRecord(source=self.source.name, url="x:", content_hash="0", seen_at=utc_now())
        for number in range(3_000):
            yield RawPostingRecord(
                source=self.source.name,
                title_text=f"Job {number}",
                page_url="x:",
                seen_at=utc_now(),
                source_id=str(number),
            )
