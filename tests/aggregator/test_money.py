"""Annualising constants and exchange rates with their dates."""

import csv
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from currency_converter import CurrencyConverter  # type: ignore[import-untyped]  # ships no types
from hypothesis import given
from hypothesis import strategies as st

from aggregator.normalise import money
from aggregator.normalise.money import PERIODS_PER_YEAR, Rates, annualise
from aggregator.vocabulary.build_fx_rates import PEGS, implied, pegged


@pytest.mark.parametrize(
    ("amount", "period", "yearly"),
    [("50", "hour", "104000"), ("600", "day", "156000"), ("1500", "week", "78000"), ("4000", "month", "48000")],
)
def test_one_set_of_constants_makes_a_year(amount: str, period: str, yearly: str) -> None:
    assert annualise(Decimal(amount), period) == Decimal(yearly)


def test_an_unknown_period_is_an_error() -> None:
    with pytest.raises(KeyError):
        annualise(Decimal(1), "fortnight")


@given(st.decimals(0, 10**9, places=2), st.sampled_from(sorted(PERIODS_PER_YEAR)))
def test_a_larger_amount_is_a_larger_year(amount: Decimal, period: str) -> None:
    assert annualise(amount, period) < annualise(amount + 1, period)


@pytest.mark.parametrize(
    ("currency", "on", "rate", "day"),
    [
        ("USD", date(2024, 1, 1), 1.0, date(2024, 1, 1)),
        ("EUR", date(2022, 6, 1), 1.0712, date(2022, 6, 1)),
        ("EUR", date(2022, 6, 5), 1.0730, date(2022, 6, 3)),
        ("AED", date(2031, 1, 1), 0.272294, date(1997, 11, 1)),
        ("XOF", date(2022, 6, 5), 1.0730 / 655.957, date(2022, 6, 3)),
        ("CLP", date(2021, 7, 9), 0.001317, date(2021, 1, 1)),
        ("RUB", date(2022, 5, 1), 0.00952, date(2022, 3, 1)),
    ],
    ids=["dollar", "quoted day", "weekend", "peg", "peg to the euro", "implied by salaries", "no longer quoted"],
)
def test_the_rate_is_the_last_one_known_on_the_day(currency: str, on: date, rate: float, day: date) -> None:
    conversion = Rates().usd(Decimal(1000), currency, on)
    assert conversion is not None
    assert conversion.rate == pytest.approx(rate, rel=2e-3)
    assert conversion.rate_date == day


@pytest.mark.parametrize(
    ("currency", "on"),
    [
        ("XAU", date(2024, 1, 1)),
        ("EUR", date(1990, 1, 1)),
        ("CLP", date(2001, 1, 1)),
        ("CLP", date(2025, 1, 1)),
        ("RUB", date(2024, 1, 1)),
        ("XOF", date(1990, 1, 1)),
        *((currency, date(2024, 6, 1)) for currency in ("ARS", "NGN", "EGP", "VND", "COP", "UAH", "TWD", "PKR", "KES")),
    ],
    ids=lambda value: str(value),
)
def test_no_rate_is_better_than_a_guessed_one(currency: str, on: date) -> None:
    assert Rates().usd(Decimal(1), currency, on) is None


def test_every_rate_of_the_table_says_its_evidence() -> None:
    with (Path(money.__file__).parents[1] / "vocabulary" / "fx_rates.csv").open(encoding="utf-8", newline="") as lines:
        table = list(csv.DictReader(lines))
    evidence = re.compile(r"peg of [\d.]+ to 1 [A-Z]{3}|implied by aijobs\.net salaries, \d{4}, \d+ rows?")
    assert [row for row in table if not evidence.fullmatch(row["origin"])] == []
    assert table[: len(PEGS)] == pegged()


def test_the_implied_rates_are_those_of_the_salary_table(shared_data: Path) -> None:
    """The committed rows come from the table by the build command, and from nothing else."""
    with (shared_data / "data" / "aijobs-salaries.csv").open(encoding="utf-8", newline="") as lines:
        rows = implied(csv.DictReader(lines), frozenset(CurrencyConverter().currencies) - {"RUB"} | {"USD"})
    with (Path(money.__file__).parents[1] / "vocabulary" / "fx_rates.csv").open(encoding="utf-8", newline="") as lines:
        assert rows == [row for row in csv.DictReader(lines) if row["origin"].startswith("implied")]


def test_given_rows_win_over_the_bundled_history() -> None:
    rates = Rates([("EUR", date(2022, 6, 1), 2.0, "test"), ("VES", date(2022, 6, 1), 0.2, "test")])
    euro, bolivar = rates.usd(Decimal(10), "EUR", date(2022, 6, 1)), rates.usd(Decimal(10), "VES", date(2022, 6, 2))
    assert euro is not None
    assert bolivar is not None
    assert (euro.amount, euro.origin, bolivar.amount) == (Decimal("20.00"), "test", Decimal("2.00"))
