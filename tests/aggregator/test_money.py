"""Annualising constants and exchange rates with their dates."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.normalise.money import PERIODS_PER_YEAR, Rates, annualise


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
        ("NGN", date(2024, 7, 9), 0.00068, date(2024, 1, 1)),
        ("RUB", date(2023, 3, 1), 0.0117, date(2023, 1, 1)),
    ],
    ids=["dollar", "quoted day", "weekend", "peg", "yearly average", "no longer quoted"],
)
def test_the_rate_is_the_last_one_known_on_the_day(currency: str, on: date, rate: float, day: date) -> None:
    conversion = Rates().usd(Decimal(1000), currency, on)
    assert conversion is not None
    assert conversion.rate == pytest.approx(rate, abs=2e-3)
    assert conversion.rate_date == day


@pytest.mark.parametrize(
    ("currency", "on"),
    [("XAU", date(2024, 1, 1)), ("EUR", date(1990, 1, 1)), ("ARS", date(2001, 1, 1)), ("NGN", date(2035, 1, 1))],
    ids=["unknown", "before the euro", "before the table", "long after the table"],
)
def test_no_rate_is_better_than_a_guessed_one(currency: str, on: date) -> None:
    assert Rates().usd(Decimal(1), currency, on) is None


def test_given_rows_win_over_the_bundled_history() -> None:
    rates = Rates([("EUR", date(2022, 6, 1), 2.0, "test"), ("VES", date(2022, 6, 1), 0.2, "test")])
    euro, bolivar = rates.usd(Decimal(10), "EUR", date(2022, 6, 1)), rates.usd(Decimal(10), "VES", date(2022, 6, 2))
    assert euro is not None
    assert bolivar is not None
    assert (euro.amount, euro.origin, bolivar.amount) == (Decimal("20.00"), "test", Decimal("2.00"))
