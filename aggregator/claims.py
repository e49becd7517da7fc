"""Figures that articles state, with the sentence that states them: "average salary $171,000, Glassdoor". Pure.

A claim is read only from a sentence that says what the figure is. Whom it is about is the role of the article that the
sentence names, else the role whose subsection it stands in, else the group that the sentence names; nobody is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aggregator.normalise.location import parse_location
from aggregator.normalise.salary import parse_salary
from db.articles import ArticleReading, StoredArticle, StoredSection

FIGURE = re.compile(r"\d")
"""Without a figure a paragraph claims nothing; most paragraphs end here."""
VERSUS = re.compile(r"(?<!\s)\s++(?:vs\.?|versus)\s++", re.IGNORECASE)
SENTENCE_END = re.compile(
    r"""
    (?<!\bU\.S\.) (?<!\bU\.K\.) (?<!\bvs\.) (?<!\be\.g\.) (?<!\bi\.e\.) (?<!\bapprox\.)  # abbreviations end no sentence
    (?<= [.!?] ) \s+ (?= ["'“(]? [A-Z] )
    """,
    re.VERBOSE,
)
SALARY_WORDS = re.compile(r"\b(?:salar(?:y|ies)|pay|compensation|earns?|wages?)\b", re.IGNORECASE)
STATED_AVERAGE = re.compile(
    r"\b(?:average|median|mean|typical(?:ly)?|on average|around|approximately)\b", re.IGNORECASE
)
GROWTH = re.compile(
    r"""
    \b (?: grow(?:th|s)? | increase[sd]? | expand ) \b   # what happens
    [^.%]{0,60}?
    (?P<percent> \d{1,3} (?: \.\d+ )? ) \s* (?: % | percent\b | per\ cent\b )
    """,
    re.VERBOSE | re.IGNORECASE,
)
SPAN = re.compile(
    r"\b(?:from|between)\s+(?P<since>(?:19|20)\d\d)\s+(?:to|and|through|until|-|–)\s+(?P<until>(?:19|20)\d\d)\b"
)
UNTIL = re.compile(r"\b(?:through|by|until|to)\s+(?P<until>20\d\d)\b")
SINCE = re.compile(r"\bsince\s+(?P<since>(?:19|20)\d\d)\b")
CITED = re.compile(
    r"""
    \b (?: [Aa]ccording\ to | [Dd]ata\ from | [Rr]eported\ by | [Pp]er ) \s+ (?:the\s+)?
    (?P<source> [A-Z]
        (?: [\w&'’-] | \.(?=[A-Za-z]) | (?<=[A-Z])\.(?=\s) | \s(?=[A-Z]) | \s(?:of|and|for)\s(?:the\s)?(?=[A-Z]) )* )
    """,
    re.VERBOSE,
)
GROUP = re.compile(
    r"""
    \b (?: employment | jobs | demand | hiring ) \s+ (?: of | for | in ) \s+ (?:the\s+)?
    (?P<group> [A-Za-z][A-Za-z/ -]{2,80}? ) \s+ (?: is | are | will | has | have | was )\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
THIS_ROLE = re.compile(r"\b(?:this|the) (?:role|position|job|occupation|profession)\b", re.IGNORECASE)
PLACE = re.compile(r"\bin\s+(?:the\s+)?(?P<place>[A-Z][\w.]*(?:\s+(?:of\s+)?[A-Z][\w.]*){0,3})")


def read_article(article: StoredArticle) -> ArticleReading:
    """The roles and claims of a stored article."""
    roles = compared_roles(article.title)
    claims = tuple(claim for section in article.sections for claim in _claims(section, roles))
    return ArticleReading(id=article.id, content_hash=article.content_hash, roles=roles, claims=claims)


def compared_roles(title: str) -> tuple[str, ...]:
    """What a title compares; nothing when it compares nothing.

    >>> compared_roles("Data Analyst vs. Head of Data")
    ('Data Analyst', 'Head of Data')
    >>> compared_roles("How to become a Data Analyst")
    ()
    """
    parts = [part.strip(" .:") for part in VERSUS.split(title)]
    return tuple(parts) if len(parts) > 1 and all(parts) else ()


def _claims(section: StoredSection, roles: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    for paragraph in section.text.splitlines():
        if not FIGURE.search(paragraph):
            continue
        source: str | None = None
        spoken_of: str | None = None
        for sentence in SENTENCE_END.split(paragraph):
            cited = CITED.search(sentence)
            source = _tidy(cited["source"]) if cited else source  # a citation holds until the paragraph ends
            who = _who(sentence, section.subheading, roles)
            if who == (None, None) and THIS_ROLE.search(sentence):
                who = (spoken_of, None)
            spoken_of = who[0] or spoken_of
            yield from _growth(sentence, who, source)
            yield from _salary(sentence, who, source)


def _tidy(source: str) -> str:
    return source.strip().rstrip(",;:")


def _who(sentence: str, subheading: str | None, roles: Sequence[str]) -> tuple[str | None, str | None]:
    """(role, group): the role named in the sentence, longest name first, else the subsection's, else a named group."""
    lowered = sentence.casefold()
    for role in sorted(roles, key=len, reverse=True):
        if role.casefold() in lowered:
            return role, None
    for role in roles:
        if subheading is not None and role.casefold() == subheading.strip(" :").casefold():
            return role, None
    group = GROUP.search(sentence)
    return None, group["group"].strip() if group else None


def _growth(sentence: str, who: tuple[str | None, str | None], source: str | None) -> Iterator[Mapping[str, Any]]:
    found = GROWTH.search(sentence)
    if found is None or SALARY_WORDS.search(sentence):
        return
    span, until, since = SPAN.search(sentence), UNTIL.search(sentence), SINCE.search(sentence)
    yield _claim("growth", sentence, who, source) | {
        "percent": float(found["percent"]),
        "since": int(span["since"]) if span else int(since["since"]) if since else None,
        "until": int(span["until"]) if span else int(until["until"]) if until else None,
    }


def _salary(sentence: str, who: tuple[str | None, str | None], source: str | None) -> Iterator[Mapping[str, Any]]:
    if not (SALARY_WORDS.search(sentence) and STATED_AVERAGE.search(sentence)):
        return
    country = _country(sentence)
    pay = parse_salary(sentence, country=country)
    if not pay.ok or pay.min is None:
        return
    middle = (pay.min + pay.max) / 2 if pay.max is not None else pay.min
    yield _claim("salary", sentence, who, source) | {
        "amount": middle,
        "currency": pay.currency,
        "period": pay.period,
        "country": country,
    }


def _country(sentence: str) -> str | None:
    for found in PLACE.finditer(sentence):
        country = parse_location(found["place"]).country
        if country is not None:
            return country
    return None


def _claim(kind: str, sentence: str, who: tuple[str | None, str | None], source: str | None) -> dict[str, Any]:
    role, about = who
    empty = dict.fromkeys(("amount", "currency", "period", "percent", "since", "until", "country"))
    return {"kind": kind, "role": role, "about": about, "source": source, "text": sentence.strip(), **empty}
