"""Arbeitnow: about a week of jobs, mostly German, in pages; no pay.

`GET www.arbeitnow.com/api/job-board-api?page=N`, following `links.next`. Every fifth description is entity-escaped. The
feed is a window, so an entry needs `complete = false`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each
from scraper.pages.addresses import canonical
from scraper.pages.rows import Row, joined, listed_in
from scraper.sources import Source
from scraper.spiders.board import EMPTY_PAGE, BoardSpider, same_site

API = "https://www.arbeitnow.com"


class ArbeitnowSpider(BoardSpider):
    name = "arbeitnow"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=f"{api_of(source, API)}/api/job-board-api?page=1"),)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        parsed = parse_jobs(answer, seen)
        following = canonical(Row.of(answer).row("links").text("next"), seen.url)
        if not following:
            return parsed
        if not listed_in(answer, "data"):
            return parsed + Parsed(incomplete=(EMPTY_PAGE,))
        if not same_site(urlsplit(following).hostname, urlsplit(seen.url).hostname):
            return parsed + Parsed(incomplete=("the next page lies on another site",))
        return parsed + Parsed(asks=(Ask(url=following),))


def parse_jobs(answer: object, seen: Seen) -> Parsed:
    return gathered(read_each(listed_in(answer, "data"), lambda row: parse_job(row, seen), seen))


def parse_job(row: Row, seen: Seen) -> Parsed:
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=row.text("slug"),
        url=row.text("url"),
        company_text=row.text("company_name"),
        location_text=row.text("location"),
        workplace_text="Remote" if row.flag("remote") else None,
        employment_text=joined(row.texts("job_types")),
        description_text=row.html("description"),
        posted_on=row.day("created_at"),
    )
