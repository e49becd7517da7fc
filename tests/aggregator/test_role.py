"""Roles: the ordinary names of jobs, the bare titles that name none, and the vocabulary itself."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.normalise.role import parse_role
from aggregator.normalise.title_vocabulary import (
    blocks,
    heads,
    taxonomy,
)

NAMED = {
    "Software Engineer": [
        "Senior Golang Engineer",
        "Developer",
        "SDE II",
        "Softwareentwickler Java (m/w/d)",
        "Ingénieur logiciel",
        "Programista Python",
    ],
    "Machine Learning Engineer": [
        "ML Engineer",
        "Software Engineer, Machine Learning",
        "Deep Learning Engineer",
        "Machine Learning Software Engineer",
    ],
    "MLOps Engineer": ["ML Platform Engineer", "Software Engineer - ML Infrastructure"],
    "Data Engineer": ["Azure Data Engineer", "Data Engineer, Payments", "Engenheiro de Dados Pleno", "Spark Developer"],
    "Data Analyst": ["Sales Data Analyst", "Analista de Datos", "Młodszy Analityk Danych", "Analytics Lead"],
    "Data Scientist": ["Lead Data Scientist - NLP", "Cientista de Dados Sr", "Data Science Senior Analyst"],
    "Director of Engineering": ["Director, Engineering", "Head of Engineering"],
    "Engineering Manager": [
        "Manager, Software Engineering",
        "Software Engineering Manager",
        "Senior Engineering Manager (L5)",
    ],
    "Civil Engineer": ["Structural Engineering Manager", "Highways Engineer", "Bauingenieur"],
    "Mechanical Engineer": ["Ingegnere Meccanico Junior", "HVAC Design Engineer"],
    "Sales Manager": [
        "Regional Vice President, Sales",
        "Director Sales",
        "Jefe de Ventas Regional",
        "Dyrektor Sprzedaży",
        "Head of Sales",
    ],
    "Healthcare Manager": ["Director, Nursing", "Nurse Manager", "Pflegedienstleitung"],
    "Registered Nurse": [
        "Staff Nurse",
        "Travel RN - ICU",
        "Infirmier(e) de nuit",
        "Pielęgniarka",
        "Verpleegkundige IC",
        "RN Case Manager",
    ],
    "Nursing Assistant": ["Nursing Auxiliary", "CNA - Nights", "Pflegehelfer (m/w/d)"],
    "Accountant": [
        "Accounts Payable Supervisor",
        "Comptable fournisseurs",
        "Księgowa",
        "Payroll Administrator",
        "Steuerfachangestellte",
    ],
    "Project Manager": ["Chef de projet digital", "Kierownik Projektu IT", "Projektleiter", "Gerente de Projetos"],
    "HR Specialist": ["Gerente de Recursos Humanos", "Responsabile Risorse Umane", "HR Business Partner"],
    "Retail Sales Associate": ["Verkäufer", "Addetto alle vendite", "Sprzedawca", "Vendeur en magasin", "Cashier"],
    "Warehouse Worker": ["Magazynier", "Lagerhelfer", "Magazijnmedewerker", "Mozo de almacén", "Forklift Operator"],
    "Cook": ["Chef de Partie", "Sous Chef", "Koch", "Cocinero"],
    "Driver": ["HGV Class 1 Driver", "LKW-Fahrer", "Chauffeur poids lourd", "Kierowca kat. C+E"],
    "Professor": ["Assistant Professor of Social Work", "Asst/Assoc Professor of Biology"],
    "AI Product Manager": ["Product Manager, AI Platform", "Senior Product Manager - Machine Learning"],
    "QA Engineer": ["Software Engineer in Test", "SDET", "Tester oprogramowania"],
    "Recruiter": ["Trainee Recruitment Consultant", "Chargé(e) de recrutement", "Specjalista ds. Rekrutacji"],
    "Finance Manager": ["Finance Director", "Chief Financial Officer", "Financial Controller"],
    "Financial Advisor": ["Bank Teller", "Mortgage Loan Officer"],
    "Chief Executive": ["Founder & CEO", "Geschäftsführer"],
    "Solutions Engineer": ["Pre-Sales Engineer", "Technical Pre-sales Consultant"],
    "AI Research Scientist": ["Research Scientist, Machine Learning", "AI/ML Researcher"],
    "Risk Analyst": ["Trust & Safety Analyst", "Trust and Safety Analyst"],
    "Enterprise Architect": ["Architekt IT", "Enterprise Architect"],
    "Teacher": ["Substitute Teacher", "SEN Teaching Assistant", "Erzieherin"],
    "Rehabilitation Therapist": [
        "Physical Therapist - Home Health",
        "Ergotherapeut",
        "Speech Language Pathologist (SLP)",
    ],
}

BARE = [
    "Engineer",
    "Senior Engineer",
    "Principal Engineer II",
    "Manager",
    "Senior Manager",
    "Analyst",
    "Lead Analyst",
    "Associate",
    "Senior Associate",
    "Consultant",
    "Director",
    "Specialist",
    "Coordinator",
    "Supervisor",
    "Representative",
    "Architect",
    "Designer",
    "Junior Designer",
    "Technician",
    "Technical Lead",
    "Team Lead",
    "Intern",
    "Stage",
    "Scientist",
    "Officer",
    "Assistant",
    "Executive",
    "Commercial",
    "Member of Technical Staff",
    "Bear Robotics",
    "Express your interest",
    "Regional Vice President",
    "Intern - Office of the CTO",
    "",
    "??",
    "Team Member",
    "Assistant Manager",
    "Project Engineer",
    "Applications Engineer",
    "Support Specialist",
    "Managing Director",
    "Technology Lead",
    "Staff",
]


@pytest.mark.parametrize(("role", "title"), [(role, title) for role, titles in NAMED.items() for title in titles])
def test_an_ordinary_title_has_its_role(role: str, title: str) -> None:
    assert parse_role(title).role == role


@pytest.mark.parametrize("title", BARE)
def test_a_bare_title_has_no_role(title: str) -> None:
    found = parse_role(title)
    assert (found.role, found.family, found.soc, found.confidence, found.evidence) == (None, None, None, 0.0, None)


@pytest.mark.parametrize("role", taxonomy())
def test_every_role_is_found_by_its_own_name(role: str) -> None:
    found = parse_role(role)
    assert found.role == role
    assert (found.family, found.soc) == (taxonomy()[role].family, taxonomy()[role].soc)
    assert 0.5 <= found.confidence <= 1


def test_the_vocabulary_names_only_roles_and_heads_that_exist() -> None:
    roles, known = set(taxonomy()) | {""}, set(heads())
    for block in blocks():
        assert {block.role, *block.other.values(), *block.refines, *block.refines.values()} <= roles, block.role
        assert block.heads | block.without | set(block.other) <= known, block.role


def test_a_whole_title_is_surer_than_a_borrowed_field() -> None:
    assert (
        parse_role("Data Engineer").confidence
        > parse_role("Golang Engineer").confidence
        > parse_role("Head - Marketing, Europe").confidence - 1
    )
    assert parse_role("Director, Engineering").confidence < parse_role("Director of Engineering").confidence


@given(st.text(max_size=200))
def test_any_text_gives_a_role_of_the_taxonomy_or_none(text: str) -> None:
    found = parse_role(text)
    assert found.role is None or taxonomy()[found.role].family == found.family


RANKS = ["Senior", "Junior", "Sr.", "Jr", "Principal", "Staff", "Intermediate"]


@given(
    st.sampled_from(
        ["Data Engineer", "Accountant", "Product Designer", "Electrical Engineer", "Recruiter", "UX Researcher"]
    ),
    st.sampled_from(RANKS),
)
def test_a_rank_changes_no_role(title: str, rank: str) -> None:
    assert parse_role(f"{rank} {title}").role == parse_role(title).role


@given(st.sampled_from([t for titles in NAMED.values() for t in titles]))
def test_letter_case_changes_no_role(title: str) -> None:
    assert parse_role(title.upper()).role == parse_role(title.lower()).role


def test_long_texts_end() -> None:
    assert parse_role("data " * 100_000).role in (*taxonomy(), None)
    assert parse_role("((" * 100_000).role is None


def test_the_titles_of_a_public_salary_table_resolve(shared_data: Path) -> None:
    with (shared_data / "data" / "aijobs-titles.csv").open(encoding="utf-8") as file:
        wrong = [r["job_title"] for r in csv.DictReader(file) if (parse_role(r["job_title"]).role or "") != r["role"]]
    assert wrong == []


def test_the_labelled_roles_are_reached(shared_data: Path) -> None:
    with (shared_data / "data" / "labelled" / "titles.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["note"]]
    named = [(parse_role(row["title"]).role, row["role"]) for row in rows if row["role"]]
    given_ = [(got, want) for got, want in named if got]
    assert len(given_) / len(named) >= 0.92
    assert sum(got == want for got, want in given_) / len(given_) >= 0.92


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Website Designer and E-commerce", "UX Designer"),
        ("Website Designer / E-commerce", "UX Designer"),
        ("Real Estate Management / Property Development", "Property Manager"),
        ("Real Estate Management and Property Development", "Property Manager"),
        ("JavaScript Backend Software Engineer and Cloud-based Development", "Backend Engineer"),
        ("Recruiting Operations Specialist / Recruiting Ops", "Operations Specialist"),
        ("KI-Manager/KI-Managerin", "Machine Learning Manager"),
    ],
)
def test_a_field_joined_behind_a_role_leaves_the_role(title: str, role: str) -> None:
    assert parse_role(title).role == role


@pytest.mark.parametrize("sign", [" and ", " / ", "/", " & "])
@pytest.mark.parametrize("behind", ["E-commerce", "Cloud", "Property Development", "Data"])
def test_what_is_joined_behind_a_designer_leaves_a_designer(sign: str, behind: str) -> None:
    assert parse_role(f"Website Designer{sign}{behind}").role == "UX Designer"
