"""Published pay fields, in the shapes that boards and schema.org use, as one set of ends, currency and period."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from aggregator.normalise.salary.currency import known_code
from aggregator.normalise.salary.lexicon import meaning_of
from aggregator.normalise.salary.numbers import read_number

_MIN_KEYS = ("min", "minValue", "minimum", "salary_min", "minSalary", "from", "low", "value_min")
_MAX_KEYS = ("max", "maxValue", "maximum", "salary_max", "maxSalary", "to", "high", "value_max")
_CURRENCY_KEYS = ("currency", "currencyCode", "salaryCurrency", "currency_code", "salary_currency")
_PERIOD_KEYS = ("period", "unitText", "unit", "interval", "salaryPeriod", "unitCode", "frequency", "duration")
_UNIT_CODES = {
    "HUR": "hour",
    "DAY": "day",
    "WEE": "week",
    "MON": "month",
    "ANN": "year",
    "P1D": "day",
    "P1Y": "year",
    "P1M": "month",
}
_MAX_DEPTH = 4
_TOO_MUCH = Decimal(10) ** 18


@dataclass(frozen=True, slots=True)
class Published:
    """Pay as fields state it; `period_text` is kept when no period of ours fits it."""

    low: Decimal | None
    high: Decimal | None
    currency: str | None
    period: str | None
    period_text: str | None = None
    text: str | None = None


def read_structured(pay: object, currency: object = None, depth: int = 0) -> list[Published]:
    """All pay that a field, a mapping, a list of them or a schema.org `baseSalary` object states; [] for none.

    A value that is words ("£30,000 per annum") comes back as `text` for the grammar to read.

    >>> read_structured({"@type": "MonetaryAmount", "currency": "EUR",
    ...     "value": {"@type": "QuantitativeValue", "minValue": "50000", "unitText": "YEAR"}})[0].period
    'year'
    """
    if depth > _MAX_DEPTH or pay is None:
        return []
    if isinstance(pay, Mapping):
        return _read_mapping(pay, currency, depth)
    if isinstance(pay, Sequence) and not isinstance(pay, str | bytes):
        return [found for item in pay[:50] for found in read_structured(item, currency, depth + 1)]
    amount = amount_of(pay)
    if amount is not None:
        return [Published(amount, amount, known_code(currency), None)]
    if isinstance(pay, str) and pay.strip():
        return [Published(None, None, known_code(currency), None, text=pay)]
    return []


def _read_mapping(pay: Mapping[str, object], currency: object, depth: int) -> list[Published]:
    currency = _first(pay, _CURRENCY_KEYS) or currency
    period_text = _first(pay, _PERIOD_KEYS)
    period = period_of(period_text)
    low, high = amount_of(_first(pay, _MIN_KEYS)), amount_of(_first(pay, _MAX_KEYS))
    if low is not None or high is not None:
        return [Published(low, high, known_code(currency), period, None if period else _text(period_text))]
    inner: list[Published] = []
    for key in ("value", "baseSalary", "estimatedSalary", "amount", "median", *_MIN_KEYS[:2], *_MAX_KEYS[:2]):
        if key in pay and not inner:
            inner = read_structured(pay[key], currency, depth + 1)
    if period is None:
        return inner
    return [Published(p.low, p.high, p.currency, p.period or period, p.period_text, p.text) for p in inner]


def _first(pay: Mapping[str, object], keys: Iterable[str]) -> object:
    return next((pay[key] for key in keys if pay.get(key) not in (None, "")), None)


def _text(value: object) -> str | None:
    return str(value)[:40] if value not in (None, "") else None


def amount_of(value: object) -> Decimal | None:
    """A number from a number or a numeric text in any country's grouping; None for NaN, infinity, words and booleans.

    >>> amount_of("65.000,00"), amount_of(float("nan")), amount_of(-1)
    (Decimal('65000.00'), None, Decimal('-1'))
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        return number if number.is_finite() and abs(number) < _TOO_MUCH else None
    if not isinstance(value, str):
        return None
    written = value.strip()
    negative = written[:1] in ("-", "−")
    plain = _plain(written.lstrip("-−+ "))
    return -plain if plain is not None and negative else plain


def _plain(written: str) -> Decimal | None:
    if not written[:1].isdecimal() or len(written) > 40:
        return None
    if written.replace(".", "", 1).isdecimal() and written.isascii():
        # machines write a point: 12.500 is twelve and a half, unless it was grouped by hand
        try:
            return Decimal(written) if len(written.partition(".")[2]) != 3 else read_number(written)
        except InvalidOperation:
            return None
    if all(mark.isdecimal() or mark in ".,'’ \u00a0\u202f_" for mark in written):
        return read_number(written)
    return None


def period_of(value: object) -> str | None:
    """The period that a field names, in schema.org's, UN/CEFACT's or any spelling; None when it names none.

    >>> [period_of(p) for p in ("YEAR", "HUR", "monthly", "per-year-salary", "1 YEAR", "PIECE")]
    ['year', 'hour', 'month', 'year', 'year', None]
    """
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip()[:60]
    if text.upper() in _UNIT_CODES:
        return _UNIT_CODES[text.upper()]
    words = [text, *text.replace("-", " ").replace("_", " ").replace("/", " ").split()]
    for word in words:
        meaning = meaning_of(word.casefold().removesuffix("s")) or meaning_of(word)
        if meaning and meaning.period:
            return meaning.period
    return None
