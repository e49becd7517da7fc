"""Teamtailor career sites: a JSON feed in pages, each item with a schema.org JobPosting.

`GET {slug}.teamtailor.com/jobs.json`, then its `next_url`. Pay stands only in `_jobposting.baseSalary`. A posting's id
is the number in its address, the same in every feed of the site. The spider `rss` reads the RSS form (`/jobs.rss`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each, require_token
from scraper.pages.addresses import canonical
from scraper.pages.jobposting import JobPosting, cleaned, posting_of
from scraper.pages.rows import Row, listed_in
from scraper.sources import Source
from scraper.spiders.board import EMPTY_PAGE, BoardSpider, same_site, site_of

NUMBER = re.compile(r"/jobs/(\d+)")


class TeamtailorSpider(BoardSpider):
    name = "teamtailor"

    def first(self, source: Source) -> tuple[Ask, ...]:
        site = api_of(source, site_of(source) or f"https://{require_token(source)}.teamtailor.com")
        return (Ask(url=f"{site}/jobs.json"),)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        return parse_feed(answer, seen)


def parse_feed(answer: object, seen: Seen) -> Parsed:
    """A page of the feed; the next page is asked for only where it lies on the same site."""
    feed = Row.of(answer)
    company = feed.text("title")
    parts = read_each(listed_in(answer, "items"), lambda row: parse_item(row, seen, company), seen)
    following = canonical(feed.text("next_url"), seen.url)
    hosts = urlsplit(following or "").hostname, urlsplit(seen.url).hostname
    if following is None:
        return gathered(parts)
    if not parts:
        return Parsed(incomplete=(EMPTY_PAGE,))
    if not same_site(*hosts):
        return gathered(parts, incomplete=("the next page lies on another site",))
    return gathered(parts, asks=(Ask(url=following),))


def parse_item(row: Row, seen: Seen, company: str | None) -> Parsed:
    row.ignore("image", "banner_image", "content_text", "summary", "authors", "author", "_apply_url", "attachments")
    url = canonical(row.text("url", "external_url"))
    title, identity, content = row.text("title"), row.text("id"), row.html("content_html")
    number = NUMBER.search(url or "")
    own = number[1] if number else identity
    published, modified = row.day("date_published"), row.day("date_modified")
    declared = row.raw("_jobposting")
    if not isinstance(declared, dict):
        return posting(
            seen, row, title=title, source_id=own, url=url, company_text=company, description_text=content,
            posted_on=published, updated_on=modified,
        )  # fmt: skip
    fields = {"title": title, **cleaned(declared)}
    parsed = posting_of(JobPosting(fields, "json-ld"), seen, url=url, source_id=own)
    return replace(
        parsed,
        postings=tuple(
            replace(
                record,
                company_text=record.company_text if "hiringOrganization" in fields else company or record.company_text,
                requisition_text=None if record.requisition_text == own else record.requisition_text,
                description_text=record.description_text or content,
                posted_on=record.posted_on or published,
                updated_on=record.updated_on or modified,
                payload={**row.rest(), **record.payload},
            )
            for record in parsed.postings
        ),
    )
