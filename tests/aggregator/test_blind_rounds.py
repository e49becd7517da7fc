"""Texts that were labelled before the rules saw them: descriptions, published pay, levels and places, a table each."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.normalise.level import parse_level
from aggregator.normalise.location import parse_location
from aggregator.normalise.salary import parse_salary
from aggregator.quality import Candidate, judge

HERE = Path(__file__).parent
LEAD_IN = (
    "We build software that thousands of teams rely on every day, and we are growing a small group of people who like "
    "to own what they ship. You will work with engineers, designers and customers across several time zones.\n\n"
)


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def amount(written: str) -> Decimal | None:
    return Decimal(written) if written else None


@pytest.mark.parametrize("row", rows("pay_prose.csv"), ids=lambda row: row["text"][:60])
def test_a_description_states_this_pay_or_none(row: dict[str, str]) -> None:
    salary = parse_salary(LEAD_IN + row["text"])
    assert salary.ok is bool(row["currency"])
    if salary.ok:
        assert (salary.min, salary.max) == (amount(row["min"]), amount(row["max"]))
        assert (salary.currency, salary.period) == (row["currency"], row["period"])


@pytest.mark.parametrize("row", rows("pay_flags.csv"), ids=lambda row: "-".join(row.values()))
def test_published_pay_is_doubted_or_believed(row: dict[str, str]) -> None:
    pay = {key: row[key] for key in ("min", "max", "currency", "period") if row[key]}
    salary = parse_salary(row["text"] or None, structured=pay, country=row["country"] or None, title=row["title"])
    flags = judge(Candidate(salary, title=row["title"], country=row["country"] or None))
    bad = not salary.ok or any(flag.severity == "exclude" for flag in flags)
    assert bad is (row["bad"] == "1"), [flag.code for flag in flags]


@pytest.mark.parametrize("row", rows("title_levels.csv"), ids=lambda row: row["title"])
def test_a_title_says_this_level_or_none(row: dict[str, str]) -> None:
    assert parse_level(row["title"]).level == (row["level"] or None)


@pytest.mark.parametrize("row", rows("places.csv"), ids=lambda row: row["text"])
def test_a_place_is_read_only_from_what_it_says(row: dict[str, str]) -> None:
    place = parse_location(row["text"])
    assert (place.country, place.remote) == (row["country"] or None, row["remote"] or None)
    if row["city"]:
        assert place.city == row["city"]
