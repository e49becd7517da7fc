"""Level (rank) of a job, from its title or from a board's own level field, with the words that say so.

Only evidence counts: a title without a rank word has no level. Words are matched whole ("Internal Auditor" is no
intern) and in their place ("Lead Generation", "Senior Living", "Staff Nurse" and "Office of the Chief" are no ranks).
The words stand in `vocabulary/titles/levels.csv`; a mark such as `?staff` there names a rule of `level_rules`.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from aggregator.normalise.level_rules import NUMBERS, RULES, Segment, Word, near, number_level, overruled
from aggregator.normalise.title_tokens import FOLDER, fold, split_brackets

LEVELS = ("internship", "entry", "mid", "senior", "lead", "manager", "director", "executive")
_RANK = {level: rank for rank, level in enumerate(LEVELS)}

_SPLIT = re.compile(r"[-–—|,;:•·@](?:(?<=[–—|,;:•·@])|(?<=\s-)|(?=\s))")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*[+#]*|/")


@dataclass(frozen=True, slots=True)
class Level:
    """One of LEVELS or None, and the words of the title that say so."""

    level: str | None
    evidence: str | None = None


class _Found(NamedTuple):
    level: str
    words: str
    last: bool


_Phrases = dict[str, list[tuple[tuple[str, ...], str]]]


@cache
def _bank_names() -> re.Pattern[str]:
    lines = (FOLDER / "banks.txt").read_text(encoding="utf-8").splitlines()
    return re.compile(r"\b(?:" + "|".join(re.escape(line) for line in lines if not line.startswith("#")) + r")\b")


@cache
def _phrases() -> _Phrases:
    """(rest of phrase, level or mark) by first word of the phrase, longest first."""
    table: _Phrases = {}
    with (FOLDER / "levels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for phrase in row["words"].split("|"):
                first, *rest = fold(phrase).replace("-", " ").split()
                table.setdefault(first, []).append((tuple(rest), row["level"]))
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return table


@cache
def _telling() -> frozenset[str]:
    """Words that may begin a phrase or be a number; a title without any of them has no level."""
    return frozenset(_phrases()) | NUMBERS


def _segments(title: str) -> list[list[Word]]:
    outside, inside = split_brackets(title)
    found = []
    for text in (outside, *inside):
        for piece in _SPLIT.split(text):
            written = _WORD.findall(piece)
            folded = _WORD.findall(piece.lower()) if piece.isascii() else [fold(w) for w in written]
            words = list(map(Word, folded, written))
            if words:
                found.append(words)
    return found


def _phrase_at(folded: Sequence[str], at: int) -> tuple[str, int] | None:
    """Level or mark of the longest phrase of levels.csv that begins here, and where it stops."""
    entries = _phrases().get(folded[at])
    if entries is None:
        return None
    follows = folded[at + 1] if at + 1 < len(folded) else ""
    for rest, code in entries:
        stop = at + 1 + len(rest)
        if not rest or (rest[0] == follows and tuple(folded[at + 1 : stop]) == rest):
            return code, stop
    return None


def _in_segment(segment: Segment, bank: bool) -> list[_Found]:
    """Every rank of a segment, in order."""
    folded = [word.folded for word in segment]
    telling = _telling()
    found: list[_Found] = []
    at = 0
    while at < len(segment):
        if folded[at] not in telling:
            at += 1
            continue
        phrase = _phrase_at(folded, at)
        if phrase is None:
            level, stop = number_level(segment, at) if at else "", at + 1
        else:
            code, stop = phrase
            level = RULES[code](segment, at, stop) if code in RULES else code
            if code == "executive" and overruled(segment, at, stop):
                level = ""
            if code == "?vp" and (bank or " ".join(folded[at:stop]) in ("avp", "assistant vice president")):
                level = ""
        if level:
            found.append(_Found(level, " ".join(w.written for w in segment[at:stop]), stop == len(segment)))
        at = stop
    return found


def _counts_later(segment: Segment, found: list[_Found]) -> list[_Found]:
    """Ranks of a segment behind the first ranked one: "- Tech Lead" counts, "- Senior Platform Group" does not."""
    if segment[-1].folded in near("heads"):
        return found
    return [f for f in found if f.last and len(segment) <= 4]


_NO_LEVEL = Level(None)
_VP_WORDS = frozenset(("vp", "vice", "svp", "avp", "rvp", "vps"))


def _is_bank_grade(segments: Sequence[Segment], company: str | None) -> bool:
    """A VP title is a bank's grade where the company or another word of the title belongs to banking."""
    if company and _bank_names().search(fold(company)):
        return True
    if any(w.folded in near("bank_words") for segment in segments for w in segment):
        return True
    # "Vice President, Software Engineer": the occupation stands in the next segment.
    return len(segments) > 1 and segments[1][-1].folded in near("heads") - {"manager", "partner"}


def parse_level(title: str, *, role: str | None = None, company: str | None = None) -> Level:
    """Level stated by a title.

    `role` (a canonical role) tells a school principal from a rank; `company` a bank's vice president from an executive.
    Two ranks: the higher one; an internship stays one whatever else is named.

    >>> parse_level("Senior Data Engineer II")
    Level(level='senior', evidence='Senior')
    >>> parse_level("Internal Auditor").level is None
    True
    >>> parse_level("Vice President, Credit Risk").level is None
    True
    >>> parse_level("Intern - Office of the Chief Technology Officer").level
    'internship'
    """
    segments = _segments(title[:400])
    words = {word.folded for segment in segments for word in segment}
    if words.isdisjoint(_telling()):
        return _NO_LEVEL
    bank = not words.isdisjoint(_VP_WORDS) and _is_bank_grade(segments, company)
    found: list[_Found] = []
    for segment in segments:
        here = _in_segment(segment, bank)
        found += _counts_later(segment, here) if found else here
    if role == "Education Administrator" or not words.isdisjoint(near("schools")):
        found = [f for f in found if f.words.lower() not in ("principal", "head")]
    if not found or (len(segments) == len(segments[0]) == 1 and found[0].words.lower() in ("principal", "staff")):
        return _NO_LEVEL  # "Principal" alone is as often a school's
    interns = [f for f in found if f.level == "internship"]
    best = interns[0] if interns else max(found, key=lambda f: _RANK[f.level])
    return Level(best.level, best.words)


@cache
def _board_levels() -> dict[str, str]:
    with (FOLDER / "board_levels.csv").open(encoding="utf-8", newline="") as file:
        return {fold(name): row["level"] for row in csv.DictReader(file) for name in row["names"].split("|")}


_BOARD_SIGNS = re.compile(r"[\s\-_/,.()&+]+")


def parse_board_level(text: str | None) -> str | None:
    """Level from a board's own level field; None for "not applicable", for several levels and for unknown words.

    >>> parse_board_level("Senior-level / Expert"), parse_board_level("EN"), parse_board_level("Not Applicable")
    ('senior', 'entry', None)
    """
    if not text:
        return None
    return _board_levels().get(_BOARD_SIGNS.sub(" ", fold(text[:100])).strip()) or None
