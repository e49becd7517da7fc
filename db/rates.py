"""Exchange rates in the ledger: written as read, a day and a currency a row, and listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Engine, func, select

from db.bulk import upsert
from db.session import committed, reading
from db.tables import RATE


@dataclass(frozen=True, slots=True)
class StoredRate:
    """US dollars for one unit of a currency on a day, and who said so."""

    currency: str
    on: date
    usd: float
    origin: str


@dataclass(frozen=True, slots=True)
class RateCounts:
    """What writing rates did."""

    new: int = 0
    revised: int = 0
    """Rows whose rate was another one: the bank corrected itself."""
    unchanged: int = 0


def keep_rates(engine: Engine, rates: Iterable[StoredRate]) -> RateCounts:
    """Writes rates in one transaction; the same rates again change nothing."""
    given = {(rate.currency, rate.on): rate for rate in rates}
    return committed(engine, lambda connection: _keep(connection, [given[key] for key in sorted(given)]))


def _keep(connection: Connection, rates: Sequence[StoredRate]) -> RateCounts:
    if not rates:
        return RateCounts()
    first, last = min(rate.on for rate in rates), max(rate.on for rate in rates)
    known = {(r.currency, r.on): r for r in _stored(connection, first, last)}
    new = [rate for rate in rates if (rate.currency, rate.on) not in known]
    other = [rate for rate in rates if known.get((rate.currency, rate.on), rate) != rate]
    rows = [{"currency": r.currency, "on": r.on, "usd": r.usd, "origin": r.origin} for r in (*new, *other)]
    upsert(connection, RATE, sorted(rows, key=lambda row: (row["currency"], row["on"])), ["currency", "on"])
    return RateCounts(len(new), len(other), len(rates) - len(new) - len(other))


def _stored(connection: Connection, first: date, last: date) -> list[StoredRate]:
    query = select(RATE.c.currency, RATE.c.on, RATE.c.usd, RATE.c.origin).where(RATE.c.on.between(first, last))
    return [StoredRate(*row) for row in connection.execute(query)]


def stored_between(engine: Engine, first: date, last: date) -> list[StoredRate]:
    """The rates of these days, both ends among them."""
    with reading(engine) as connection:
        return _stored(connection, first, last)


def newest_rates(engine: Engine) -> list[StoredRate]:
    """The newest rate of each currency, by currency."""
    newest = select(RATE.c.currency, func.max(RATE.c.on).label("on")).group_by(RATE.c.currency).subquery()
    query = (
        select(RATE.c.currency, RATE.c.on, RATE.c.usd, RATE.c.origin)
        .join(newest, (newest.c.currency == RATE.c.currency) & (newest.c.on == RATE.c.on))
        .order_by(RATE.c.currency)
    )
    with reading(engine) as connection:
        return [StoredRate(*row) for row in connection.execute(query)]


def newest_day(engine: Engine, origin: str) -> date | None:
    """The newest day with a rate of this origin; None where there is none."""
    with reading(engine) as connection:
        found: date | None = connection.execute(select(func.max(RATE.c.on)).where(RATE.c.origin == origin)).scalar()
    return found
