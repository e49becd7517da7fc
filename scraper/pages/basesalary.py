"""schema.org pay in all its shapes, as published: nothing is converted, nothing is guessed.

MonetaryAmount around a QuantitativeValue or a number, MonetaryAmountDistribution, PriceSpecification, a bare number
with `salaryCurrency` beside it, a text, and lists of any of these. A property may stand on the outer or the inner
object; the inner one wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from db.records import PublishedPay, published_amount
from db.text import one_line

_AMOUNT = re.compile(r"[-+]?[.,'’\s\u00a0\u202f]*+\d[\d.,'’\s\u00a0\u202f]*+[kK]?\Z")
LOWER = ("minvalue", "minprice", "lowprice", "min", "minimum")
UPPER = ("maxvalue", "maxprice", "highprice", "max", "maximum")
SINGLE = ("value", "price", "amount")
CURRENCY = ("currency", "pricecurrency", "currencycode", "salarycurrency")
PERIOD = ("unittext", "unitcode", "duration", "period", "per")
PERCENTILES = (("percentile10", "percentile90"), ("percentile25", "percentile75"), ("median", "median"))


@dataclass(frozen=True, slots=True)
class Pay:
    """What a pay property states: structured statements, and words that are no single amount."""

    tiers: tuple[PublishedPay, ...] = ()
    text: str | None = None


def pay_of(value: object, currency: str | None = None) -> Pay:
    """Reads a `baseSalary` or `estimatedSalary`; `currency` is the posting's `salaryCurrency`.

    >>> pay_of({"currency": "EUR", "value": {"minValue": 70000, "maxValue": 90000, "unitText": "YEAR"}}).tiers
    (PublishedPay(min='70000', max='90000', currency='EUR', period='YEAR', label=None),)
    >>> pay_of("€45.000 - €55.000 per year").text
    '€45.000 - €55.000 per year'
    """
    if isinstance(value, list):
        parts = [pay_of(item, currency) for item in value[:50]]
        words = [part.text for part in parts if part.text]
        return Pay(tuple(tier for part in parts for tier in part.tiers), "; ".join(dict.fromkeys(words)) or None)
    if isinstance(value, dict):
        return _of_object(value, currency)
    amount = _amount(value)
    if amount is not None:
        return _stated(amount, amount, currency, None, None)
    return Pay(text=one_line(value) if isinstance(value, str) else None)


def _of_object(outer: Mapping[str, object], currency: str | None) -> Pay:
    values = {name.lower(): value for name, value in outer.items()}
    inner = next((values[name] for name in SINGLE if values.get(name) not in (None, "")), None)
    if isinstance(inner, list | dict):
        values = {name: value for name, value in values.items() if name not in SINGLE}
    if isinstance(inner, list):
        each = [values | (item if isinstance(item, dict) else {"value": item}) for item in inner]
        return pay_of(each, currency)
    if isinstance(inner, dict):
        values |= {name.lower(): value for name, value in inner.items() if value not in (None, "")}
    currency = _word(values, CURRENCY) or currency
    period, label = _word(values, PERIOD), _word(values, ("name", "label", "alternatename"))
    low, high = _first_amount(values, LOWER), _first_amount(values, UPPER)
    if low is None and high is None:
        single = next((values[name] for name in SINGLE if values.get(name) not in (None, "")), None)
        low = high = _amount(single)
        if low is None and isinstance(single, str):
            return Pay(text=" ".join(part for part in (currency, one_line(single), period) if part))
    if low is None and high is None:
        return _of_distribution(values, currency, period)
    return _stated(low, high, currency, period, label)


def _of_distribution(values: Mapping[str, object], currency: str | None, period: str | None) -> Pay:
    for lower, upper in PERCENTILES:
        low, high = _amount(values.get(lower)), _amount(values.get(upper))
        if low is not None and high is not None:
            return _stated(low, high, currency, period, lower if lower == upper else f"{lower} to {upper}")
    return Pay()


def _stated(low: str | None, high: str | None, currency: str | None, period: str | None, label: str | None) -> Pay:
    """Zero to zero is a form left empty, not a wage."""
    if all(amount is None or not amount.strip("0.,") for amount in (low, high)):
        return Pay()
    return Pay((PublishedPay(min=low, max=high, currency=currency, period=period, label=label),))


def _amount(value: object) -> str | None:
    """A number, or a text that is one amount; words are none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return published_amount(value)
    text = one_line(value) if isinstance(value, str) else None
    return text if text and _AMOUNT.match(text) else None


def _first_amount(values: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((amount for name in names if (amount := _amount(values.get(name))) is not None), None)


def _word(values: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = values.get(name)
        if isinstance(value, dict):
            value = value.get("name")
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str) and (word := one_line(value)):
            return word
    return None
