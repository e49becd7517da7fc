"""The table of `docs/closing.md` holds, on both stores: each row is walked through the code that runs in service."""

from __future__ import annotations

from sqlalchemy import Engine

from tests.aggregator.boards_over_time import scenarios, walk
from tests.conftest import REPOSITORY

SCENARIOS = scenarios((REPOSITORY / "docs" / "closing.md").read_text("utf-8"))


def test_every_board_closes_what_the_table_says(store: Engine) -> None:
    """All of them in one ledger: what one source shows closes nothing of another."""
    found, expected = {}, {}
    for scenario in SCENARIOS:
        closes, last = walk(store, scenario)
        found[scenario.board] = (closes, last.verdict)
        expected[scenario.board] = (scenario.closes, scenario.last)
    assert found == expected


def test_every_board_has_a_source_of_its_own() -> None:
    names = [scenario.source.name for scenario in SCENARIOS]
    assert len(names) == len(set(names)) > 60
