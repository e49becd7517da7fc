"""Ordinary wordings of every role, and that what stands around a wording does not change its role."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from aggregator.normalise.level import parse_level
from aggregator.normalise.role import parse_role
from aggregator.normalise.title import clean_title


@cache
def wordings() -> dict[str, list[str]]:
    lines = (Path(__file__).with_name("title_wordings.txt")).read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" | ") for line in lines if not line.startswith("#"))
    return {role: texts.split(", ") for role, texts in pairs}


AROUND = {
    "place": "{} - Chicago, IL",
    "shift and pay": "{} - 2nd Shift - $20/hr",
    "remote": "{} (Remote)",
    "number": "{} (R-10234)",
    "hours": "{} (Full-Time, Days)",
    "part time": "{} - Part Time",
    "bonus": "{} - $5,000 Sign On Bonus",
    "gender": "{} (m/w/d)",
    "employer": "{} at Acme Corp",
    "for whom": "{} for Growing Company",
    "experienced": "Experienced {}",
}


@pytest.mark.parametrize("role", wordings())
def test_ordinary_wordings_have_their_role(role: str) -> None:
    wrong = {text: got for text in wordings()[role] if (got := parse_role(clean_title(text)).role) != role}
    assert wrong == {}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
def test_what_stands_around_a_wording_changes_no_role(around: str) -> None:
    wrong = [
        (text, got)
        for role, texts in wordings().items()
        for text in texts
        if (got := parse_role(clean_title(around.format(text))).role) != role
    ]
    assert wrong == []


NOT_CLEANED_AWAY = {
    "Remote Pharmacist - Oncology": "Pharmacist - Oncology",
    "Remote Nurse, Telehealth": "Nurse, Telehealth",
    "Benefits Specialist - Plant Two": "Benefits Specialist - Plant Two",
    "Relocation Specialist - Household Goods": "Relocation Specialist - Household Goods",
    "Virtual Assistant - Real Estate": "Virtual Assistant - Real Estate",
    "Competitive Intelligence Analyst, Retail": "Competitive Intelligence Analyst, Retail",
}


@pytest.mark.parametrize(("text", "title"), NOT_CLEANED_AWAY.items())
def test_a_piece_that_says_who_is_wanted_is_no_noise(text: str, title: str) -> None:
    cleaned = clean_title(text)
    assert cleaned in (title, text)
    assert parse_role(cleaned).role is not None


IN_CONTEXT = {
    # a head that only completes the title before it
    "Java Full Stack Developer with Azure": "Full Stack Engineer",
    "LPN or RN Nurse - Clinic": "Licensed Practical Nurse",
    # a rank in front of a title
    "Lead Server - Steakhouse": "Food Service Worker",
    "Trainee Bartender": "Food Service Worker",
    # a lone rank in front of the job
    "Principal - Oakwood Elementary School": "Education Administrator",
    "Assistant Principal, Riverside Middle School": "Education Administrator",
    # a field of engineering keeps its engineers under a manager, software has a role of its own
    "Electrical Engineering Manager II": "Electrical Engineer",
    "Senior Manufacturing Engineering Manager": "Manufacturing Engineer",
    "Manager, Software Engineering (Developer Tools)": "Engineering Manager",
    "Manager, Engineering - ML Platform - Serving": "Machine Learning Manager",
    # the head again as an activity
    "Lead Engineer, Release Engineering": "DevOps Engineer",
    # a general title made narrower by a later segment
    "General Manager - Casual Dining": "Restaurant Manager",
    "Assistant General Manager (Hotel)": "Restaurant Manager",
    "Director, Financial Planning & Analysis": "Finance Manager",
    # a product before a general title
    "Workday Integration Developer": "Enterprise Applications Specialist",
    "SAP MM Functional Consultant": "SAP Consultant",
    # two jobs, or one with two fields
    "Bartender/Server": "Food Service Worker",
    "SRE / Reliability Engineer": "Site Reliability Engineer",
    "RN/LPN Supervisor": "Healthcare Manager",
    "Sales/Marketing Manager": "Sales Manager",
    "Housing Case Manager II-Therapist": "Social Worker",
    # trades under a foreman
    "Roofing Foreman": "Skilled Trades Worker",
    "Site Foreman": "Construction Manager",
    # plurals of phrases
    "Quality Assurance Engineers": "QA Engineer",
    "General Managers": "Operations Manager",
    "Travel RNs": "Registered Nurse",
}


@pytest.mark.parametrize(("title", "role"), IN_CONTEXT.items())
def test_a_word_is_read_by_its_neighbours(title: str, role: str) -> None:
    assert parse_role(clean_title(title)).role == role


@pytest.mark.parametrize(
    "title",
    [
        "Developer Engagement Representative",
        "Regional Manager",
        "Librarian",
        "Pastor",
        "Airline Pilot",
        "Winery Cellar Lead",
        "Crew Leader",
        "Brand New Role",
        "Lead Engineer - Phase Two",
    ],
)
def test_an_occupation_outside_the_taxonomy_has_no_role(title: str) -> None:
    assert parse_role(clean_title(title)).role is None


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("Senior Care Assistant - Nights", "senior"),
        ("Senior Care Community Liaison", None),
        ("Customer Care Manager", "manager"),
        ("Care Manager", None),
        ("Principal Clinical Data Manager", "lead"),
        ("Partner Development Manager", None),
        ("Clinical Project Manager - CRO", None),
        ("Executive Assistant to CFO & COO", None),
        ("Assistant to the Regional Director and CEO", None),
        ("Worship Leader", None),
    ],
)
def test_a_rank_word_is_read_by_its_neighbours(title: str, level: str | None) -> None:
    assert parse_level(title).level == level
