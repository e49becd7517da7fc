"""What a year's pay can be: bounds by currency, moved by occupation and by whether the currency is the country's own.

The bounds are data (`vocabulary/currencies.csv`, in units of the currency a year, set wide on purpose: they catch slips
of a zero or a period, not generosity). There is no bound in US dollars for all: 58,800,000 CLP is a good salary.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

from aggregator.normalise.money import PERIODS_PER_YEAR, annualise
from aggregator.normalise.salary.currency import national
from aggregator.normalise.salary.lexicon import currencies

_WORD = re.compile(r"\w+")
_OCCUPATIONS = Path(__file__).parent / "vocabulary" / "pay_occupations.csv"
CEILING = {
    "top": Decimal("2.5"),
    "": Decimal(1),
    "middle": Decimal("0.55"),
    "ordinary": Decimal("0.27"),
    "basic": Decimal("0.18"),
}
"""Share of a currency's ceiling that an occupation can reach; "" is an unknown occupation."""
_STRONG_YEAR_FROM = 20_000
_ORDINARY_SPREAD = 20
"""Outside the strong currencies pay spreads far wider: ordinary work ends at this many times the least pay."""
_FEW_HOURS = Decimal("1.6")
"""A tutor's or a substitute's hour is dear because there are few of them."""
_TOP_FLOOR = Decimal("2.5")
_SKILLED_FLOOR = Decimal("1.6")
"""A developer's or an engineer's year is no month of theirs, even where the least pay is low."""
_REDUCED_FLOOR = Decimal("0.35")
"""Interns and apprentices are paid below any wage in many countries (450 EUR a month is a usual allowance), and a
Sunday assistant's year is a fifth of one."""
_FOREIGN_FLOOR = {"year": Decimal("0.4")}
_FOREIGN_FLOOR_SHORT = Decimal("0.35")


@dataclass(frozen=True, slots=True)
class Band:
    """Believable pay a year, in units of `currency`, and for whom."""

    low: Decimal
    high: Decimal
    currency: str
    occupation: str


@cache
def _occupation_words() -> dict[str, str]:
    """Class -> its words as alternatives of a pattern, longest first."""
    with _OCCUPATIONS.open(encoding="utf-8", newline="") as lines:
        return {
            row["class"]: "|".join(map(re.escape, sorted(row["words"].split("|"), key=len, reverse=True)))
            for row in csv.DictReader(lines)
        }


@cache
def _occupation_pattern() -> re.Pattern[str]:
    parts = "|".join(f"(?P<{name}>{words})" for name, words in _occupation_words().items() if name in CEILING)
    return re.compile(rf"(?:{parts})(?!\w)", re.IGNORECASE)


@cache
def _first_words() -> frozenset[str]:
    """The words with which an entry of the list can begin, in lower case: most titles hold none of them."""
    return _openings(*CEILING)


@cache
def _openings(*classes: str) -> frozenset[str]:
    listed = (words for name, words in _occupation_words().items() if name in classes)
    entries = (entry.replace("\\", "").lower() for words in listed for entry in words.split("|"))
    return frozenset(found.group() for entry in entries if (found := _WORD.search(entry)))


@cache
def _reduced_pattern() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{_occupation_words()['reduced']}|[1-2]?\d ?(?:hours|hrs))(?!\w)", re.IGNORECASE)


_HOURS = re.compile(r"\d ?h", re.IGNORECASE)


@lru_cache(maxsize=1024)
def _words_of(title: str) -> frozenset[str]:
    return frozenset(_WORD.findall(title.lower()))


@cache
def _skilled_words() -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """The names of skilled work: single words with their feminine forms and plurals, phrases, and words of scripts
    that put no space between words."""
    listed = _occupation_words()["skilled"].replace("\\", "").split("|")
    single = {word + end for word in listed if " " not in word for end in ("", "s", "in", "er", "en", "a")}
    return (
        frozenset(single),
        tuple(word for word in listed if " " in word),
        tuple(word for word in listed if word[0] > "\u3040"),
    )


@lru_cache(maxsize=8192)
def is_skilled(title: str | None) -> bool:
    """Whether a title is a developer's, an engineer's or a project's manager.

    >>> is_skilled("Softwareentwicklerin"), is_skilled("Kitchen Assistant")
    (True, False)
    """
    if not title:
        return False
    single, phrases, unspaced = _skilled_words()
    if not single.isdisjoint(_words_of(title)):
        return True
    lower = title.lower()
    return any(phrase in lower for phrase in phrases) or (
        not title.isascii() and any(word in title for word in unspaced)
    )


@lru_cache(maxsize=8192)
def is_reduced(title: str | None) -> bool:
    """Whether a title is an intern's or an apprentice's, or says that the work is part-time.

    >>> is_reduced("Praktikant (m/w/d)"), is_reduced("Internal Auditor")
    (True, False)
    """
    if not title or (_openings("reduced").isdisjoint(_words_of(title)) and not _HOURS.search(title)):
        return False
    return bool(_reduced_pattern().search(title))


def _named(title: str) -> Iterator[str]:
    """The classes of the list's entries in a title, left to right; tried only where a word can begin one."""
    end, first, pattern = 0, _first_words(), _occupation_pattern()
    for word in _WORD.finditer(title):
        if word.start() >= end and word.group().lower() in first and (found := pattern.match(title, word.start())):
            end = found.end()
            yield found.lastgroup or ""


@lru_cache(maxsize=8192)
def occupation_class(title: str | None) -> str:
    """ "top", "middle", "ordinary", "basic" or "" by the words of a title; the more telling of two that stand there.

    >>> occupation_class("Payroller"), occupation_class("Corporate Finance Partner"), occupation_class("Data Engineer")
    ('ordinary', 'top', '')
    """
    if not title or _first_words().isdisjoint(_words_of(title)):
        return ""
    found = set(_named(title))
    if re.search(r"(?i)\b(?:assistant|deputy) (?:director|head)|assistant to\b", title):
        found.discard("top")
    if "top" in found:
        return "top"
    if "basic" in found and is_skilled(title):
        found.discard("basic")  # a server engineer serves no tables
    return next((name for name in ("ordinary", "middle", "basic") if name in found), "")


@lru_cache(maxsize=16_384)
def band(currency: str | None, *, country: str | None, title: str | None, period: str | None) -> Band | None:
    """The believable band a year; None for a currency without bounds."""
    row = currencies().get(currency or "")
    if row is None:
        return None
    occupation = occupation_class(title)
    if occupation == "middle" and period in ("hour", "day"):
        occupation = ""  # freelance rates know no such ceiling
    low, high = row.low, row.high * CEILING["top" if title is None else occupation]
    if occupation in ("ordinary", "basic") and row.year_from > _STRONG_YEAR_FROM:
        high = min(high, row.low * _ORDINARY_SPREAD)
    if occupation in ("ordinary", "basic") and period == "hour":
        high *= _FEW_HOURS
    if period in ("month", "year") and is_reduced(title):
        low *= _REDUCED_FLOOR
    if occupation == "top" and period == "year":
        low *= _TOP_FLOOR
    elif period == "year" and occupation in ("", "middle") and is_skilled(title) and not is_reduced(title):
        low *= _SKILLED_FLOOR
    tender = national(country)
    if tender is None or tender != currency:
        low *= _FOREIGN_FLOOR.get(period or "", _FOREIGN_FLOOR_SHORT)
    return Band(low, high, row.code, occupation)


def believable_periods(low: Decimal, high: Decimal, within: Band) -> tuple[str, ...]:
    """The periods, longest first, in which both amounts lie inside a band."""
    return tuple(
        period
        for period in reversed(PERIODS_PER_YEAR)
        if annualise(low, period) >= within.low and annualise(high, period) <= within.high
    )
