"""Records for tests, in the shape of what spiders hand over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Table, select

from db.records import RawPostingRecord
from db.session import reading

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def ad(number: int = 1, **changes: Any) -> RawPostingRecord:
    """One job ad as a board publishes it."""
    said: dict[str, Any] = {
        "source": "acme-board",
        "source_id": f"ad-{number}",
        "title_text": f"Data Engineer {number}",
        "company_text": "Acme GmbH",
        "location_text": "Berlin, Germany",
        "salary_text": "€60,000 - €80,000 a year",
        "description_text": "You build pipelines.",
        "page_url": "https://board.example/jobs",
        "seen_at": NOON,
        "payload": {"team": "Data", "remote": None},
    }
    return RawPostingRecord(**said | changes)


def rows(engine: Engine, table: Any) -> list[dict[str, Any]]:
    """All rows of a table, by its primary key."""
    inner: Table = table.__table__
    with reading(engine) as connection:
        found = connection.execute(select(inner).order_by(*inner.primary_key.columns))
        return [dict(row._mapping) for row in found]
