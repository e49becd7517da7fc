"""Remotive: one answer with its newest remote jobs; pay as text.

`GET remotive.com/api/remote-jobs`. At most four calls a day are advised, more than two a minute blocked; listings are a
day late. Link back and name Remotive; not to be passed on to Jooble, Neuvoo, Google Jobs or LinkedIn.
"""

from __future__ import annotations

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each
from scraper.pages.rows import Row, listed_in
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

API = "https://remotive.com"


class RemotiveSpider(BoardSpider):
    name = "remotive"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=f"{api_of(source, API)}/api/remote-jobs"),)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        return parse_jobs(answer, seen)


def parse_jobs(answer: object, seen: Seen) -> Parsed:
    rows = listed_in(answer, "jobs")
    return gathered(read_each(rows, lambda row: parse_job(row, seen), seen), total=len(rows))


def parse_job(row: Row, seen: Seen) -> Parsed:
    row.ignore("company_logo", "company_logo_url")
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=row.text("id"),
        url=row.text("url"),
        company_text=row.text("company_name"),
        location_text=row.text("candidate_required_location"),
        workplace_text="Remote",
        employment_text=row.text("job_type"),
        salary_text=row.text("salary"),
        department_text=row.text("category"),
        description_text=row.html("description"),
        posted_on=row.day("publication_date"),
    )
