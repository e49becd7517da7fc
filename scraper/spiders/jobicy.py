"""Jobicy: one answer with its newest remote jobs, with structured pay.

`GET jobicy.com/api/v2/remote-jobs?count=100`. More than one call an hour is discouraged, listings are hours late; not
to be passed on to competing aggregators.
"""

from __future__ import annotations

from db.records import PublishedPay
from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each
from scraper.pages.rows import Row, joined, listed_in, published_pay
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

API = "https://jobicy.com"


class JobicySpider(BoardSpider):
    name = "jobicy"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=f"{api_of(source, API)}/api/v2/remote-jobs?count=100"),)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        return parse_jobs(answer, seen)


def parse_jobs(answer: object, seen: Seen) -> Parsed:
    rows = listed_in(answer, "jobs")
    return gathered(read_each(rows, lambda row: parse_job(row, seen), seen), total=len(rows))


def parse_job(row: Row, seen: Seen) -> Parsed:
    row.ignore("jobSlug", "companyLogo", "jobExcerpt" if row.peek("jobDescription") else "jobDescription")
    return posting(
        seen,
        row,
        title=row.text("jobTitle"),
        source_id=row.text("id"),
        url=row.text("url"),
        company_text=row.text("companyName"),
        location_text=row.text("jobGeo"),
        workplace_text="Remote",
        employment_text=joined(row.texts("jobType")),
        level_text=row.text("jobLevel"),
        pay=_pay(row),
        department_text=joined(row.texts("jobIndustry"), "; "),
        description_text=row.html("jobDescription", "jobExcerpt"),
        posted_on=row.day("pubDate"),
    )


def _pay(row: Row) -> tuple[PublishedPay, ...]:
    """Today's fields, or the yearly ones of older answers."""
    low, high, currency = row.amount("salaryMin"), row.amount("salaryMax"), row.text("salaryCurrency")
    period = row.text("salaryPeriod")
    if low is None and high is None:
        low, high, period = row.amount("annualSalaryMin"), row.amount("annualSalaryMax"), "year"
    return published_pay(low, high, currency, period)
