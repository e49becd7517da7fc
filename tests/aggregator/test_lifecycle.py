"""Closing, opening again, publishing again: the rules by themselves, and after runs on both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from aggregator.lifecycle import DROP_MISSES, MISSES, SPACING, Closing, after_run, judge_absences, reposts
from aggregator.pipeline import aggregate
from db.evergreen import EVERGREEN_AGE, is_evergreen
from db.filters import Filters
from db.lifecycle import Absent
from db.models import Posting, PostingChange
from db.queries import find_postings
from db.runs import Outcome, claim_run, finish_run, history
from db.session import reading
from db.store import keep
from db.tables import RAW
from tests.db.records import DAY, HOUR, NOON, ad, rows


def day(number: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def absents(number: int, missed: int = 0, since: datetime | None = None) -> list[Absent]:
    return [Absent(f"ad-{n}", missed, since) for n in range(number)]


class TestRules:
    @pytest.mark.parametrize(
        ("missed", "since", "now", "expected"),
        [
            pytest.param(0, None, day(0), (1, None), id="first miss closes nothing"),
            pytest.param(1, day(0), day(0) + HOUR, (1, None), id="an hour later is the same miss"),
            pytest.param(1, day(0), day(0) + SPACING - HOUR, (1, None), id="just too early"),
            pytest.param(1, day(0), day(0) + SPACING, (2, day(0)), id="second spaced miss closes, at the first"),
            pytest.param(1, day(0), day(30), (2, day(0)), id="a month later"),
        ],
    )
    def test_one_absent_posting(
        self, missed: int, since: datetime | None, now: datetime, expected: tuple[int, datetime | None]
    ) -> None:
        (absence,), closing = judge_absences([Absent("ad", missed, since)], 100, now=now)
        assert (absence.missed, absence.closed_at) == expected
        assert closing == Closing(1, int(expected[1] is not None))

    @pytest.mark.parametrize(
        ("missing", "open_before", "dropped"),
        [(3, 3, False), (4, 4, True), (50, 100, False), (51, 100, True), (0, 0, False), (1, 1, False)],
    )
    def test_a_drop_closes_nothing_and_says_so(self, missing: int, open_before: int, dropped: bool) -> None:
        _, closing = judge_absences(absents(missing, 1, day(0)), open_before, now=day(2))
        assert closing.closed == (0 if dropped else missing)
        assert (closing.reason is not None) is dropped
        if closing.reason is not None:
            assert f"{missing} of {open_before}" in closing.reason

    def test_a_drop_that_stays_is_believed_in_the_end(self) -> None:
        absent, closings = absents(90), []
        for number in range(DROP_MISSES + 1):
            absences, closing = judge_absences(absent, 100, now=day(number))
            absent = [Absent(a.id, a.missed, a.missed_at) for a in absences if a.closed_at is None]
            closings.append(closing.closed)
            if not absent:
                break
        assert closings == [0] * (DROP_MISSES - 1) + [90]

    @given(st.lists(st.floats(0, 30), min_size=1, max_size=12))
    def test_never_closed_by_misses_closer_than_the_spacing(self, times: list[float]) -> None:
        missed, since = 0, None
        for moment in map(day, sorted(times)):
            (absence,), _ = judge_absences([Absent("ad", missed, since)], 100, now=moment)
            missed, since = absence.missed, absence.missed_at
            if absence.closed_at is not None:
                assert moment - absence.missed_at >= SPACING * (MISSES - 1)
                break

    @pytest.mark.parametrize(
        ("ads", "expected"),
        [
            pytest.param([("a", day(0), day(5))], (0, 0), id="one ad"),
            pytest.param([("a", day(0), day(5)), ("b", day(9), day(12))], (0, 0), id="two sources"),
            pytest.param([("a", day(0), day(5)), ("a", day(2), day(9))], (0, 0), id="side by side"),
            pytest.param([("a", day(0), day(5)), ("a", day(9), day(12))], (1, 9), id="one after the other"),
            pytest.param([("a", day(40), day(50)), ("a", day(0), day(5)), ("a", day(9), day(12))], (2, 40), id="twice"),
        ],
    )
    def test_reposts(self, ads: list[tuple[str, datetime, datetime]], expected: tuple[int, int]) -> None:
        assert reposts(ads) == expected

    @pytest.mark.parametrize(
        ("posting", "expected"),
        [
            pytest.param({}, False, id="fresh"),
            pytest.param({"last_seen": day(0) + EVERGREEN_AGE}, True, id="long open"),
            pytest.param({"posted_on": day(-200).date()}, True, id="long open by its own date"),
            pytest.param({"posted_on": day(3).date()}, False, id="dated after we saw it"),
            pytest.param({"reposted": 3}, True, id="published again and again"),
        ],
    )
    def test_evergreen(self, posting: dict[str, Any], expected: bool) -> None:
        base = {"first_seen": day(0), "last_seen": day(30), "posted_on": None, "reposted": 0}
        assert is_evergreen(base | posting) is expected


def run(
    store: Engine, at: datetime, seen: list[int], *, verdict: str = "healthy", complete: bool = True, **changes: Any
) -> Closing:
    """One crawl of the board that saw these ads, and what the aggregator makes of it."""
    run_id = claim_run(store, "acme-board", at, "manual", "me", at)
    assert run_id is not None
    keep(store, [ad(number, seen_at=at + HOUR / 10, **changes) for number in seen])
    outcome = Outcome(verdict=verdict, complete=complete)
    finish_run(store, run_id, outcome, at + HOUR / 5)
    closing = after_run(store, "acme-board", SimpleNamespace(run_id=run_id, outcome=outcome), at + HOUR / 5)
    aggregate(store, now=at + HOUR / 4)
    return closing


def closed(store: Engine) -> dict[str, datetime | None]:
    with reading(store) as connection:
        return {row.source_id: row.closed_at for row in connection.execute(select(RAW).order_by(RAW.c.source_id))}


class TestRuns:
    def test_two_spaced_misses_close_the_posting_and_say_so(self, store: Engine) -> None:
        run(store, NOON, [1, 2, 3])
        assert run(store, NOON + DAY, [1, 2]) == Closing(missing=1)
        assert run(store, NOON + 2 * DAY, [1, 2]) == Closing(missing=1, closed=1)
        missed_first = NOON + DAY + HOUR / 5
        assert closed(store) == {"ad-1": None, "ad-2": None, "ad-3": missed_first}
        assert [p["closed_at"] for p in rows(store, Posting)].count(missed_first) == 1
        (change,) = [c for c in rows(store, PostingChange) if c["field"] == "closed_at"]
        assert (change["old"], change["new"], change["cause"]) == (None, str(missed_first), "lifecycle")
        found, _ = find_postings(store, Filters(open=False))
        assert [p["title"] for p in found] == ["Data Engineer 3"]

    def test_seen_again_is_open_again_and_counted(self, store: Engine) -> None:
        for number, seen in enumerate(([1, 2], [1], [1], [1, 2])):
            run(store, NOON + number * DAY, seen)
        assert closed(store) == {"ad-1": None, "ad-2": None}
        assert sorted(p["reopened"] for p in rows(store, Posting)) == [0, 1]
        changes = [(c["old"] is None, c["new"] is None) for c in rows(store, PostingChange)]
        assert sorted(changes) == [(False, True), (True, False)]

    @pytest.mark.parametrize(
        "how",
        [{"verdict": "suspect"}, {"verdict": "failed"}, {"complete": False}],
        ids=["suspect", "failed", "incomplete"],
    )
    def test_a_run_that_is_not_believed_closes_nothing(self, store: Engine, how: dict[str, Any]) -> None:
        run(store, NOON, [1, 2, 3])
        for number in range(1, 9):
            assert run(store, NOON + number * DAY, [], **how) == Closing()
        assert set(closed(store).values()) == {None}

    def test_a_drop_closes_nothing_and_stands_in_the_run(self, store: Engine) -> None:
        run(store, NOON, list(range(10)))
        for number in (1, 2, 3):
            closing = run(store, NOON + number * DAY, [1, 2])
            assert (closing.missing, closing.closed) == (8, 0)
        assert set(closed(store).values()) == {None}
        assert "8 of 10 open postings are missing" in history(store, "acme-board")[0].reasons[0]

    def test_a_miss_is_forgotten_when_the_ad_is_seen(self, store: Engine) -> None:
        for number, seen in enumerate(([1, 2, 3], [1, 2], [1, 2, 3], [1, 2])):
            run(store, NOON + number * DAY, seen)
        assert set(closed(store).values()) == {None}

    def test_another_source_is_left_alone(self, store: Engine) -> None:
        keep(store, [ad(7, source="other-board")])
        run(store, NOON, [1, 2])
        for number in (1, 2, 3):
            run(store, NOON + number * DAY, [1, 2])
        assert set(closed(store).values()) == {None}

    def test_the_same_job_in_a_new_ad_is_one_posting(self, store: Engine) -> None:
        words = " ".join(f"word{n}" for n in range(150))
        same = {"title_text": "Data Engineer", "description_text": words}
        for number, seen in enumerate(([1], [], [], [2], [2])):
            run(store, NOON + number * 3 * DAY, seen, **same)
        (posting,) = rows(store, Posting)
        assert (posting["reposted"], posting["reposted_days"], posting["closed_at"]) == (1, 9, None)
        assert posting["first_seen"] == NOON + HOUR / 10
