"""Workable: the account widget lists every open posting, once a location.

`GET apply.workable.com/api/v1/widget/accounts/{slug}?details=true`; no paging, hard 429s. No structured pay. The
careers page's own calls (`v3` list, `v2` posting) are read too when captured.
"""

from __future__ import annotations

from collections.abc import Sequence

from scraper.answers import Ask, Parsed, Seen, api_of, gathered, posting, read_each, require_token
from scraper.pages.rows import AnswerError, Row, joined, listed_in
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

API = "https://apply.workable.com"


class WorkableSpider(BoardSpider):
    name = "workable"
    one_answer = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        path = f"/api/v1/widget/accounts/{require_token(source)}?details=true"
        return (Ask(url=api_of(source, API) + path),)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        return parse_account(answer, seen)


def parse_account(answer: object, seen: Seen) -> Parsed:
    """The widget: rows with the same shortcode are one posting in several places."""
    company = Row.of(answer).text("name")
    by_code: dict[str, list[Row]] = {}
    for position, row in enumerate(listed_in(answer, "jobs")):
        by_code.setdefault(str(row.peek("shortcode") or f"row {position}"), []).append(row)
    return gathered(read_each(by_code.values(), lambda rows: parse_job(rows, seen, company), seen), total=len(by_code))


def parse_results(answer: object, seen: Seen) -> Parsed:
    """The careers page's list call."""
    return gathered(read_each(listed_in(answer, "results"), lambda row: parse_job([row], seen, None), seen))


def parse_single(answer: object, seen: Seen) -> Parsed:
    """The careers page's call for one posting. Raises `AnswerError` when it is none."""
    row = Row.of(answer)
    if row.peek("shortcode") is None:
        raise AnswerError("unknown_shape", "a posting without shortcode", str(answer)[:200])
    return parse_job([row], seen, None)


def parse_job(rows: Sequence[Row], seen: Seen, company: str | None) -> Parsed:
    """One posting from all rows that speak of it."""
    places = [place for row in rows for place in _places(row)]
    countries = [country for row in rows for country in _countries(row)]
    for row in rows:
        row.ignore("url", "shortlink", "application_url", "locations", "location", "city", "state", "country", "id")
        row.ignore("isInternal", "approvalStatus", "accountUid")
    row = rows[0]
    code = row.text("shortcode")
    parts = [row.html(name) for name in ("description", "requirements", "benefits")]
    posted = row.day("published_on") or row.day("published") or row.day("created_at")
    remote = row.flag("telecommuting") or row.flag("remote")
    row.ignore("created_at", "published")
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=code,
        url=_address(row, code, seen.board),
        company_text=company,
        location_text=joined(places, "; "),
        country_text=joined(countries),
        workplace_text=row.text("workplace") or ("Remote" if remote else None),
        employment_text=row.text("employment_type") or row.text("type"),
        level_text=row.text("experience"),
        department_text=joined(row.labels("department", "name", "title")),
        requisition_text=row.text("code"),
        language=row.text("language"),
        description_text=joined(parts, "\n\n"),
        posted_on=posted,
    )


def _address(row: Row, code: str | None, board: str | None) -> str | None:
    if board and code:
        return f"{API}/{board}/j/{code}/"
    stated = row.peek("url") or row.peek("shortlink")
    return stated if isinstance(stated, str) else None


def _places(row: Row) -> list[str | None]:
    """Where the job is: the listed locations that are not hidden, else the fields of the row."""
    listed = [place for place in row.rows("locations") or [row.row("location")] if place.flag("hidden") is not True]
    places = [
        joined([p.text("city"), p.text("region", "state"), p.text("country", "countryName")]) for p in listed if p
    ]
    if any(places):
        return list(places)
    return [joined([row.text("city"), row.text("state"), row.text("country")])]


def _countries(row: Row) -> list[str | None]:
    listed = [place for place in row.rows("locations") or [row.row("location")] if place.flag("hidden") is not True]
    countries = [place.text("countryCode") or place.text("country") for place in listed if place]
    return list(countries) if any(countries) else [row.text("country")]
