"""What holds of every board, whatever its runs show and whenever they run: on a real ledger, by property."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from aggregator.lifecycle import DOUBTED_MISSES, MISSES, SPACING
from db.session import reading
from db.tables import RAW
from scraper.sources import Source
from tests.aggregator.boards_over_time import BoardOverTime, Shown

NUMBERS = count()
"""Each board is a source of its own: examples share a ledger."""
LAW = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
BOARDS = st.frozensets(st.integers(1, 9), max_size=9)
"""What one run shows: every drop, dip and return among nine ads."""
WEEK = st.lists(BOARDS, min_size=2, max_size=9)
PARTLY = Shown(stats={"jobledger/incomplete/the listing breaks off": 1})


def board_in(ledger: Engine) -> BoardOverTime:
    name = f"board-{next(NUMBERS)}"
    return BoardOverTime(ledger, Source(name=name, spider="greenhouse", token=name))


def showing(ads: frozenset[int] | Sequence[int]) -> Shown:
    return Shown(ads=tuple(sorted(ads)))


def closed(board: BoardOverTime) -> dict[int, datetime]:
    """The numbers of the ads that are closed now, and since when."""
    query = select(RAW.c.source_id, RAW.c.closed_at).where(
        RAW.c.source == board.source.name, RAW.c.closed_at.is_not(None)
    )
    with reading(board.engine) as connection:
        return {int(name.removeprefix("ad-")): at for name, at in connection.execute(query)}


@LAW
@given(WEEK, st.lists(st.integers(1, 4), min_size=9, max_size=9))
def test_repeats_within_the_spacing_change_nothing(
    ledger: Engine, days: list[frozenset[int]], repeats: list[int]
) -> None:
    once, often = board_in(ledger), board_in(ledger)
    for ads, times in zip(days, repeats, strict=False):
        verdicts = {once.run(showing(ads)).verdict}
        for _ in range(times):
            verdicts.add(often.run(showing(ads)).verdict)
            often.pass_by(HOUR)
        often.pass_by(DAY - times * HOUR)
        once.pass_by(DAY)
        assert closed(once) == closed(often)
        assert len(verdicts) == 1


@LAW
@given(st.lists(st.tuples(BOARDS, st.integers(1, 40), st.booleans()), min_size=2, max_size=12))
def test_an_ad_is_closed_by_spaced_runs_that_read_everything(
    ledger: Engine, runs: list[tuple[frozenset[int], int, bool]]
) -> None:
    board = board_in(ledger)
    missed: dict[int, list[datetime]] = {}
    known: set[int] = set()
    for ads, hours, is_whole in runs:
        began, before = board.now, closed(board)
        outcome = board.run(showing(ads) if is_whole else Shown(ads=tuple(sorted(ads)), stats=PARTLY.stats))
        known |= ads
        for number in known:
            if number in ads:
                missed[number] = []
            elif is_whole and (not missed[number] or began - missed[number][-1] >= SPACING):
                missed[number].append(began)
        for number in closed(board).keys() - before.keys():
            assert is_whole
            assert len(missed[number]) >= (MISSES if outcome.verdict == "healthy" else DOUBTED_MISSES)
        board.pass_by(hours * HOUR)


@LAW
@given(BOARDS, WEEK, st.integers(1, 200))
def test_an_ad_that_every_run_shows_stays_open(
    ledger: Engine, always: frozenset[int], others: list[frozenset[int]], hours: int
) -> None:
    board = board_in(ledger)
    for ads in others:
        board.run(showing(always | ads))
        assert not closed(board).keys() & always
        board.pass_by(hours * HOUR)


@LAW
@given(st.integers(1, 8), st.integers(1, 200), st.integers(2, 9))
def test_parts_that_are_shown_in_turn_close_nothing(ledger: Engine, first: int, hours: int, times: int) -> None:
    board, parts = board_in(ledger), (range(1, first + 1), range(first + 1, 10))
    for number in range(times):
        board.run(showing(parts[number % 2]))
        assert closed(board) == {}
        board.pass_by(hours * HOUR)


@LAW
@given(WEEK, st.integers(20, 200))
def test_an_ad_that_is_shown_is_open(ledger: Engine, days: list[frozenset[int]], hours: int) -> None:
    board = board_in(ledger)
    for ads in days:
        board.run(showing(ads))
        assert not closed(board).keys() & ads
        board.pass_by(hours * HOUR)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 20])
@pytest.mark.parametrize("hours", [20, 24, 168])
def test_whatever_is_gone_for_good_is_closed_after_six_spaced_runs(ledger: Engine, size: int, hours: int) -> None:
    """Bounded: for every size of board and every number of ads that stay."""
    for left in range(size):
        board = board_in(ledger)
        for shown in (size, *[left] * (DOUBTED_MISSES + 1)):
            last = board.run(showing(range(1, shown + 1)))
            board.pass_by(hours * HOUR)
        assert sorted(closed(board)) == list(range(left + 1, size + 1))
        assert last.verdict == "healthy"
