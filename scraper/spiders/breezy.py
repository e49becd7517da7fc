"""Breezy HR: a list with pay as text, and a page a posting whose schema.org JobPosting has the description.

`GET {slug}.breezy.hr/json`, then `/p/{friendly_id}`. A tenant that is gone redirects to breezy.hr.
"""

from __future__ import annotations

from scraper.answers import (
    DETAIL,
    AnswerError,
    Ask,
    Parsed,
    Seen,
    api_of,
    completed_by,
    detail_ask,
    gathered,
    marker_of,
    posting,
    read_each,
    require_token,
)
from scraper.pages.addresses import canonical
from scraper.pages.jobposting import read_job_page
from scraper.pages.rows import Row, decoded_json, joined, rows_of
from scraper.sources import Source
from scraper.spiders.board import BoardSpider, site_of


class BreezySpider(BoardSpider):
    name = "breezy"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=f"{base(source)}/json"),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        if ask.kind != DETAIL:
            return parse_positions(decoded_json(body), seen, details_from=base(self.source))
        page = read_job_page(body, seen)
        if not page.postings:
            raise AnswerError("no_job_posting", "the page of the posting declares no JobPosting")
        return completed_by(page, ask)


def base(source: Source) -> str:
    return api_of(source, site_of(source) or f"https://{require_token(source)}.breezy.hr")


def parse_positions(answer: object, seen: Seen, *, details_from: str | None = None) -> Parsed:
    """The list; with `details_from` each posting is still to be completed by its page there."""

    def entry(row: Row) -> Parsed:
        marker, friendly = marker_of(row.values), row.peek("friendly_id")
        part = parse_position(row, seen)
        return detail_ask(f"{details_from}/p/{friendly}", part, marker) if details_from and friendly else part

    parts = read_each(rows_of(answer), entry, seen)
    return gathered(parts, total=len(parts))


def parse_position(row: Row, seen: Seen) -> Parsed:
    row.ignore("friendly_id", "logo_url", "apply_url")
    company, kind = row.row("company"), row.row("type")
    company.ignore("friendly_id", "logo_url", "id")
    kind.ignore("id")
    primary = row.row("location")
    places = [_place(place) for place in row.rows("locations")]
    remote = primary.flag("is_remote")
    country = primary.row("country")
    country_text = country.text("id") or country.text("name")
    place = _place(primary)
    row.ignore("location", "locations")
    return posting(
        seen,
        row,
        title=row.text("name"),
        source_id=row.text("id"),
        url=canonical(row.text("url")),
        company_text=company.text("name"),
        location_text=joined([place, *places], "; "),
        country_text=country_text,
        workplace_text="Remote" if remote else None,
        employment_text=kind.text("name"),
        salary_text=row.text("salary"),
        department_text=row.text("department"),
        description_text=row.html("description"),
        posted_on=row.day("published_date"),
        updated_on=row.day("updated_date"),
    )


def _place(place: Row) -> str | None:
    parts = place.text("city"), place.row("state").text("name", "id"), place.row("country").text("name", "id")
    return place.text("name") or joined(parts)
