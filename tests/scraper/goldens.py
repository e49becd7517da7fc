"""What a captured file holds, as plain values to compare with the .json file beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.records import ArticleRecord, PageRecord, RawPostingRecord, Record, RejectedRecord
from scraper.captures import open_capture, read_capture

SEEN_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POSTING = (
    "source_id",
    "title_text",
    "company_text",
    "location_text",
    "workplace_text",
    "employment_text",
    "level_text",
    "salary_text",
    "pay_is_estimate",
    "posted_on",
    "url",
    "partial",
)


def records(file: Path) -> list[Record]:
    capture = open_capture(file, seen_at=SEEN_AT)
    if isinstance(capture, RejectedRecord):
        return [capture]
    with capture.file:
        return list(read_capture(capture))


def held(file: Path) -> dict[str, Any]:
    """Page kinds, articles, postings (fields that are stated) and rejections of a file."""
    found = records(file)
    return {
        "pages": [r.kind for r in found if isinstance(r, PageRecord)],
        "articles": [_article(r) for r in found if isinstance(r, ArticleRecord)],
        "postings": [_posting(r) for r in found if isinstance(r, RawPostingRecord)],
        "rejected": [[r.reason, r.detail] for r in found if isinstance(r, RejectedRecord)],
    }


def _article(record: ArticleRecord) -> dict[str, Any]:
    return {
        "title": record.title,
        "subtitle": record.subtitle,
        "read_minutes": record.read_minutes,
        "published_on": str(record.published_on) if record.published_on else None,
        "salary_insight_links": list(record.salary_insight_links),
        "sections": [[s.heading, s.subheading, s.text] for s in record.sections],
    }


def _posting(record: RawPostingRecord) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in POSTING}
    stated = {name: str(value) if name == "posted_on" else value for name, value in values.items() if value}
    return stated | ({"pay": [pay.as_json() for pay in record.pay]} if record.pay else {})
