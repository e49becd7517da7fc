"""Featured jobs: sound blocks, glued ones, and lines that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.pages.blocks import text_blocks
from scraper.pages.featured import find_featured_jobs, pay_end, read_details

Job = tuple[str | None, str | None, str | None, str | None, str | None, str | None]


def jobs_of(text: str) -> list[Job]:
    jobs, _ = find_featured_jobs(text_blocks(text))
    return [(j.title, j.company, j.place, j.employment_text, j.level_text, j.salary_text) for j in jobs]


def rest_of(text: str) -> list[str]:
    return [block.text for block in find_featured_jobs(text_blocks(text))[1]]


DETAILS = {
    "all three": (
        "Full Time Senior-level / Expert USD 100K - 180K",
        "Full Time",
        "Senior-level / Expert",
        "USD 100K - 180K",
    ),
    "several types": (
        "Full Time Freelance Contract Mid-level / Intermediate EUR 60K - 120K",
        "Full Time Freelance Contract",
        "Mid-level / Intermediate",
        "EUR 60K - 120K",
    ),
    "hyphenated types": (
        "Full-time Part-time Entry-level / Junior",
        "Full-time Part-time",
        "Entry-level / Junior",
        None,
    ),
    "types with commas": ("Full Time, Contract Senior-level GBP 90K", "Full Time, Contract", "Senior-level", "GBP 90K"),
    "short level": ("Full Time Senior-level USD 150K-200K", "Full Time", "Senior-level", "USD 150K-200K"),
    "no pay": ("Part Time Executive-level / Director", "Part Time", "Executive-level / Director", None),
    "no level": ("Internship USD 25 - 30 / hour", "Internship", None, "USD 25 - 30 / hour"),
    "pay only": ("EUR 55K - 70K", None, None, "EUR 55K - 70K"),
    "unknown type before a level": (
        "Gig Mid-level / Intermediate USD 50K",
        "Gig",
        "Mid-level / Intermediate",
        "USD 50K",
    ),
    "level first": ("Senior-level / Expert Full Time USD 120K", "Full Time", "Senior-level / Expert", "USD 120K"),
    "placeholder": (
        "Full Time Senior-level / Expert USD 1111111K - 1111111K",
        "Full Time",
        "Senior-level / Expert",
        "USD 1111111K - 1111111K",
    ),
    "broken pay is kept as it is": (
        "Full Time Mid-level / Intermediate USD K - K",
        "Full Time",
        "Mid-level / Intermediate",
        "USD K - K",
    ),
    "words for pay": (
        "Full Time Mid-level / Intermediate Competitive",
        "Full Time",
        "Mid-level / Intermediate",
        "Competitive",
    ),
}


@pytest.mark.parametrize(("line", "employment", "level", "salary"), DETAILS.values(), ids=DETAILS)
def test_details(line: str, employment: str | None, level: str | None, salary: str | None) -> None:
    read = read_details(line)
    assert (read.employment_text, read.level_text, read.salary_text) == (employment, level, salary)


GLUED = {
    "range in thousands": ("USD 100K - 130KSenior Data Scientist", "USD 100K - 130K", "Senior Data Scientist"),
    "title begins like the unit": ("USD 100K - 130KKotlin Engineer", "USD 100K - 130K", "Kotlin Engineer"),
    "title begins in lower case": ("USD 100K - 130KiOS Developer", "USD 100K - 130K", "iOS Developer"),
    "title begins with a digit": ("USD 100K - 130K3D Artist", "USD 100K - 130K", "3D Artist"),
    "title begins with M": ("EUR 70K - 90KMachine Learning Engineer", "EUR 70K - 90K", "Machine Learning Engineer"),
    "no unit": ("USD 120000 - 150000Machine Learning Engineer", "USD 120000 - 150000", "Machine Learning Engineer"),
    "grouped digits": ("USD 120,000 - 150,000Data Analyst", "USD 120,000 - 150,000", "Data Analyst"),
    "apostrophes": ("CHF 118’000 – 135’000Data Analyst", "CHF 118’000 – 135’000", "Data Analyst"),
    "one amount": ("USD 60KData Engineer", "USD 60K", "Data Engineer"),
    "open end": ("USD 100K+AI Engineer", "USD 100K+", "AI Engineer"),
    "footnote": ("USD 100K+ *AI Engineer", "USD 100K+ *", "AI Engineer"),
    "estimate": ("ILS 139K-151K (estimate)Data Specialist", "ILS 139K-151K (estimate)", "Data Specialist"),
    "period with a slash": ("GBP 400 - 500 / dayData Architect", "GBP 400 - 500 / day", "Data Architect"),
    "period in words": ("EUR 40 - 55 per hourData Architect", "EUR 40 - 55 per hour", "Data Architect"),
    "lakhs": ("INR 22 - 34 LPASenior Engineer", "INR 22 - 34 LPA", "Senior Engineer"),
    "ten thousands": ("JPY 700万 - 950万データサイエンティスト", "JPY 700万 - 950万", "データサイエンティスト"),
    "sign before": ("€55K - €70KHead of Data", "€55K - €70K", "Head of Data"),
    "sign behind": ("55K - 70K €Head of Data", "55K - 70K €", "Head of Data"),
    "code behind": ("55K - 70K EURHead of Data", "55K - 70K EUR", "Head of Data"),
    "space instead of nothing": ("USD 100K - 130K Senior Data Scientist", "USD 100K - 130K", "Senior Data Scientist"),
    "placeholder": ("USD 1111111K - 1111111KLead Developer (AI)", "USD 1111111K - 1111111K", "Lead Developer (AI)"),
    "title in another script": ("PLN 18K - 24KИнженер данных", "PLN 18K - 24K", "Инженер данных"),
}


@pytest.mark.parametrize(("line", "salary", "title"), GLUED.values(), ids=GLUED)
def test_pay_glued_to_the_next_title(line: str, salary: str, title: str) -> None:
    text = (
        f"Analyst\n@ One Ltd | Berlin\nFull Time Mid-level / Intermediate {line}\n@ Two Ltd | Rome\nFull Time Mid-level"
    )
    assert jobs_of(text) == [
        ("Analyst", "One Ltd", "Berlin", "Full Time", "Mid-level / Intermediate", salary),
        (title, "Two Ltd", "Rome", "Full Time", "Mid-level", None),
    ]


GLUED_WITHOUT_PAY = {
    "level": ("Full Time Senior-level / ExpertData Engineer", ("Full Time", "Senior-level / Expert"), "Data Engineer"),
    "level and lower case": (
        "Full Time Mid-level / IntermediateiOS Lead",
        ("Full Time", "Mid-level / Intermediate"),
        "iOS Lead",
    ),
    "type": ("Full TimeData Engineer", ("Full Time", None), "Data Engineer"),
    "types": ("Full Time ContractData Engineer", ("Full Time Contract", None), "Data Engineer"),
}


@pytest.mark.parametrize(("line", "details", "title"), GLUED_WITHOUT_PAY.values(), ids=GLUED_WITHOUT_PAY)
def test_job_without_pay_glued_to_the_next_title(line: str, details: tuple[str, str | None], title: str) -> None:
    found = jobs_of(f"Analyst\n@ One Ltd | Berlin\n{line}\n@ Two Ltd | Rome\nFull Time Mid-level")
    assert found[0] == ("Analyst", "One Ltd", "Berlin", *details, None)
    assert found[1][0] == title


ONE = ("Data Engineer", "One Ltd", "Berlin, Germany", "Full Time", "Mid-level / Intermediate", "EUR 60K - 75K")
LAST_LINE = "Full Time Mid-level / Intermediate EUR 60K - 75K"
SHAPES = {
    "as captured": f"Featured Job 👀\nData Engineer\n\n@ One Ltd | Berlin, Germany\n\n{LAST_LINE}",
    "no marker": f"Data Engineer\n@ One Ltd | Berlin, Germany\n{LAST_LINE}",
    "marker in the title's line": f"Featured Job 👀 Data Engineer\n@ One Ltd | Berlin, Germany\n{LAST_LINE}",
    "marker glued to the title": f"Featured Job 👀Data Engineer\n@ One Ltd | Berlin, Germany\n{LAST_LINE}",
    "marker without its sign": f"Featured Job\nData Engineer\n@ One Ltd | Berlin, Germany\n{LAST_LINE}",
    "title and company in one line": f"Data Engineer @ One Ltd | Berlin, Germany\n{LAST_LINE}",
    "title glued to the company": f"Data Engineer@ One Ltd | Berlin, Germany\n{LAST_LINE}",
    "place glued to the type": f"Data Engineer\n@ One Ltd | Berlin, Germany{LAST_LINE}",
    "all in one line": f"Featured Job 👀Data Engineer@ One Ltd | Berlin, Germany{LAST_LINE}",
    "details over three lines": (
        "Featured Job 👀\nData Engineer\n@ One Ltd | Berlin, Germany\nFull Time\n"
        "Mid-level / Intermediate\nEUR 60K - 75K"
    ),
    "no space after the sign": f"Data Engineer\n@One Ltd | Berlin, Germany\n{LAST_LINE}",
    "marker in capitals": f"FEATURED JOB\nData Engineer\n@ One Ltd | Berlin, Germany\n{LAST_LINE}",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_shapes_of_one_job(text: str) -> None:
    assert jobs_of(text) == [ONE]


PARTS = {
    "no place": ("Data Engineer\n@ One Ltd", ("Data Engineer", "One Ltd", None, None, None, None)),
    "no details": (
        "Featured Job\nData Engineer\n@ One Ltd | Rome",
        ("Data Engineer", "One Ltd", "Rome", None, None, None),
    ),
    "no company": ("Data Engineer\n@ | Rome", ("Data Engineer", None, "Rome", None, None, None)),
    "bar in the place": (
        "Data Engineer\n@ One Ltd | Rome, Italy | Remote",
        ("Data Engineer", "One Ltd", "Rome, Italy | Remote", None, None, None),
    ),
    "sign in the title": ("Dev @ Night\n@ One Ltd | Rome", ("Dev @ Night", "One Ltd", "Rome", None, None, None)),
    "company line in the title": (
        "Featured Job\nAnalyst @ One | Growth\n@ One Ltd | Rome",
        ("Analyst @ One | Growth", "One Ltd", "Rome", None, None, None),
    ),
    "bracketed title": ("Featured Job 👀\n(Senior) Analyst\n@ A | B", ("(Senior) Analyst", "A", "B", None, None, None)),
    "no title": ("@ One Ltd | Rome\nFull Time", (None, "One Ltd", "Rome", "Full Time", None, None)),
}


@pytest.mark.parametrize(("text", "job"), PARTS.values(), ids=PARTS)
def test_jobs_that_lack_something(text: str, job: Job) -> None:
    assert jobs_of(text) == [job]


def test_a_title_on_its_own_line_is_no_pay_of_the_job_before() -> None:
    text = "Analyst\n@ One | Rome\nFull Time\n3D Artist\n@ Two | Rome\nPart Time"
    assert [job[0] for job in jobs_of(text)] == ["Analyst", "3D Artist"]
    assert jobs_of(text)[0][5] is None


def test_a_job_cut_off_after_its_title_is_incomplete() -> None:
    jobs, _ = find_featured_jobs(text_blocks("Featured Job 👀\nData Engineer"))
    assert [(job.title, job.complete) for job in jobs] == [("Data Engineer", False)]


def test_the_article_around_the_jobs_is_left() -> None:
    text = (
        f"In conclusion, both are fine jobs for people who like them.\n{SHAPES['as captured']}\nSalary Insights\nMore."
    )
    assert jobs_of(text) == [ONE]
    assert rest_of(text) == ["In conclusion, both are fine jobs for people who like them.", "Salary Insights", "More."]


NO_JOBS = {
    "prose that speaks of featured jobs": "Each Featured Job on this page was picked by hand, and none is paid for.",
    "an address": "Write to jobs@example.com | or call us today.",
    "a handle": "@example",
    "prose with a sign": "We met @ the fair in Rome and talked for hours about pay, work and the weather.",
    "marker without a job": "Featured Job 👀",
}


@pytest.mark.parametrize("text", NO_JOBS.values(), ids=NO_JOBS)
def test_no_job(text: str) -> None:
    assert jobs_of(text) == []


def test_the_end_of_an_article_is_no_title() -> None:
    text = "In conclusion, both roles are fine and each of them has its own charm.\n@ One Ltd | Rome\nFull Time"
    assert jobs_of(text)[0][0] is None


@given(st.text(max_size=200))
def test_pay_ends_inside_its_text(text: str) -> None:
    assert 0 <= pay_end(text) <= len(text)


WORDS = st.lists(
    st.sampled_from(["Data", "Engineer", "Senior", "Kotlin", "iOS", "Mid", "ML", "Köln"]), min_size=1, max_size=4
)


@given(st.lists(st.tuples(WORDS, WORDS, st.integers(20, 400), st.integers(0, 90)), min_size=1, max_size=5))
def test_gluing_loses_nothing(rows: list[tuple[list[str], list[str], int, int]]) -> None:
    wanted = [(" ".join(title), " ".join(company), f"USD {low}K - {low + more}K") for title, company, low, more in rows]
    text = wanted[0][0]
    for position, (_, company, pay) in enumerate(wanted):
        following = wanted[position + 1][0] if position + 1 < len(wanted) else ""
        text += f"\n@ {company} | Rome\nFull Time Mid-level / Intermediate {pay}{following}"
    assert [(job[0], job[1], job[5]) for job in jobs_of(text)] == wanted
