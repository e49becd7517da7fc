"""Every normaliser takes work in proportion to its text, on texts that are made to be hard."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aggregator.claims import compared_roles
from aggregator.normalise.company import parse_company
from aggregator.normalise.employment import parse_employment
from aggregator.normalise.level import parse_board_level, parse_level
from aggregator.normalise.location import parse_location
from aggregator.normalise.role import parse_role
from aggregator.normalise.salary import parse_salary
from aggregator.normalise.salary.prose import windows
from aggregator.normalise.title import clean_title
from tests.growth import superlinear

RULES: dict[str, Callable[[str], object]] = {
    "salary": parse_salary,
    "salary in prose": windows,
    "title": clean_title,
    "role": parse_role,
    "level": parse_level,
    "board level": parse_board_level,
    "location": parse_location,
    "workplace": lambda text: parse_location("Berlin", workplace=text),
    "employment": parse_employment,
    "company": parse_company,
    "compared roles": compared_roles,
}
PIECES = (
    " ", "\n", '"', "'", "(", ")", "[", "{", "1", "0", ",", ".", "-", "–", "$", "€", "/", "\\", "a", "é", "年",
    "%", "@", "&", "|", ";", ":", "+", "#", "*", "~", "1,", "1.", "1 ", "$1", "$1 - ", "1k-", "1-1 ",
    "- ", "a ", "a-", "A.", "US-", "( ", "1)", "\t\n", "or ",
    "Berlin, ", "New York / ", "remote ", "Senior ", "Engineer ", "VP of ", "up to ", "per hour ", "salary ",
    "USD 1 ", "₹1 lakh ", "円万", "full time ", "(m/w/d) ", "vs. ", "\ufffd", "\u0301", "\ud800", "C++ ", "1:", "h ",
    "GmbH ", " & ",
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_work_grows_as_the_text_grows(rule: Callable[[str], object]) -> None:
    hard = {piece: found for piece in PIECES if (found := superlinear(rule, piece.__mul__))}
    assert not hard, hard
