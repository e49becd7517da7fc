"""Writes a log without end."""

import sys

import scrapy

from db.records import PageRecord, utc_now


class Shouts(scrapy.Spider):
    name = "shouts"

    async def start(self):
        for number in range(20_000):
            sys.stderr.write(f"line {number} " + "x" * 200 + "\n")
        yield PageRecord(source=self.source.name, url="x:", content_hash="0", seen_at=utc_now())
