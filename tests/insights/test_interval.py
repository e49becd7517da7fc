"""The interval of the median: what it covers in simulated markets, and that nothing but the data moves it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from insights import interval
from insights.interval import median_interval, student_975


def market(
    rng: np.random.Generator, employers: int, likeness: float, sizes: str
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Pay around a true median of 0, employers alike to a degree; ascending, with the employer of each posting."""
    many = {
        "one each": np.ones(employers, dtype=np.int64),
        "eight each": np.full(employers, 8),
        "unequal": rng.geometric(0.2, employers),
        "a few giants": np.clip((rng.pareto(1.3, employers) * 2 + 1).astype(np.int64), 1, 150),
    }[sizes]
    whose = np.repeat(np.arange(employers), many)
    pay = rng.normal(0, math.sqrt(likeness), employers)[whose] + rng.normal(0, math.sqrt(1 - likeness), len(whose))
    order = np.argsort(pay)
    return pay[order], whose[order]


SHAPES = ["one each", "eight each", "unequal", "a few giants"]


def coverage(sizes: str, numbers: tuple[int, ...], likenesses: tuple[float, ...], markets: int) -> float:
    """The share of intervals that hold the true median, over so many markets of each kind."""
    rng = np.random.default_rng([20, *numbers])
    hits = []
    for employers in numbers:
        for likeness in likenesses:
            for _ in range(markets):
                found = median_interval(*market(rng, employers, likeness, sizes))
                assert found is not None
                hits.append(found[0] <= 0 <= found[1])
    return sum(hits) / len(hits)


@pytest.mark.parametrize("numbers", [(6, 7, 8), (9, 10, 12), (16, 20), (40, 80)], ids=str)
@pytest.mark.parametrize("sizes", SHAPES)
def test_the_interval_covers_the_true_median_as_often_as_it_says(sizes: str, numbers: tuple[int, ...]) -> None:
    """About 540 markets, so one standard error is 0.9 %: 1 % is allowed for chance; the long test allows less."""
    markets = 180 // len(numbers)
    assert 0.92 <= coverage(sizes, numbers, (0.0, 0.3, 0.7), markets) <= 0.98


@pytest.mark.soak
@pytest.mark.parametrize("numbers", [(6, 7), (8, 9), (10, 11, 12), (16, 20), (40, 80)], ids=str)
@pytest.mark.parametrize("sizes", SHAPES)
def test_the_interval_covers_in_many_markets(sizes: str, numbers: tuple[int, ...]) -> None:
    assert 0.93 <= coverage(sizes, numbers, (0.0, 0.3, 0.7), 4_000 // len(numbers)) <= 0.972


def test_ignoring_employers_would_claim_too_much() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(100):
        pay, whose = market(rng, 25, 0.7, "eight each")
        found = median_interval(pay, np.arange(len(whose)))
        assert found is not None
        covered += found[0] <= 0 <= found[1]
    assert covered / 100 < 0.85


def plain_shares(pay: NDArray[np.float64], whose: NDArray[np.int64]) -> NDArray[np.float64]:
    """The bootstrap distribution the long way: every replicate written out, its median taken by sorting.

    For each value the share of replicates whose median is not above it, one that lies between two values counted half.
    """
    shares, names = np.zeros(len(pay)), np.unique(whose)
    for table in interval.draws(len(names)):
        for weights in table:
            drawn = [np.repeat(np.flatnonzero(whose == e), int(w)) for e, w in zip(names, weights, strict=True)]
            ranks = np.sort(np.concatenate(drawn))
            shares[ranks[(len(ranks) - 1) // 2] :] += 0.5
            shares[ranks[len(ranks) // 2] :] += 0.5
    return shares / interval.REPLICATES


@pytest.mark.parametrize(
    ("employers", "sizes"),
    [(3, "eight each"), (9, "unequal"), (30, "eight each"), (14, "a few giants"), (90, "unequal")],
)
def test_the_search_finds_what_writing_out_every_replicate_finds(
    employers: int, sizes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interval, "REPLICATES", 200)
    interval._few.cache_clear()
    interval._many.cache_clear()
    pay, whose = market(np.random.default_rng(employers), employers, 0.4, sizes)
    shares = plain_shares(pay, whose)
    left_out = max(interval.tail(np.unique(whose, return_counts=True)[1]), 1 / 200)
    expected = []
    for wanted in (left_out, 1 - left_out):
        at = int(np.searchsorted(shares, wanted))
        part = (wanted - shares[at - 1]) / (shares[at] - shares[at - 1]) if at else 1.0
        expected.append(pay[at - 1] + part * (pay[at] - pay[at - 1]) if at else pay[0])
    assert median_interval(pay, whose) == pytest.approx(tuple(expected), rel=1e-9)
    interval._few.cache_clear()
    interval._many.cache_clear()


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(20, 60), st.integers(0, 7)), min_size=2, max_size=60))
def test_the_order_of_rows_and_the_names_of_employers_do_not_matter(rows: list[tuple[int, int]]) -> None:
    pay = np.array(sorted(float(1000 * p) for p, _ in rows))
    whose = np.array([e for _, e in sorted(rows)])
    found = median_interval(pay, whose)
    turned = np.random.default_rng(1).permutation(len(pay))
    assert median_interval(pay[turned], whose[turned]) == found
    assert median_interval(pay, whose * 10 + 3) == found
    if found is not None:
        assert found[0] <= float(np.median(pay)) <= found[1]


def test_many_postings_of_many_employers_stay_within_memory_and_exact() -> None:
    rng = np.random.default_rng(8)
    pay = np.sort(rng.normal(100_000, 20_000, 30_000))
    found = median_interval(pay, rng.integers(0, 4_000, 30_000))
    assert found is not None
    width = 2 * 1.96 * 1.2533 * 20_000 / math.sqrt(30_000)
    assert found[1] - found[0] == pytest.approx(width, rel=0.2)


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_is_said_of_one_posting(rows: int) -> None:
    assert median_interval(np.arange(float(rows)), np.zeros(rows, dtype=np.int64)) is None


def test_within_one_employer_postings_are_drawn() -> None:
    pay = np.arange(50_000.0, 90_000.0, 1_000.0)
    found = median_interval(pay, np.zeros(40, dtype=np.int64))
    assert found is not None
    assert found[0] < 69_500 < found[1]


@pytest.mark.parametrize("freedom", [1, 2, 5, 10, 11, 17, 40, 400])
def test_students_t_agrees_with_scipy(freedom: int) -> None:
    assert student_975(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=2e-4)


@pytest.mark.parametrize("number", [6, 7, 8, 9, 10, 11, 12, 25, 60, 61, 1_000])
def test_order_statistics_enclose_the_median_with_the_probability_of_the_binomial(number: int) -> None:
    first, part = interval._order_statistics(number)
    wider = 1 - 2 * stats.binom.cdf(first, number, 0.5)
    narrower = 1 - 2 * stats.binom.cdf(first + 1, number, 0.5)
    assert narrower < 0.95 <= wider
    assert 0 <= part < 1


@pytest.mark.parametrize("number", [2, 3, 5])
def test_the_range_of_a_few_independent_values_is_all_that_can_be_said(number: int) -> None:
    pay = np.arange(number, dtype=np.float64)
    assert median_interval(pay, np.arange(number)) == (0.0, number - 1.0)
