"""What the scheduler makes of a run whose ads were compared: its condition, its row, and what follows a fault."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from aggregator import lifecycle
from db.runs import history
from db.source_state import Condition, find_condition, keep_sources
from scheduler import jobs
from scheduler.once import run_due_once
from scheduler.timetable import DAY, entries
from scraper.sources import Source
from tests.aggregator.boards_over_time import START, BoardOverTime, Shown

ACME = Source(name="acme", spider="greenhouse", token="acme", schedule="0 6 * * *")


@pytest.fixture
def board(ledger: Engine) -> BoardOverTime:
    keep_sources(ledger, entries([ACME], jobs=()), START)
    return BoardOverTime(ledger, ACME)


def condition(board: BoardOverTime) -> Condition:
    found = find_condition(board.engine, "acme")
    assert found is not None
    return found


@pytest.mark.parametrize(("then", "ailment"), [("other 20", "drifting"), ("6", "drifting"), ("0", "empty")])
def test_a_source_is_ill_from_the_first_doubted_run_until_it_is_believed(
    board: BoardOverTime, then: str, ailment: str
) -> None:
    board.run(Shown.of("20"))
    ails = []
    for _ in range(6):
        board.pass_by(DAY)
        board.run(Shown.of(then))
        ails.append((condition(board).ailment, condition(board).ailment_since))
    since = ails[0][1]
    assert since is not None
    assert ails == [(ailment, since)] * 4 + [(None, None)] * 2


def test_schedule_once_compares_the_ads_too(board: BoardOverTime) -> None:
    verdicts = []
    for words in ("20", *["6"] * 5):
        (result,) = run_due_once(
            [ACME],
            engine=board.engine,
            database_url="",
            now=board.clock(),
            jobs=(),
            crawl=board.crawl_of(Shown.of(words)),
        )
        verdicts.append(result.verdict)
        board.pass_by(DAY)
    assert verdicts == ["healthy", *["suspect"] * 4, "healthy"]
    assert board.closed() == 14


def test_an_error_of_ours_while_a_run_is_judged_is_a_failed_run(
    board: BoardOverTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: Any, **_named: Any) -> Any:
        raise ValueError("a fault of ours")

    board.run(Shown.of("20"))
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "look_at_board", broken)
        for _ in range(6):
            board.pass_by(DAY)
            outcome = board.run(Shown.of("6"))
            assert (outcome.verdict, outcome.complete) == ("failed", False)
            assert outcome.reasons == ("an error of ours: ValueError: a fault of ours",)
    assert board.closed() == 0
    board.pass_by(DAY)
    assert board.run(Shown.of("6")).reasons[0].endswith("(1 so far)"), "runs that broke do not count"
    assert history(board.engine, "acme")[1].verdict == "failed"


def test_a_ledger_that_is_away_while_a_run_is_judged_is_waited_for(
    board: BoardOverTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times = lifecycle.look_at_board, iter(range(9))

    def away_at_first(*given: Any, **named: Any) -> Any:
        if next(times) < 2:
            raise OperationalError("SELECT", {}, Exception("the ledger is away"))
        return real(*given, **named)

    monkeypatch.setattr(lifecycle, "look_at_board", away_at_first)
    monkeypatch.setattr(jobs, "_sleep", lambda *_given: None)
    assert board.run(Shown.of("20")).verdict == "healthy"
    assert next(times) == 3
