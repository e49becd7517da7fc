"""Saved searches: only what is new, once, whatever dies in between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from aggregator.pipeline import aggregate
from db.filters import Filters, parse_filters
from db.models import Told
from db.searches import add_search, claim_new, remove_search, saved_searches, settle, told_counts
from db.session import LedgerError
from db.store import keep
from scheduler.alerts import AlertError
from scheduler.searching import check_channel, is_due, message, tell_searches
from tests.db.records import DAY, HOUR, NOON, ad, rows


def publish(engine: Engine, numbers: Sequence[int], **changes: object) -> None:
    keep(engine, [ad(n, company_text=f"Employer {n} GmbH", **changes) for n in numbers])
    aggregate(engine, now=NOON)


def told_in(path: Path) -> list[str]:
    return [json.loads(line)["title_text"] for line in path.read_text().splitlines()] if path.exists() else []


def test_only_what_is_new_and_once(store: Engine, tmp_path: Path) -> None:
    out = tmp_path / "new.jsonl"
    publish(store, [1, 2])
    add_search(store, "de", Filters(country=("DE",)), schedule="@hourly", channel=f"file:{out}", now=NOON)
    assert tell_searches(store, NOON + HOUR) == {"de": 0}
    publish(store, [3, 4])
    publish(store, [5], location_text="Paris, France")
    assert tell_searches(store, NOON + 2 * HOUR) == {"de": 2}
    assert tell_searches(store, NOON + 3 * HOUR) == {"de": 0}
    assert told_in(out) == ["Data Engineer 3", "Data Engineer 4"]
    assert told_counts(store) == {saved_searches(store)[0].id: (2, 0)}


def test_a_search_waits_for_its_slot(store: Engine) -> None:
    add_search(store, "daily", Filters(), schedule="0 6 * * *", channel="feed", now=NOON)
    (search,) = saved_searches(store)
    assert not is_due(search, NOON + HOUR)
    assert is_due(search, NOON + DAY)
    assert tell_searches(store, NOON + HOUR) == {}
    assert tell_searches(store, NOON + DAY) == {"daily": 0}
    assert tell_searches(store, NOON + DAY + HOUR) == {}


def test_a_death_while_telling_tells_nothing_twice(store: Engine, tmp_path: Path) -> None:
    out = tmp_path / "new.jsonl"
    add_search(store, "all", Filters(), schedule="@hourly", channel=f"file:{out}", now=NOON)
    publish(store, [1])
    (search,) = saved_searches(store)
    assert len(claim_new(store, search, NOON + HOUR)) == 1  # and here the process dies
    publish(store, [2])
    assert tell_searches(store, NOON + 2 * HOUR) == {"all": 1}
    assert told_in(out) == ["Data Engineer 2"]
    assert told_counts(store)[search.id] == (1, 1), "the list says that one is unsure"


def test_a_channel_that_fails_is_told_again(store: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    add_search(store, "all", Filters(), schedule="@hourly", channel=f"file:{folder / 'x.jsonl'}", now=NOON)
    publish(store, [1])
    with pytest.raises(AlertError, match="all: "):
        tell_searches(store, NOON + HOUR)
    assert rows(store, Told) == []
    folder.mkdir()
    assert tell_searches(store, NOON + 2 * HOUR) == {"all": 1}


def test_two_tellers_share_the_work(store: Engine) -> None:
    add_search(store, "all", Filters(), schedule="@hourly", channel="feed", now=NOON)
    publish(store, [1, 2])
    (search,) = saved_searches(store)
    first, second = claim_new(store, search, NOON), claim_new(store, search, NOON)
    assert (len(first), len(second)) == (2, 0)
    settle(store, search, [row["id"] for row in first], delivered=True)
    assert {row["delivered"] for row in rows(store, Told)} == {True}


def test_filters_come_back_as_they_were(store: Engine) -> None:
    given = {"role": ["Data Engineer"], "min_salary": "80000", "since": "2026-01-31", "open": True}
    add_search(store, "mine", parse_filters(given), schedule="@daily", channel="feed", now=NOON)
    assert saved_searches(store)[0].filters == parse_filters(given)


def test_names_are_unique_and_searches_go(store: Engine) -> None:
    publish(store, [1])
    add_search(store, "a", Filters(), schedule="@daily", channel="feed", now=NOON)
    with pytest.raises(LedgerError, match="saved already"):
        add_search(store, "a", Filters(), schedule="@daily", channel="feed", now=NOON)
    remove_search(store, "a")
    assert (saved_searches(store), rows(store, Told)) == ([], [])
    with pytest.raises(LedgerError, match="no saved search"):
        remove_search(store, "a")


@pytest.mark.filterwarnings("ignore:.imghdr.:DeprecationWarning")  # Apprise imports it
@pytest.mark.parametrize("channel", ["file:/no/such/folder/x", "somewhere", "nonsense://x"])
def test_a_channel_that_cannot_be_is_refused(channel: str) -> None:
    with pytest.raises(AlertError):
        check_channel(channel)


def test_a_message_keeps_its_lines() -> None:
    row = {"title": "A\nB", "company": None, "location_text": "X", "salary_text": None, "url": "https://x.example"}
    assert message([row] * 31).splitlines()[-1] == "… and 1 more"
    assert message([row]) == "A B | X | https://x.example"
