"""Which period an amount belongs to when the text says none: only where one reading alone is believable."""

from decimal import Decimal

from aggregator.normalise.salary.lexicon import currencies

_YEAR_FROM = Decimal(10_000)
_HOURLY_TOP = Decimal(100)
_HOURLY_FLOOR = Decimal(6)
_HOURLY = frozenset({"USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF"})
_MONTHLY_FLOOR = Decimal(1500)


def inferred_period(
    low: Decimal, high: Decimal, currency: str | None, *, country: str | None, sign: str | None
) -> str | None:
    """The period that an amount's size alone allows, or None.

    A bare amount of 10,000 or more is yearly, except where a year's pay would be absurd in that currency: then it is
    monthly. Ukrainian boards quote dollars a month. Below 10,000 only plain cases are read (30 USD: an hour; 3,000 EUR:
    a month).

    >>> inferred_period(Decimal(12000), Decimal(16000), "PLN", country=None, sign="PLN")
    'month'
    """
    row = currencies().get(currency or "")
    if country == "UA" and currency == "USD" and high < 20_000:
        return "month"
    if high >= _YEAR_FROM:
        return "month" if row and high < row.year_from else "year"
    if row is None or sign is None:
        return None
    if currency in _HOURLY:
        if low >= _HOURLY_FLOOR and high <= _HOURLY_TOP:
            return "hour"
        return "month" if currency == "EUR" and low >= _MONTHLY_FLOOR else None
    monthly_floor = row.low / 12
    return "month" if monthly_floor <= low and row.year_from > _YEAR_FROM else None
