"""The table of `docs/closing.md` holds, on both stores: each row is walked through the code that runs in service."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.aggregator.boards_over_time import Scenario, scenarios, walk
from tests.conftest import REPOSITORY

SCENARIOS = scenarios((REPOSITORY / "docs" / "closing.md").read_text("utf-8"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.board for scenario in SCENARIOS])
def test_a_board_closes_what_the_table_says(scenario: Scenario, store: Engine) -> None:
    closes, last = walk(store, scenario)
    assert (closes, last.verdict) == (scenario.closes, scenario.last), last.reasons


def test_every_board_has_a_name_of_its_own() -> None:
    names = [scenario.board for scenario in SCENARIOS]
    assert len(names) == len(set(names)) > 60
