"""Any job feed: Indeed-style XML, RSS or Atom at the entry's `url`.

An Indeed-style feed is the whole board each time, so absence means closed. RSS and Atom show the newest only: such an
entry needs `complete = false`.
"""

from __future__ import annotations

from scraper.answers import AnswerError, Ask, Parsed, Seen
from scraper.pages.feeds import parse_feed
from scraper.pages.xml import safe_xml
from scraper.sources import Source
from scraper.spiders.board import BoardSpider


class FeedSpider(BoardSpider):
    name = "feed"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        if source.url is None:
            raise AnswerError("no_url", f"source {source.name!r} needs the url of its feed")
        return (Ask(url=source.url),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:  # noqa: ARG002 - one kind of answer
        return parse_feed(safe_xml(body), seen)
