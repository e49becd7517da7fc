"""What one raw posting says, read by today's rules: text in, words, money and places out. Pure.

The order matters: the title gives role and level, the place gives the country, and the country decides what "$" means
before the pay is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from aggregator.normalise.company import Company, parse_company
from aggregator.normalise.employment import parse_employment
from aggregator.normalise.level import parse_board_level, parse_level
from aggregator.normalise.location import Location, parse_location
from aggregator.normalise.role import Role, parse_role
from aggregator.normalise.salary import Salary, parse_salary
from aggregator.normalise.title import clean_title


@dataclass(frozen=True, slots=True)
class Reading:
    """One raw posting, normalised; what the site said stands beside it."""

    raw_id: str
    source: str
    content_hash: str
    title: str
    title_text: str
    role: Role
    board_level: str | None
    title_level: str | None
    level_text: str | None
    employment_types: tuple[str, ...]
    company: Company | None
    company_text: str | None
    location: Location
    location_text: str | None
    salary: Salary
    salary_text: str | None
    pay_field: str | None
    """The site's own pay text, where it has such a field; `salary_text` may also come from the description."""
    url: str | None
    description_text: str | None
    requisition_text: str | None
    posted_on: date | None
    valid_through: date | None
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None

    @property
    def level(self) -> str | None:
        """The board's own level where it gives one that we know: its author knows the job. Else the title's."""
        return self.board_level or self.title_level


REMEMBERED = 20_000
"""Texts of each kind whose reading is remembered: boards repeat employers, places and titles."""

_company = lru_cache(REMEMBERED)(parse_company)
_location = lru_cache(REMEMBERED)(parse_location)
_employment = lru_cache(REMEMBERED)(parse_employment)
_board_level = lru_cache(REMEMBERED)(parse_board_level)
_title = lru_cache(REMEMBERED)(clean_title)
_role = lru_cache(REMEMBERED)(parse_role)
_level = lru_cache(REMEMBERED)(parse_level)


def read(raw: Any) -> Reading:
    """Reads one row of `raw_posting`. Total: any text gives a reading, nulls where the text says nothing we know."""
    title = _title(raw.title_text)
    company = _company(raw.company_text)
    role = _role(title)
    title_level = _level(title, role=role.role, company=raw.company_text).level
    location = _location(raw.location_text, workplace=raw.workplace_text, country=raw.country_text)
    salary, salary_text = _pay(raw, location.country or raw.country_hint, title)
    return Reading(
        raw_id=raw.id,
        source=raw.source,
        content_hash=raw.content_hash,
        title=title,
        title_text=raw.title_text,
        role=role,
        board_level=_board_level(raw.level_text),
        title_level=title_level,
        level_text=raw.level_text,
        employment_types=_employment(raw.employment_text),
        company=company,
        company_text=raw.company_text,
        location=location,
        location_text=raw.location_text,
        salary=salary,
        salary_text=salary_text,
        pay_field=raw.salary_text,
        url=raw.url,
        description_text=raw.description_text,
        requisition_text=raw.requisition_text,
        posted_on=raw.posted_on,
        valid_through=raw.valid_through,
        first_seen=raw.first_seen,
        last_seen=raw.last_seen,
        closed_at=raw.closed_at,
    )


def _pay(raw: Any, country: str | None, title: str) -> tuple[Salary, str | None]:
    """The pay and the text it stands in: the structured field, the pay text, or the description, in this order."""
    structured: Sequence[dict[str, Any]] | None = raw.pay or None
    if raw.salary_text or structured:
        salary = parse_salary(
            raw.salary_text, country=country, currency=raw.currency_hint, structured=structured, title=title
        )
        return salary, raw.salary_text or _as_said(raw.pay)
    if raw.description_text:
        salary = parse_salary(raw.description_text, country=country, currency=raw.currency_hint, title=title)
        return salary, salary.text if salary.ok or salary.min is not None or salary.max is not None else None
    return parse_salary(None), None


def _as_said(pay: Sequence[dict[str, Any]]) -> str | None:
    """Structured pay as one line of text, for people: "90000 - 120000 EUR year"."""
    lines = [
        " ".join(
            str(part)
            for part in (
                tier.get("label") and f"{tier['label']}:",
                " - ".join(str(tier[end]) for end in ("min", "max") if tier.get(end) is not None),
                tier.get("currency"),
                tier.get("period"),
            )
            if part
        )
        for tier in pay
    ]
    return "; ".join(line for line in lines if line) or None
