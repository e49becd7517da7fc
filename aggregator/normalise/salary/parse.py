"""The one door: `parse_salary`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from aggregator.normalise.salary.context import NOT_PAY, classify
from aggregator.normalise.salary.currency import known_code, national
from aggregator.normalise.salary.grammar import FILL, FROM, UPTO, Statement, statements
from aggregator.normalise.salary.lexicon import BIT, currencies, implied_currencies
from aggregator.normalise.salary.model import Salary
from aggregator.normalise.salary.period import inferred_period
from aggregator.normalise.salary.placeholder import is_placeholder
from aggregator.normalise.salary.prose import MAX_TEXT, SHORT, is_stated_pay, windows
from aggregator.normalise.salary.settle import Reading, choose, excerpt, settle
from aggregator.normalise.salary.structured import Published, read_structured
from aggregator.normalise.salary.tokens import (
    ADV,
    CLOSE,
    COLON,
    COMMA,
    CUR,
    DASH,
    NOUN,
    NUM,
    OPEN,
    SCALE,
    SLASH,
    STOP,
    WORD,
    Token,
    tokenise,
)

_DIGIT = re.compile(r"\d")
_ORNAMENT = (
    FROM | UPTO | FILL | COLON | COMMA | CUR | DASH | OPEN | CLOSE | STOP | ADV | SCALE | NUM | BIT["pay"] | BIT["base"]
)
_ORNAMENT |= (
    NOUN
    | BIT["per"]
    | SLASH
    | BIT["ote"]
    | BIT["approx"]
    | BIT["plus"]
    | BIT["between"]
    | BIT["to"]
    | BIT["link"]
    | BIT["min"]
    | BIT["max"]
)


def parse_salary(
    text: str | None,
    *,
    country: str | None = None,
    currency: str | None = None,
    structured: Sequence[Mapping[str, object]] | Mapping[str, object] | None = None,
    title: str | None = None,
) -> Salary:
    """Pay as stated by published fields or a text, short or long; fields beat text.

    country: ISO 3166-1 alpha-2 of the posting, the evidence for what "$" or "kr" means.
    currency: the currency that the source declares for a figure that names none.
    structured: published pay as `{"min", "max", "currency", "period"}` or schema.org `baseSalary` in any shape.
    title: reserved for pay that stands in the title when text and fields state none.
    The answer's `text` is the text given; of a description, only the lines that state the pay.
    Never raises for any text or value; nothing is guessed: what is not said and not evident is None.

    >>> pay = parse_salary("CA$121.5K – CA$166.6K • Offers Equity")
    >>> str(pay.min), str(pay.max), pay.currency, pay.period
    ('121500.0', '166600.0', 'CAD', 'year')
    >>> parse_salary("$5,000 - $10,000 sign-on bonus").ok
    False
    >>> parse_salary(None, structured={"min": 18, "max": "22.50", "currency": "usd", "period": "HOUR"}).period
    'hour'
    """
    country = country.upper() if country else None
    hint = known_code(currency) if currency else None
    published = read_structured(structured, currency)
    if any(p.low is not None or p.high is not None for p in published):
        return _from_fields(published, text, country, hint)
    written = text if text is not None else next((p.text for p in published if p.text), None)
    if not written or not written.strip():
        return _from_title(title, country, hint, text)
    salary = _read(written, country, hint)
    return salary if salary.ok or salary.notes else _from_title(title, country, hint, text) if title else salary


def _from_title(title: str | None, country: str | None, hint: str | None, text: str | None) -> Salary:
    if not title:
        return Salary(text=text)
    found = _read(title, country, hint)
    return replace(found, text=text or title) if found.ok else Salary(text=text)


def _read(text: str, country: str | None, hint: str | None) -> Salary:
    if not _DIGIT.search(text):
        return Salary(text=text)
    short = len(text) <= SHORT and text.count("\n") < 3
    body = text if short else windows(text[:MAX_TEXT])
    tokens = tokenise(body)
    found = statements(tokens)
    if not found:
        return Salary(text=text)
    classify(tokens, found)
    kept = _usable(tokens, found) if short else [s for s in found if s.kind in NOT_PAY or is_stated_pay(tokens, s)]
    reading = Reading(body, tokens, kept, country, hint)
    group = choose(reading)
    if not group:
        notes = ("not_pay",) if any(s.kind in NOT_PAY for s in found) else ()
        zero = next((s for s in found if s.high <= 0), None)
        return Salary(text=text, notes=(f"non_positive:{zero.high:f}",) if zero else notes)
    salary = _checked(settle(reading, group))
    return salary if short else replace(salary, text=excerpt(reading, group))


def _usable(tokens: list[Token], found: list[Statement]) -> list[Statement]:
    """The statements of a short text that can be pay at all; the others are job numbers, years and ratings."""
    return [s for s in found if s.kind in NOT_PAY or _is_usable(tokens, s)]


def _is_usable(tokens: list[Token], statement: Statement) -> bool:
    if statement.signed:
        return (
            _hard_million(statement) is False
            or statement.cued
            or statement.period is not None
            or _alone(tokens, statement)
        )
    if _is_year(statement):
        return False
    if statement.period or (statement.cued and (statement.scaled or statement.high >= 1000)):
        return True
    if statement.scaled and statement.is_range and _in_lakhs(tokens, statement):
        return not _names_something(tokens, statement)
    if statement.scaled and not statement.is_range and _names_something(tokens, statement):
        return False
    if statement.scaled:
        return statement.high < 1_000_000 or _alone(tokens, statement)
    if statement.high >= 10_000:
        if _is_number_of_job(tokens, statement):
            return False
        return all(t.roles & _ORNAMENT for t in tokens[: statement.first]) or statement.open is not None
    if statement.high >= 1000 and _opens_list(tokens, statement):
        return True
    if statement.open == "from" and statement.high < 100 and not statement.grouped:
        return False  # "18+"
    named = any(t.roles & (BIT["pay"] | ADV | NOUN) for t in tokens)
    return _alone(tokens, statement) and (statement.is_range or not named)


def _is_number_of_job(tokens: list[Token], statement: Statement) -> bool:
    """ "145880-data-engineer", "20417 - Nurse": bare digits with a job's name behind a dash."""
    if statement.is_range or statement.grouped or statement.open:
        return False
    behind = tokens[statement.after : statement.after + 2]
    if len(behind) < 2 or not behind[0].roles & DASH:
        return False
    glued = behind[0].end - behind[0].start == behind[1].start - tokens[statement.after - 1].end
    return behind[1].roles & ~(BIT["phrase"] | BIT["job"]) in (0, WORD) or (glued and behind[1].text[:1].isalpha())


def _in_lakhs(tokens: list[Token], statement: Statement) -> bool:
    """Whether the scale of a range is one of a single country's money: "20-35 Lacs"."""
    return any(
        t.roles & BIT["scale"] and t.text.casefold() in implied_currencies()
        for t in tokens[statement.first : statement.after]
    )


def _opens_list(tokens: list[Token], statement: Statement) -> bool:
    """ "4.500,00 + meal voucher": an amount with its cents at the start of the text, and what is added to it."""
    ornament = all(t.roles & _ORNAMENT for t in tokens[: statement.first])
    following = tokens[statement.after : statement.after + 1]
    return ornament and statement.grouped and bool(following) and following[0].text == "+"


def _names_something(tokens: list[Token], statement: Statement) -> bool:
    """ "10k RPS", "100k lines of code": a word that says nothing of pay follows a lone figure without currency."""
    following = tokens[statement.after : statement.after + 1]
    return (
        bool(following)
        and following[0].roles & ~BIT["phrase"] == WORD
        and following[0].text[:1].isalpha()
        and following[0].text.isascii()
    )


def _hard_million(statement: Statement) -> bool:
    """Millions of a strong currency are a company's figures, unless something says that they are pay."""
    row = currencies().get({"$": "USD", "£": "GBP"}.get(statement.sign or "", statement.sign or ""))
    return bool(row and row.year_from <= 20_000 and statement.high > row.high * 3 and statement.scaled)


def _is_year(statement: Statement) -> bool:
    """A pair of calendar years, or one alone: 2019 - 2024."""
    if statement.scaled or statement.grouped or statement.period:
        return False
    return (
        all(1950 <= end <= 2100 for end in (statement.low, statement.high))
        and not statement.cued
        and statement.is_range
    )


def _alone(tokens: list[Token], statement: Statement) -> bool:
    """Whether the text is this statement and nothing that means anything else."""
    outside = [*tokens[: statement.first], *tokens[statement.after :]]
    return all(t.roles & _ORNAMENT for t in outside)


def _checked(salary: Salary) -> Salary:
    """Marks placeholders and zero or negative ends; a placeholder is not ok but keeps its amounts."""
    low, high, notes = salary.min, salary.max, list(salary.notes)
    if is_placeholder(low, high, hourly=salary.period == "hour"):
        notes.append("placeholder")
        return replace(salary, ok=False, notes=tuple(notes))
    for end in (low, high):
        if end is not None and end <= 0:
            notes.append(f"non_positive:{end:f}")
    if len(notes) == len(salary.notes):
        return salary
    low, high = (None if low is None or low <= 0 else low), (None if high is None or high <= 0 else high)
    return replace(salary, ok=low is not None or high is not None, min=low, max=high, notes=tuple(dict.fromkeys(notes)))


def _from_fields(published: list[Published], text: str | None, country: str | None, hint: str | None) -> Salary:
    """Joins published pay; the text beside it is read only for reasons to doubt it."""
    lead = next(p for p in published if p.low is not None or p.high is not None)
    same = [p for p in published if p.currency == lead.currency and p.period == lead.period]
    lows = [p.low for p in same if p.low is not None]
    highs = [p.high for p in same if p.high is not None]
    low, high = (min(lows) if lows else None), (max(highs) if highs else None)
    notes: list[str] = []
    if low is not None and high is not None and low > high > 0:
        notes.append(f"inverted:{low:f}>{high:f}")
        low, high = high, low
    if lead.period_text:
        notes.append(f"period_unknown:{lead.period_text}")
    code = lead.currency or hint or national(country)
    top = high if high is not None else low or Decimal(0)
    period = lead.period or (
        inferred_period(low if low is not None else top, top, code, country=country, sign=code)
        if not lead.period_text
        else None
    )
    salary = Salary(
        text=text,
        ok=True,
        min=low,
        max=high,
        currency=code,
        period=period,
        open=None if low is not None and high is not None else "upto" if low is None else "from",
        notes=tuple(notes),
        period_stated=lead.period is not None,
        currency_stated=lead.currency is not None,
        from_structured=True,
    )
    return _checked(_doubted(salary, text, country, hint))


def _doubted(salary: Salary, text: str | None, country: str | None, hint: str | None) -> Salary:
    """Adds what a short text beside the fields says of the same amounts: estimate, bonus, on-target earnings."""
    if not text or len(text) > SHORT:
        return salary
    read = _read(text, country, hint)
    told = ("not_pay", "ote_only", "pro_rata", "inverted")
    notes = [note for note in read.notes if note.partition(":")[0] in told and not (note == "not_pay" and read.ok)]
    return replace(
        salary, notes=tuple(dict.fromkeys([*salary.notes, *notes])), is_estimate=salary.is_estimate or read.is_estimate
    )
