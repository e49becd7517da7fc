"""We Work Remotely: an RSS feed of the newest remote jobs, the title as `Company: Role`.

`GET weworkremotely.com/remote-jobs.rss` (or `/categories/<slug>.rss`). The job pages themselves refuse crawlers. Every
job of the site is remote; `region` says for whom.
"""

from __future__ import annotations

from typing import Any

from scraper.answers import Ask, Parsed, Seen
from scraper.pages.feeds import parse_feed
from scraper.pages.rows import Row, joined
from scraper.pages.xml import Document, safe_xml
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

FEED = "https://weworkremotely.com/remote-jobs.rss"


class WeWorkRemotelySpider(BoardSpider):
    name = "weworkremotely"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=source.url or FEED),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:  # noqa: ARG002 - one kind of answer
        return parse_rss(safe_xml(body), seen)


def parse_rss(document: Document, seen: Seen) -> Parsed:
    return parse_feed(document, seen, change=_as_here)


def _as_here(values: dict[str, Any], row: Row) -> None:
    """The title split at its first colon; place and remoteness as this site means them."""
    company, colon, title = (values["title"] or "").partition(":")
    if colon and title.strip():
        values["title"], values["company_text"] = title.strip(), company.strip()
    values["location_text"] = joined([row.text("region"), row.text("state"), row.text("country")])
    values["workplace_text"] = "Remote"
