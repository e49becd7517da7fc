"""Published pay fields in every shape, and what they do to the text beside them."""

from decimal import Decimal

import pytest

from aggregator.normalise.salary import parse_salary

RANGE = {"@type": "QuantitativeValue", "minValue": 52000, "maxValue": "61000.00", "unitText": "YEAR"}


@pytest.mark.parametrize(
    ("pay", "low", "high", "currency", "period"),
    [
        ({"min": 18, "max": 22.5, "currency": "USD", "period": "hour"}, 18, 22.5, "USD", "hour"),
        ({"min": "18,50", "max": "22,50", "currency": "€", "period": "per-hour-wage"}, 18.5, 22.5, "EUR", "hour"),
        ({"minValue": 4000, "maxValue": 5000, "currency": "gbp", "unitText": "MONTH"}, 4000, 5000, "GBP", "month"),
        ({"@type": "MonetaryAmount", "currency": "EUR", "value": RANGE}, 52000, 61000, "EUR", "year"),
        ([{"@type": "MonetaryAmount", "currency": "EUR", "value": [RANGE]}], 52000, 61000, "EUR", "year"),
        (
            {"@type": "MonetaryAmount", "currency": "EUR", "value": 52000, "unitText": "ANN"},
            52000,
            52000,
            "EUR",
            "year",
        ),
        ({"currency": "EUR", "value": {"value": "52.000", "unitText": "YEAR"}}, 52000, 52000, "EUR", "year"),
        ({"currency": "EUR", "value": "52000"}, 52000, 52000, "EUR", "year"),
        ({"value": "€52,000 - €61,000 per year"}, 52000, 61000, "EUR", "year"),
        (
            [{"min": 90000, "max": 99000, "currency": "USD"}, {"min": 80000, "max": 91000, "currency": "USD"}],
            80000,
            99000,
            "USD",
            "year",
        ),
    ],
    ids=["plain", "spelled", "flat", "monetary", "list", "number", "value", "text number", "words", "tiers"],
)
def test_reads_the_shapes_of_published_pay(
    pay: dict[str, object], low: float, high: float, currency: str, period: str
) -> None:
    salary = parse_salary(None, structured=pay)
    assert (salary.min, salary.max) == (Decimal(str(low)), Decimal(str(high)))
    assert (salary.currency, salary.period, salary.ok) == (currency, period, True)


def test_fields_beat_text() -> None:
    salary = parse_salary("$10 per hour", structured={"min": 50000, "max": 60000, "currency": "EUR", "period": "year"})
    assert (salary.min, salary.currency, salary.from_structured) == (50000, "EUR", True)


def test_a_field_without_amounts_leaves_the_text_to_speak() -> None:
    salary = parse_salary("$50,000 a year", structured={"min": None, "max": None, "currency": "USD"})
    assert (salary.min, salary.from_structured) == (50_000, False)


def test_text_beside_fields_gives_reasons_to_doubt_them() -> None:
    salary = parse_salary(
        "Up to 3000 EUR referral bonus", structured={"min": 3000, "max": 3000, "currency": "EUR", "period": "year"}
    )
    assert "not_pay" in salary.notes


@pytest.mark.parametrize(
    ("pay", "low", "high", "note"),
    [
        ({"min": 115000, "max": -1}, 115000, None, "non_positive:-1"),
        ({"min": 0, "max": 13}, None, 13, "non_positive:0"),
        ({"min": 90, "max": 40, "currency": "USD", "period": "hour"}, 40, 90, "inverted:90>40"),
        ({"min": 5, "max": 9, "period": "PIECE"}, 5, 9, "period_unknown:PIECE"),
    ],
)
def test_broken_fields_are_noted(pay: dict[str, object], low: int | None, high: int | None, note: str) -> None:
    salary = parse_salary(None, structured=pay)
    assert (salary.min, salary.max) == (low, high)
    assert note in salary.notes


@pytest.mark.parametrize(
    "pay",
    [
        {"min": float("nan"), "max": float("inf")},
        {"min": Decimal("NaN"), "max": Decimal("-Infinity")},
        {"min": True, "max": False},
        {"min": {"a": []}, "max": [[[[[[1]]]]]]},
        {"value": {"value": {"value": {"value": {"value": {"value": 1}}}}}},
        {"min": "1" * 5000, "max": "9" * 50},
        {"min": 10**400, "max": 1e300},
        {"currency": 7, "period": object()},
        [None, "", 3.5, {}, []],
        [],
        {},
    ],
    ids=range(11),
)
def test_nonsense_in_fields_is_no_error(pay: object) -> None:
    salary = parse_salary(None, structured=pay)  # type: ignore[arg-type]  # what a broken page sends
    assert salary.min is None or salary.min < 10**18
