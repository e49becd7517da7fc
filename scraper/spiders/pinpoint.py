"""Pinpoint: one answer with every posting, its sections and its structured pay.

`GET {slug}.pinpointhq.com/postings.json`; 404 when there is no board. `compensation_visible: false` is honoured.
"""

from __future__ import annotations

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each, require_token
from scraper.pages.rows import Row, joined, listed_in, published_pay
from scraper.sources import Source
from scraper.spiders.board import BoardSpider, site_of

SECTIONS = ("key_responsibilities", "skills_knowledge_expertise", "benefits")


class PinpointSpider(BoardSpider):
    name = "pinpoint"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        site = api_of(source, site_of(source) or f"https://{require_token(source)}.pinpointhq.com")
        return (Ask(url=f"{site}/postings.json"),)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        return parse_postings(answer, seen)


def parse_postings(answer: object, seen: Seen) -> Parsed:
    rows = listed_in(answer, "data")
    return gathered(read_each(rows, lambda row: parse_posting(row, seen), seen), total=len(rows))


def parse_posting(row: Row, seen: Seen) -> Parsed:
    row.ignore("apply_url", "path_to_apply")
    job, place = row.row("job"), row.row("location")
    job.ignore("id")
    place.ignore("id", "postal_code")
    department = job.row("department").text("name") or row.row("department").text("name")
    division = job.row("division").text("name") or row.row("division").text("name")
    row.ignore("department", "division")
    words, name = row.text("compensation"), place.text("name")
    low, high = row.amount("compensation_minimum"), row.amount("compensation_maximum")
    currency, period = row.text("compensation_currency"), row.text("compensation_frequency")
    shown = row.flag("compensation_visible") is not False
    path = row.text("path")
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=row.text("id"),
        url=row.text("url") or path,
        location_text=joined([place.text("city"), place.text("province")]) or name,
        workplace_text=row.text("workplace_type_text", "workplace_type"),
        employment_text=row.text("employment_type_text", "employment_type"),
        salary_text=words if shown else None,
        pay=published_pay(low, high, currency, period) if shown else (),
        department_text=joined([department, division], " / "),
        requisition_text=job.text("requisition_id") or row.text("requisition_id"),
        description_text=_description(row),
        posted_on=row.day("first_published_at"),
        updated_on=row.day("updated_at"),
        valid_through=row.day("deadline_at"),
        payload={"location": name} if name and place.peek("city") else {},
    )


def _description(row: Row) -> str | None:
    parts = [row.html("description")]
    for name in SECTIONS:
        text = row.html(name)
        parts.append(joined([row.text(f"{name}_header"), text], "\n") if text else None)
        row.ignore(f"{name}_header")
    return joined(parts, "\n\n")
