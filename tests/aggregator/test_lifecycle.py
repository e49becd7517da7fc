"""Closing, opening again, publishing again: the rules by themselves, and after runs on both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, select

from aggregator.lifecycle import DOUBTED_MISSES, Closing, after_run, judge_board, reposts
from aggregator.pipeline import aggregate
from db.evergreen import EVERGREEN_AGE, is_evergreen
from db.filters import Filters
from db.lifecycle import Absent, Board, Look
from db.models import Posting, PostingChange
from db.queries import find_postings
from db.runs import Outcome, claim_run, finish_run, history
from db.session import reading
from db.store import keep
from db.tables import RAW
from tests.db.records import DAY, HOUR, NOON, ad, rows


def day(number: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def looked(*days: float, believed: bool = True) -> tuple[Look, ...]:
    """Runs that began on these days and took an hour."""
    return tuple(Look(day(number), day(number) + HOUR, believed) for number in days)


def absents(number: int, last_seen: float = 0) -> tuple[Absent, ...]:
    return tuple(Absent(f"ad-{n}", day(0), day(last_seen) + HOUR / 2) for n in range(number))


class TestRules:
    @pytest.mark.parametrize(
        ("runs", "expected"),
        [
            pytest.param([1], (1, None), id="first miss closes nothing"),
            pytest.param([1, 1 + 1 / 24], (1, None), id="an hour later is the same miss"),
            pytest.param([1, 1 + 19 / 24], (1, None), id="just too early"),
            pytest.param([1, 1 + 20 / 24], (2, day(1) + HOUR), id="second spaced miss closes, at the first"),
            pytest.param([1, 1 + 1 / 24, 1 + 21 / 24], (2, day(1) + HOUR), id="after an hourly repeat"),
            pytest.param([1, 31], (2, day(1) + HOUR), id="a month later"),
        ],
    )
    def test_one_absent_posting(self, runs: list[float], expected: tuple[int, datetime | None]) -> None:
        (absence,), closing = judge_board(Board(looked(0, *runs), absents(1), 99))
        assert (absence.missed, absence.closed_at) == expected
        assert closing == Closing(1, int(expected[1] is not None))

    @pytest.mark.parametrize(
        ("missing", "reappeared", "dropped"),
        [
            (3, 0, True),
            (3, 1, False),
            (4, 0, True),
            (4, 3, True),
            (4, 4, False),
            (50, 50, False),
            (51, 49, True),
            (0, 0, False),
            (1, 0, True),
            (1, 1, False),
        ],
    )
    def test_a_drop_closes_nothing_and_says_so(self, missing: int, reappeared: int, dropped: bool) -> None:
        _, closing = judge_board(Board(looked(0, 1, 2), absents(missing), reappeared))
        assert (closing.closed, closing.doubted) == (0 if dropped else missing, dropped)
        if dropped:
            assert closing.reason is not None
            assert f"{reappeared} of the {missing + reappeared} ad" in closing.reason
            assert "(2 so far)" in closing.reason
        else:
            assert closing.reason is None

    def test_what_new_ads_a_run_brings_makes_no_difference(self) -> None:
        """They are not among the ads that reappeared: the ledger counts only those that a believed run had shown."""
        strangers = tuple(Absent(f"other-{n}", day(1) + HOUR / 2, day(2) + HOUR / 2) for n in range(50))
        doubted = looked(0) + looked(1, 2, believed=False) + looked(3)
        _, closing = judge_board(Board(doubted, absents(20) + strangers, 0))
        assert (closing.missing, closing.closed, closing.doubted) == (70, 0, True)
        assert closing.reason is not None
        assert closing.reason.startswith("0 of the 20 ads known before 2026-01-02 reappeared")

    def test_a_drop_that_stays_is_believed_at_the_fifth_run(self) -> None:
        closings = [judge_board(Board(looked(*range(2 + n)), absents(90), 10))[1] for n in range(DOUBTED_MISSES)]
        assert [closing.closed for closing in closings] == [0, 0, 0, 0, 90]
        assert [closing.verdict for closing in closings] == ["suspect"] * 4 + ["healthy"]
        assert closings[-1].reason == (
            "10 of the 100 ads known before 2026-01-02 reappeared; 5 runs on different days say the same: 90 ads closed"
        )

    def test_five_hourly_runs_after_a_month_are_one(self) -> None:
        runs = looked(0, 1, 31, *(31 + hour / 24 for hour in range(1, 12)))
        _, closing = judge_board(Board(runs, absents(90), 10))
        assert (closing.closed, closing.doubted) == (0, True)
        assert closing.reason is not None
        assert "(2 so far)" in closing.reason

    def test_a_board_that_no_run_was_believed_of_is_compared_with_all_that_is_open(self) -> None:
        _, closing = judge_board(Board(looked(1, 2, believed=False), absents(9), 1))
        assert (closing.closed, closing.doubted) == (0, True)

    @pytest.mark.parametrize(("doubt", "doubted", "closed"), [(None, False, 1), ("past", True, 0), ("bounds", True, 0)])
    def test_a_doubt_about_the_run_asks_for_more_runs(self, doubt: str | None, doubted: bool, closed: int) -> None:
        board = Board(looked(0) + looked(1, 2, believed=doubt is None), absents(1), 9)
        _, closing = judge_board(board, doubt)
        assert (closing.doubted, closing.closed) == (doubted, closed)

    @pytest.mark.parametrize(("doubt", "doubted"), [("past", False), ("bounds", True)])
    def test_the_past_is_overruled_after_five_runs_and_the_operator_never(self, doubt: str, doubted: bool) -> None:
        _, closing = judge_board(Board(looked(0) + looked(1, 2, 3, 4, 5, believed=False), absents(1), 9), doubt)
        assert (closing.doubted, closing.closed) == (doubted, 1)
        assert closing.reason is not None

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
        last = history(store, "acme-board")[0]
        assert (last.verdict, last.complete) == ("suspect", False), "it is no measure for the runs after it"
        assert last.reasons == (
            "2 of the 10 ads known before 2026-03-02 reappeared; nothing is closed until 5 runs on different days say "
            "the same (3 so far)",
        )

    def test_a_drop_that_stays_is_closed_and_the_runs_after_it_are_healthy(self, store: Engine) -> None:
        run(store, NOON, list(range(10)))
        closings = [run(store, NOON + number * DAY, [1, 2]).closed for number in range(1, 8)]
        assert closings == [0, 0, 0, 0, 8, 0, 0]
        assert {at for at in closed(store).values() if at} == {NOON + DAY + HOUR / 5}, "when it was first missed"
        assert [row.verdict for row in history(store, "acme-board", 3)] == ["healthy"] * 3

    def test_another_company_closes_nothing_and_its_own_ads_go_when_the_board_is_back(self, store: Engine) -> None:
        own, others = list(range(20)), list(range(100, 120))
        run(store, NOON, own)
        assert [run(store, NOON + n * DAY, others).closed for n in (1, 2, 3, 4)] == [0, 0, 0, 0]
        assert [run(store, NOON + n * DAY, own).closed for n in (5, 6)] == [0, 20]
        assert {name for name, at in closed(store).items() if at} == {f"ad-{n}" for n in others}
        assert history(store, "acme-board")[0].verdict == "healthy"

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
