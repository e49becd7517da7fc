"""The whole report from a ledger: the contract's keys, what was left out and why, and laws over the ledger."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from db.filters import Filters
from db.session import LedgerError
from insights import render
from insights.model import InsightError, Report
from insights.report import build_report
from tests.insights.market import NOW, fill, flag, posting, raw_posting, unpaid

GROUP_KEYS = {
    "key", "n", "companies", "disclosed_share", "suppressed", "currency", "p10", "p25", "median", "p75", "p90",
    "median_ci", "low_end_median", "high_end_median",
}  # fmt: skip


def ledger(url: str) -> str:
    """Twelve clean senior ranges, one flagged placeholder, one dismissed flag, one estimate, two without pay."""
    clean = [
        posting(i, salary_min=Decimal(50_000 + 1_000 * i), salary_max=Decimal(70_000 + 1_000 * i)) for i in range(1, 12)
    ]
    huge = posting(20, excluded=True, salary_min=Decimal(1_111_111_000), salary_max=Decimal(1_111_111_000))
    dismissed, estimate = posting(21), posting(22, salary_is_estimate=True)
    flags = [
        flag(huge, "placeholder"),
        flag(huge, "above_plausible"),
        flag(dismissed, "too_wide", state="dismissed"),
        flag(clean[0], "level_title_conflict", severity="warn"),
    ]
    others = [*flags, raw_posting(1, 3), raw_posting(2, 3), raw_posting(3, 4)]
    return fill(url, [*clean, huge, dismissed, estimate, unpaid(23), unpaid(24)], others)


def made(url: str, **how: Any) -> Report:
    return build_report(url, **({"filters": Filters(), "now": NOW, "alone": True} | how))


def test_the_json_holds_the_keys_of_the_contract(database_url: str) -> None:
    report = json.loads(render.json(made(ledger(database_url))))
    assert {"generated_at", "method", "filters", "groups"} <= set(report)
    (group,) = report["groups"]
    assert set(group) >= GROUP_KEYS
    assert group["key"] == {"role": "Data Engineer", "level": "senior"}
    assert (group["n"], group["companies"], group["currency"], group["suppressed"]) == (12, 12, "EUR", False)
    assert group["median_ci"][0] <= group["median"] <= group["median_ci"][1]
    assert group["disclosed_share"] == pytest.approx(12 / 15)
    assert (group["p10"], group["median"]) == (62_100, 66_500)


def test_the_method_says_what_was_left_out_and_by_which_rules(database_url: str) -> None:
    method = made(ledger(database_url)).method
    assert method["counts"] == {
        "selected": 16,
        "with_pay": 12,
        "excluded": 1,
        "without_pay": 2,
        "estimates_left_out": 1,
        "not_comparable": 0,
        "one_end_only": 0,
        "employers": 12,
    }
    assert method["exclusions_by_reason"] == {"above_plausible": 1, "placeholder": 1}
    assert method["rules_versions"] == [3, 4]
    assert method["fx"] is None
    for words in ("point", "percentiles", "interval", "suppression", "annualisation", "exclusions"):
        assert method[words]


def test_estimates_come_in_when_asked(database_url: str) -> None:
    report = made(ledger(database_url), include_estimates=True)
    assert report.groups[0].n == 13
    assert report.groups[0].disclosed_share == pytest.approx(12 / 15)
    assert report.method["estimates"] == "counted"


def test_us_dollars_are_each_postings_own(database_url: str) -> None:
    postings = [posting(i, currency=["EUR", "GBP", "USD"][i % 3]) for i in range(1, 10)]
    report = made(fill(database_url, postings), currency="USD")
    (group,) = report.groups
    assert (group.currency, group.n, group.median) == ("USD", 9, 77_000)
    assert report.method["fx"] == {"first": "2026-03-02", "last": "2026-03-02"}
    assert "own date" in report.method["currency"]


def test_pay_without_a_rate_is_left_out_of_us_dollars_and_counted(database_url: str) -> None:
    postings = [posting(i) for i in range(1, 7)] + [posting(9, currency="XTS")]
    report = made(fill(database_url, postings), currency="USD")
    assert (report.groups[0].n, report.method["counts"]["not_comparable"]) == (6, 1)
    assert report.groups[0].disclosed_share == 1


def test_another_currency_is_never_converted(database_url: str) -> None:
    postings = [posting(i, currency=["EUR", "GBP"][i % 2]) for i in range(1, 15)]
    report = made(fill(database_url, postings), currency="GBP")
    assert [(g.currency, g.n, g.median) for g in report.groups] == [("GBP", 7, 70_000)]
    assert "GBP" in report.method["currency"]


def test_the_title_says_the_finding(database_url: str) -> None:
    title = made(ledger(database_url), filters=Filters(role=("Data Engineer",), country=("DE",))).title
    assert title.startswith("Data Engineer in DE: half of the advertised pay lies between EUR 63,750 and 69,250 a year")
    assert "95 % interval" in title


@pytest.mark.parametrize("postings", [0, 3], ids=["no postings", "too few"])
def test_a_report_without_figures_says_so(database_url: str, postings: int) -> None:
    report = made(fill(database_url, [posting(i) for i in range(1, postings + 1)]))
    assert ("no posting with usable pay" in report.title) or ("too few postings" in report.title)
    assert report.method["counts"]["with_pay"] == postings
    for kind in ("json", "csv", "md", "html"):
        assert getattr(render, kind)(report)
    with pytest.raises(InsightError, match="nothing to draw"):
        render.svg(report)


def test_flagged_postings_and_another_order_change_no_figure(tmp_path: Path) -> None:
    postings = [posting(i, company=f"Employer {i % 7}", level=["mid", "senior"][i % 2]) for i in range(1, 40)]
    bad = [posting(i, excluded=True, salary_max=Decimal(9_999_999)) for i in range(100, 130)]
    first = made(fill(f"sqlite:///{tmp_path / 'a.db'}", postings))
    copies = [posting(i, company=f"Employer {i % 7}", level=["mid", "senior"][i % 2]) for i in range(39, 0, -1)]
    second = made(fill(f"sqlite:///{tmp_path / 'b.db'}", [*bad, *copies], [flag(b, "above_plausible") for b in bad]))
    assert second.groups == first.groups
    assert second.totals == first.totals
    assert second.method["counts"]["excluded"] == 30


def test_a_second_source_of_the_same_jobs_adds_no_vote(tmp_path: Path) -> None:
    one = made(fill(f"sqlite:///{tmp_path / 'a.db'}", [posting(i) for i in range(1, 9)]))
    both = [posting(i, sources=["acme-board", "mirror"]) for i in range(1, 9)]
    assert made(fill(f"sqlite:///{tmp_path / 'b.db'}", both)).groups == one.groups


def test_the_stores_agree(tmp_path: Path, postgres_ledger_url: str) -> None:
    light, heavy = made(ledger(f"sqlite:///{tmp_path / 'a.db'}")), made(ledger(postgres_ledger_url))
    assert heavy == light


def test_months_countries_and_bars_are_those_of_the_groups(database_url: str) -> None:
    spread = [
        posting(
            i,
            country=["DE", "FR"][i % 2],
            posted_on=NOW.date().replace(month=1 + i % 3),
            salary_min=Decimal(40_000 + 997 * i),
        )
        for i in range(60)
    ]
    report = made(fill(database_url, spread), by=("country",))
    assert [g.key["month"] for g in report.months] == ["2026-01", "2026-02", "2026-03"]
    assert {g.key["country"]: g.n for g in report.countries} == {"DE": 30, "FR": 30}
    assert sum(bar.postings for bar in report.distribution) == 60


def test_what_is_no_ledger_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        made(f"sqlite:///{tmp_path / 'absent.db'}")
    (tmp_path / "text.db").write_text("this is no database, whatever its name says")
    with pytest.raises(LedgerError):
        made(f"sqlite:///{tmp_path / 'text.db'}")
