"""Remote OK: one answer with its newest remote jobs; the first element is the terms of use.

`GET remoteok.com/api`. Pay is US dollars a year, zero when unknown. A followed link back and the name Remote OK are
asked for. A line that asks applicants to mention a word differs from call to call and names the caller's address: it
is cut.
"""

from __future__ import annotations

import re

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each
from scraper.pages.rows import Row, published_pay, rows_of
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

API = "https://remoteok.com"
CURRENCY, PERIOD = "USD", "year"
BETA_LINE = re.compile(r"Please mention the word \*\*.{0,600}?(?:see they're human\.?|\Z)", re.DOTALL | re.IGNORECASE)


class RemoteOkSpider(BoardSpider):
    name = "remoteok"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=f"{api_of(source, API)}/api"),)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        return parse_jobs(answer, seen)


def parse_jobs(answer: object, seen: Seen) -> Parsed:
    rows = [row for row in rows_of(answer) if row.peek("legal") is None]
    return gathered(read_each(rows, lambda row: parse_job(row, seen), seen), total=len(rows))


def parse_job(row: Row, seen: Seen) -> Parsed:
    row.ignore("slug", "company_logo", "logo", "apply_url", "original", "verified")
    posted = row.day("date") or row.day("epoch")
    row.ignore("epoch")
    low, high = (None if amount == "0" else amount for amount in (row.amount("salary_min"), row.amount("salary_max")))
    description = row.html("description")
    return posting(
        seen,
        row,
        title=row.text("position"),
        source_id=row.text("id"),
        url=row.text("url"),
        company_text=row.text("company"),
        location_text=(row.text("location") or "").strip(" ,") or None,
        workplace_text="Remote",
        pay=published_pay(low, high, CURRENCY, PERIOD),
        description_text=BETA_LINE.sub("", description).strip() or None if description else None,
        posted_on=posted,
    )
