"""The sample site's pages, made from `articles.toml`, `roles.toml`, `jobs.csv` and the templates.

Every employer is invented. The pages have the shapes of the real captures, their damage included: text read in a wrong
code page, a text capture that lost its line breaks, a placeholder for pay, places that name no country.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
ARTICLES_A_PAGE: Final = 6
FIRST_JOB_NUMBER: Final = 250_000
POSTED: Final = "2026-03-02"
CODE_PAGES: Final = {"thai": "cp874", "greek": "cp1253", "greek-plain": "cp1253", "latin": "cp1252"}
"""Forms of articles whose text was read in a wrong code page, and which."""
TEXT_FORMS: Final = frozenset({"plain", "greek-plain", "glued"})


@dataclass(frozen=True, slots=True)
class Job:
    number: int
    title: str
    company: str
    place: str
    types: str
    level: str
    salary: str
    page: str
    """How its own page is made: schema (JSON-LD), markup, or empty for a job without a page."""
    schema: str
    """Pay in the JSON-LD: min, max, currency, unit."""
    tasks: tuple[str, ...]
    skills: tuple[str, ...]

    @property
    def path(self) -> str:
        return f"/job/{_slug(self.title)}-{_slug(self.place)}-{self.number}/"

    @property
    def company_slug(self) -> str:
        return _slug(self.company)

    @property
    def type_list(self) -> list[str]:
        return re.findall(r"(?:Full|Part|Working) \w+|\w+", self.types)

    @property
    def short_level(self) -> str:
        return self.level.split(" / ")[0]

    @property
    def card_salary(self) -> str:
        return self.salary.replace(" - ", "-")

    @property
    def details(self) -> str:
        return " ".join(part for part in (self.types, self.level, self.salary) if part)


@dataclass(frozen=True, slots=True)
class Page:
    body: bytes
    content_type: str


def pages(base: str) -> dict[str, Page]:
    """Every page of the site at `base`, by path with query."""
    site = {
        "/robots.txt": Page(b"User-agent: *\nDisallow: /account/\n", "text/plain; charset=utf-8"),
        **_index_pages(base),
    }
    for article in articles():
        site[article["path"]] = _article_page(article, base)
    for job in jobs():
        if job.page:
            site[job.path] = _page("job.html", base + job.path, title=job.title, job=job, json_ld=_json_ld(job))
    return site


def captures() -> dict[str, str]:
    """The articles as text captures, by file name, in the shapes and with the damage of real ones."""
    return {
        f"{position:03}_{article['slug']}.txt": broken(_text_of(article), article["form"])
        for position, article in enumerate(articles())
    }


def mojibake(text: str, code_page: str) -> str:
    """UTF-8 read in a code page; its holes are read as windows-1252 or latin-1, as editors do.

    >>> mojibake("5 min read · 👀", "cp874")
    '5 min read ยท ๐Ÿ‘€'
    """
    table = [_character(byte, code_page) for byte in range(256)]
    return "".join(table[byte] for byte in text.encode())


def broken(text: str, form: str) -> str:
    """A page with the damage of its form."""
    return mojibake(text, CODE_PAGES[form]) if form in CODE_PAGES else text


@cache
def jobs() -> tuple[Job, ...]:
    facts = _roles()
    made = []
    with (FOLDER / "jobs.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="|"), FIRST_JOB_NUMBER + 1):
            role = next((name for name in facts if name.casefold() in row["title"].casefold()), "Data Engineer")
            tasks, skills = facts[role]["duties"], facts[role]["tools"]
            made.append(Job(number=number, **row, tasks=tuple(tasks), skills=tuple(skills)))
    return tuple(made)


@cache
def articles() -> tuple[Mapping[str, Any], ...]:
    """The articles with their texts: path, title, subtitle, sections, featured jobs."""
    with (FOLDER / "articles.toml").open("rb") as file:
        entries = tomllib.load(file)["article"]
    made = []
    for entry in entries:
        one, other = entry["a"], entry["b"]
        slug = f"{_slug(one)}-vs-{_slug(other)}"
        is_text = entry["form"] in TEXT_FORMS
        made.append(
            {
                **entry,
                "slug": slug,
                "path": f"/insights/{slug}.txt" if is_text else f"/insights/{slug}/",
                "title": f"{one} vs. {other}",
                "subtitle": f"{one} and {other}: Two Jobs Side by Side",
                "roles": (one, other),
                "intro": _intro(one, other),
                "sections": _sections(one, other),
                "jobs": [jobs()[row - 1] for row in entry["jobs"]],
            }
        )
    return tuple(made)


@cache
def _roles() -> dict[str, Any]:
    with (FOLDER / "roles.toml").open("rb") as file:
        return tomllib.load(file)


def _intro(one: str, other: str) -> list[str]:
    return [
        f"People who apply as {one} often look at posts for a {other} too, and the other way round. The two share "
        "tools and meetings, yet they are measured by different things.",
        "This page sets them side by side: what each does, needs and earns.",
    ]


def _sections(one: str, other: str) -> list[dict[str, Any]]:
    facts = _roles()

    def points(heading: str, field: str) -> dict[str, Any]:
        parts = [{"subheading": role, "paragraphs": [], "points": facts[role][field]} for role in (one, other)]
        return {"heading": heading, "parts": parts}

    definitions = [f"{role}: A {role} {facts[role]['is']}." for role in (one, other)]
    outlooks = [{"subheading": role, "paragraphs": [facts[role]["outlook"]], "points": []} for role in (one, other)]
    tips = {
        "subheading": None,
        "paragraphs": [],
        "points": ["Build one small thing that works, and show it", "Read three postings and note what they repeat"],
    }
    return [
        {"heading": "Definitions", "parts": [{"subheading": None, "paragraphs": definitions, "points": []}]},
        points("Responsibilities", "duties"),
        points("Required Skills", "skills"),
        points("Tools and Software Used", "tools"),
        points("Common Industries", "industries"),
        {"heading": "Outlooks", "parts": outlooks},
        {"heading": "Practical Tips for Getting Started", "parts": [tips]},
    ]


def _article_page(article: Mapping[str, Any], base: str) -> Page:
    form = article["form"]
    if form in TEXT_FORMS:
        return Page(broken(_text_of(article), form).encode(), "text/plain; charset=utf-8")
    position = articles().index(article)
    related = [articles()[(position + step) % len(articles())] for step in (1, 2)]
    page = _page("article.html", base + article["path"], related=related, **article)
    return Page(broken(page.body.decode(), form).encode(), page.content_type)


def _index_pages(base: str) -> dict[str, Page]:
    own = [job for job in jobs() if job.page]
    count = -(-len(articles()) // ARTICLES_A_PAGE)
    made = {}
    for number in range(1, count + 1):
        path = "/" if number == 1 else f"/?page={number}"
        made[path] = _page(
            "index.html",
            base + path,
            title="Careers in data, compared",
            articles=articles()[(number - 1) * ARTICLES_A_PAGE : number * ARTICLES_A_PAGE],
            jobs=own[number - 1 :: count],
            next=f"/?page={number + 1}" if number < count else None,
        )
    return made


def _text_of(article: Mapping[str, Any]) -> str:
    """The article as a text capture; a glued one has no blank lines, byline or markers, and runs its jobs together."""
    glued = article["form"] == "glued"
    lines = [article["title"], article["subtitle"]]
    if not glued:
        lines += [f"{article['minutes']} min read · {article['published']}", article["title"]]
    lines += ["Table of contents", *article["intro"]]
    for section in article["sections"]:
        lines.append(section["heading"])
        for part in section["parts"]:
            lines += [part["subheading"]] if part["subheading"] else []
            lines += part["paragraphs"]
            lines += [f"- {point}" if glued else f"  • {point}" for point in part["points"]]
    if glued:
        return "\n".join(lines) + "\n" + _glued(article["jobs"])
    for job in article["jobs"]:
        lines += [f"Featured Job 👀\n{job.title}", f"@ {job.company} | {job.place}", job.details]
    lines += ["Salary Insights", *(f"View salary info for {role} (global) Details" for role in article["roles"])]
    return "\n\n".join([*lines, "Related articles"])


def _glued(featured: list[Job]) -> str:
    text = featured[0].title if featured else ""
    for position, job in enumerate(featured):
        following = featured[position + 1].title if position + 1 < len(featured) else ""
        text += f"\n@ {job.company} | {job.place}\n{job.details}{following}"
    return text


def _json_ld(job: Job) -> str:
    """A schema.org JobPosting. `</` is written so that no text can end the script element."""
    low, high, currency, unit = (*job.schema.split(), "", "", "", "")[:4]
    posting: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "title": job.title,
        "datePosted": POSTED,
        "hiringOrganization": {"@type": "Organization", "name": job.company},
        "jobLocation": {"@type": "Place", "address": job.place},
        "employmentType": [kind.upper().replace(" ", "_") for kind in job.type_list],
        "description": "".join(f"<p>{task}.</p>" for task in job.tasks),
    }
    if low:
        value = {"@type": "QuantitativeValue", "minValue": float(low), "maxValue": float(high), "unitText": unit}
        posting["baseSalary"] = {"@type": "MonetaryAmount", "currency": currency, "value": value}
    return json.dumps(posting, ensure_ascii=False).replace("</", "<\\/")


def _page(template: str, canonical: str, **values: Any) -> Page:
    from markupsafe import Markup

    if "json_ld" in values:
        values["json_ld"] = Markup(values["json_ld"])  # noqa: S704 - made by `_json_ld`, which escapes it
    body = _templates().get_template(template).render(canonical=canonical, **values)
    return Page(body.encode(), "text/html; charset=utf-8")


@cache
def _templates() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined)


def _slug(text: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", text.casefold())) or "job"


def _character(byte: int, code_page: str) -> str:
    for encoding in (code_page, "cp1252", "latin-1"):
        if character := bytes([byte]).decode(encoding, "ignore"):
            return character
    raise AssertionError("latin-1 has every byte")
