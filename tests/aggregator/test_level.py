"""Levels from titles and from the level fields of boards."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.normalise.level import LEVELS, parse_board_level, parse_level

STATED = {
    "internship": [
        "Finance Intern",
        "Co-op - Mechanical Engineering",
        "Werkstudent Controlling",
        "Stagiaire RH",
        "Stage - Assistant achats",
        "Alternance Data Engineer",
        "Becario de Marketing",
        "Estágio em Direito",
        "Tirocinio Ufficio Acquisti",
        "Stażysta IT",
        "Apprentice Plumber",
        "Praktikum Vertrieb",
        "Intern - Office of the Chief Operating Officer",
        "Design Intern - Senior Living Community",
        "Trainee Estate Agent",
        "Azubi Fachinformatiker",
    ],
    "entry": [
        "Junior Copywriter",
        "Jr. Buyer",
        "Graduate Civil Engineer",
        "Entry Level Recruiter",
        "New Grad Software Engineer",
        "Associate Data Scientist",
        "Clerk I",
        "Electrical Engineer 1",
        "Młodszy Programista",
        "Analista Júnior",
        "Junior Developer - Team Lead Support",
        "Junior Staff Accountant",
        "Associate Product Manager",
    ],
    "mid": [
        "Network Engineer II",
        "Nurse Practitioner 2",
        "Mid-Level Java Developer",
        "Intermediate Designer",
        "Analista Pleno",
        "Desarrollador Semi Senior",
        "Engineer II - Senior Platform Group",
        "Medior Developer",
        "Support Specialist Level 2",
    ],
    "senior": [
        "Sr. Accountant",
        "Snr Designer",
        "Engineer III",
        "Starszy Analityk",
        "Développeur confirmé",
        "Mid/Senior Tester",
        "Senior Associate",
        "Senior Internal Auditor",
        "Senior Product Manager",
        "Desenvolvedor Sênior",
        "Senior Art Director",
    ],
    "lead": [
        "Staff Data Engineer",
        "Principal Scientist",
        "Lead Nurse",
        "Tech Lead",
        "Teamleiter Logistik",
        "Technician IV",
        "Software Engineer (Senior/Staff)",
        "Team Leader - Warehouse",
        "Distinguished Engineer",
        "Head Data Scientist",
        "Líder técnico",
    ],
    "manager": [
        "Warehouse Manager",
        "Deputy Payroll Manager",
        "Data Science Manager",
        "Manager II, Engineering",
        "Nurse Manager",
        "Gerente de Vendas",
        "Kierownik sklepu",
        "Responsable logistique",
        "Abteilungsleiter Einkauf",
        "Shift Supervisor",
        "Senior Manager, Tax",
    ],
    "director": [
        "Director of Nursing",
        "Head of Data",
        "Associate Director, Biology",
        "Managing Director",
        "Directrice financière",
        "Dyrektor IT",
        "Diretor Comercial",
        "Senior Director",
        "Global Head, Payments",
    ],
    "executive": [
        "CEO",
        "Chief Nursing Officer",
        "Co-Founder & CTO",
        "President",
        "SVP Marketing",
        "Vice President of Sales",
        "Geschäftsführer",
    ],
}

NOT_STATED = [
    "Internal Auditor",
    "International Tax Analyst",
    "Internal Medicine Physician",
    "Midwife",
    "Middleware Engineer",
    "Midwest Sales Representative",
    "Mid-Market Account Executive",
    "Lead Generation Specialist",
    "Staff Nurse",
    "Staff Accountant",
    "Chief of Staff",
    "Head Chef",
    "Head Coach",
    "Assistant Principal",
    "Principal",
    "Junior High Teacher",
    "Senior Living Cook",
    "Stage Manager",
    "Key Stage 2 Teacher",
    "Art Director",
    "Product Manager",
    "Project Manager",
    "Account Manager",
    "Case Manager",
    "Office Manager",
    "Property Manager",
    "Customer Success Manager",
    "Community Manager",
    "Business Development Manager",
    "Sales Associate",
    "Research Associate",
    "Associate Professor",
    "Research Fellow",
    "Executive Assistant to the CEO",
    "Assistant to the Director",
    "Assistenz der Geschäftsführung",
    "L5 Accountant",
    "GS-12 Analyst",
    "IC4 Engineer",
    "Phase II Coordinator",
    "IV Nurse",
    "Tier 2 Support Agent",
    "Grade 5 Teacher",
    "Graduate Research Assistant",
    "Member of Technical Staff",
    "Full Time Driver",
    "Founding Engineer",
    "Engineer",
    "Regular Full Time Cashier",
    "Account Executive",
    "Support Staff",
]


@pytest.mark.parametrize(("level", "title"), [(level, title) for level, titles in STATED.items() for title in titles])
def test_a_stated_level_is_read(level: str, title: str) -> None:
    assert parse_level(title).level == level


@pytest.mark.parametrize("title", NOT_STATED)
def test_a_title_without_a_rank_has_no_level(title: str) -> None:
    assert parse_level(title).level is None


@pytest.mark.parametrize(
    ("title", "company", "level"),
    [
        ("Vice President", "Acme Robotics", "executive"),
        ("Vice President", "First Ohio Bank", None),
        ("VP, Software Engineer", None, None),
        ("VP - Credit Risk Analyst", None, None),
        ("Vice President, Equity Research", None, None),
        ("Assistant Vice President", None, None),
        ("VP of Product", "Acme Robotics", "executive"),
        ("SVP, Compliance", None, None),
        ("Vice President, Senior Data Engineer", "Goldman Sachs", "senior"),
    ],
)
def test_a_vice_president_of_a_bank_is_no_executive(title: str, company: str | None, level: str | None) -> None:
    assert parse_level(title, company=company).level == level


def test_the_evidence_is_the_word_of_the_title() -> None:
    assert parse_level("Sr. Data Engineer").evidence == "Sr"


def test_a_school_principal_has_no_rank() -> None:
    assert parse_level("Principal - Oak Hill", role="Education Administrator").level is None


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Senior-level / Expert", "senior"),
        ("Mid-level / Intermediate", "mid"),
        ("Entry-level / Junior", "entry"),
        ("Executive-level / Director", "executive"),
        ("EN", "entry"),
        ("MI", "mid"),
        ("SE", "senior"),
        ("EX", "executive"),
        ("Internship", "internship"),
        ("Director", "director"),
        ("entry_level", "entry"),
        ("Not Applicable", None),
        ("Mid-Senior level", None),
        ("Berufserfahren", None),
        ("Berufseinsteiger", "entry"),
        ("something new", None),
        ("", None),
        (None, None),
    ],
)
def test_the_level_field_of_a_board(text: str | None, level: str | None) -> None:
    assert parse_board_level(text) == level


@given(st.text(max_size=200))
def test_any_text_gives_a_known_level_or_none(text: str) -> None:
    assert parse_level(text).level in (*LEVELS, None)
    assert parse_board_level(text) in (*LEVELS, None)


@given(st.sampled_from([t for titles in STATED.values() for t in titles] + NOT_STATED))
def test_letter_case_changes_no_level(title: str) -> None:
    assert parse_level(title.upper()).level == parse_level(title).level


def test_the_labelled_levels_are_reached(shared_data: Path) -> None:
    import csv

    with (shared_data / "data" / "labelled" / "titles.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    said = [(parse_level(row["title"]).level, row["level"]) for row in rows]
    asserted = [(got, want) for got, want in said if got]
    assert sum(got == want for got, want in asserted) / len(asserted) >= 0.98
    assert sum((got or "") == want for got, want in said) / len(said) >= 0.97
