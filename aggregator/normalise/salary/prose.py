"""Finds the lines of a long description that may state pay, so that only those are read closely.

Linear in the length of the text: one scan for numbers, a bounded look around each, and a cut of whole sentences.
"""

import re
from decimal import Decimal
from functools import cache

from aggregator.normalise.money import annualise
from aggregator.normalise.salary.context import of_others
from aggregator.normalise.salary.grammar import FROM, UPTO, Statement
from aggregator.normalise.salary.lexicon import Currency, currencies, signs
from aggregator.normalise.salary.tokens import Token

SHORT = 240
MAX_TEXT = 400_000
_BEFORE, _AFTER = 220, 160
_LOOK_BEFORE, _LOOK_AFTER = 64, 28
_MAX_WINDOWS = 400
_NUMBER = re.compile(r"\d(?:[\d.,'’ \u00a0\u202f]*\d)?\s?(?:[kK]\b)?")
_LIST_NUMBER = re.compile(r"(?<=,\d{3})([2-9])(?=\. [A-Z])")
"""The number of a list's next line, glued to a figure where the line end was lost: "35,0002. Pay is"."""
_HEADING_LENGTH = 240
_BOUND_LENGTH = 12
_STRONG = frozenset({"$", "€", "£"})
_PLAIN = {"$": "USD", "£": "GBP"}


@cache
def _signal() -> re.Pattern[str]:
    """What makes a number worth reading: a currency, a period or a word of pay close by."""
    codes = "|".join(sorted({s for s in signs() if len(s) == 3 and s.isalpha() and s.isupper()}))
    marks = "".join(sorted({s for s in signs() if len(s) == 1 and not s.isalpha()}))
    return re.compile(
        rf"[{re.escape(marks)}]|\b(?:{codes}|eur|usd|gbp|zł|Kč|kr|Rs|Rp|RM|LPA|Lacs?|TL|lei|Ft|Euros?|EU)\b|\d\s?[kK]\b|円|元|万|萬|만|원|บาท"
        r"|(?i:salar|\bpay\b|compensation|\bwage|remunerat|gehalt|vergütung|\blohn|stundenlohn|entgelt|sueldo|stipendi|retribuzion"
        r"|rémunération|wynagrodzeni|mzda|\blön|\bløn|palkka|salaris|зарплат|оклад|maaş|ücret|gaji|lương|薪|給|급|연봉|שכר|راتب"
        r"|руб|грн"
        r"|per (?:hour|annum|year|month|day|week)|/\s?(?:hr|hour|year|yr|month|mo|day|wk)\b|p\.a\.|hourly|annually)"
    )


def windows(text: str) -> str:
    """The lines and sentences of `text` around numbers that may be pay, joined by line ends; "" for none.

    A short heading directly above such a line comes along: it may be what names the figure.
    """
    signal = _signal()
    spans: list[tuple[int, int]] = []
    end = 0
    for match in _NUMBER.finditer(text, 0, MAX_TEXT):
        at, stop = match.span()
        if stop - at < 2 or at < end:
            continue
        if stop - at == 4 and _is_bare_year(text, at, stop):
            continue
        if not signal.search(text, max(0, at - _LOOK_BEFORE), min(stop + _LOOK_AFTER, len(text))):
            continue
        start, end = _around(text, at, stop)
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
        if len(spans) >= _MAX_WINDOWS:
            break
    return _LIST_NUMBER.sub(r"\n\1", "\n\n".join(text[start:end] for start, end in spans))


def _around(text: str, at: int, stop: int) -> tuple[int, int]:
    """The bounds of the line around a number, cut to reach; a heading above it is taken in."""
    line = text.rfind("\n", max(0, at - _BEFORE), at)
    start = line + 1 if line >= 0 else _word_start(text, max(0, at - _BEFORE))
    if line > 0:
        above = line
        while above > 0 and text[above - 1].isspace() and line - above < 6:
            above -= 1
        head = text.rfind("\n", max(0, above - _HEADING_LENGTH), above)
        if above - head <= _BOUND_LENGTH and head > 0:  # "Minimum:" stands between the figure and what names it
            above = head
            while above > 0 and text[above - 1].isspace() and head - above < 6:
                above -= 1
            head = text.rfind("\n", max(0, above - _HEADING_LENGTH), above)
        if head >= 0 or above <= _HEADING_LENGTH:
            start = head + 1
    newline = text.find("\n", stop, stop + _AFTER)
    return start, (newline if newline >= 0 else _word_end(text, min(len(text), stop + _AFTER)))


def _is_bare_year(text: str, at: int, stop: int) -> bool:
    year = text[at:stop].isdigit() and text[at : at + 2] in ("19", "20")
    signed = text[max(0, at - 2) : at].strip()[-1:] in _STRONG or text[stop : stop + 2].strip()[:1] in _STRONG
    return year and not signed


def _word_start(text: str, at: int) -> int:
    """The next space at or before `at`, at most 64 characters back: no figure is cut in two."""
    space = text.rfind(" ", max(0, at - _LOOK_BEFORE), at)
    return space + 1 if space >= 0 else at


def _word_end(text: str, at: int) -> int:
    space = text.find(" ", at, at + _LOOK_BEFORE)
    return space if space >= 0 else at


def _is_column(tokens: list[Token], statement: Statement, row: Currency | None) -> bool:
    """ "Acme | NYC | up to $170k": a year's pay alone in its column of a heading that bars divide."""
    if row is None or statement.kind or not row.year_from * Decimal("1.5") <= statement.high <= row.high:
        return False
    at = statement.first - 1
    while at > 0 and tokens[at].roles & (FROM | UPTO):
        at -= 1
    return at > 0 and tokens[at].text == "|"


def is_stated_pay(tokens: list[Token], statement: Statement) -> bool:
    """Whether a statement inside prose is pay: named so nearby, or a signed range or rate of a believable size."""
    row = currencies().get(_PLAIN.get(statement.sign or "", statement.sign or ""))
    if statement.fielded:
        return True
    if (
        row
        and statement.scaled
        and statement.high > row.high * 2
        and row.year_from <= 20_000
        and not statement.thousands
    ):
        return False  # millions of a strong currency, whatever the words around
    if statement.cued:
        return statement.signed or statement.scaled or statement.period is not None or statement.high >= 10_000
    if of_others(tokens, statement):
        return False
    if _is_column(tokens, statement, row):
        return True
    if not statement.signed:
        return statement.scaled and statement.is_range and statement.low >= 20_000 and statement.high <= 900_000
    if row is None or statement.low * 4 < statement.high or statement.low <= 0:
        return False
    period = statement.period or (statement.left_period if statement.is_range else None)
    if period is None:
        return statement.is_range and statement.low >= row.year_from * Decimal("1.5") and statement.high <= row.high
    low, high = annualise(statement.low, period), annualise(statement.high, period)
    return row.low <= low and high <= row.high and (statement.is_range or period in ("hour", "day", "year"))
