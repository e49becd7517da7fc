"""The figures against NumPy, cell by cell, and the laws they must obey."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.figures import NO_PAY, PROTECTS, figures
from insights.model import PERCENTILES, Group
from insights.suppression import too_few
from tests.insights.market import BY, Record, random_market, record, rows_of


def plainly(
    records: list[Record], by: tuple[int, ...], *, estimates: bool = False
) -> dict[tuple[str, ...], dict[str, float]]:
    """The same figures with plain Python and NumPy: what DuckDB's must equal."""
    cells: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for row in records:
        currency, _, low, high, marks = row[-5:]
        if marks & 4 or (marks & 2 and not estimates) or not currency or (low is None and high is None):
            continue
        cells[(*(row[i] for i in by), currency)].append(row)
    made = {}
    for place, rows in cells.items():
        points = [
            ((low if low is not None else high) + (high if high is not None else low)) / 200
            for *_, low, high, _ in rows
        ]
        lows = [row[-3] / 100 for row in rows if row[-3] is not None]
        highs = [row[-2] / 100 for row in rows if row[-2] is not None]
        made[place] = {
            "n": len(rows),
            "companies": len({row[-4] for row in rows}),
            **{name: float(np.percentile(points, 100 * share)) for name, share in PERCENTILES.items()},
            "low_end_median": float(np.median(lows)) if lows else math.nan,
            "high_end_median": float(np.median(highs)) if highs else math.nan,
        }
    return made


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("estimates", [False, True], ids=["without estimates", "with estimates"])
@pytest.mark.parametrize("by", [(), ("role",), ("role", "level"), BY], ids=lambda by: " x ".join(by) or "all")
def test_figures_equal_numpys(by: tuple[str, ...], estimates: bool, seed: int) -> None:
    records = random_market(seed, 400)
    expected = plainly(records, tuple(BY.index(name) for name in by), estimates=estimates)
    rows = rows_of(records)
    found = figures(rows, by, include_estimates=estimates, intervals=False, suppress=False)
    paid = {(*(g.key[name] for name in by), g.currency): g for g in found if g.n}
    assert set(paid) == set(expected)
    for place, wanted in expected.items():
        for name, value in wanted.items():
            got = getattr(paid[place], name)
            if math.isnan(value):
                assert got is None, (place, name)
            else:
                assert got == pytest.approx(value, rel=1e-9), (place, name)


def test_the_disclosed_share_counts_every_posting_that_no_flag_excludes() -> None:
    records = [
        *(record(company=f"e{i}") for i in range(6)),
        *(record(None, None, company=f"e{i}") for i in range(3)),
        record(company="e7", estimate=True),
        record(1_111_111_000, 1_111_111_000, excluded=True),
    ]
    (group,) = figures(rows_of(records), BY)
    assert (group.n, group.postings, group.disclosed_share) == (6, 10, 0.6)


def test_estimates_count_only_when_asked_and_never_as_disclosure() -> None:
    records = [record(company=f"e{i}", estimate=i % 2 == 1) for i in range(12)]
    rows = rows_of(records)
    (without,), (with_them,) = figures(rows, BY), figures(rows, BY, include_estimates=True)
    assert (without.n, with_them.n) == (6, 12)
    assert without.disclosed_share == with_them.disclosed_share == 0.5


def test_no_figure_holds_two_currencies() -> None:
    records = [record(company=f"e{i}", currency=["EUR", "USD", "GBP"][i % 3]) for i in range(30)]
    found = figures(rows_of(records), BY)
    assert [(g.currency, g.n, g.postings) for g in found] == [("EUR", 10, 30), ("GBP", 10, 30), ("USD", 10, 30)]


def test_an_amount_without_a_currency_is_in_no_figure() -> None:
    records = [(*record(company=f"e{i}")[:3], None, f"e{i}", 100, 200, 1) for i in range(9)]
    (group,) = figures(rows_of(records), BY)
    assert (group.n, group.currency, group.reason) == (0, None, NO_PAY)


def test_a_range_with_one_end_votes_with_that_end() -> None:
    records = [record(50_000, None, company=f"e{i}") for i in range(5)]
    (group,) = figures(rows_of(records), BY)
    assert (group.median, group.low_end_median, group.high_end_median) == (50_000, 50_000, None)


def test_the_width_of_a_range_is_a_share_of_its_middle() -> None:
    (group,) = figures(rows_of(record(90_000, 110_000, company=f"e{i}") for i in range(5)), BY)
    assert group.range_width == pytest.approx(0.2)


def test_postings_without_an_employer_are_one_employer() -> None:
    (group,) = figures(rows_of(record(company=None) for _ in range(9)), BY)
    assert (group.n, group.companies, group.suppressed) == (9, 1, True)


def test_cells_come_in_the_order_of_levels_and_the_unstated_last() -> None:
    levels = ["senior", None, "entry", "executive", "mid", "lead", "internship"]
    found = figures(rows_of(record(place=("Data Engineer", level, "DE")) for level in levels), ("level",))
    assert [g.key["level"] for g in found] == ["internship", "entry", "mid", "senior", "lead", "executive", None]


def test_a_posting_open_to_several_countries_votes_once_in_each() -> None:
    lists = [("Data Engineer", "senior", '["DE", "FR"]')] * 6 + [("Data Engineer", "senior", "[]")] * 2
    records = [record(place=place, company=f"e{i}") for i, place in enumerate(lists)]
    rows = rows_of([*records, *(record(company=f"g{i}") for i in range(4))])
    found = {g.key["country"]: g.n for g in figures(rows, ("country",))}
    assert found == {"DE": 10, "FR": 6, None: 2}
    (total,) = figures(rows, ())
    assert total.n == 12


def test_a_company_may_see_its_own_pay_but_not_from_four_postings() -> None:
    rows = rows_of(
        [record(company=None)] * 0 or [record(company="acme", place=("acme", "x", "y"))] * 5,
        ("company", "level", "country"),
    )
    (enough,) = figures(rows, ("company",))
    assert (enough.n, enough.suppressed, enough.median) == (5, False, 70_000)
    (few,) = figures(rows_of([record(place=("acme", "x", "y"))] * 4, ("company", "level", "country")), ("company",))
    assert few.suppressed
    assert few.median is None


def test_no_rows_are_no_groups() -> None:
    rows = rows_of([])
    assert figures(rows, BY) == figures(rows, ()) == ()


@pytest.mark.parametrize(
    ("n", "employers", "shown"),
    [(4, 4, False), (5, 2, False), (5, 3, True), (50, 2, False), (1, 1, False)],
    ids=lambda value: str(value),
)
def test_thin_cells_show_no_pay_but_say_why(n: int, employers: int, shown: bool) -> None:
    (group,) = figures(rows_of(record(company=f"e{i % employers}") for i in range(n)), BY)
    assert group.suppressed is not shown
    assert group.n == n
    assert (group.median is not None) is shown
    assert (group.median_ci is not None) is shown
    assert (group.reason is None) is shown


def test_a_second_cell_is_kept_back_when_the_first_could_be_subtracted() -> None:
    senior = [record(company=f"e{i}") for i in range(4)]
    mid = [record(company=f"e{i}", place=("Data Engineer", "mid", "DE")) for i in range(6)]
    lead = [record(company=f"e{i}", place=("Data Engineer", "lead", "DE")) for i in range(20)]
    found = {g.key["level"]: g for g in figures(rows_of([*senior, *mid, *lead]), ("level",))}
    assert found["mid"].reason == PROTECTS
    assert found["lead"].median is not None


def remainders(records: list[Record], by: tuple[str, ...], groups: tuple[Group, ...]) -> list[tuple[int, int]]:
    """What an attacker gets who knows every total over some of the dimensions and every shown cell: the size
    (postings, employers) of all that is left of each total, where anything is left."""
    shown = {(*(g.key[name] for name in by), g.currency) for g in groups if not g.suppressed}
    votes = [row for row in records if row[-5] and not row[-1] & 6 and (row[-3] is not None or row[-2] is not None)]
    found = []
    for size in range(len(by)):
        for kept in combinations(range(len(by)), size):
            totals: dict[tuple[str, ...], list[Record]] = defaultdict(list)
            for row in votes:
                totals[(*(row[i] for i in kept), row[-5])].append(row)
            for rows in totals.values():
                if too_few(len(rows), len({row[-4] for row in rows})):
                    continue
                rest = [row for row in rows if (*row[: len(by)], row[-5]) not in shown]
                if rest:
                    found.append((len(rest), len({row[-4] for row in rest})))
    return found


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 250))
def test_no_thin_cell_comes_out_by_subtraction(seed: int, n: int) -> None:
    records = random_market(seed, n)
    groups = figures(rows_of(records), BY, intervals=False)
    for postings, employers in remainders(records, BY, groups):
        assert not too_few(postings, employers)


def test_shuffling_and_flagged_rows_change_nothing() -> None:
    records = random_market(11, 300)
    before = figures(rows_of(records), BY)
    shuffled = [*records]
    random.Random(5).shuffle(shuffled)
    bad = [record(1_111_111_000, 1_111_111_000, company=f"x{i}", excluded=True) for i in range(40)]
    assert figures(rows_of([*shuffled, *bad]), BY) == before


def test_other_cells_do_not_move_an_interval() -> None:
    records = [record(50_000 + 700 * i, 60_000 + 700 * i, company=f"e{i % 9}") for i in range(60)]
    others = [record(place=("Cook", "mid", "FR"), company=f"f{i}") for i in range(30)]
    (alone,) = figures(rows_of(records), BY)
    beside = next(g for g in figures(rows_of([*others, *records]), BY) if g.key["role"] == "Data Engineer")
    assert beside == alone
