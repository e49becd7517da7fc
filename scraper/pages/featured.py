"""The featured jobs of an article, as four lines each:

    Featured Job 👀                                   (some captures have lost it)
    Senior Data Scientist
    @ Example Ltd | Berlin, Germany and Remote
    Full Time Contract Senior-level / Expert EUR 70K - 90K

A capture that lost its line breaks glues one job's salary to the next job's title (`90KData Engineer`), a marker to a
title or a place to an employment type. Lines are cut again by their structure: the company line begins with "@", the
last line says types, level and pay in this order, and a title is what stands before a company line. Pay is not
understood here, only where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scraper.pages.blocks import Block, looks_like_heading

EMPLOYMENT_TYPES: Final = (
    "Full Time",
    "Part Time",
    "Fixed Term",
    "Working Student",
    "Per Diem",
    "Apprenticeship",
    "Apprentice",
    "Contract",
    "Contractor",
    "Freelance",
    "Internship",
    "Permanent",
    "Seasonal",
    "Temporary",
    "Trainee",
    "Volunteer",
)
"""The site's words for employment, as they begin the last line; only where the line is cut depends on them."""

_TYPES: Final = "|".join(
    re.escape(word).replace(r"\ ", r"[\s-]") for word in sorted(EMPLOYMENT_TYPES, key=len, reverse=True)
)
_LEVEL: Final = (
    r"(?:Entry|Mid|Senior|Executive|[A-Z][a-z]+)-level(?:\s*/\s*(?:Junior|Intermediate|Expert|Director|[A-Z][a-z]+))?"
)
_UNIT: Final = r"(?:[kK]|[mM](?:io|illion)?|[bB]n?|L(?:PA|akhs?|acs?)?|Cr(?:ores?)?|万|萬|億|만)"
_AMOUNT: Final = r"\d(?:[\d.,'’]|[ ](?=\d{3}(?!\d)))*"

TYPES: Final = re.compile(rf"(?:(?:{_TYPES})(?:[\s,/&|·]+|(?=[A-Z])|$))+")
LEVEL: Final = re.compile(_LEVEL)
MARKER: Final = re.compile(r"Featured\s++Jobs?\b\s*+:?+\s*+[^\w\s@(\[\"'#&.]*+\s*+", re.IGNORECASE)
_COMPANY_LINE: Final = re.compile(r"@(?:\s++\S|[^\s|][^|]*+\|)")
_COMPANY_INSIDE: Final = re.compile(r"(?<=\S)\s*(?=@\s[^@|]{1,200}\s?\|)")
_NO_AMOUNT: Final = re.compile(
    r"competitive|negotiable|undisclosed|unpaid|volunt|equity|depend|salary|\bDO[EQ]\b|\bN/?A\b|\bTB[AD]\b",
    re.IGNORECASE,
)
"""What stands in the place of an amount."""
_AFTER_JOBS: Final = re.compile(r"salary insights|view salary info|related articles", re.IGNORECASE)
_SURELY_PAY: Final = re.compile(r"[A-Z]{3}|[$€£¥₹₩₽₺₪฿₫₴₱]|\d{4}|\d\s?[kKL万]")
_DETAILS_INSIDE: Final = re.compile(rf"(?<=[^\s|])\s*+(?=(?:(?:{_TYPES})[\s,/&|·]++){{1,8}}{_LEVEL})")
_PAY: Final = re.compile(
    rf"""
    (?: (?:from|up\s?to|to|between|around|about|ca\.?|circa|over|starting\sat|ab|bis|ot[eE]|OTE) \s*+ )?
    (?: (?: ~ | < | > | ≥ | ≤ ) \s*+ )? \s*+
    (?: [A-Z]{{3}} \s*+ | [A-Z]{{0,3}}\s?[$€£¥₹₩₽₺₪฿₫₴₱]\s*+ | Rs\.?\s*+ | R\$\s*+ | zł\s*+ | kr\.?\s*+ )?
    (?P<first>{_AMOUNT}) (?P<unit>\s?{_UNIT}(?![a-z]))?
    """,
    re.VERBOSE,
)
_SECOND: Final = re.compile(
    rf"""
    \s* (?: - | – | — | − | ~ | to | bis | a | à | and | until ) \s*
    (?: [A-Z]{{3}} \s* | [A-Z]{{0,3}}\s?[$€£¥₹₩₽₺₪฿₫₴₱]\s* )?
    {_AMOUNT}
    """,
    re.VERBOSE,
)
_TAIL: Final = re.compile(
    r"""
    \s? (?:
        \+ | \*+
      | \([^()]{1,40}\)                             # (estimate)
      | [$€£¥₹₩₽₺₪฿₫₴₱] | zł | kr\b
      | [A-Z]{3} (?= $ | [\s/+*(] | [A-Z][a-z] )     # 60K EUR
      | / \s? [a-z]+\.? | (?:per|an?|a|pro|par|por|al) \s [a-z]+ | p\.?\s?[ahmwd]\.? (?![a-z])
      | (?:hour|dai|week|month|annual|year)ly | year | gross | net | brutto | netto | plus\sequity
    )
    """,
    re.VERBOSE,
)


LONGEST_COMPANY_LINE, LONGEST_TITLE, LONGEST_PAY = 300, 250, 100
"""Characters."""


@dataclass(frozen=True, slots=True)
class FeaturedJob:
    """One featured job, as published."""

    title: str | None
    """None where the capture has a company line and no title before it."""
    company: str | None
    place: str | None
    employment_text: str | None
    level_text: str | None
    salary_text: str | None
    link: str | None = None
    complete: bool = True
    """False where the page ends before the company line."""


@dataclass(frozen=True, slots=True)
class Details:
    """The last line of a featured job, and what was glued to its end."""

    employment_text: str | None
    level_text: str | None
    salary_text: str | None
    rest: str | None = None


def find_featured_jobs(blocks: Sequence[Block]) -> tuple[tuple[FeaturedJob, ...], tuple[Block, ...]]:
    """The featured jobs among the blocks, and the blocks that are none of theirs."""
    following_texts = [block.text for block in blocks[1:]] + [""]
    lines = [
        line
        for block, after in zip(blocks, following_texts, strict=False)
        for line in _cut(block, has_company_below=_is_company(after))
    ]
    jobs: list[FeaturedJob] = []
    rest: list[Block] = []
    marked = any(_is_marker(line.text) for line in lines)
    glued: Block | None = None
    position = 0
    while position < len(lines):
        line = lines[position]
        following = lines[position + 1 : position + 2]
        if _is_marker(line.text):
            # A marker whose job never comes: the page was cut, or says nothing more.
            if (
                (title := following[0] if following else None)
                and not _is_company(title.text)
                and (position + 2 >= len(lines))
            ):
                jobs.append(FeaturedJob(title.text, None, None, None, None, None, title.link, complete=False))
                position += 1
            position += 1
            continue
        if following and _is_company(following[0].text) and not _is_company(line.text) and _may_be_title(line):
            glued, position = line, position + 1
            continue
        if not _is_company(line.text):
            rest.append(line)
            position += 1
            continue
        job, position, glued = _job(lines, position, glued, marked=marked)
        jobs.append(job)
    return tuple(jobs), tuple(rest)


def _job(
    lines: Sequence[Block], at: int, title: Block | None, *, marked: bool
) -> tuple[FeaturedJob, int, Block | None]:
    """The job whose company line stands at `at`, where to read on, and the next title if it was glued to this one."""
    company, _, place = lines[at].text.removeprefix("@").partition("|")
    link = (title.link if title else None) or lines[at].link
    found = Details(None, None, None)
    after = at + 1
    glued: Block | None = None
    while after < len(lines) and not _is_marker(lines[after].text) and not _is_company(lines[after].text):
        line = lines[after]
        before_company = after + 1 < len(lines) and _is_company(lines[after + 1].text)
        more = _more_details(line.text, found, before_company=before_company, first=after == at + 1, marked=marked)
        if more is None:
            break
        found, after = more, after + 1
        link = link or line.link
        if found.rest:
            glued = Block("heading", 0, found.rest, line.link)
            break
    job = FeaturedJob(
        title=title.text if title else None,
        company=company.strip() or None,
        place=place.strip() or None,
        employment_text=found.employment_text,
        level_text=found.level_text,
        salary_text=found.salary_text,
        link=link,
    )
    return job, after, glued


def _more_details(text: str, found: Details, *, before_company: bool, first: bool, marked: bool) -> Details | None:
    """`found` with what one more line says; None where the line belongs to the job no longer."""
    read = read_details(text, title_follows=before_company)
    if read.employment_text is None and read.level_text is None:
        if before_company:
            belongs = bool(read.salary_text and read.rest)  # else it is a title on its own line
        else:
            words = first and marked and looks_like_heading(text) and _NO_AMOUNT.search(text) is not None
            belongs = len(text) <= LONGEST_PAY and (pay_end(text) > 0 or words) and not _AFTER_JOBS.match(text)
        if not belongs:
            return None
    if (
        (read.employment_text and found.employment_text)
        or (read.level_text and found.level_text)
        or (read.salary_text and found.salary_text)
    ):
        return None
    return Details(
        found.employment_text or read.employment_text,
        found.level_text or read.level_text,
        found.salary_text or read.salary_text,
        read.rest,
    )


def read_details(text: str, *, title_follows: bool = False) -> Details:
    """What the last line of a featured job says; with `title_follows` the next job's title is glued to its end.

    >>> read = read_details("Full Time Freelance Senior-level / Expert USD 60K - 120K")
    >>> read.employment_text, read.level_text, read.salary_text
    ('Full Time Freelance', 'Senior-level / Expert', 'USD 60K - 120K')
    >>> read_details("Full Time Mid-level / Intermediate USD 100K - 130KSenior Analyst", title_follows=True).rest
    'Senior Analyst'
    """
    employment: str | None = None
    level: str | None = None
    if (found := LEVEL.search(text)) and (found.start() == 0 or _is_employment(text[: found.start()])):
        employment, level, text = text[: found.start()].strip(" ,|·") or None, found.group(), text[found.end() :]
    elif types := TYPES.match(text):
        employment, text = types.group().strip(" ,/&|·"), text[types.end() :]
    text = text.lstrip(" ,|·")
    if level is not None and employment is None and (types := TYPES.match(text)):
        employment, text = types.group().strip(" ,/&|·"), text[types.end() :].lstrip(" ,|·")
    if not title_follows:
        return Details(employment, level, text or None)
    end = pay_end(text)
    return Details(employment, level, text[:end].strip() or None, text[end:].strip(" ,|·") or None)


def _is_employment(text: str) -> bool:
    """Whether the words before a level may be employment types: few, and no sentence."""
    return len(text) <= 80 and not re.search(r"\d|[.:;]", text)


def pay_end(text: str) -> int:
    """Where the pay at the beginning of `text` ends; 0 where it begins with none.

    A letter after the last amount is its unit when the first amount has one too (`100K - 130KiOS Developer`), else
    when what follows could begin a title.

    >>> text = "USD 100K - 130KMachine Learning Engineer"
    >>> text[:pay_end(text)]
    'USD 100K - 130K'
    """
    if (first := _PAY.match(text)) is None:
        return 0
    unit = (first["unit"] or "").strip()
    end = first.end()
    if second := _SECOND.match(text, end):
        end = _with_unit(text, second.end(), unit)
    elif not unit:
        end = _with_unit(text, end, unit)
    while tail := _TAIL.match(text, end):
        end = tail.end()
    return end if _SURELY_PAY.search(text, 0, end) else 0


def _with_unit(text: str, end: int, expected: str) -> int:
    found = re.compile(rf"\s?{re.escape(expected)}").match(text, end) if expected else None
    if found is not None:
        return found.end()
    unit = re.compile(rf"\s?{_UNIT}(?![a-z])").match(text, end)
    return unit.end() if unit else end


def _cut(block: Block, *, has_company_below: bool) -> list[Block]:
    """The lines that a block glues together: marker, title, company line and details apart.

    Above a company line, an "@" belongs to the title: "Data Scientist @ Night | Growth".
    """
    text = block.text
    if "@" not in text and "eatured" not in text:
        return [block]
    lines: list[str] = []
    position = 0
    for marker in MARKER.finditer(text):
        if block.kind == "paragraph" and not looks_like_heading(text):
            break  # prose that speaks of featured jobs
        lines += [text[position : marker.start()], "Featured Job"]
        position = marker.end()
    lines.append(text[position:])
    pieces = lines if has_company_below else [piece for line in lines for piece in _COMPANY_INSIDE.split(line)]
    parts = [part for piece in pieces for part in _cut_company(piece)]
    return [Block(block.kind, block.level, part.strip(), block.link) for part in parts if part.strip()]


def _cut_company(line: str) -> list[str]:
    if not _is_company(line):
        return [line]
    return _DETAILS_INSIDE.split(line, maxsplit=1)


def _may_be_title(line: Block) -> bool:
    """Whether the line before a company line is a title, not the end of the article above it."""
    prose = line.kind == "paragraph" and len(line.text.split()) > 8 and line.text[-1] in ".!?:"
    return len(line.text) <= LONGEST_TITLE and not prose


def _is_marker(text: str) -> bool:
    return MARKER.fullmatch(text) is not None


def _is_company(text: str) -> bool:
    return len(text) <= LONGEST_COMPANY_LINE and _COMPANY_LINE.match(text) is not None
