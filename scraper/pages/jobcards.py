"""Job cards and job pages of the articles site, in the three generations of its markup.

    about 2021   div.list-group-item > a, h2, .job-list-item-company, .job-list-item-location, span.badge-success
    about 2023   div.head-fluid > h1, h3, span.badge; h2.h5; div#job-description
    2025         li > a.stretched-link, span.text-bg-success|warning|secondary, div.text-end

Classes mean different things in different places (`text-bg-success` is pay and also the remote mark,
`text-bg-secondary` is the employment type and also an estimated pay), so a badge is known by its words: a digit says
pay, "-level" the level, "R" remote, anything else the employment type. How long ago a job was found ("7d ago") is not
kept: it would change every day, and is no date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree, html

from db.contained import Failure, contained
from db.text import one_line
from scraper.identity import closed_words
from scraper.pages.adaddress import names_an_ad
from scraper.pages.addresses import absolute, split_address
from scraper.pages.plain import plain_text

JOB_PATH: Final = re.compile(r"/job/(?:(?P<first>\d+)-[^/]+|[^/]+-(?P<last>\d+))/?$")
"""`/job/<id>-<slug>/` until 2024, `/job/<slug>-<id>/` since."""
_COMPANY_PATH: Final = re.compile(r"/company/(?P<slug>[^/]+?)(?:-\d+)?/?$")
_LEVEL: Final = re.compile(r"\b\w+-level\b|^(?:Junior|Senior|Intermediate|Expert|Executive|Director)\b", re.IGNORECASE)
_MASKED: Final = re.compile(r"^@?\s*\S{0,3}(?:\.{2,}|…)$")
_ESTIMATE: Final = re.compile(r"\bestimate", re.IGNORECASE)
_NOTHING: Final = frozenset({"n/a", "none", "-", "–", "—"})
REMOTE_MARK: Final = "R"
SPONSORED: Final = frozenset({"featured", "feat.", "new", "hot"})
"""Badges about the listing, not about the job."""


@dataclass(frozen=True, slots=True)
class JobCard:
    """A job as a card or its own page shows it; nothing interpreted."""

    id: str | None
    """The digits of its address."""
    url: str | None
    title: str
    company: str | None = None
    place: str | None = None
    workplace: str | None = None
    employment: str | None = None
    level: str | None = None
    salary: str | None = None
    is_estimate: bool = False
    description: str | None = None
    payload: dict[str, object] = field(default_factory=dict)


def job_id(address: str) -> str | None:
    """The number in a job page's address.

    >>> job_id("/job/ml-engineer-remote-250001/"), job_id("https://example.com/job/41900-analyst/"), job_id("/jobs/1/")
    ('250001', '41900', None)
    """
    found = JOB_PATH.search(split_address(address).path)
    return (found["first"] or found["last"]) if found else None


def read_cards(page: str, base: str | None = None) -> list[JobCard | Failure]:
    """The job cards of a listing, in order, each job once; relative addresses are read against `base`.

    A card that cannot be read is a failure, and the others are read.
    """
    root = _parsed(page)
    if root is None:
        return []
    links = [(link, number) for link in root.iterfind(".//a[@href]") if (number := job_id(link.get("href")))]
    shared = _shared([link for link, _ in links])

    def read(link: Any, number: str) -> JobCard | None:
        return _card(link, _card_of(link, shared), number, base)

    cards: dict[str, JobCard | Failure] = {}
    for link, number in links:
        if isinstance(cards.get(number), JobCard) or link.get("href").rstrip("/").endswith("/apply"):
            continue
        card = contained(read, link, number)
        if card is not None and (number not in cards or isinstance(card, JobCard)):
            cards[number] = card
    return list(cards.values())


def read_job(page: str, base: str | None = None) -> JobCard | None:
    """The job of a job page; None where the page shows no job, or says that its job is gone."""
    root = _parsed(page)
    if root is None:
        return None
    heads = root.xpath("//h1")
    if len(heads) != 1 or not (title := _text(heads[0])) or closed_words(title):
        return None
    sections = _sections(root)
    description = root.xpath("//*[@id='job-description']")
    company = _company(root)
    badges = _job_badges(root)
    if not (description or "Tasks" in sections or (company and badges)):
        return None
    employment, level, salary, is_estimate, remote = classify(badges)
    payload: dict[str, object] = {"company_shown": company[1]} if company and company[1] != company[0] else {}
    address = canonical_address(root) or base
    return JobCard(
        id=job_id(address) if address else None,
        url=address,
        title=title,
        company=company[0] if company else None,
        place=_place(root, heads[0]),
        workplace="Remote" if remote else None,
        employment=employment,
        level=level,
        salary=salary,
        is_estimate=is_estimate,
        description=_description(description, sections),
        payload=payload,
    )


def classify(badges: Iterable[tuple[str, str]]) -> tuple[str | None, str | None, str | None, bool, bool]:
    """Employment types, level, pay, whether pay is the site's estimate, and the remote mark, from (text, classes).

    >>> classify([("USD 68K-88K", "text-bg-success"), ("Mid-level", "text-bg-warning"), ("Full Time", "")])
    ('Full Time', 'Mid-level', 'USD 68K-88K', False, False)
    """
    types: dict[str, None] = {}
    level = salary = None
    is_estimate = remote = False
    for text, classes in badges:
        if text.casefold() in SPONSORED:
            continue
        if text == REMOTE_MARK:
            remote = True
        elif any(character.isdigit() for character in text):
            salary = salary or text
            is_estimate = is_estimate or bool(_ESTIMATE.search(text)) or "text-bg-secondary" in classes
        elif _LEVEL.search(text) or "text-bg-warning" in classes or "badge-info" in classes:
            level = level or text
        else:
            types[text] = None
    return " ".join(types) or None, level, salary, is_estimate, remote


def _parsed(page: str) -> Any:
    """The tree of a page; None where there is none. lxml takes no text with an encoding declaration."""
    try:
        return html.document_fromstring(
            page.encode(errors="replace"), parser=html.HTMLParser(encoding="utf-8", huge_tree=False)
        )
    except (etree.ParserError, etree.XMLSyntaxError):
        return None


def _shared(links: list[Any]) -> set[Any]:
    """The elements around links to several jobs, each met once: a page may hold very many links."""
    address: dict[Any, str] = {}
    shared: set[Any] = set()
    for link in links:
        own = link.get("href")
        for parent in link.iterancestors():
            if parent in shared:
                break  # so is everything around it
            if address.setdefault(parent, own) != own:
                shared.add(parent)
    return shared


def _card_of(link: Any, shared: set[Any]) -> Any:
    """The element that holds one card: the outermost one around the link without a link to another job."""
    card = link
    for parent in link.iterancestors():
        if parent.tag in {"ul", "ol", "body", "html", "main", "table"}:
            break
        if parent in shared:
            break
        card = parent
        if parent.tag in {"li", "article", "tr"}:
            break
    return card


def _card(link: Any, card: Any, number: str, base: str | None) -> JobCard | None:
    heading = link.find(".//h2")
    title = _text(heading) if heading is not None else _own_text(link)
    if title is None:
        return None
    badges = [(text, _class(node)) for node in card.iter("span") if _is_badge(node) and (text := _text(node))]
    employment, level, salary, is_estimate, remote = classify(badges)
    company, place = _first(card, "job-list-item-company"), _first(card, "job-list-item-location")
    right = card.xpath(".//div[contains(concat(' ', @class, ' '), ' text-end ')]")
    if not right:
        # The newest cards sometimes carry no class on the right column: it is the one that holds the age.
        right = [div for div in card.xpath("./div") if div.xpath("./div[contains(@class, 'text-muted')]")]
    if right and place is None:
        lines = [
            text for div in right[0].iterfind("div") if "text-muted" not in _class(div) and (text := _own_text(div))
        ]
        place = lines[-1] if lines else None
    skills = [text for node in card.iter("span") if not node.attrib and (text := _text(node))]
    perks = [text for node in card.iter("span") if _class(node) == "text-success" and (text := _text(node))]
    shown = {"skills": skills, "perks": perks}
    return JobCard(
        id=number,
        url=absolute(base, link.get("href")) if base else None,
        title=title,
        company=company,
        place=place,
        workplace="Remote" if remote else None,
        employment=employment,
        level=level,
        salary=salary,
        is_estimate=is_estimate,
        payload={name: value for name, value in shown.items() if value},
    )


def _job_badges(root: Any) -> list[tuple[str, str]]:
    """The badges of a job page: around its heading in every generation, never those of jobs below it."""
    badges = []
    for node in root.iter("span"):
        if not _is_badge(node) or any(parent.tag in {"li", "a"} for parent in node.iterancestors()):
            continue
        if text := _text(node):
            badges.append((text, _class(node)))
    return badges


def _company(root: Any) -> tuple[str, str] | None:
    """The employer, and how the page shows it. The newest pages mask the name (`@ M...`); its link spells it out."""
    for link in root.iterfind(".//a[@href]"):
        if (found := _COMPANY_PATH.search(split_address(link.get("href")).path)) and (shown := _text(link)):
            if _MASKED.match(shown):
                return " ".join(word.capitalize() for word in found["slug"].split("-")), shown
            return shown.removeprefix("@").strip(), shown
    for path in ("//*[contains(concat(' ', @class, ' '), ' media-body ')]", "//h2[contains(@class, 'h5')]"):
        for node in root.xpath(path):
            if text := _text(node):
                return text.removeprefix("@").strip(), text
    return None


def _place(root: Any, head: Any) -> str | None:
    """The place: `strong` below the newest heading, `h3` in 2023, the paragraph after the heading before."""
    for path in ("//div[contains(@class, 'head-fluid')]//h3", "//strong"):
        for node in root.xpath(path):
            if text := _text(node):
                return text
    following = head.getnext()
    return _text(following) if following is not None and following.tag == "p" else None


def _sections(root: Any) -> dict[str, list[str]]:
    """The lines below each `h5`: Tasks, Perks/Benefits, Skills/Tech-stack, Education, Roles."""
    sections: dict[str, list[str]] = {}
    for head in root.iter("h5"):
        body = head.getnext()
        heading = _text(head)
        if heading is None or body is None or body.tag not in {"ul", "p"}:
            continue
        parts = body.iterfind("li") if body.tag == "ul" else body.iterfind("a")
        lines = [text for part in parts if (text := _text(part)) and text.casefold() not in _NOTHING]
        if lines:
            sections[heading] = lines
    return sections


def _description(nodes: list[Any], sections: dict[str, list[str]]) -> str | None:
    if nodes:
        return plain_text(html.tostring(nodes[0], encoding="unicode"))
    blocks = [heading + "\n" + "\n".join(f"- {line}" for line in lines) for heading, lines in sections.items()]
    return "\n\n".join(blocks) or None


def canonical_address(root: Any) -> str | None:
    """The address that a page calls its own. Some sites name a list or the home page everywhere: those do not count."""
    for path in ("//link[@rel='canonical']/@href", "//meta[@property='og:url']/@content"):
        for value in root.xpath(path):
            if str(value).startswith(("http://", "https://")) and names_an_ad(str(value)):
                return str(value)
    return None


def _is_badge(node: Any) -> bool:
    classes = _class(node)
    return "text-bg-" in classes or "badge" in classes.split()


def _first(card: Any, name: str) -> str | None:
    found = card.xpath(".//*[contains(@class, $name)]", name=name)
    return _text(found[0]) if found else None


def _class(node: Any) -> str:
    return node.get("class") or ""


def _text(node: Any) -> str | None:
    return one_line("".join(node.itertext()))


def _own_text(node: Any) -> str | None:
    """The text directly in an element, without that of the elements inside it."""
    return one_line(" ".join(_own_parts(node)))


def _own_parts(node: Any) -> Iterator[str]:
    yield node.text or ""
    for child in node:
        yield child.tail or ""
