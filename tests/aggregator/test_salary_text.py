"""Short pay texts: the rows of pay_texts.csv state pay, the lines of no_pay_texts.txt state none."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.normalise.salary import parse_salary

HERE = Path(__file__).parent
STATED = list(csv.DictReader((HERE / "pay_texts.csv").read_text(encoding="utf-8").splitlines()))
NONE = (HERE / "no_pay_texts.txt").read_text(encoding="utf-8").splitlines()


def amount(written: str) -> Decimal | None:
    return Decimal(written) if written else None


@pytest.mark.parametrize("row", STATED, ids=lambda row: f"{row['text']} {row['country']}")
def test_reads_stated_pay(row: dict[str, str]) -> None:
    salary = parse_salary(row["text"], country=row["country"] or None)
    assert salary.ok
    assert (salary.min, salary.max) == (amount(row["min"]), amount(row["max"]))
    assert salary.currency == (row["currency"] or None)
    assert salary.open == (row["open"] or None)
    if row["period"] != "?":
        assert salary.period == row["period"]


@pytest.mark.parametrize("text", NONE)
def test_finds_no_pay(text: str) -> None:
    assert not parse_salary(text).ok


@pytest.mark.parametrize(
    ("text", "country", "hint", "currency"),
    [
        ("$90,000", None, None, "USD"),
        ("$90,000", "CA", None, "CAD"),
        ("$90,000", "GB", None, "USD"),
        ("$90,000", "DE", "AUD", "AUD"),
        ("US$90,000", "CA", None, "USD"),
        ("kr 45 000 per månad", None, None, "SEK"),
        ("45.000 kr. pr. md.", None, None, "DKK"),
        ("45 000 kr", None, None, None),
        ("45 000 kr", "NO", None, "NOK"),
        ("¥25,000/month", None, None, "CNY"),
        ("¥350,000/month", None, None, "JPY"),
        ("90,000 a year", None, None, None),
        ("90,000 a year", None, "EUR", "EUR"),
        ("90,000 a year", "IE", None, "EUR"),
        ("Pay in Canada: $90,000 - $110,000", None, None, "CAD"),
        ("12,000 - 15,000 riyal monthly", "QA", None, "QAR"),
        ("12,000 - 15,000 riyal monthly", None, None, None),
        ("Rs 40,000 a month", "LK", None, "LKR"),
        ("Can be done from home: $90,000 - $110,000", None, None, "USD"),
        ("$2.500.000 + comisiones", None, None, None),
        ("$2.500.000 + comisiones", "CO", None, "COP"),
        ("$30,000 - $40,000 pesos mensuales", None, None, None),
        ("kr. 42.000 pr. måned", None, None, None),
        ("30k - 38k + buoni pasto da 8€", None, None, "EUR"),
    ],
)
def test_a_sign_means_what_the_evidence_says(
    text: str, country: str | None, hint: str | None, currency: str | None
) -> None:
    assert parse_salary(text, country=country, currency=hint).currency == currency


def test_says_what_was_stated_and_what_was_inferred() -> None:
    stated = parse_salary("USD 90,000 per year")
    inferred = parse_salary("90,000", country="GB")
    assert (stated.currency_stated, stated.period_stated) == (True, True)
    assert (inferred.currency_stated, inferred.period_stated) == (False, False)
    assert (inferred.currency, inferred.period) == ("GBP", "year")


def test_keeps_tiers_beside_their_envelope() -> None:
    salary = parse_salary("Austin: $101,000 - $120,500; Denver: $111,000 - $131,500 per year")
    assert (salary.min, salary.max) == (101_000, 131_500)
    assert [(tier.label, tier.min, tier.max) for tier in salary.tiers] == [
        ("Austin", 101_000, 120_500),
        ("Denver", 111_000, 131_500),
    ]


@pytest.mark.parametrize(
    ("text", "estimate"),
    [
        ("$61K-$98K (Glassdoor est.)", True),
        ("GBP 41K-52K (estimate)", True),
        ("$61K-$98K(Employer est.)", False),
        ("Estimated annual salary of $150,000", False),
    ],
)
def test_only_the_sites_own_estimate_is_one(text: str, estimate: bool) -> None:
    assert parse_salary(text).is_estimate is estimate


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("OTE $140k", "ote_only"),
        ("£21,500 pro rata", "pro_rata"),
        ("$120,000 - $95,000", "inverted:120000>95000"),
        ("USD 2222222K - 2222222K", "placeholder"),
        ("$2,000 signing bonus", "not_pay"),
        ("31,000 to 35,00 per year", "lost_digit:35,00"),
        ("€0", "non_positive:0"),
    ],
)
def test_notes_carry_the_evidence(text: str, note: str) -> None:
    assert note in parse_salary(text).notes


def test_a_placeholder_is_not_usable_but_keeps_its_amounts() -> None:
    salary = parse_salary("USD 1111111K - 1111111K")
    assert not salary.ok
    assert (salary.min, salary.max, salary.currency, salary.period) == (1_111_111_000, 1_111_111_000, "USD", "year")


def test_pay_in_the_title_serves_when_the_text_states_none() -> None:
    assert parse_salary(None, title="Night Porter - £13.20 per hour").min == Decimal("13.20")
    assert parse_salary("Competitive", title="Night Porter - £13.20 per hour").period == "hour"
