"""What moves, as people see it: the sections of the page, the trends command, and others' figures beside a report."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from db.filters import Filters
from insights import render
from insights.lifetimes import lifetimes
from insights.over_time import disclosed_by_country, open_for, over_time
from insights.reference import COLUMNS
from insights.report import build_report
from insights.trends import market_trends
from service.cli import main
from tests.insights.market import NOW, fill, posting, unpaid

ROLES = ("Data Engineer", "Data Scientist", "Data Analyst")
PLACES = (("DE", "EUR"), ("US", "USD"))


def seen(year: int, month: int, number: int) -> dict[str, Any]:
    """Published on the 2nd; every other one closed twenty days later, the rest still open at the end."""
    start = datetime(year, month, 2, 8, tzinfo=UTC)
    closed = start + timedelta(days=20) if number % 2 else None
    last = closed or max(start, datetime(2026, 3, 20, tzinfo=UTC))
    return {"posted_on": start.date(), "first_seen": start, "last_seen": last, "closed_at": closed}


def market() -> list[Any]:
    """February and March of two years: pay rises by a tenth, Germany states less pay than the United States."""
    made: list[Any] = []
    for year, month, role, (country, currency) in product((2025, 2026), (2, 3), ROLES, PLACES):
        pay = Decimal(60_000 if year == 2025 else 66_000)
        for i in range(10):
            number = len(made)
            said = {"role": role, "country": country, "company": f"Employer {i}", **seen(year, month, number)}
            if country == "DE" and i >= 6:
                made.append(unpaid(number, **said))
            else:
                made.append(posting(number, salary_min=pay, salary_max=pay, currency=currency, **said))
    return made


@pytest.fixture
def url(database_url: str) -> str:
    return fill(database_url, market())


def run(*words: str) -> tuple[int, str, str]:
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said), pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0), out.getvalue(), said.getvalue()


def test_the_page_shows_the_change_of_the_same_jobs(url: str) -> None:
    report = build_report(url, filters=Filters(), alone=True, now=NOW)
    sections = {section.name: section for section in over_time(report)}
    assert sections["changes"].table.rows == (
        ("2026-02", "+10.0 %", "–", "6", "48"),
        ("2026-03", "+10.0 %", "–", "6", "48"),
    )
    assert [c.change for c in report.changes] == pytest.approx([0.1, 0.1])
    assert "Pay of the same jobs against a year before" in render.html(report)


def test_the_page_shows_where_pay_is_stated(url: str) -> None:
    (section,) = disclosed_by_country(build_report(url, filters=Filters(), alone=True, now=NOW))
    assert section.table.rows == (("US", "100 %", "120"), ("DE", "60 %", "120"))


def test_the_page_shows_how_long_jobs_stay_open(url: str) -> None:
    (section,) = open_for(build_report(url, filters=Filters(), alone=True, now=NOW))
    assert section.table.rows[0] == ("All postings", "240", "120", "day 20", "0 %", "25 %")
    assert section.table.rows[1][0] == "senior"
    assert "20 days" in section.drawings[0]


def test_nothing_is_drawn_of_what_is_not_known(database_url: str) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    fresh = [posting(i, posted_on=date(2026, 3, 1), first_seen=start, last_seen=start) for i in range(6)]
    report = build_report(fill(database_url, fresh), filters=Filters(), alone=True, now=NOW)
    assert [*over_time(report), *disclosed_by_country(report), *open_for(report)] == []


def test_a_total_stands_before_the_levels_in_their_rank(database_url: str) -> None:
    levels = ["senior", "entry", "mid", None]
    made = [posting(i, level=levels[i % 4]) for i in range(24)]
    found = lifetimes(fill(database_url, made), filters=Filters(), by=("level",), total=True, alone=True)
    assert [dict(life.key) for life in found] == [{}, *({"level": v} for v in ("entry", "mid", "senior", None))]
    assert found[0].postings == 24


def test_the_trends_of_the_command_are_those_of_the_functions(url: str) -> None:
    code, out, _ = run("--db", url, "trends", "--format", "json")
    assert code == 0
    told, made = json.loads(out), market_trends(url, filters=Filters(), alone=True)
    assert [c["change"] for c in told["changes"]] == [c.change for c in made.changes]
    assert [(d["name"], d["share"]) for d in told["disclosed_by_country"]] == [("DE", 0.6), ("US", 1.0)]
    assert told["lifetimes"][0]["postings"] == 240
    code, out, _ = run("--db", url, "trends")
    assert code == 0
    assert "+10.0 %" in out
    code, _, said = run("--db", url, "trends", "--step", "week")
    assert (code, "year, month" in said) == (2, True)


def test_others_figures_stand_beside_and_never_in_n(url: str, tmp_path: Path) -> None:
    table = tmp_path / "salaries.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for i in range(8):
            for amount in (150_000 + i, 110_000 + i):
                same = ("US", 0, "US", "M")
                writer.writerow((2024, "SE", "FT", "Data Engineer", amount, "USD", amount, *same))
    words = ("--db", url, "report", "--by", "role", "--by", "level", "--usd", "--format", "json")
    _, plain, _ = run(*words)
    code, beside, _ = run(*words, "--reference", str(table))
    assert code == 0
    alone, told = json.loads(plain), json.loads(beside)
    assert told["groups"] == alone["groups"]
    assert told["totals"] == alone["totals"]
    (reference,) = told["references"]
    assert [(g["key"]["role"], g["n"], g["median"]) for g in reference["groups"]] == [("Data Engineer", 8, 130_003.5)]
    code, drawn, _ = run(*words[:-1], "svg", "--reference", str(table))
    assert code == 0
    assert "aijobs.net salary table: 130,004" in drawn


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--oews", "absent.sqlite.gz"), "no file"),
        (("--oews", "absent.sqlite.gz", "--by", "country"), "--by role"),
        (("--reference", "absent.csv"), "cannot be read"),
        (("--ppp", "absent.csv"), "cannot be read"),
        (("--ppp", "absent.csv", "--usd"), "give one"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_file_that_is_not_there_is_one_clear_line(url: str, words: tuple[str, ...], said: str) -> None:
    code, out, error = run("--db", url, "report", *words)
    assert code == 2
    assert out == ""
    assert said in error
    assert "Traceback" not in error
