"""BambooHR: a list without descriptions, and one call a posting for the rest.

`GET {slug}.bamboohr.com/careers/list`, then `/careers/{id}/detail`. Pay is the free text `compensation`. A tenant that
is gone redirects to a marketing page.
"""

from __future__ import annotations

from urllib.parse import urlsplit

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
from scraper.pages.rows import Row, decoded_json, joined, listed_in
from scraper.sources import Source
from scraper.spiders.board import BoardSpider, site_of

WORKPLACES = {"0": "On-site", "1": "Remote", "2": "Hybrid"}
"""What the careers page writes for `locationType`; `isRemote` is older and often null."""


class BambooHrSpider(BoardSpider):
    name = "bamboohr"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=f"{base(source)}/careers/list"),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        answer = decoded_json(body)
        if ask.kind == DETAIL:
            return completed_by(parse_detail(answer, seen), ask)
        return parse_listing(answer, seen, details_from=base(self.source))


def base(source: Source) -> str:
    return api_of(source, site_of(source) or f"https://{require_token(source)}.bamboohr.com")


def parse_listing(answer: object, seen: Seen, *, details_from: str | None = None) -> Parsed:
    """The list; with `details_from` each posting is still to be completed by its own call there."""

    def entry(row: Row) -> Parsed:
        identity, marker = row.peek("id"), marker_of(row.values)
        part = parse_job(row, seen)
        return detail_ask(f"{details_from}/careers/{identity}/detail", part, marker) if details_from else part

    total = Row.of(answer).row("meta").raw("totalCount")
    return gathered(
        read_each(listed_in(answer, "result"), entry, seen), total=total if isinstance(total, int) else None
    )


def parse_detail(answer: object, seen: Seen) -> Parsed:
    """A posting's own call. Raises `AnswerError` when the answer holds none."""
    row = Row.of(answer).row("result").row("jobOpening")
    if not row:
        raise AnswerError("unknown_shape", "the answer has no jobOpening", str(answer)[:200])
    return parse_job(row, seen)


def parse_job(row: Row, seen: Seen) -> Parsed:
    """One posting, of the list or of its own call."""
    row.ignore("departmentId", "jobOpeningStatus", "employmentType", "jobCategoryId", "formFields")
    plain, ats = row.row("location"), row.row("atsLocation")
    for place in (plain, ats):
        place.ignore("id", "postalCode", "addressLine1", "addressLine2", "countryId", "provinceId", "cityId", "zip")
    country = ats.text("country", "addressCountry") or plain.text("addressCountry", "country")
    precise = joined([ats.text("city"), ats.text("state") or ats.text("province"), country])
    loose = joined([plain.text("city"), plain.text("state"), country])
    kind, is_remote, identity = row.text("locationType"), row.flag("isRemote"), row.text("id")
    return posting(
        seen,
        row,
        title=row.text("jobOpeningName"),
        source_id=identity,
        url=row.text("jobOpeningShareUrl") or _address(seen, identity),
        location_text=precise if ats.peek("city") else loose or precise,
        country_text=country,
        workplace_text=WORKPLACES.get(kind or "") or ("Remote" if is_remote else None),
        employment_text=row.text("employmentStatusLabel"),
        level_text=row.text("minimumExperience"),
        salary_text=row.text("compensation"),
        department_text=row.text("departmentLabel"),
        description_text=row.html("description"),
        posted_on=row.day("datePosted"),
    )


def _address(seen: Seen, identity: str | None) -> str | None:
    host = urlsplit(seen.url).netloc or (f"{seen.board}.bamboohr.com" if seen.board else None)
    return f"https://{host}/careers/{identity}" if host and identity else None
