"""Saved searches: only what is new, once, whatever dies in between."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, update

from aggregator.pipeline import aggregate
from db.filters import Filters, parse_filters
from db.models import Told
from db.searches import (
    POSTING,
    Search,
    add_search,
    claim_new,
    drop_unsure,
    remove_search,
    saved_searches,
    settle,
    told_counts,
    unsure_postings,
)
from db.session import LedgerError, writing
from db.store import keep
from db.tables import RAW
from scheduler.channels import AlertError
from scheduler.searching import check_channel, is_due, message, tell_again, tell_searches
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


class TestUnsure:
    @pytest.fixture
    def left(self, store: Engine, tmp_path: Path) -> Search:
        """A search whose teller died after it had claimed two postings."""
        channel = f"file:{tmp_path / 'new.jsonl'}"
        add_search(store, "all", Filters(), schedule="@hourly", channel=channel, now=NOON)
        publish(store, [1, 2])
        (search,) = saved_searches(store)
        claim_new(store, search, NOON + HOUR)
        return search

    def test_they_are_shown_and_told_again_once(self, store: Engine, left: Search, tmp_path: Path) -> None:
        shown = unsure_postings(store, left, NOON + DAY)
        assert sorted((row["title"], row["at"]) for row in shown) == [
            ("Data Engineer 1", NOON + HOUR),
            ("Data Engineer 2", NOON + HOUR),
        ]
        assert tell_again(store, left, NOON + HOUR) == 0, "somebody may be telling them right now"
        assert tell_again(store, left, NOON + DAY) == 2
        assert sorted(told_in(tmp_path / "new.jsonl")) == ["Data Engineer 1", "Data Engineer 2"]
        assert told_counts(store)[left.id] == (2, 0)
        assert tell_again(store, left, NOON + 2 * DAY) == 0
        assert tell_searches(store, NOON + 2 * DAY) == {"all": 0}

    def test_they_are_dropped(self, store: Engine, left: Search, tmp_path: Path) -> None:
        assert drop_unsure(store, left, NOON + DAY) == 2
        assert (told_counts(store)[left.id], told_in(tmp_path / "new.jsonl")) == ((2, 0), [])
        assert tell_again(store, left, NOON + DAY) == 0

    def test_a_channel_that_fails_leaves_them_unsure(self, store: Engine, left: Search, tmp_path: Path) -> None:
        (tmp_path / "new.jsonl").mkdir()
        with pytest.raises(AlertError, match="all: "):
            tell_again(store, left, NOON + DAY)
        assert told_counts(store)[left.id] == (0, 2)

    def test_what_is_gone_is_told_to_nobody(self, store: Engine, left: Search, tmp_path: Path) -> None:
        with writing(store) as connection:
            connection.execute(update(RAW).values(posting_id=None))
            connection.execute(delete(POSTING).where(POSTING.c.title_text == "Data Engineer 1"))
        assert [row["title"] for row in unsure_postings(store, left, NOON + DAY)].count(None) == 1
        assert tell_again(store, left, NOON + DAY) == 1
        assert told_in(tmp_path / "new.jsonl") == ["Data Engineer 2"]
        assert told_counts(store)[left.id] == (1, 0)

    def test_the_commands_say_what_to_do(self, store: Engine, left: Search, ledger_url: str, tmp_path: Path) -> None:
        program = [str(Path(sys.executable).parent / "jobledger"), "--db", ledger_url, "searches"]

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run([*program, *words], capture_output=True, text=True, check=False)

        listed = run("list", "--json")
        assert json.loads(listed.stdout)[0]["unsure"] == 2
        assert "searches unsure all" in run("list").stderr
        assert len(json.loads(run("unsure", "all", "--json").stdout)) == 2
        assert run("resend", "all").stdout == "all: 2 told again\n"
        assert run("drop", "all").stdout == "all: 0 dropped\n"
        assert len(told_in(tmp_path / "new.jsonl")) == 2
        wrong = run("resend", "nobody")
        assert (wrong.returncode, "no saved search" in wrong.stderr) == (2, True)


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
