"""Lever job sites: a bare list in pages, complete with descriptions and structured pay.

`GET api.lever.co/v0/postings/{site}?mode=json&skip=0&limit=100` (documented in lever/postings-api); European sites
answer at `api.eu.lever.co`, which an entry names as its option `api`.
"""

from __future__ import annotations

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each, require_token
from scraper.pages.addresses import handle_in
from scraper.pages.rows import Row, decoded_json, joined, published_pay, rows_of
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

API = "https://api.lever.co"
PAGE = 100


class LeverSpider(BoardSpider):
    name = "lever"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (listing(source, 0),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        answer = decoded_json(body)
        parsed = parse_postings(answer, seen)
        if isinstance(answer, list) and len(answer) >= PAGE:
            parsed += Parsed(asks=(listing(self.source, int(ask.state["skip"]) + PAGE),))
        return parsed


def listing(source: Source, skip: int) -> Ask:
    url = f"{api_of(source, API)}/v0/postings/{require_token(source)}?mode=json&skip={skip}&limit={PAGE}"
    return Ask(url=url, state={"skip": skip})


def parse_postings(answer: object, seen: Seen) -> Parsed:
    """A page of the list."""
    return gathered(read_each(rows_of(answer), lambda row: parse_posting(row, seen), seen))


def parse_posting(row: Row, seen: Seen) -> Parsed:
    row.ignore("applyUrl", "descriptionPlain", "openingPlain", "descriptionBodyPlain", "additionalPlain")
    categories = row.row("categories")
    places = categories.texts("allLocations")
    primary = categories.text("location")
    range_, url = row.row("salaryRange"), row.text("hostedUrl")
    workplace = row.text("workplaceType")
    words = row.html("salaryDescriptionPlain", "salaryDescription")
    return posting(
        seen,
        row,
        title=row.text("text"),
        source_id=row.text("id"),
        url=url,
        company_text=seen.company or handle_in(url, "lever.co"),
        location_text=joined([primary, *places], "; "),
        country_text=row.text("country"),
        workplace_text=None if workplace == "unspecified" else workplace,
        employment_text=categories.text("commitment"),
        level_text=categories.text("level"),
        salary_text=words,
        pay=published_pay(range_.amount("min"), range_.amount("max"), range_.text("currency"), range_.text("interval")),
        department_text=joined([categories.text("department"), categories.text("team")], " / "),
        requisition_text=row.text("requisitionCode", "reqCode"),
        description_text=_description(row),
        posted_on=row.day("createdAt"),
        updated_on=row.day("updatedAt"),
    )


def _description(row: Row) -> str | None:
    """The parts in the order of the page; `description` alone lacks the lists and the closing words."""
    whole, opening, body = row.html("description"), row.html("opening"), row.html("descriptionBody")
    parts: list[str | None] = [whole] if whole else [opening, body]
    for part in row.rows("lists"):
        parts.append(joined([part.text("text"), part.html("content")], "\n"))
    return joined([*parts, row.html("additional")], "\n\n")
