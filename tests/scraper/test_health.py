"""Runs are judged: what is believed, what is doubted, and why, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.lifecycle import BELIEVED, SHARE, SIGHT, WHOLE
from scraper.health import ENDINGS, judge
from scraper.sources import Source

SOURCE = Source(name="acme", spider="greenhouse", min_items=10, max_items=100)
GOOD: Mapping[str, Any] = {
    "finish_reason": "finished",
    "jobledger/answers": 20,
    "jobledger/pages": 20,
    "jobledger/raw_postings": 40,
    "jobledger/postings_read": 40,
    "jobledger/field/pay": 30,
    "jobledger/field/description_text": 40,
    "jobledger/field/level_text": 4,
}


@dataclass(frozen=True)
class Past:
    verdict: str | None = "healthy"
    stats: Mapping[str, Any] = field(default_factory=lambda: GOOD)


def test_a_good_run() -> None:
    verdict = judge(GOOD, SOURCE, [Past()] * 5)
    assert (verdict.verdict, verdict.reasons, verdict.complete) == ("healthy", (), True)


DOUBTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "too few": ({"jobledger/raw_postings": 9}, "suspect", "9 postings, fewer than the 10 that this source always has"),
    "none": ({"jobledger/raw_postings": 0}, "suspect", "0 postings, fewer than the 10"),
    "too many": ({"jobledger/raw_postings": 101}, "suspect", "101 postings, more than the 100"),
    "less than half of before": (
        {"jobledger/raw_postings": 19},
        "suspect",
        "19 postings where the last healthy runs had 40",
    ),
    "pay gone": ({"jobledger/field/pay": 5}, "suspect", "pay in 12% of postings where 75% is usual"),
    "description gone": (
        {"jobledger/field/description_text": 0},
        "suspect",
        "description in 0% of postings where 100%",
    ),
    "one page failed": (
        {"jobledger/failed_answers/500": 1},
        "suspect",
        "the site failed: 1 x 500 of 20 answers",
    ),
    "many pages failed": ({"jobledger/failed_answers/503": 6}, "failed", "6 x 503 of 20 answers"),
    "refused": ({"jobledger/failed_answers/403": 20}, "failed", "the site refused us: 20 x 403"),
    "gone": ({"jobledger/failed_answers/404": 20}, "failed", "has no such page"),
    "challenge": ({"jobledger/challenges": 1}, "failed", "1 page asked whether we are human"),
    "parser": (
        {"spider_exceptions/KeyError": 2, "spider_exceptions/count": 2},
        "failed",
        "our parser broke: 2 x KeyError",
    ),
    "unreadable answers": ({"jobledger/parse_errors": 2}, "suspect", "2 answers could not be read"),
    "only unreadable answers": ({"jobledger/parse_errors": 20}, "failed", "20 answers could not be read"),
    "not inspected": ({"jobledger/not_inspected": 3}, "suspect", "3 listed postings whose own page could not be read"),
    "no content": ({"jobledger/empty_answers": 1}, "suspect", "1 answer had no content"),
    "no answer": ({"jobledger/no_answers/TimeoutError": 2}, "suspect", "2 pages without an answer after all retries"),
    "capped": (
        {"jobledger/incomplete": 1, "jobledger/incomplete/the listing has too many pages": 1},
        "suspect",
        "not the whole source: the listing has too many pages",
    ),
    "refused address": ({"jobledger/refused_addresses": 1}, "suspect", "forbidden addresses refused"),
    "no page": ({"jobledger/pages": 0}, "failed", "no page could be read"),
    "store": ({"jobledger/store_error": "disk full"}, "failed", "the ledger could not be written: disk full"),
    "time up": ({"finish_reason": "closespider_timeout"}, "failed", "the crawl ran out of time"),
    "memory": ({"finish_reason": "memusage_exceeded"}, "failed", "the crawl used more memory than it may"),
    "interrupted": ({"finish_reason": "shutdown"}, "failed", "was interrupted"),
    "unknown ending": ({"finish_reason": "odd"}, "failed", "ended unexpectedly: odd"),
}


@pytest.mark.parametrize(("change", "verdict", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_doubts(change: dict[str, Any], verdict: str, reason: str) -> None:
    judged = judge({**GOOD, **change}, SOURCE, [Past()] * 5)
    assert judged.verdict == verdict
    assert reason in "; ".join(judged.reasons)
    assert not judged.complete, "whatever is doubted closes nothing"


FINE: dict[str, dict[str, Any]] = {
    "a rare field is absent": {"jobledger/field/level_text": 0},
    "a retry helped": {"retry/count": 3, "downloader/response_status_count/503": 3},
    "unchanged pages only": {"jobledger/pages": 0, "jobledger/unchanged_pages": 20, "jobledger/postings_read": 0},
    "rejected rows among good ones": {"jobledger/rejected": 2},
}


@pytest.mark.parametrize("change", FINE.values(), ids=FINE)
def test_no_doubts(change: dict[str, Any]) -> None:
    assert judge({**GOOD, **change}, SOURCE, [Past()] * 5).verdict == "healthy"


def test_ads_that_lead_elsewhere_are_told_and_do_not_make_a_run_doubtful() -> None:
    verdict = judge({**GOOD, "jobledger/details_read": 18, "jobledger/details_elsewhere": 2}, SOURCE)
    assert (verdict.verdict, verdict.complete) == ("healthy", True)
    assert "2 of 20 ads lead to another page" in verdict.reasons[0]


def test_a_site_whose_ads_mostly_lead_elsewhere_has_probably_moved() -> None:
    spared = {"jobledger/details_spared": 9, "jobledger/not_inspected": 0}
    assert judge({**GOOD, **spared, "jobledger/details_elsewhere": 9}, SOURCE).verdict == "healthy"
    moved = judge({**GOOD, **spared, "jobledger/details_elsewhere": 10}, SOURCE)
    assert (moved.verdict, moved.complete) == ("suspect", False)


def test_an_empty_board_is_not_a_failed_one() -> None:
    stats = {"finish_reason": "finished", "jobledger/pages": 1, "jobledger/raw_postings": 0}
    verdict = judge(stats, Source(name="small", spider="greenhouse"))
    assert (verdict.verdict, verdict.complete) == ("healthy", True)


def test_the_past_counts_only_once_there_is_enough_of_it_and_only_where_healthy() -> None:
    fewer = {**GOOD, "jobledger/raw_postings": 12}
    assert judge(fewer, SOURCE, [Past()] * 2).verdict == "healthy"
    assert judge(fewer, SOURCE, [Past("failed")] * 9).verdict == "healthy"
    assert judge(fewer, SOURCE, [Past("failed"), *[Past()] * 3]).verdict == "suspect"


def test_a_source_that_is_never_whole_closes_nothing() -> None:
    assert not judge(GOOD, Source(name="feed", spider="greenhouse", complete=False)).complete


def test_a_limited_run_is_healthy_and_not_complete() -> None:
    verdict = judge({**GOOD, "finish_reason": "limit_reached", "jobledger/raw_postings": 3}, SOURCE, [Past()] * 5)
    assert (verdict.verdict, verdict.complete) == ("healthy", False)


@given(
    st.dictionaries(
        st.sampled_from(sorted({*GOOD, "jobledger/challenges", "jobledger/no_answers/X"})), st.integers(0, 99)
    )
)
def test_complete_means_healthy(change: dict[str, int]) -> None:
    verdict = judge({**GOOD, **change}, SOURCE, [Past()] * 5)
    assert verdict.verdict == "healthy" or not verdict.complete
    assert verdict.reasons or verdict.verdict == "healthy"


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_known_ending_has_words_but_the_good_one(ending: str) -> None:
    assert bool(ENDINGS[ending][1]) == (ending != "finished")


SIGHTS: dict[str, tuple[dict[str, Any], str | None, str | None]] = {
    "good": ({}, WHOLE, None),
    "too few": ({"jobledger/raw_postings": 9}, WHOLE, "bounds"),
    "too many": ({"jobledger/raw_postings": 101}, WHOLE, "bounds"),
    "pay gone": ({"jobledger/field/pay": 5}, WHOLE, "past"),
    "pay gone and too few": ({"jobledger/field/pay": 5, "jobledger/raw_postings": 9}, WHOLE, "bounds"),
    "less than half of before": ({"jobledger/raw_postings": 19}, WHOLE, "past"),
    "pay gone and a page failed": ({"jobledger/field/pay": 5, "jobledger/failed_answers/500": 1}, None, None),
    "no content": ({"jobledger/empty_answers": 1}, None, None),
    "not inspected": ({"jobledger/not_inspected": 3}, None, None),
    "unreadable answers": ({"jobledger/parse_errors": 2}, None, None),
    "capped": ({"jobledger/incomplete": 1, "jobledger/incomplete/too many pages": 1}, None, None),
    "challenge": ({"jobledger/challenges": 1}, None, None),
    "limit": ({"finish_reason": "limit_reached"}, None, None),
    "time up": ({"finish_reason": "closespider_timeout"}, None, None),
}
"""What a run counted: how much of its source it read, and what it is doubted for although it read everything."""


@pytest.mark.parametrize(("change", "sight", "doubt"), SIGHTS.values(), ids=SIGHTS)
def test_whether_everything_was_read_is_another_question(
    change: dict[str, Any], sight: str | None, doubt: str | None
) -> None:
    judged = judge({**GOOD, **change}, SOURCE, [Past()] * 5)
    assert (judged.sight, judged.doubt) == (sight, doubt)
    assert judged.complete == (sight == WHOLE and doubt is None)


def test_a_source_that_no_run_sees_whole_has_its_share_read() -> None:
    assert judge(GOOD, Source(name="feed", spider="greenhouse", complete=False)).sight == SHARE


class TestUsual:
    FEWER: Mapping[str, Any] = {**GOOD, "jobledger/raw_postings": 12, "jobledger/field/pay": 0}

    def test_a_change_that_was_believed_ends_the_past(self) -> None:
        believed = Past(stats={**self.FEWER, BELIEVED: 1})
        assert judge(self.FEWER, SOURCE, [*[Past()] * 9]).verdict == "suspect"
        assert judge(self.FEWER, SOURCE, [believed, *[Past()] * 9]).verdict == "healthy"
        assert judge(self.FEWER, SOURCE, [*[Past(stats=self.FEWER)] * 2, believed, *[Past()] * 9]).verdict == "healthy"

    def test_a_believed_change_is_a_measure_at_once(self) -> None:
        believed = Past(stats={**GOOD, BELIEVED: 1})
        assert judge(self.FEWER, SOURCE, [believed]).verdict == "suspect"

    def test_runs_that_were_cut_by_a_limit_say_nothing_of_what_is_usual(self) -> None:
        cut = Past(stats={**GOOD, "jobledger/raw_postings": 3, "finish_reason": "limit_reached"})
        assert judge(self.FEWER, SOURCE, [*[cut] * 9, *[Past()] * 3]).verdict == "suspect"

    def test_postings_of_whole_runs_are_compared_one_by_one_and_not_counted(self) -> None:
        fewer = {**GOOD, "jobledger/raw_postings": 12}
        assert judge(fewer, SOURCE, [Past(stats={**GOOD, SIGHT: WHOLE})] * 5).verdict == "healthy"
        feed = Source(name="feed", spider="greenhouse", complete=False)
        assert judge(fewer, feed, [Past(stats={**GOOD, SIGHT: SHARE})] * 5).doubt == "past"
