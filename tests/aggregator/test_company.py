"""Companies: one key for the spellings of one company."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.normalise.company import parse_company


def key(text: str) -> str:
    company = parse_company(text)
    assert company is not None
    return company.key


@pytest.mark.parametrize(
    "names",
    [
        ("Acme", "ACME", "acme, inc.", "Acme Inc", "ACME CORP.", "Acme Corporation", "The Acme Company", "Acme L.L.C."),
        ("Acme GmbH", "Acme GmbH & Co. KG", "Acme AG", "ACME SE", "Acme UG (haftungsbeschränkt)"),
        ("Acme S.A.", "Acme SAS", "Acme S.à r.l.", "ACME, S.L.", "Acme S.p.A.", "Acme B.V.", "Acme N.V."),
        (
            "Acme sp. z o.o.",
            "Acme Sp. z o. o.",
            "Acme s.r.o.",
            "Acme d.o.o.",
            "ACME Kft.",
            "Acme OÜ",
            "Acme Oy",
            "Acme AB",
        ),
        (
            "Acme Pty Ltd",
            "Acme Pvt. Ltd.",
            "Acme Private Limited",
            "Acme Pte Ltd",
            "Acme Sdn Bhd",
            "Acme K.K.",
            "Acme Co., Ltd.",
        ),
        ("Acme.com", "www.acme.com", "Acme.com, Inc.", "Acme™", "Acme (Germany)"),
        ("Müller & Söhne", "Muller and Sohne GmbH", "MÜLLER & SÖHNE"),
        ("ООО Ромашка", "Ромашка"),
        ("株式会社サクラ", "サクラ株式会社", "サクラ"),
    ],
    ids=lambda names: names[0],
)
def test_spellings_share_a_key(names: tuple[str, ...]) -> None:
    assert len({key(name) for name in names}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme", "Acme Robotics"),
        ("Delta", "Delta Air"),
        ("Limited", "Company"),
        ("AB", "AG"),
        ("Alpha 1", "Alpha 2"),
        ("C++ Lab", "C Lab"),
    ],
)
def test_different_companies_differ(one: str, other: str) -> None:
    assert key(one) != key(other)


def test_the_name_is_what_was_said() -> None:
    company = parse_company(" ACME&nbsp;Robotics,  Inc. ")
    assert company is not None
    assert company.name == "ACME Robotics, Inc."


@pytest.mark.parametrize("text", [None, "", "  ", "N/A", "Confidential", "-", "™", "unknown"])
def test_nobody(text: str | None) -> None:
    assert parse_company(text) is None


@given(st.text(max_size=80))
def test_any_string(text: str) -> None:
    company = parse_company(text)
    if company is not None:
        assert company.key
        assert company.name
        assert parse_company(company.name) == company
