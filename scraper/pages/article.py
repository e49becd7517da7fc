"""A career article from its blocks: title, subtitle, byline, sections; the featured jobs in it.

One parser for HTML and text captures. No claim, role or pay is read here: sections keep their sentences whole, and a
posting keeps what stands in its lines. The date of an article is never the date of a job featured in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from db.keys import folded
from scraper.pages.blocks import UNKNOWN_LEVEL, Block
from scraper.pages.featured import FeaturedJob, find_featured_jobs

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        1,
    )
    for name in names
}
_MONTH: Final = r"(?P<month>[A-Za-z]{3,9})\.?"
_DATES: Final = (
    re.compile(rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})\b"),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH},?\s+(?P<year>\d{{4}})\b"),
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b"),
)
_MINUTES: Final = re.compile(r"\b(\d{1,3})[\s-]*min(?:ute)?s?\.?[\s-]+read\b", re.IGNORECASE)
_CONTENTS: Final = re.compile(r"(?:table of )?contents:?", re.IGNORECASE)
_INSIGHT: Final = re.compile(
    r"""
    View\ salary\ info\ for\ (?P<role>(?:(?!View\ salary\ info).)+?) (?<=\S)\s*+
    (?: \((?P<scope>[^()]*)\) | Details | $ | (?=View\ salary\ info) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_VERSUS: Final = re.compile(r"(?<!\s)\s++(?:vs\.?|versus)\s++")
_END: Final = re.compile(r"(?:salary insights|related (?:articles|posts))\b.{0,20}", re.IGNORECASE)
_TITLE: Final = re.compile(
    r"\bvs\.?\s|\bversus\b|\bexplained\b|\bsalar(?:y|ies)\b|\binterview questions\b", re.IGNORECASE
)
_WORD: Final = re.compile(r"\w{3,}")
LONGEST_BYLINE = 100
"""Characters."""
FRAME_LINES = 15
"""Lines at the top of a text capture among which its title stands."""


@dataclass(frozen=True, slots=True)
class Section:
    heading: str | None
    subheading: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """What an article page says; `title` is None for a page of jobs without an article around them."""

    title: str | None
    subtitle: str | None
    read_minutes: int | None
    published_on: date | None
    sections: tuple[Section, ...]
    salary_insight_links: tuple[str, ...]
    jobs: tuple[FeaturedJob, ...]


def read_article(blocks: Sequence[Block]) -> Article | None:
    """The article that the blocks make; None where they are no article and hold no featured job."""
    jobs, rest = find_featured_jobs(_from_title(blocks))
    insights = tuple(_insights(rest))
    head, body = _split_head(rest)
    if not _is_article(head, body, jobs):
        return None
    sections = tuple(_sections(_before_end(body), _roles(head.title or "")))
    return Article(
        title=head.title,
        subtitle=head.subtitle,
        read_minutes=head.minutes,
        published_on=head.published_on,
        sections=sections,
        salary_insight_links=insights,
        jobs=jobs,
    )


def _from_title(blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks from the title on: what stands before it is the site's frame.

    In HTML the title is the first `h1`. A text capture repeats it below the byline, which tells it from a menu above.
    """
    for position, block in enumerate(blocks):
        if block.kind == "heading" and block.level == 1:
            return blocks[position:]
    top = [folded(block.text) for block in blocks[:FRAME_LINES]]
    for position, text in enumerate(top):
        if top.count(text) > 1 and _TITLE.search(text):
            return blocks[position:]
    return blocks


@dataclass(frozen=True, slots=True)
class _Head:
    title: str | None = None
    subtitle: str | None = None
    minutes: int | None = None
    published_on: date | None = None
    has_contents: bool = False


def _split_head(blocks: Sequence[Block]) -> tuple[_Head, Sequence[Block]]:
    """Title, subtitle, byline and table of contents, and the blocks after them."""
    if not blocks or blocks[0].kind != "heading" or _END.fullmatch(blocks[0].text):
        return _Head(), blocks
    title = blocks[0].text
    subtitle: str | None = None
    minutes: int | None = None
    published_on: date | None = None
    has_contents = False
    position = 1
    has_end = any(_is_head_end(block) for block in blocks[1:8])
    for block in blocks[1:]:
        if _CONTENTS.fullmatch(block.text):
            has_contents, position = True, position + 1
            break
        line = block.text
        if _is_byline(line):
            minutes, published_on = minutes or read_minutes(line), published_on or read_date(line)
        elif folded(line) == folded(title):
            pass
        elif subtitle is None and minutes is None and published_on is None and _is_subtitle(block, title, sure=has_end):
            subtitle = line
        else:
            break
        position += 1
    head = _Head(title, subtitle, minutes, published_on, has_contents)
    return head, _without_contents(blocks[position:]) if has_contents else blocks[position:]


def _is_head_end(block: Block) -> bool:
    return _is_byline(block.text) or _CONTENTS.fullmatch(block.text) is not None


def _is_byline(line: str) -> bool:
    """Whether a line gives the reading time, the date or both, and no sentence."""
    if len(line) > LONGEST_BYLINE:
        return False
    return _MINUTES.search(line) is not None or (read_date(line) is not None and len(line.split()) <= 8)


def read_minutes(line: str) -> int | None:
    """
    >>> read_minutes("5 min read · Dec. 6, 2023")
    5
    """
    found = _MINUTES.search(line)
    return int(found[1]) if found else None


def read_date(line: str) -> date | None:
    """The date in a byline, where month and day cannot be mistaken for each other.

    >>> read_date("5 min read · Sept. 6, 2023"), read_date("6 December 2023"), read_date("06/12/2023")
    (datetime.date(2023, 9, 6), datetime.date(2023, 12, 6), None)
    """
    for pattern in _DATES:
        if found := pattern.search(line):
            name = found["month"].lower()
            month = int(name) if name.isdigit() else MONTHS.get(name)
            if month is None:
                continue
            try:
                return date(int(found["year"]), month, int(found["day"]))
            except ValueError:
                return None
    return None


def _is_subtitle(block: Block, title: str, *, sure: bool) -> bool:
    """Whether the block below a title is its subtitle, not the first section or the introduction.

    `sure`: a byline or table of contents follows, so that no section has begun yet.
    """
    if block.kind == "item" or len(block.text) > 250:
        return False
    if block.kind == "heading" and sure:
        return True
    if block.kind == "paragraph" and (not sure or len(block.text.split()) > 25):
        return False
    shared = set(_WORD.findall(folded(block.text))) & set(_WORD.findall(folded(title)))
    return sure or (len(block.text.split()) >= 4 and bool(shared))


def _without_contents(blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks after a table of contents: its entries are the lines that come again as headings."""
    headings = Counter(folded(block.text) for block in blocks if block.kind == "heading")
    position = 0
    for block in blocks:
        linked = block.link is not None and block.link.startswith("#")
        again = headings[folded(block.text)] > (block.kind == "heading")
        if not (linked or (again and block.kind != "paragraph")):
            break
        headings[folded(block.text)] -= block.kind == "heading"
        position += 1
    return blocks[position:]


def _is_article(head: _Head, body: Sequence[Block], jobs: Sequence[FeaturedJob]) -> bool:
    """Whether this is an article, or at least holds featured jobs: a title alone proves nothing."""
    if jobs:
        return True
    prose = any(block.kind == "paragraph" and len(block.text.split()) > 8 for block in body)
    signs = (head.minutes is not None, head.has_contents, bool(head.title and _TITLE.search(head.title)))
    return head.title is not None and any(signs) and (prose or (head.minutes is not None and bool(body)))


def _insights(blocks: Sequence[Block]) -> list[str]:
    """The roles whose salary pages an article links to, in order."""
    roles = []
    for block in blocks:
        for found in _INSIGHT.finditer(block.text):
            scope = found["scope"]
            roles.append(found["role"] if scope is None or folded(scope) == "global" else f"{found['role']} ({scope})")
    return roles


def _before_end(blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks before the links below an article."""
    for position, block in enumerate(blocks):
        if block.kind != "paragraph" and (_END.fullmatch(block.text) or _INSIGHT.match(block.text)):
            return blocks[:position]
    return blocks


def _roles(title: str) -> frozenset[str]:
    """What an article compares, folded, so that its subheadings are known."""
    parts = _VERSUS.split(folded(title).split(":")[0])
    return frozenset(_singular(part) for part in parts if part)


def _singular(text: str) -> str:
    return " ".join(word[:-1] if word.endswith("s") and len(word) > 3 else word for word in folded(text).split())


def _as_heading(block: Block, roles: frozenset[str]) -> Block:
    """A line that is one of the compared roles and a colon is a heading: "Data Scientist:"."""
    name = block.text.removesuffix(":")
    if block.kind == "paragraph" and name != block.text and _singular(name) in roles:
        return Block("heading", UNKNOWN_LEVEL, name, block.link)
    return block


def _sections(blocks: Sequence[Block], roles: frozenset[str]) -> list[Section]:
    """Sections and subsections with their lines.

    Where HTML gives levels, the highest level in the body is a section. A heading without level is a subheading when
    it is one of the compared roles or stands several times: "Head of Data Science" below each section.
    """
    levels = [block.level for block in blocks if block.kind == "heading" and block.level != UNKNOWN_LEVEL]
    top = min(levels, default=UNKNOWN_LEVEL)
    times = Counter(folded(block.text) for block in blocks if block.kind == "heading")
    sections: list[Section] = []
    heading: str | None = None
    subheading: str | None = None
    lines: list[str] = []

    def close() -> None:
        if lines or subheading is not None:
            sections.append(Section(heading, subheading, "\n".join(lines)))
        lines.clear()

    for given in blocks:
        block = _as_heading(given, roles)
        if block.kind != "heading":
            lines.append(f"- {block.text}" if block.kind == "item" else block.text)
            continue
        close()
        if block.level == UNKNOWN_LEVEL:
            below = heading is not None and (_singular(block.text) in roles or times[folded(block.text)] > 1)
        else:
            below = heading is not None and block.level > top
        if below:
            subheading = block.text
        else:
            heading, subheading = block.text, None
    close()
    return sections
