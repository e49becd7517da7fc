"""Rows that are said to be new, and are not: another writer was faster. On both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from db.bulk import COPY_FROM_ROWS, upsert
from db.models import Page, RawPosting, Sighting
from db.session import writing
from db.store import keep
from db.tables import PAGE
from tests.db.records import NOON, ad, rows

NUMBER = COPY_FROM_ROWS + 50


def page(number: int, hours: int) -> dict[str, Any]:
    return {
        "id": f"{number:05}",
        "source": "acme-board",
        "url": f"https://board.example/{number}/{hours}",
        "kind": "page",
        "content_hash": str(hours),
        "first_seen": NOON + timedelta(hours=hours),
        "last_seen": NOON + timedelta(hours=hours),
    }


def written(store: Engine, numbers: range, hours: int) -> None:
    with writing(store) as connection:
        upsert(
            connection,
            PAGE,
            [page(n, hours) for n in numbers],
            ["id"],
            keep_old=["url"],
            earliest=["first_seen"],
            latest=["last_seen"],
            all_new=True,
        )


@pytest.mark.parametrize("again", [range(NUMBER), range(NUMBER - 1, 2 * NUMBER)], ids=["all", "one"])
def test_rows_that_exist_after_all_follow_the_rule(store: Engine, again: range) -> None:
    written(store, range(NUMBER), 5)
    written(store, again, 3)
    found = {row["id"]: row for row in rows(store, Page)}
    assert len(found) == len(set(range(NUMBER)) | set(again))
    twice = found[f"{NUMBER - 1:05}"]
    assert (twice["url"], twice["content_hash"]) == (f"https://board.example/{NUMBER - 1}/5", "3")
    assert (twice["first_seen"], twice["last_seen"]) == (NOON + timedelta(hours=3), NOON + timedelta(hours=5))


def test_two_who_bring_the_same_new_ads_at_once(store: Engine) -> None:
    records = [ad(n) for n in range(2 * COPY_FROM_ROWS)]
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: keep(store, records), range(4)))
    assert {made.new + made.unchanged for made in counts} == {len(records)}
    assert len(rows(store, RawPosting)) == len(rows(store, Sighting)) == len(records)
