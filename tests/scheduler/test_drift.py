"""From a crawl's counts to a message: a source that drifts is told of once, and once when it is itself again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from db.source_state import find_condition, keep_sources, set_condition
from scheduler.alerts import tell_all
from scheduler.conditions import at_moment
from scheduler.jobs import run_source
from scheduler.timetable import entries
from scraper.health import judge
from scraper.sources import Source
from tests.scheduler.test_telling import Ear

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ACME = Source(name="acme", spider="greenhouse", token="acme", schedule="0 12 * * *")
USUAL: Mapping[str, Any] = {
    "finish_reason": "finished",
    "downloader/response_status_count/200": 4,
    "jobledger/answers": 4,
    "jobledger/pages": 4,
    "jobledger/raw_postings": 40,
    "jobledger/postings_read": 40,
    "jobledger/field/pay": 20,
    "jobledger/field/location_text": 40,
}


def run(engine: Engine, stats: Mapping[str, Any], day: int) -> str:
    """A day's run, whose crawl counted these and is judged against the days before."""

    def crawl(source: Source, *, history: Any, **_given: Any) -> Any:
        made = judge(stats, source, history)
        count = int(stats["jobledger/raw_postings"])
        pages = int(stats["jobledger/pages"])
        return SimpleNamespace(
            verdict=made.verdict, reasons=made.reasons, complete=False, pages=pages, sightings=count, stats=stats
        )

    moment = NOON + day * DAY
    result = run_source(
        ACME,
        engine=engine,
        database_url="",
        scheduled_for=moment,
        trigger="schedule",
        now=lambda: moment,
        crawl=crawl,
    )
    assert result is not None
    return result.verdict


@pytest.mark.parametrize(
    ("change", "ailment", "words"),
    [
        pytest.param(
            {"jobledger/raw_postings": 19, "jobledger/postings_read": 19, "jobledger/field/location_text": 19},
            "drifting",
            "brought clearly less",
            id="half the usual items",
        ),
        pytest.param({"jobledger/field/location_text": 3}, "drifting", "or other", id="a field gone missing"),
        pytest.param({"jobledger/field/pay": 2}, "drifting", "or other", id="the pay share collapsed"),
        pytest.param(
            {"jobledger/raw_postings": 0, "jobledger/postings_read": 0}, "empty", "there is no posting", id="empty"
        ),
    ],
)
def test_a_drift_is_told_once_and_its_end_once(
    change: Mapping[str, Any], ailment: str, words: str, ledger: Engine
) -> None:
    keep_sources(ledger, entries([ACME], jobs=()), NOON)
    ear = Ear()
    for day in range(4):
        assert run(ledger, USUAL, day) == "healthy"
        tell_all(ledger, ear, NOON)
    assert ear.heard == []
    for day in range(4, 7):
        assert run(ledger, {**USUAL, **change}, day) == "suspect"
        tell_all(ledger, ear, NOON + day * DAY)
    condition = find_condition(ledger, "acme")
    assert condition is not None
    assert (condition.ailment, condition.circuit) == (ailment, "closed"), "it goes on being read"
    ((title, body),) = ear.heard
    assert title == "jobledger: trouble with acme"
    assert words in body
    for day in range(7, 9):
        assert run(ledger, USUAL, day) == "healthy"
        tell_all(ledger, ear, NOON + day * DAY)
    assert [title for title, _ in ear.heard[1:]] == ["jobledger: well again: acme"]


REACTIONS: Mapping[str, tuple[Mapping[str, int], int, timedelta]] = {
    "gone": ({"404": 1}, 2, DAY),
    "moved": ({"302": 20}, 3, timedelta(hours=12)),
    "blocked": ({"403": 1}, 1, timedelta(hours=6)),
    "unreachable": ({"503": 4}, 3, timedelta(hours=1)),
    "parser_broke": ({"200": 4}, 4, timedelta(hours=6)),
}
"""Ailment -> the answers that show it, after how many failed runs the circuit opens, the least first rest."""


@pytest.mark.parametrize("ailment", REACTIONS)
def test_each_way_to_die_has_its_own_reaction(ailment: str, ledger: Engine) -> None:
    answers, opens_after, rest = REACTIONS[ailment]
    hourly = Source(name="acme", spider="greenhouse", token="acme", schedule="0 * * * *")
    keep_sources(ledger, entries([hourly], jobs=()), NOON)
    stats = {f"downloader/response_status_count/{code}": count for code, count in answers.items()}

    def crawl(_source: Source, **_given: Any) -> Any:
        return SimpleNamespace(verdict="failed", reasons=("no",), stats={"finish_reason": "finished", **stats})

    for attempt in range(1, opens_after + 1):
        moment = NOON + attempt * timedelta(hours=1)
        run_source(
            hourly,
            engine=ledger,
            database_url="",
            scheduled_for=moment,
            trigger="schedule",
            now=lambda moment=moment: moment,
            crawl=crawl,
        )
        condition = find_condition(ledger, "acme")
        assert condition is not None
        assert condition.ailment == ailment
        assert condition.circuit == ("open" if attempt == opens_after else "closed")
    assert condition.probe_after == moment + rest


def test_staleness_is_told_once_and_its_end_once(ledger: Engine) -> None:
    keep_sources(ledger, entries([ACME], jobs=()), NOON)
    ear = Ear()
    run(ledger, USUAL, 0)
    for day in (2, 4, 5):
        set_condition(ledger, "acme", partial(at_moment, interval=DAY, now=NOON + day * DAY))
        tell_all(ledger, ear, NOON + day * DAY)
    run(ledger, USUAL, 6)
    tell_all(ledger, ear, NOON + 6 * DAY)
    assert [title for title, _ in ear.heard] == ["jobledger: trouble with acme", "jobledger: well again: acme"]
    assert "acme: stale since 2026-03-05" in ear.heard[0][1]
