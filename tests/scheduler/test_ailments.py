"""What ails a source, read from the stats that Scrapy leaves behind."""

from __future__ import annotations

import pytest

from db.runs import Outcome
from scheduler.ailments import AILMENTS, BY_CODE, diagnose, is_without_host

S = "downloader/response_status_count/"
E = "downloader/exception_type_count/"
ROBOTS = "robotstxt/response_status_count/"
FINISHED = {"finish_reason": "finished"}


@pytest.mark.parametrize(
    ("stats", "ailment"),
    [
        pytest.param({S + "404": 1}, "gone", id="404 alone"),
        pytest.param({S + "410": 3}, "gone", id="410"),
        pytest.param(
            {S + "404": 1, S + "200": 1, ROBOTS + "200": 1}, "gone", id="robots.txt is there, the board is not"
        ),
        pytest.param({S + "301": 1, S + "404": 1}, "gone", id="sent on to a page that is not there"),
        pytest.param({S + "302": 20}, "moved", id="sent round in circles"),
        pytest.param({S + "403": 1}, "blocked", id="403"),
        pytest.param({S + "429": 3}, "blocked", id="429 after retries"),
        pytest.param({S + "200": 1, S + "429": 40}, "blocked", id="the listing came, the pages did not"),
        pytest.param({S + "200": 5, "jobledger/challenges": 5}, "blocked", id="are you human"),
        pytest.param(
            {S + "200": 1, ROBOTS + "200": 1, "robotstxt/forbidden": 1}, "blocked", id="robots.txt forbids all of it"
        ),
        pytest.param({S + "503": 3}, "unreachable", id="server errors"),
        pytest.param({S + "404": 1, ROBOTS + "404": 1, S + "500": 3}, "unreachable", id="no robots.txt, then errors"),
        pytest.param({E + "twisted.internet.error.TimeoutError": 3}, "unreachable", id="time-outs"),
        pytest.param({E + "twisted.internet.error.DNSLookupError": 3}, "unreachable", id="no such host, this once"),
        pytest.param({S + "200": 1, S + "502": 90}, "unreachable", id="mostly errors"),
        pytest.param({S + "200": 9, "spider_exceptions/KeyError": 9}, "parser_broke", id="pages that we cannot read"),
        pytest.param(
            {S + "200": 9, S + "404": 2, "robotstxt/forbidden": 1}, "parser_broke", id="a few dead links beside"
        ),
        pytest.param({S + "200": 9, "finish_reason": "closespider_errorcount"}, "parser_broke", id="too many errors"),
        pytest.param({S + "200": 9, "finish_reason": "memusage_exceeded"}, "crashed", id="too much memory"),
        pytest.param({S + "200": 9, "finish_reason": "closespider_timeout"}, "crashed", id="too slow"),
        pytest.param({S + "200": 9, "finish_reason": "store_failed"}, "crashed", id="our ledger, not their site"),
        pytest.param({S + "200": 1, ROBOTS + "200": 1}, "crashed", id="stopped after robots.txt"),
        pytest.param({"jobledger/entry_fault": 1}, "misconfigured", id="no such spider"),
        pytest.param({}, "crashed", id="died without a word"),
    ],
)
def test_a_failed_run_shows(stats: dict[str, object], ailment: str) -> None:
    given = {**FINISHED, **stats} if stats else {}
    assert diagnose(Outcome(verdict="failed", stats=given)) == ailment


@pytest.mark.parametrize(
    ("outcome", "ailment"),
    [
        pytest.param(Outcome(verdict="healthy"), None, id="healthy"),
        pytest.param(Outcome(verdict="healthy", stats={S + "404": 3}), None, id="healthy with dead links"),
        pytest.param(Outcome(verdict="suspect", pages=3, sightings=9), "drifting", id="less than usual"),
        pytest.param(Outcome(verdict="suspect", pages=3), "empty", id="nothing where there was something"),
    ],
)
def test_other_verdicts(outcome: Outcome, ailment: str | None) -> None:
    assert diagnose(outcome) == ailment


def test_without_host_means_that_nothing_else_was_heard() -> None:
    lookup = E + "twisted.internet.error.DNSLookupError"
    assert is_without_host(Outcome(verdict="failed", stats={lookup: 3}))
    assert not is_without_host(Outcome(verdict="failed", stats={lookup: 3, S + "503": 1}))
    assert not is_without_host(Outcome(verdict="failed", stats={lookup: 3, E + "x.TimeoutError": 1}))
    assert not is_without_host(Outcome(verdict="failed"))


def test_the_table_is_whole() -> None:
    assert len(BY_CODE) == len(AILMENTS)
    for ailment in AILMENTS:
        assert ailment.rest <= ailment.longest_rest
        assert ailment.open_after is None or ailment.tell_after <= ailment.open_after
        assert ailment.means
        assert ailment.remedy
        assert not ailment.remedy.endswith(".")
