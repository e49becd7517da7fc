"""Laws of the salary normaliser: they hold for every text, amount and country."""

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.normalise.money import PERIODS_PER_YEAR
from aggregator.normalise.salary import Salary, parse_salary
from aggregator.normalise.salary.numbers import read_number
from aggregator.quality import Candidate, judge
from service.normalise_salary import normalise_salary

SIGNS = ["$", "€", "£", "USD ", "EUR", "zł", "kr ", "₹", "R$ ", "¥", "万", "원", "K", "k", "M", " Tsd ", "lakh", "Cr"]
WORDS = [
    *["salary", "up to", "from", "per", "hour", "/", "-", "–", " to ", " a ", "bonus", "OTE", "base", "+", "(", ")"],
    *[
        "gehalt",
        "monatlich",
        "par an",
        "月給",
        "ab",
        "bis",
        "401k",
        "%",
        ",",
        ".",
        "\n",
        ":",
        "employees",
        "x",
        "~",
        "'",
    ],
]
NUMBERS = st.from_regex(r"[0-9]{1,9}([., '][0-9]{2,3}){0,3}", fullmatch=True)
PAYISH = st.lists(st.one_of(st.sampled_from(SIGNS), st.sampled_from(WORDS), NUMBERS), max_size=25).map("".join)
ANY_TEXT = st.one_of(PAYISH, st.text(max_size=400))


def check(salary: Salary) -> None:
    if salary.min is not None and salary.max is not None:
        assert salary.min <= salary.max
    for end in (salary.min, salary.max):
        assert end is None or end.is_finite()
    assert not salary.ok or salary.min is not None or salary.max is not None
    assert salary.period in (None, *PERIODS_PER_YEAR)
    assert salary.currency is None or (len(salary.currency) == 3 and salary.currency.isupper())
    assert salary.open in (None, "from", "upto")


@given(ANY_TEXT, st.sampled_from([None, "US", "GB", "DE", "JP", "IN", "CN", "XX", ""]))
@settings(max_examples=600)
def test_any_text_has_an_answer(text: str, country: str | None) -> None:
    salary = parse_salary(text, country=country)
    check(salary)
    judge(Candidate(salary, title=text[:80], country=country))


@given(PAYISH)
@settings(max_examples=300)
def test_normalising_the_answer_again_changes_nothing(text: str) -> None:
    once = parse_salary(text)
    if not once.ok:
        return
    fields = {"min": once.min, "max": once.max, "currency": once.currency, "period": once.period}
    twice = parse_salary(None, structured=fields)
    assert (twice.min, twice.max, twice.currency) == (once.min, once.max, once.currency)
    assert twice.period == once.period or once.period is None


@given(st.integers(1_000, 9_999_999), st.sampled_from([",", ".", " ", "'", "’", "\u00a0", "\u202f", ""]))
def test_grouping_does_not_change_a_number(value: int, mark: str) -> None:
    assert read_number(f"{value:,}".replace(",", mark)) == value


@given(
    st.integers(15_000, 400_000), st.integers(0, 99), st.sampled_from(["1,234.56", "1.234,56", "1 234,56", "1'234.56"])
)
def test_an_amount_in_another_countrys_digits_is_the_same_amount(value: int, cents: int, pattern: str) -> None:
    group, point = pattern[1], pattern[5]
    written = f"{value:,}".replace(",", group) + point + f"{cents:02d}"
    salary = parse_salary(f"EUR {written} per year")
    assert (salary.min, salary.currency, salary.period) == (Decimal(f"{value}.{cents:02d}"), "EUR", "year")


@given(
    st.integers(20_000, 200_000),
    st.integers(1, 90_000),
    st.sampled_from([" - ", "-", " – ", "—", " to ", " bis ", " à ", " ~ "]),
    st.sampled_from(["{}€", "€{}", "EUR {}", "{} EUR"]),
)
def test_a_range_is_read_whichever_way_it_is_joined(low: int, width: int, joint: str, sign: str) -> None:
    text = joint.join(sign.format(f"{end:,}") for end in (low, low + width))
    salary = parse_salary(f"{text} per year")
    if "placeholder" not in salary.notes:
        assert (salary.min, salary.max, salary.currency, salary.open) == (low, low + width, "EUR", None)


@given(
    st.dictionaries(
        st.sampled_from(["text", "min", "max", "currency", "period", "country", "title"]),
        st.one_of(
            st.none(),
            st.text(max_size=30),
            st.floats(),
            st.integers(),
            st.booleans(),
            st.lists(st.integers(), max_size=2),
        ),
    )
)
@settings(max_examples=300)
def test_any_object_has_the_contracts_keys(obj: dict[str, object]) -> None:
    answer = normalise_salary(obj)
    keys = {
        "text",
        "ok",
        "min",
        "max",
        "currency",
        "period",
        "open",
        "is_estimate",
        "annual_min",
        "annual_max",
        "flags",
    }
    assert keys <= answer.keys()


@pytest.mark.parametrize(
    "piece",
    [
        "9",
        "9 ",
        "$",
        "$1 ",
        "1,",
        "1.",
        "1 234 ",
        "(",
        "a/",
        "salary ",
        "$5-",
        "Pay: $1\n",
        "\u202e₪٣",
        "k",
        "e.g.",
        "<div>",
    ],
)
def test_time_grows_with_length_only(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    check(parse_salary(text))
    assert time.process_time() - started < 6


@pytest.mark.parametrize("text", ["\x00$5\x00", "\ud800 $50,000 a year", "‮$50,000 a year", "", " ", "\n\n\n"])
def test_broken_text_is_no_error(text: str) -> None:
    check(parse_salary(text))
