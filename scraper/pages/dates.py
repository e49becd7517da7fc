"""Days as job sites publish them. Never a guess: a form that could mean two days means none.

The day is the one that the site wrote, in the site's own zone; only numbers, which carry no zone, are read as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

EARLIEST, LATEST = 1995, 2100
"""Years outside are placeholders (`0001-01-01`, `9999-12-31`), not days on which a job was offered."""

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?\d{4,6}Z?)?\Z")
_NUMERIC = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
_WORDS = re.compile(
    r"""  # 5 October 2026 | Oct. 5, 2026
      (?: (?P<d1>\d{1,2}) (?:st|nd|rd|th)? [\s.\-]+ (?P<m1>[A-Za-z]{3,9}) \.? ,? [\s\-]+ (?P<y1>\d{4}) )
    | (?: (?P<m2>[A-Za-z]{3,9}) \.? \s+ (?P<d2>\d{1,2}) (?:st|nd|rd|th)? ,? \s+ (?P<y2>\d{4}) )
    """,
    re.VERBOSE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_AGO = re.compile(
    r"""
      (?: (?P<today> \b(?:today|just\s+now|just\s+posted)\b ) | (?P<yesterday> \byesterday\b )
    | (?P<many> \d{1,3}\s?\+ )                                        # "30+ days ago": at least, so no day
    | (?P<count> \d{1,3} | \ban?\b ) \s* (?P<unit> day|d\b|week|w\b|hour|h\b|hr|minute|min|m\b ) s? \s+ ago )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def day(value: object) -> date | None:
    """The day that a published value names; None when it names none or could name two.

    Reads ISO 8601 with or without zone, RFC 822, `2026-09-05 21:44:46 UTC`, epoch seconds and milliseconds, days in
    English words, and `day.month.year` where only one reading is possible.

    >>> day("2026-09-05 21:44:46 UTC"), day(1759300000000), day("Fri, 18 Sep 2026 23:30:04 -0700"), day("0001-01-01")
    (datetime.date(2026, 9, 5), datetime.date(2025, 10, 1), datetime.date(2026, 9, 18), None)
    >>> day("04/05/2026"), day("28/05/2026"), day("4.5.2026")
    (None, datetime.date(2026, 5, 28), datetime.date(2026, 5, 4))
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _of_epoch(value)
    if not isinstance(value, str):
        return None
    text = value.strip()[:80]
    if re.fullmatch(r"\d{9,13}(?:\.0*)?", text):
        return _of_epoch(float(text))
    if match := _ISO.match(text):
        return _made(*map(int, match.groups()))
    if match := _COMPACT.match(text):
        return _made(*map(int, match.groups()[:3]))
    if match := _NUMERIC.match(text):
        return _of_numeric(int(match[1]), match[2], int(match[3]), int(match[4]))
    return _of_words(text)


def days_ago(text: str | None, served: datetime | None) -> date | None:
    """The day that "Posted 3 Days Ago" names on a page served then; "30+ days ago" names none, nor an unknown time.

    >>> noon = datetime(2026, 10, 5, 12, tzinfo=UTC)
    >>> days_ago("Posted 3 Days Ago", noon), days_ago("Posted 30+ Days Ago", noon), days_ago("Posted Today", None)
    (datetime.date(2026, 10, 2), None, None)
    """
    if served is None:
        return None
    seen = served.date()
    match = _AGO.search(text or "")
    if match is None or match["many"]:
        return None
    if match["today"]:
        return seen
    if match["yesterday"]:
        return seen - timedelta(days=1)
    count = int(match["count"]) if match["count"].isdigit() else 1
    unit = match["unit"].lower()
    return seen - timedelta(days=count * (7 if unit[0] == "w" else 1 if unit[0] == "d" else 0))


def _of_epoch(number: float) -> date | None:
    if not 7.8e8 < number < 4.2e12:  # before any division: a number in JSON is as long as it likes
        return None
    seconds = number / 1000 if number > 1e11 else number
    if not 7.8e8 < seconds < 4.2e9:
        return None
    return datetime.fromtimestamp(seconds, UTC).date()


def _of_numeric(first: int, sign: str, second: int, year: int) -> date | None:
    if sign == "." or first > 12:
        return _made(year, second, first)
    if second > 12:
        return _made(year, first, second)
    return _made(year, first, second) if first == second else None


def _of_words(text: str) -> date | None:
    match = _WORDS.search(text)
    if match is not None:
        month = (match["m1"] or match["m2"])[:3].lower()
        if month not in _MONTHS:
            return None
        return _made(int(match["y1"] or match["y2"]), _MONTHS.index(month) + 1, int(match["d1"] or match["d2"]))
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return found.date() if EARLIEST <= found.year < LATEST else None


def _made(year: int, month: int, day_of_month: int) -> date | None:
    if not EARLIEST <= year < LATEST:
        return None
    try:
        return date(year, month, day_of_month)
    except ValueError:
        return None
