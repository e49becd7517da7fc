"""Cards and job pages of the articles site, generation by generation; one assertion a field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.pages.jobcards import JobCard, classify, job_id, read_cards, read_job

PAGES = Path(__file__).parent / "jobcards"
BASE = "https://careers.example/?page=2"

FIRST = (PAGES / "cards-2021.html").read_text("utf-8")

THIRD = (PAGES / "cards-2025.html").read_text("utf-8")


def card(cards: list[JobCard], number: str) -> dict[str, Any]:
    found = next(one for one in cards if one.id == number)
    return {name: getattr(found, name) for name in found.__slots__}


FIELDS: dict[str, tuple[str, str, str, object]] = {
    "first title": (FIRST, "51200", "title", "Tide Analyst"),
    "first url": (FIRST, "51200", "url", "https://careers.example/job/51200-tide-analyst/"),
    "first company": (FIRST, "51200", "company", "Sea Wall Trust"),
    "first place": (FIRST, "51200", "place", "Cork, Ireland"),
    "first pay": (FIRST, "51200", "salary", "EUR 48K+ *"),
    "first level": (FIRST, "51200", "level", "Entry-level / Junior"),
    "first, next card's company": (FIRST, "51201", "company", "Canal Board"),
    "first, next card has no pay": (FIRST, "51201", "salary", None),
    "third title without its marks": (THIRD, "51200", "title", "Tide & Surge Analyst"),
    "third pay": (THIRD, "51200", "salary", "EUR 48K-57K"),
    "third pay is the employer's": (THIRD, "51200", "is_estimate", False),
    "third level": (THIRD, "51200", "level", "Mid-level"),
    "third types": (THIRD, "51200", "employment", "Part Time Contract"),
    "third place": (THIRD, "51200", "place", "Cork, Ireland"),
    "third remote": (THIRD, "51200", "workplace", "Remote"),
    "third company is not shown": (THIRD, "51200", "company", None),
    "third skills and perks": (THIRD, "51200", "payload", {"skills": ["Python", "GIS"], "perks": ["Sea view"]}),
    "third estimate by its colour": (THIRD, "51201", "is_estimate", True),
    "third not remote": (THIRD, "51201", "workplace", None),
    "third type beside an estimate": (THIRD, "51201", "employment", "Full Time"),
}


@pytest.mark.parametrize(("page", "number", "field", "value"), FIELDS.values(), ids=FIELDS)
def test_cards(page: str, number: str, field: str, value: object) -> None:
    assert card(read_cards(page, BASE), number)[field] == value


@pytest.mark.parametrize("page", [FIRST, THIRD], ids=["first", "third"])
def test_each_job_once_and_nothing_else(page: str) -> None:
    assert [one.id for one in read_cards(page, BASE)] == ["51200", "51201"]


SECOND_JOB = (PAGES / "job-2023.html").read_text("utf-8")

FIRST_JOB = (PAGES / "job-2021.html").read_text("utf-8")

JOBS: dict[str, tuple[str, dict[str, object]]] = {
    "first": (
        FIRST_JOB,
        {
            "title": "Tide Analyst",
            "place": "Cork, Ireland",
            "company": "Sea Wall Trust",
            "employment": "Full Time",
            "level": "Mid-level / Intermediate",
            "salary": "EUR 48K+ *",
            "description": "You read gauges.",
        },
    ),
    "second": (
        SECOND_JOB,
        {
            "title": "Tide Analyst",
            "place": "Cork, Ireland",
            "company": "Sea Wall Trust",
            "employment": "Full Time",
            "level": "Mid-level / Intermediate",
            "salary": "EUR 48K - 57K",
            "description": "You read gauges.\n\n- Daily",
        },
    ),
}


@pytest.mark.parametrize(("page", "fields"), JOBS.values(), ids=JOBS)
def test_job_pages(page: str, fields: dict[str, object]) -> None:
    job = read_job(page, "https://careers.example/job/51200-tide-analyst/")
    assert job is not None
    assert {name: getattr(job, name) for name in fields} == fields
    assert job.id == "51200"


NO_JOBS = {
    "nothing": "",
    "text": "hello",
    "article": "<h1>A vs. B</h1><p>text</p>",
    "listing": THIRD,
    "two heads": "<h1>a</h1><h1>b</h1>",
}


@pytest.mark.parametrize("page", NO_JOBS.values(), ids=NO_JOBS)
def test_no_job_page(page: str) -> None:
    assert read_job(page) is None


IDS = {
    "/job/x-1/": "1",
    "/job/12-x/": "12",
    "/job/12-x-34": "12",
    "/job/x/": None,
    "/jobs/x-1/": None,
    "/job/x-1/apply/": None,
    "/job/x-1/?ref=y": "1",
}


@pytest.mark.parametrize(("path", "number"), IDS.items(), ids=IDS)
def test_ids(path: str, number: str | None) -> None:
    assert job_id(path) == number


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=20), st.sampled_from(["", "text-bg-success", "text-bg-secondary"])))
)
def test_every_badge_is_something(badges: list[tuple[str, str]]) -> None:
    employment, level, salary, _, remote = classify(badges)
    assert bool(employment or level or salary or remote) == bool(
        [b for b in badges if b[0].casefold() not in {"featured", "feat.", "new", "hot"}]
    )


@given(st.text(alphabet='<>/ahijlobp1-= "spanclutet', max_size=200))
def test_any_page_is_read(page: str) -> None:
    assert isinstance(read_cards(page), list)
    read_job(page)
