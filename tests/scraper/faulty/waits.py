"""Waits for an answer that never comes, while it has records to keep."""

import asyncio

import scrapy
from scrapy import Request
from scrapy.http import Response

from db.records import PageRecord, RawPostingRecord, utc_now


class NeverAnswers:
    async def process_request(self, request):
        if request.url.endswith("/never"):
            await asyncio.Event().wait()
        return Response(request.url, request=request)


class Waits(scrapy.Spider):
    name = "waits"
    custom_settings = {  # noqa: RUF012 - as Scrapy spiders are written
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "DOWNLOADER_MIDDLEWARES": {"tests.scraper.faulty.waits.NeverAnswers": 1},
    }

    async def start(self):
        yield Request("https://x.example/never", callback=self.parse)
        yield Request("https://x.example/jobs", callback=self.parse)

    async def parse(self, response):
        yield PageRecord(source=self.source.name, url=response.url, content_hash="0", seen_at=utc_now())
        for number in range(10):
            await asyncio.sleep(0.05)  # so that the other request is under way
            yield RawPostingRecord(
                source=self.source.name,
                title_text=f"Job {number}",
                page_url=response.url,
                seen_at=utc_now(),
                source_id=str(number),
            )
