"""Greenhouse job boards: one answer lists every open posting with its description.

`GET boards-api.greenhouse.io/v1/boards/{token}/jobs?content=true` (documented in grnhse/greenhouse-api-docs). Pay
ranges stand, if at all, on the single-job call; the option `details = true` asks it for new and changed postings.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from db.records import PublishedPay
from db.text import one_line
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
from scraper.pages.plain import plain_text
from scraper.pages.rows import Row, decoded_json, is_scalar, joined, listed_in, published_pay
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

API = "https://boards-api.greenhouse.io"

EMPLOYMENT = ("employment type", "job type", "time type", "contract type", "type of employment", "commitment")
WORKPLACE = ("workplace", "workplace type", "location type", "remote", "work model", "remote status")
LEVEL = ("level", "job level", "seniority", "seniority level", "career level", "experience level")
"""Names of custom fields whose meaning is plain; employers call the others what they like, so they are kept as such."""

IGNORED = (
    "data_compliance",
    "ai_disclaimer",
    "include_ai_disclaimer",
    "ai_opt_out_request_url",
    "questions",
    "location_questions",
    "compliance",
    "demographic_questions",
)


class GreenhouseSpider(BoardSpider):
    name = "greenhouse"

    def first(self, source: Source) -> tuple[Ask, ...]:
        return (Ask(url=f"{api_of(source, API)}/v1/boards/{require_token(source)}/jobs?content=true"),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        answer = decoded_json(body)
        if ask.kind == DETAIL:
            return completed_by(parse_job(Row.of(answer), seen), ask)
        api = api_of(self.source, API) if self.source.options.get("details") is True else None
        return parse_jobs(answer, seen, details_from=api)


def parse_jobs(answer: object, seen: Seen, *, details_from: str | None = None) -> Parsed:
    """The list call; with `details_from` each job is still to be completed by its own call there."""

    def entry(row: Row) -> Parsed:
        marker = marker_of({name: row.peek(name) for name in ("id", "updated_at", "title")})
        url = f"{details_from}/v1/boards/{seen.board}/jobs/{row.peek('id')}?pay_transparency=true"
        part = parse_job(row, seen)
        return detail_ask(url, part, marker) if details_from else part

    total = Row.of(answer).row("meta").raw("total")
    return gathered(read_each(listed_in(answer, "jobs"), entry, seen), total=total if isinstance(total, int) else None)


def parse_job(row: Row, seen: Seen) -> Parsed:
    """One job, of the list or of the single-job call."""
    row.ignore(*IGNORED)
    custom = _custom_fields(row.raw("metadata"))
    places = [_place_of(office) for office in row.rows("offices")]
    departments = row.labels("departments", "name")
    row.ignore("offices", "departments")
    payload: dict[str, object] = {}
    location = row.row("location").text("name")
    if places and location:
        payload["offices"] = list(dict.fromkeys(place for place in places if place))
    ranges = row.raw("pay_input_ranges")
    employment, workplace, level = (_taken(custom, names) for names in (EMPLOYMENT, WORKPLACE, LEVEL))
    pay = (*_pay_ranges(ranges), *_pay_fields(custom))
    if custom:
        payload["metadata"] = custom
    return posting(
        seen,
        row,
        title=row.text("title"),
        source_id=row.text("id"),
        url=row.text("absolute_url"),
        company_text=row.text("company_name"),
        location_text=location or joined(places, "; "),
        workplace_text=workplace,
        employment_text=employment,
        level_text=level,
        pay=pay,
        department_text=joined(departments),
        requisition_text=row.text("requisition_id"),
        language=row.text("language"),
        description_text=row.html("content"),
        posted_on=row.day("first_published"),
        updated_on=row.day("updated_at"),
        valid_through=row.day("application_deadline"),
        payload=payload,
    )


def _place_of(office: Row) -> str | None:
    return office.text("location") or office.text("name")


def _custom_fields(metadata: object) -> dict[str, object]:
    """The employer's own fields by name; fields that hold a person are left out."""
    fields: dict[str, object] = {}
    for item in metadata if isinstance(metadata, list) else []:
        row = Row.of(item)
        name, value = row.text("name"), row.peek("value")
        if name and value not in (None, "", []) and row.peek("value_type") != "user":
            fields[name] = value
    return fields


def _taken(custom: dict[str, object], names: tuple[str, ...]) -> str | None:
    """The words of the first custom field with one of these names; it then counts as handled."""
    for name in list(custom):
        if name.strip().lower() in names:
            value = custom[name]
            items = value if isinstance(value, list) else [value]
            if all(is_scalar(item) for item in items):
                del custom[name]
                return joined(one_line(str(item)) for item in items)
    return None


def _pay_ranges(ranges: object) -> tuple[PublishedPay, ...]:
    """`pay_input_ranges`: amounts in hundredths, one range a region or level."""
    found: list[PublishedPay] = []
    for item in ranges if isinstance(ranges, list) else []:
        row = Row.of(item)
        low, high = _of_cents(row.raw("min_cents")), _of_cents(row.raw("max_cents"))
        label = joined([row.text("title"), plain_text(row.text("blurb"))], " – ")
        found += published_pay(low, high, row.text("currency_type"), None, label)
    return tuple(found)


def _of_cents(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        amount = Decimal(value) / 100
    except InvalidOperation:
        return None
    return f"{amount:f}" if amount.is_finite() and abs(amount) < 10**16 else None


def _pay_fields(custom: dict[str, object]) -> tuple[PublishedPay, ...]:
    """Custom fields of the type `currency_range`: `{"unit": "USD", "min_value": "…", "max_value": "…"}`."""
    found: list[PublishedPay] = []
    for name, value in list(custom.items()):
        if isinstance(value, Mapping) and {"min_value", "max_value"} & set(value):
            row = Row(value)
            found += published_pay(row.amount("min_value"), row.amount("max_value"), row.text("unit"), None, name)
            del custom[name]
    return tuple(found)
