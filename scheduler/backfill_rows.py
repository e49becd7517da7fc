"""Records as rows of the three tables of a backfill: `postings`, `articles`, `rejected`.

A row of `postings` is one ad as one page published it, normalised by today's rules, with what the page said beside it:
merging ads of one job is the ledger's work. Columns that the ledger has too bear the same names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, Final

from aggregator.composing import compose
from aggregator.normalise.money import Rates
from aggregator.reading import read
from db.records import ArticleRecord, RawPostingRecord, RejectedRecord, storable

Columns = Mapping[str, str]

_WHERE: Final = {"file": "VARCHAR", "record_offset": "BIGINT", "captured_at": "TIMESTAMPTZ"}
"""The file's name, where in it the record begins (in a gzip file, its member), and when the page was archived."""

POSTINGS: Final[Columns] = {
    "id": "VARCHAR",
    "source": "VARCHAR",
    "source_id": "VARCHAR",
    "title": "VARCHAR",
    "title_text": "VARCHAR",
    "role": "VARCHAR",
    "family": "VARCHAR",
    "soc": "VARCHAR",
    "level": "VARCHAR",
    "level_text": "VARCHAR",
    "title_level": "VARCHAR",
    "employment_types": "VARCHAR[]",
    "employment_text": "VARCHAR",
    "company": "VARCHAR",
    "company_text": "VARCHAR",
    "location_text": "VARCHAR",
    "country_text": "VARCHAR",
    "workplace_text": "VARCHAR",
    "city": "VARCHAR",
    "region": "VARCHAR",
    "country": "VARCHAR",
    "countries": "VARCHAR[]",
    "remote": "VARCHAR",
    "remote_scope": "VARCHAR[]",
    "salary_text": "VARCHAR",
    "pay_field_text": "VARCHAR",
    "pay_fields": "JSON",
    "salary_min": "DECIMAL(18, 2)",
    "salary_max": "DECIMAL(18, 2)",
    "currency": "VARCHAR",
    "period": "VARCHAR",
    "salary_open": "VARCHAR",
    "salary_is_estimate": "BOOLEAN",
    "annual_min": "DECIMAL(18, 2)",
    "annual_max": "DECIMAL(18, 2)",
    "annual_min_usd": "DECIMAL(18, 2)",
    "annual_max_usd": "DECIMAL(18, 2)",
    "fx_rate": "DOUBLE",
    "fx_date": "DATE",
    "url": "VARCHAR",
    "page_url": "VARCHAR",
    "sources": "VARCHAR[]",
    "first_seen": "TIMESTAMPTZ",
    "last_seen": "TIMESTAMPTZ",
    "posted_on": "DATE",
    "updated_on": "DATE",
    "valid_through": "DATE",
    "closed_at": "TIMESTAMPTZ",
    "sightings": "BIGINT",
    "flags": "STRUCT(code VARCHAR, severity VARCHAR, state VARCHAR, detail VARCHAR)[]",
    "department_text": "VARCHAR",
    "requisition_text": "VARCHAR",
    "language": "VARCHAR",
    "description_text": "VARCHAR",
    "partial": "BOOLEAN",
    "payload": "JSON",
    **_WHERE,
}
ARTICLES: Final[Columns] = {
    "id": "VARCHAR",
    "source": "VARCHAR",
    "url": "VARCHAR",
    "title": "VARCHAR",
    "subtitle": "VARCHAR",
    "read_minutes": "BIGINT",
    "published_on": "DATE",
    "sections": "STRUCT(position BIGINT, heading VARCHAR, subheading VARCHAR, text VARCHAR)[]",
    "salary_insight_links": "VARCHAR[]",
    **_WHERE,
}
REJECTED: Final[Columns] = {
    "source": "VARCHAR",
    "url": "VARCHAR",
    "reason": "VARCHAR",
    "detail": "VARCHAR",
    "excerpt": "VARCHAR",
    **_WHERE,
}
TABLES: Final[Mapping[str, Columns]] = {"postings": POSTINGS, "articles": ARTICLES, "rejected": REJECTED}


@dataclass(frozen=True, slots=True)
class Where:
    """Where in the archives a record stood."""

    file: str
    offset: int

    def columns(self, at: datetime) -> dict[str, Any]:
        return {"file": self.file, "record_offset": self.offset, "captured_at": at}


_RAW: Final = (
    "source",
    "source_id",
    "employment_text",
    "company_text",
    "country_text",
    "workplace_text",
    "page_url",
    "updated_on",
    "department_text",
    "requisition_text",
    "language",
    "partial",
)
"""Columns that hold what the record holds."""
_COMPOSED: Final = tuple(
    name
    for name in POSTINGS
    if name not in _RAW
    and name not in _WHERE
    and name not in ("id", "pay_field_text", "pay_fields", "sightings", "flags", "payload")
)
"""Columns that hold what today's rules read."""


def posting_row(record: RawPostingRecord, rates: Rates, where: Where) -> dict[str, Any]:
    """An ad read by today's rules, and what it said."""
    raw = _as_stored(record)
    draft = compose(raw.id, [read(raw)], rates)
    row = {name: getattr(record, name) for name in _RAW}
    row |= {name: draft.values[name] for name in _COMPOSED}
    row |= {
        "id": raw.id,
        "pay_field_text": record.salary_text,
        "pay_fields": raw.pay or None,
        "sightings": 1,
        "flags": [
            {"code": flag.code, "severity": flag.severity, "state": "open", "detail": flag.detail}
            for flag in draft.flags
        ],
        "payload": dict(record.payload) or None,
    }
    return row | where.columns(record.seen_at)


def _as_stored(record: RawPostingRecord) -> Any:
    """The record as the row of `raw_posting` that the ledger would make of it."""
    return SimpleNamespace(
        id=record.id,
        source=record.source,
        content_hash="",
        title_text=record.title_text,
        company_text=record.company_text,
        location_text=record.location_text,
        workplace_text=record.workplace_text,
        country_text=record.country_text,
        employment_text=record.employment_text,
        level_text=record.level_text,
        salary_text=record.salary_text,
        pay=[pay.as_json() for pay in record.pay],
        pay_is_estimate=record.pay_is_estimate,
        requisition_text=record.requisition_text,
        url=record.url,
        description_text=record.description_text,
        posted_on=record.posted_on,
        valid_through=record.valid_through,
        country_hint=record.country_hint,
        currency_hint=record.currency_hint,
        first_seen=record.seen_at,
        last_seen=record.seen_at,
        closed_at=None,
    )


def article_row(record: ArticleRecord, where: Where) -> dict[str, Any]:
    return {
        "id": record.id,
        "source": record.source,
        "url": record.url,
        "title": record.title,
        "subtitle": record.subtitle,
        "read_minutes": record.read_minutes,
        "published_on": record.published_on,
        "sections": [
            {
                "position": section.position,
                "heading": section.heading,
                "subheading": section.subheading,
                "text": section.text,
            }
            for section in record.sections
        ],
        "salary_insight_links": list(record.salary_insight_links),
        **where.columns(record.seen_at),
    }


def rejected_row(record: RejectedRecord, where: Where) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in ("source", "url", "reason", "detail", "excerpt")}
    return row | where.columns(record.seen_at)


def line_of(row: Mapping[str, Any]) -> bytes:
    """A row as one line of JSON that DuckDB takes: without NUL and halves of characters.

    >>> line_of({"a": "x", "b": date(2024, 1, 2)})
    b'{"a":"x","b":"2024-01-02"}\\n'
    """
    text = _json(row)
    try:
        line = text.encode()
    except UnicodeEncodeError:
        return _json(storable(row)).encode() + b"\n"
    if "\\u0000" in text or "NaN" in text or "Infinity" in text:
        return _json(storable(_plain_row(row))).encode() + b"\n"
    return line + b"\n"


def _json(row: object) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain_row(row: Mapping[str, Any]) -> Any:
    return json.loads(_json(row))


def _plain(value: object) -> object:
    if isinstance(value, date):  # times are dates too
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
