"""Change over time: pay by cell, disclosure by month, and how long jobs stay open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from db.filters import Filters
from insights.figures import figures
from insights.lifetimes import lifetimes, median_survival
from insights.model import InsightError
from insights.trends import changes, disclosures, wage_tracker
from tests.insights.market import fill, posting, record, rows_of

BY = ("role", "level", "country", "period", "month")


def cell(role: str, month: str, pay: float, n: int = 6, level: str = "mid") -> list[tuple[Any, ...]]:
    return [record(pay, pay, place=(role, level, "DE", "year", month), company=f"e{i}") for i in range(n)]


def test_the_change_is_the_median_of_the_cells_not_of_the_mix() -> None:
    before = [row for i in range(7) for row in cell(f"role {i}", "2025-03", 50_000 + 10_000 * i)]
    after = [row for i in range(7) for row in cell(f"role {i}", "2026-03", (50_000 + 10_000 * i) * 1.03)]
    flood = [row for n in range(40) for row in cell("role 6", "2026-03", 110_000 * 1.03)]
    (found,) = changes(rows_of([*before, *after, *flood], BY))
    assert found.month == "2026-03"
    assert found.change == pytest.approx(0.03)
    assert found.cells == 7
    assert found.smoothed is None


def test_three_months_are_averaged_and_a_gap_is_not_bridged() -> None:
    rows = []
    for month, rise in (("2026-01", 1.0), ("2026-02", 1.01), ("2026-03", 1.03), ("2026-04", 1.05), ("2026-06", 1.1)):
        rows += [row for i in range(5) for row in cell(f"role {i}", month, 60_000 * rise)]
    found = changes(rows_of(rows, BY), step="month")
    assert [c.month for c in found] == ["2026-02", "2026-03", "2026-04"]
    expected = [0.01, 1.03 / 1.01 - 1, 1.05 / 1.03 - 1]
    assert [c.change for c in found] == pytest.approx(expected)
    assert found[-1].smoothed == pytest.approx(sum(expected) / 3)
    assert [c.smoothed for c in found[:2]] == [None, None]


def test_few_cells_and_thin_cells_make_no_trend() -> None:
    thin = [row for m in ("2025-03", "2026-03") for i in range(9) for row in cell(f"role {i}", m, 60_000, n=4)]
    assert changes(rows_of(thin, BY)) == ()
    few = [row for m in ("2025-03", "2026-03") for i in range(4) for row in cell(f"role {i}", m, 60_000)]
    (found,) = changes(rows_of(few, BY))
    assert (found.change, found.cells) == (None, 4)


def test_hourly_and_yearly_pay_and_currencies_are_never_compared() -> None:
    old = [record(place=(f"r{i}", "mid", "DE", "year", "2025-03"), company=f"e{k}") for i in range(6) for k in range(6)]
    new = [record(place=(f"r{i}", "mid", "DE", "hour", "2026-03"), company=f"e{k}") for i in range(6) for k in range(6)]
    other = [
        record(place=(f"r{i}", "mid", "DE", "year", "2026-03"), currency="USD", company=f"e{k}")
        for i in range(6)
        for k in range(6)
    ]
    assert changes(rows_of([*old, *new, *other], BY)) == ()


def test_an_unknown_step_names_the_known_ones() -> None:
    with pytest.raises(InsightError, match="year, month"):
        changes(rows_of([], BY), step="week")


def test_the_tracker_reads_the_ledger(database_url: str) -> None:
    made = []
    for y, r, i in product((0, 1), range(5), range(5)):
        pay, day = Decimal(60_000 + 3_000 * y), date(2025 + y, 4, 2)
        made.append(posting(100 * y + 10 * r + i, role=f"Role {r}", posted_on=day, salary_min=pay, salary_max=pay))
    (found,) = wage_tracker(fill(database_url, made), filters=Filters(), alone=True)
    assert (found.month, found.change, found.postings) == ("2026-04", pytest.approx(0.05), 25)


def test_disclosure_by_month_and_country() -> None:
    rows = []
    for number, month in enumerate(("2026-01", "2026-02", "2026-03", "2026-05")):
        rows += [record(place=("r", month)) for _ in range(number + 1)] + [record(None, None, place=("r", month))] * (
            4 - number
        )
    found = disclosures(figures(rows_of(rows, ("country", "month")), ("month",)), "month")
    assert [d.share for d in found] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert found[2].smoothed == pytest.approx(0.4)
    assert found[3].smoothed is None
    by_place = disclosures(figures(rows_of(rows, ("country", "month")), ("country",)), "country")
    assert [(d.name, d.postings, d.smoothed) for d in by_place] == [("r", 20, None)]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=40))
def test_survival_agrees_with_scipy_where_nothing_is_truncated(rows: list[tuple[int, bool]]) -> None:
    days = np.array([d for d, _ in rows])
    closed = np.array([c for _, c in rows])
    found = median_survival(np.zeros(len(rows), dtype=np.int64), days, closed)
    sample = stats.CensoredData(uncensored=days[closed], right=days[~closed])
    survival = stats.ecdf(sample).sf
    at = [q for q, p in zip(survival.quantiles, survival.probabilities, strict=True) if p <= 0.5 + 1e-12]
    assert found == (float(at[0]) if at else None)


def test_postings_found_late_do_not_lengthen_the_life_of_all() -> None:
    rng = np.random.default_rng(5)
    life = np.ceil(rng.exponential(30, 20_000)).astype(np.int64)
    found_at = rng.integers(0, 200, 20_000)
    seen = found_at < life
    entered, left = found_at[seen], np.minimum(life[seen], found_at[seen] + 60)
    closed = life[seen] <= found_at[seen] + 60
    assert median_survival(entered, left, closed) == pytest.approx(30 * np.log(2), abs=1.6)
    naive = float(np.median(left[closed]))
    assert naive > 35


def test_lifetimes_from_the_ledger(database_url: str, postgres_ledger_url: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def open_for(number: int, days: int, *, closed: bool, **changes: Any) -> Any:
        end = start + timedelta(days=days)
        return posting(
            number,
            posted_on=start.date(),
            first_seen=start,
            last_seen=end,
            closed_at=end if closed else None,
            **changes,
        )

    def made() -> list[Any]:
        quick = [open_for(i, 10 + i, closed=True) for i in range(7)]
        evergreen = [open_for(20, 200, closed=False), open_for(21, 20, closed=False, reposted=3)]
        return [
            *quick,
            *evergreen,
            open_for(30, 5, closed=True, country="FR"),
            open_for(31, 9, closed=True, country=None, countries=["DE", "FR"]),
        ]

    for url in (database_url, postgres_ledger_url):
        found = {
            life.key["country"]: life
            for life in lifetimes(fill(url, made()), filters=Filters(), by=("country",), alone=True)
        }
        german = found["DE"]
        assert (german.postings, german.closed, german.median_days) == (9, 7, 14)
        assert german.reposted_share == pytest.approx(1 / 9)
        assert german.evergreen_share == pytest.approx(2 / 9)
        assert (found["FR"].suppressed, found["FR"].median_days) == (True, None)
        assert None in found
        (total,) = lifetimes(url, filters=Filters(), alone=True)
        assert total.postings == 11


def test_lifetimes_of_nothing_are_nothing(database_url: str) -> None:
    assert lifetimes(fill(database_url, []), filters=Filters(), by=("role",), alone=True) == ()
