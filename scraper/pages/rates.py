"""The European Central Bank's reference rates, out of its XML: units of each currency for one euro, a day or many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from scraper.pages.rows import AnswerError
from scraper.pages.xml import local, safe_xml

FIRST_DAY: Final = date(1999, 1, 4)
"""The first day on which the bank published."""
LARGEST: Final = Decimal("1e9")
"""Units for one euro; no currency in use comes near it."""


@dataclass(frozen=True, slots=True, order=True)
class Quote:
    """So many US dollars for one unit of a currency on a day."""

    on: date
    currency: str
    usd: float


@dataclass(frozen=True, slots=True)
class Refused:
    """What stood in the file and is no rate: a short code and one line."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a file of rates says: quotes by day and currency, and what in it cannot be used."""

    quotes: tuple[Quote, ...]
    refused: tuple[Refused, ...]


def parse_rates(body: bytes, today: date) -> Quoted:
    """The quotes of one answer, in US dollars; the euro among them. `today` is the last day that can be quoted.

    Raises `AnswerError` as `safe_xml` does, `broken_xml` for a file that breaks off (half a day of rates is none), and
    `no_rates` where there is no day at all.
    """
    document = safe_xml(body)
    if document.broken is not None:
        raise AnswerError("broken_xml", document.broken)
    quotes: dict[tuple[date, str], Quote] = {}
    refused: list[Refused] = []
    days = [element for element in document.root.iter() if local(element) == "Cube" and element.get("time")]
    if not days:
        raise AnswerError("no_rates", "the answer names no day of rates", body[:200].decode("utf-8", "replace"))
    for element in days:
        day = _day(element.get("time"), today)
        if isinstance(day, Refused):
            refused.append(day)
            continue
        for found in _of_day(element, day):
            if isinstance(found, Refused):
                refused.append(found)
            elif quotes.setdefault((found.on, found.currency), found) != found:
                refused.append(Refused("repeated", f"{found.currency} stands twice on {day}, with two rates"))
    return Quoted(tuple(sorted(quotes.values())), tuple(refused))


def _day(stated: str, today: date) -> date | Refused:
    try:
        day = date.fromisoformat(stated)
    except ValueError:
        return Refused("no_date", f"{stated[:40]!r} is no date")
    if day > today:
        return Refused("future", f"rates of {day}, which is still to come")
    return day if day >= FIRST_DAY else Refused("no_date", f"rates of {day}, before there was a euro")


def _of_day(element: Any, day: date) -> Iterator[Quote | Refused]:
    """The rates of one day in dollars; without the dollar's own rate there are none."""
    per_euro: list[tuple[str, Decimal]] = []
    for child in element:
        stated = _rate(str(child.get("currency") or ""), str(child.get("rate") or ""), day)
        if isinstance(stated, Refused):
            yield stated
        else:
            per_euro.append(stated)
    dollar = next((rate for currency, rate in per_euro if currency == "USD"), None)
    if dollar is None:
        yield Refused("no_dollar", f"no rate of the dollar on {day}: the others say nothing in dollars")
        return
    yield Quote(day, "EUR", float(dollar))
    yield from (Quote(day, currency, float(dollar / rate)) for currency, rate in per_euro if currency != "USD")


def _rate(currency: str, stated: str, day: date) -> tuple[str, Decimal] | Refused:
    from babel.numbers import is_currency

    if len(currency) != 3 or not currency.isascii() or not is_currency(currency):
        return Refused("unknown_currency", f"{currency[:20]!r} on {day} is no currency of ISO 4217")
    try:
        rate = Decimal(stated)
    except InvalidOperation:
        return Refused("no_number", f"{currency} on {day}: {stated[:40]!r} is no number")
    if not rate.is_finite() or not 0 < rate < LARGEST or not rate > 1 / LARGEST:
        return Refused("implausible", f"{currency} on {day}: {stated[:40]} for one euro")
    return currency, rate
