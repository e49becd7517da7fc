"""The clean title: what is taken off, what must stay, and the laws of cleaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.normalise.title import clean_title

TAKEN_OFF = {
    "gender-german": ("Projektingenieur Tiefbau (m/w/d)", "Projektingenieur Tiefbau"),
    "gender-brackets": ("Data Analyst [f/m/x]", "Data Analyst"),
    "gender-french": ("Acheteur projets H/F", "Acheteur projets"),
    "gender-all": ("Backend Developer (all genders)", "Backend Developer"),
    "both-genders-colon": ("Buchhalter:in", "Buchhalter"),
    "both-genders-capitals": ("INGENIERO/A DE OBRA", "INGENIERO DE OBRA"),
    "both-genders-star": ("Pfleger*in", "Pfleger"),
    "both-genders-portuguese": ("Desenvolvedor(a) Java", "Desenvolvedor Java"),
    "remote-front": ("Remote Senior Accountant", "Senior Accountant"),
    "remote-brackets": ("Copywriter (Remote)", "Copywriter"),
    "remote-scope": ("Copywriter - Remote, Latin America", "Copywriter"),
    "hybrid": ("Payroll Clerk | Hybrid", "Payroll Clerk"),
    "place-us": ("Line Cook - Reno, NV", "Line Cook"),
    "place-city": ("Finance Manager, Leeds", "Finance Manager"),
    "pay-hourly": ("Forklift Driver - $19.50/hr", "Forklift Driver"),
    "pay-range": ("Estate Agent £24,000 - £30,000 per annum", "Estate Agent"),
    "pay-upto": ("Physics Expert | Up to $70/hr", "Physics Expert"),
    "number-brackets": ("[Job-40211] Senior QA Engineer", "Senior QA Engineer"),
    "number-hash": ("Surveyor #23-004", "Surveyor"),
    "number-tail": ("Welder - 190221", "Welder"),
    "number-named": ("Case Manager - Job Id: KX0042", "Case Manager"),
    "percent": ("Pflegefachfrau 80-100%", "Pflegefachfrau"),
    "emoji": ("🚀 Growth Marketer 🚀", "Growth Marketer"),
    "stars": ("***Java Developer***", "Java Developer"),
    "shift": ("Machine Operator - 2nd Shift", "Machine Operator"),
    "nights": ("Registered Nurse ICU (Nights)", "Registered Nurse ICU"),
    "part-time": ("Barista (Part-Time)", "Barista"),
    "marketing": ("Restaurant Manager - Growing Brand!", "Restaurant Manager"),
    "entity": ("Sales &amp; Service Advisor", "Sales & Service Advisor"),
    "invisible": ("Data\u200b Engineer\ufeff", "Data Engineer"),
    "lost-spaces": ("AnalistadeSistemas", "Analista de Sistemas"),
    "lost-spaces-no-of": ("DesenvolvedorPHPPleno", "Desenvolvedor PHP Pleno"),
    "lost-spaces-dados": ("EngenheirodeDadosSr", "Engenheiro de Dados Sr"),
    "lost-spaces-devops": ("AnalistaDevOps", "Analista DevOps"),
    "lost-letters": ("Analista Cont\ufffdbil J\ufffdnior", "Analista Contabil Junior"),
    "lost-letters-open": ("Corpora\ufffd\ufffdo\ufffd Xy\ufffdz", "Corpora\ufffd\ufffdo\ufffd Xy\ufffdz"),
    "loose-dash": ("Account Manager- Digital", "Account Manager - Digital"),
}

STAYS = [
    "Founding AI Engineer, Agents",
    "AI Engineer Intern, Agents",
    "Lead Developer (AI)",
    "Asst/Assoc Professor of Applied Mathematics & Artificial Intelligence",
    "Cloud Consultant Intern, AWS Professional Services",
    "Software Development Engineer Intern, Student Veteran Opportunity",
    "Artificial Intelligence – Bioinformatic Expert",
    "Lead GNSS Data Scientist",
    "Ecosystem Manager",
    "C++ Developer",
    "C# Developer",
    ".NET Engineer",
    "Remote Sensing Analyst",
    "Contract Manager",
    "Engineer II",
    "Home Health Aide",
    "Head of R&D",
]


@pytest.mark.parametrize(("text", "title"), TAKEN_OFF.values(), ids=TAKEN_OFF.keys())
def test_noise_is_taken_off(text: str, title: str) -> None:
    assert clean_title(text) == title


@pytest.mark.parametrize("title", STAYS)
def test_the_name_of_the_job_stays_whole(title: str) -> None:
    assert clean_title(title) == title


@pytest.mark.parametrize("text", ["Remote", "(m/w/d)", "$20/hr", "Berlin", "🚀", "", "   "])
def test_a_title_of_noise_alone_is_not_cleaned_away(text: str) -> None:
    assert clean_title(text) == "" if not text.strip() else clean_title(text)


@given(st.text(max_size=120))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean_title(text)
    assert clean_title(once) == once


PIECES = [
    "Senior",
    "Data Engineer",
    "-",
    "(m/w/d)",
    ",",
    "Remote",
    "Berlin",
    "$20/hr",
    "[Job-12]",
    "(",
    ")",
    "/in",
    "%",
    "80%",
    "|",
    "#99",
    "!",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))
def test_cleaning_twice_is_cleaning_once_on_likely_texts(text: str) -> None:
    once = clean_title(text)
    assert clean_title(once) == once


@pytest.mark.parametrize(
    "text", ["(" * 50_000, "day shift " * 20_000 + "x", "1" * 200_000, "a-" * 80_000, "remote or " * 30_000]
)
def test_long_texts_end(text: str) -> None:
    assert len(clean_title(text)) <= 400
