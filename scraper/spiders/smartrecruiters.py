"""SmartRecruiters: a paged list without descriptions, and one call a posting for the rest.

`GET api.smartrecruiters.com/v1/companies/{id}/postings?limit=100&offset=0` and `…/postings/{posting}`; no key. An
unknown company answers 200 with an empty list, so an empty list proves nothing about the company.
"""

from __future__ import annotations

from db.records import PublishedPay
from scraper.answers import (
    DETAIL,
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
from scraper.pages.rows import Row, decoded_json, joined, listed_in, published_pay
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

API = "https://api.smartrecruiters.com"
PAGE = 100
SECTIONS = ("companyDescription", "jobDescription", "qualifications", "additionalInformation")
NO_LEVEL = "not_applicable"


class SmartRecruitersSpider(BoardSpider):
    name = "smartrecruiters"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (listing(source, 0),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        answer = decoded_json(body)
        if ask.kind == DETAIL:
            return completed_by(parse_posting(Row.of(answer), seen), ask)
        base = f"{api_of(self.source, API)}/v1/companies/{require_token(self.source)}/postings"
        parsed = parse_listing(answer, seen, details_from=base)
        after = int(ask.state["offset"]) + PAGE
        if parsed.total is not None and after < parsed.total:
            if not listed_in(answer, "content"):
                return parsed + Parsed(incomplete=(f"an empty page at {after - PAGE} of {parsed.total}",))
            parsed += Parsed(asks=(listing(self.source, after),))
        return parsed


def listing(source: Source, offset: int) -> Ask:
    base = f"{api_of(source, API)}/v1/companies/{require_token(source)}/postings"
    return Ask(url=f"{base}?limit={PAGE}&offset={offset}", state={"offset": offset})


def parse_listing(answer: object, seen: Seen, *, details_from: str | None = None) -> Parsed:
    """A page of the list; with `details_from` each posting is still to be completed by its own call there."""

    def entry(row: Row) -> Parsed:
        identity = row.peek("id")
        marker = marker_of({name: row.peek(name) for name in ("id", "releasedDate", "name", "location", "refNumber")})
        part = parse_posting(row, seen)
        return detail_ask(f"{details_from}/{identity}", part, marker) if details_from else part

    total = Row.of(answer).raw("totalFound")
    return gathered(
        read_each(listed_in(answer, "content"), entry, seen), total=total if isinstance(total, int) else None
    )


def parse_posting(row: Row, seen: Seen) -> Parsed:
    """One posting, of the list or of its own call."""
    row.ignore(
        "ref", "uuid", "jobAdId", "jobId", "defaultJobAd", "creator", "actions", "visibility", "applyUrl", "active"
    )
    company, location = row.row("company"), row.row("location")
    identifier, identity = company.text("identifier"), row.text("id")
    location.ignore("address", "postalCode", "latitude", "longitude", "regionCode", "manual")
    city, region, country = location.text("city"), location.text("region"), location.text("country")
    level, language = row.row("experienceLevel"), row.row("language")
    language.ignore("label", "labelNative", "labelTranslated")
    built = f"https://jobs.smartrecruiters.com/{identifier}/{identity}" if identifier and identity else None
    return posting(
        seen,
        row,
        title=row.text("name"),
        source_id=identity,
        url=row.text("postingUrl") or built,
        company_text=company.text("name"),
        location_text=location.text("fullLocation") or joined([city, region, country]),
        country_text=country,
        workplace_text="Remote" if location.flag("remote") else "Hybrid" if location.flag("hybrid") else None,
        employment_text=_label(row.row("typeOfEmployment")),
        level_text=_label(level) if level.text("id") != NO_LEVEL else None,
        pay=_pay(row.row("compensation")),
        department_text=joined([_label(row.row("department")), _label(row.row("function"))], " / "),
        requisition_text=row.text("refNumber"),
        language=language.text("code"),
        description_text=_description(row.row("jobAd").row("sections")),
        posted_on=row.day("releasedDate"),
    )


def _label(row: Row) -> str | None:
    row.ignore("id")
    return row.text("label")


def _pay(compensation: Row) -> tuple[PublishedPay, ...]:
    salary = compensation.row("salary") or compensation
    return published_pay(salary.amount("min"), salary.amount("max"), salary.text("currency"), salary.text("period"))


def _description(sections: Row) -> str | None:
    parts = []
    for name in SECTIONS:
        section = sections.row(name)
        text = section.html("text")
        parts.append(joined([section.text("title"), text], "\n") if text else None)
    return joined(parts, "\n\n")
