"""Articles from blocks: heads of every shape, sections, and what is no article."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.pages.article import read_article, read_date, read_minutes
from scraper.pages.blocks import html_blocks, text_blocks

PROSE = "Both of these roles work with data all day, and each of them does so in its own way."

HEADS = {
    "whole": (
        "A vs. B\n\nA and B: Compared\n\n5 min read · Dec. 6, 2023\nA vs. B\nTable of contents\n\n",
        "A and B: Compared",
        5,
    ),
    "no byline": ("A vs. B\nA and B: Compared\nTable of contents\n", "A and B: Compared", None),
    "no contents": ("A vs. B\n\nA and B: Compared\n\n5 min read · Dec. 6, 2023\n\n", "A and B: Compared", 5),
    "no subtitle": ("A vs. B\n\n5 min read · Dec. 6, 2023\nTable of contents\n\n", None, 5),
    "title only": ("A vs. B\n\n", None, None),
    "byline reversed": ("A vs. B\n\nA and B: Compared\n\nDec. 6, 2023 | 5 min read\n\n", "A and B: Compared", 5),
    "byline in two lines": ("A vs. B\n\nA and B: Compared\n\n5 min read\nDec. 6, 2023\n\n", "A and B: Compared", 5),
    "separator still broken": (
        "A vs. B\n\nA and B: Compared\n\n5 min read ¤¤ Dec. 6, 2023\n\n",
        "A and B: Compared",
        5,
    ),
    "menu above": (
        "Jobs\nInsights\nA vs. B\n\nA and B: Compared\n\n5 min read · Dec. 6, 2023\nA vs. B\n",
        "A and B: Compared",
        5,
    ),
    "windows line ends": (
        "A vs. B\r\n\r\nA and B: Compared\r\n\r\n5 min read · Dec. 6, 2023\r\n",
        "A and B: Compared",
        5,
    ),
    "section at once": ("A vs. B\nDefinitions\n", None, None),
}


@pytest.mark.parametrize(("head", "subtitle", "minutes"), HEADS.values(), ids=HEADS)
def test_heads(head: str, subtitle: str | None, minutes: int | None) -> None:
    article = read_article(text_blocks(head + PROSE))
    assert article is not None
    assert (article.title, article.subtitle, article.read_minutes) == ("A vs. B", subtitle, minutes)
    assert article.published_on == (date(2023, 12, 6) if minutes else None)
    assert PROSE in [section.text for section in article.sections]


DATES = {
    "5 min read · Oct. 30, 2024": date(2024, 10, 30),
    "Sept. 3, 2023": date(2023, 9, 3),
    "May 1, 2024": date(2024, 5, 1),
    "March 31, 2024": date(2024, 3, 31),
    "6 December 2023": date(2023, 12, 6),
    "December 6th 2023": date(2023, 12, 6),
    "2024-02-29": date(2024, 2, 29),
    "Feb. 30, 2024": None,
    "06/12/2023": None,
    "Foo. 6, 2023": None,
    "read 6, 2023": None,
    "2023": None,
}


@pytest.mark.parametrize(("line", "day"), DATES.items(), ids=DATES)
def test_dates(line: str, day: date | None) -> None:
    assert read_date(line) == day


MINUTES = {
    "5 min read": 5,
    "12 minutes read": 12,
    "3-min read": 3,
    "1 min. read": 1,
    "five min read": None,
    "5 min": None,
}


@pytest.mark.parametrize(("line", "minutes"), MINUTES.items(), ids=MINUTES)
def test_minutes(line: str, minutes: int | None) -> None:
    assert read_minutes(line) == minutes


def sections(text: str) -> list[tuple[str | None, str | None, str]]:
    article = read_article(text_blocks(text))
    assert article is not None
    return [(s.heading, s.subheading, s.text) for s in article.sections]


HEAD = "Data Clerk vs. Data Typist\n\n5 min read · Dec. 6, 2023\n\n"


def test_the_compared_roles_are_subheadings_of_any_section() -> None:
    text = f"{HEAD}Duties and Pay\n\nData Clerk\n\n  • Files.\n\nData Typists\n\nTypes a lot.\n\nOutlook\n\nFair."
    assert sections(text) == [
        ("Duties and Pay", "Data Clerk", "- Files."),
        ("Duties and Pay", "Data Typists", "Types a lot."),
        ("Outlook", None, "Fair."),
    ]


def test_a_heading_that_comes_again_and_again_is_a_subheading() -> None:
    halves = "For Beginners\n\nLook.\n\nFor Masters\n\nLead."
    text = f"{HEAD}Duties\n\n{halves}\n\nTools\n\n{halves}"
    assert [s[:2] for s in sections(text)] == [
        ("Duties", "For Beginners"),
        ("Duties", "For Masters"),
        ("Tools", "For Beginners"),
        ("Tools", "For Masters"),
    ]


def test_a_role_without_text_keeps_its_place() -> None:
    text = f"{HEAD}Industries\n\nBoth are found everywhere.\n\nData Clerk\n\nData Typist\n\n- Courts"
    assert sections(text) == [
        ("Industries", None, "Both are found everywhere."),
        ("Industries", "Data Clerk", ""),
        ("Industries", "Data Typist", "- Courts"),
    ]


MARKS = {
    "colon": "Duties\n\nData Clerk:\n- Files\n\nData Typist:\n- Types",
    "hash signs": "## Duties\n\n### Data Clerk\n- Files\n\n### Data Typist\n- Types",
    "stars": "**Duties**\n\n**Data Clerk**\n- Files\n\n**Data Typist:**\n- Types",
    "small letters": "Duties\n\nDATA CLERK\n- Files\n\ndata typists:\n- Types",
}


@pytest.mark.parametrize("text", MARKS.values(), ids=MARKS)
def test_headings_that_are_marked_as_such(text: str) -> None:
    found = [(heading, (sub or "").casefold().rstrip("s"), lines) for heading, sub, lines in sections(HEAD + text)]
    assert found == [("Duties", "data clerk", "- Files"), ("Duties", "data typist", "- Types")]


def test_html_levels_say_what_is_below_what() -> None:
    page = "<h1>X Explained</h1><p>3 min read</p><h3>One</h3><p>a.</p><h4>Two</h4><ul><li>b<ul><li>c</ul></ul>"
    page += "<h3>Three</h3>d."
    article = read_article(html_blocks(page))
    assert article is not None
    assert [(s.heading, s.subheading, s.text) for s in article.sections] == [
        ("One", None, "a."),
        ("One", "Two", "- b\n- c"),
        ("Three", None, "d."),
    ]


def test_contents_are_no_sections() -> None:
    text = f"{HEAD}Table of contents\nDuties\nOutlook\n{PROSE}\n\nDuties\n\nMany.\n\nOutlook\n\nFair."
    assert [s[0] for s in sections(text)] == [None, "Duties", "Outlook"]


def test_sentences_stay_whole() -> None:
    claim = "According to a survey, the average salary for a Data Clerk in Norway is NOK 480,000 per year."
    assert sections(f"{HEAD}Outlook\n\n{claim} The outlook is fair.") == [
        ("Outlook", None, f"{claim} The outlook is fair.")
    ]
    wrapped = claim.replace("salary for", "salary\nfor")
    assert sections(f"{HEAD}Outlook\n\n{wrapped}")[0][2] == claim


def test_links_below_the_article_are_no_section() -> None:
    links = "Salary Insights\n\nView salary info for Data Clerk (global) Details\n\nRelated articles\n\nX vs. Y"
    text = f"{HEAD}Outlook\n\nFair.\n\n{links}"
    article = read_article(text_blocks(text))
    assert article is not None
    assert [s.heading for s in article.sections] == ["Outlook"]
    assert article.salary_insight_links == ("Data Clerk",)


def test_links_glued_together_are_read_one_by_one() -> None:
    text = (
        f"{HEAD}{PROSE}\nView salary info for Data Clerk (global) DetailsView salary info for Typist (Norway) Details"
    )
    article = read_article(text_blocks(text))
    assert article is not None
    assert article.salary_insight_links == ("Data Clerk", "Typist (Norway)")


NO_ARTICLES = {
    "nothing": "",
    "words": "Hello there",
    "title and words": "Our Company\n\nWe make boxes and we have made them since 1923, in one town.",
    "links only": "Related articles\n\nX vs. Y",
}


@pytest.mark.parametrize("text", NO_ARTICLES.values(), ids=NO_ARTICLES)
def test_no_article(text: str) -> None:
    assert read_article(text_blocks(text)) is None


@given(st.text(max_size=400))
def test_any_text_is_an_article_or_none(text: str) -> None:
    article = read_article(text_blocks(text))
    assert article is None or article.title or article.jobs


@given(st.text(alphabet="<>/abhlipr123 =\"'&;@|\n", max_size=300))
def test_any_html_is_an_article_or_none(page: str) -> None:
    article = read_article(html_blocks(page))
    assert article is None or article.title or article.jobs


def test_a_page_nested_without_end_is_read() -> None:
    page = "<h1>A vs. B</h1><p>5 min read</p>" + "<div>" * 5000 + PROSE
    article = read_article(html_blocks(page))
    assert article is not None
    assert PROSE in article.sections[0].text
