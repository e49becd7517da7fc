"""Employment types: the spellings of boards in many languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.normalise.employment import parse_employment
from service.normalise_place import normalise_employment

CODES = {"full_time", "part_time", "contract", "freelance", "internship", "temporary", "apprenticeship", "volunteer"}


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("Full Time Freelance Contract", "full_time freelance contract"),
        ("FULL_TIME", "full_time"),
        ("FullTime", "full_time"),
        ("fulltime", "full_time"),
        ("Full-time, Permanent", "full_time"),
        ("Employee: Full-Time", "full_time"),
        ("Full-time (m/f/d)", "full_time"),
        ("Part-time or full-time", "part_time full_time"),
        ("['PART_TIME', 'CONTRACTOR']", "part_time contract"),
        ("CONTRACTOR", "contract"),
        ("Contract-to-Hire", "contract"),
        ("Fixed-Term Contract (12 months)", "contract"),
        ("Permanent contract, part time", "part_time"),
        ("PER_DIEM", "temporary"),
        ("Temp", "temporary"),
        ("Seasonal", "temporary"),
        ("INTERN", "internship"),
        ("Co-op", "internship"),
        ("Degree Apprenticeship", "apprenticeship"),
        ("Volunteer", "volunteer"),
        ("Vollzeit", "full_time"),
        ("Teilzeit / Minijob", "part_time"),
        ("Praktikum", "internship"),
        ("Ausbildung", "apprenticeship"),
        ("Freie Mitarbeit", "freelance"),
        ("CDI", ""),
        ("CDI - Temps plein", "full_time"),
        ("CDD", "contract"),
        ("Stage (6 mois)", "internship"),
        ("Alternance", "apprenticeship"),
        ("Intérim", "temporary"),
        ("Jornada completa", "full_time"),
        ("Medio tiempo", "part_time"),
        ("Prácticas", "internship"),
        ("Estágio", "internship"),
        ("Tempo pieno", "full_time"),
        ("Tirocinio", "internship"),
        ("Deeltijd", "part_time"),
        ("Pełny etat", "full_time"),
        ("Kontrakt B2B", "contract"),
        ("Plný úvazek", "full_time"),
        ("Heltid", "full_time"),
        ("Полная занятость", "full_time"),
        ("Стажировка", "internship"),
        ("正社員", "full_time"),
        ("契約社員・派遣社員", "contract temporary"),
        ("アルバイト", "part_time"),
        ("全职", "full_time"),
        ("实习生", "internship"),
        ("정규직", "full_time"),
        ("OTHER", ""),
        ("Permanent", ""),
        ("Regular", ""),
        ("40 hours", ""),
        ("Remote", ""),
        ("international", ""),
        ("fullstack", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_spellings(text: str | None, types: str) -> None:
    assert parse_employment(text) == tuple(types.split())


@given(st.text(max_size=200))
def test_any_string_gives_codes_once_each(text: str) -> None:
    types = parse_employment(text)
    assert set(types) <= CODES
    assert len(set(types)) == len(types)


@given(st.lists(st.sampled_from(sorted(CODES)), unique=True), st.sampled_from([" ", ", ", " / ", "; ", " | "]))
def test_codes_are_read_back_in_order(codes: list[str], mark: str) -> None:
    assert parse_employment(mark.join(codes)) == tuple(codes)
    assert parse_employment(mark.join(code.upper() for code in codes)) == tuple(codes)


def test_long_input_is_quick() -> None:
    assert parse_employment("full time " * 1_000_000) == ("full_time",)


def test_json_shape() -> None:
    assert normalise_employment({"text": "Temp"}) == {"text": "Temp", "employment_types": ["temporary"]}
    assert normalise_employment({}) == {"text": None, "employment_types": []}
