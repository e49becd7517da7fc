"""Runs a board's spider against the scenes without a socket or an engine: requests in, records out, at once.

What Scrapy adds (politeness, retries, robots.txt, redirects) is not here: `test_loopback.py` runs whole crawls.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.test import get_crawler
from twisted.python.failure import Failure

from db.known import Known
from db.records import PageRecord, RawPostingRecord, Record, RejectedRecord
from scraper.child import load_spider
from scraper.sources import Source
from tests.scraper.boards.scenes import answer, call_of

BASE = "http://127.0.0.1:8765"


@dataclass
class Run:
    """What a run brought."""

    records: list[Record] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def postings(self) -> list[RawPostingRecord]:
        return [one for one in self.records if isinstance(one, RawPostingRecord)]

    @property
    def whole(self) -> list[RawPostingRecord]:
        return [one for one in self.postings if not one.partial]

    @property
    def rejected(self) -> list[str]:
        return [one.reason for one in self.records if isinstance(one, RejectedRecord)]

    @property
    def pages(self) -> list[PageRecord]:
        return [one for one in self.records if isinstance(one, PageRecord)]

    @property
    def incomplete(self) -> list[str]:
        prefix = "jobledger/incomplete/"
        return sorted(name.removeprefix(prefix) for name in self.stats if name.startswith(prefix))

    def known(self) -> Mapping[str, Known]:
        """What a ledger that kept this run would know."""
        return {
            one.identity: Known(str(marker) if (marker := one.payload.get("listing_marker")) else None, one.title_text)
            for one in self.whole
        }


def drive(source: Source, *, known: Mapping[str, Known] | None = None) -> Run:
    """Runs the source's spider to its end, one request after the other."""
    crawler = get_crawler(load_spider(source.spider, ["scraper.spiders"]))
    spider = crawler.spidercls.from_crawler(crawler, source=source, known=known or {})
    run, counts = Run(), Counter[str]()
    waiting: list[Request] = asyncio.run(_started(spider))
    while waiting:
        request = waiting.pop(0)
        run.asked.append(request.url)
        for found in _answered(spider, request, counts):
            if isinstance(found, Request):
                waiting.append(found)
            else:
                run.records.append(found)
    spider.closed("finished")
    assert crawler.stats is not None
    run.stats = crawler.stats.get_stats()
    return run


async def _started(spider: Any) -> list[Request]:
    return [request async for request in spider.start()]


def _answered(spider: Any, request: Request, counts: Counter[str]) -> Any:
    headers = {name.decode(): values[0].decode() for name, values in request.headers.items()}
    target = request.url.removeprefix(BASE)
    key = f"{target} {request.body.decode()}"
    found = answer(call_of(BASE, target.split("#")[0], body=request.body, headers=headers, count=counts[key]))
    counts[key] += 1
    response = Response(request.url, status=found.status, headers=dict(found.headers), body=found.body, request=request)
    if 200 <= found.status < 300 or found.status in request.meta.get("handle_httpstatus_list", []):
        return list(request.callback(response, **request.cb_kwargs))
    failure = Failure(HttpError(response, "status"))
    failure.request = request  # type: ignore[attr-defined]  # as Scrapy does
    return list(request.errback(failure))
