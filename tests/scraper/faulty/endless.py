"""A board with a page whose parser never ends."""

from __future__ import annotations

import json

from scraper import limits
from scraper.answers import DETAIL, Ask, Parsed, Seen, posting
from scraper.pages.rows import Row, listed_in
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

limits.SECONDS_A_PAGE = 0.3


class EndlessSpider(BoardSpider):
    name = "endless"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=f"{source.url}jobs.json"),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        answer = json.loads(body)
        if ask.kind == DETAIL:
            while answer.get("never_ends"):
                pass
            return posting(seen, Row(answer), title=answer["title"], source_id=answer["title"])
        asks = [Ask(url=f"{self.source.url}{row.text('path')}", kind=DETAIL) for row in listed_in(answer, "jobs")]
        return Parsed(asks=tuple(asks))
