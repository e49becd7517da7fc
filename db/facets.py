"""What a selection of postings is made of: how many of each role, level, country…, and how their pay spreads.

Each dimension is counted without its own filter, so that a reader sees what else could be chosen; every other filter
holds. Dimensions without a filter of their own share one selection.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, Table, Text, and_, case, cast, func, or_, select, type_coerce
from sqlalchemy.sql.elements import ColumnElement

from db.filters import Filters
from db.models import Posting, PostingFlag
from db.session import reading

POSTING: Table = Posting.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
FLAG: Table = PostingFlag.__table__  # type: ignore[attr-defined]
P = POSTING.c

SINGLE: Mapping[str, ColumnElement[Any]] = {
    "role": P.role,
    "level": P.level,
    "remote": P.remote,
    "currency": P.currency,
}
"""Dimensions with one value a posting."""

LISTED: Mapping[str, ColumnElement[Any]] = {
    "country": case((P.country.is_not(None), P.country), else_=cast(P.countries, Text)),
    "employment": cast(P.employment_types, Text),
    "source": cast(P.sources, Text),
}
"""Dimensions with any number of values a posting, as JSON lists; a posting counts once in each."""

PAY_STEP = 20_000
"""US dollars a year that one bar of the pay histogram is wide."""
PAY_BARS = 16
"""The last bar holds everything above."""


@dataclass(frozen=True, slots=True)
class Value:
    name: str
    postings: int


@dataclass(frozen=True, slots=True)
class PayBar:
    """Postings whose middle lies in [low, high) US dollars a year; the last bar has no `high`."""

    low: int
    high: int | None
    postings: int


@dataclass(frozen=True, slots=True)
class Facets:
    count: int
    with_pay: int
    values: Mapping[str, tuple[Value, ...]]
    """By dimension, the most frequent first; "not stated" is left out."""
    pay: tuple[PayBar, ...]


def find_facets(engine: Engine, filters: Filters) -> Facets:
    """Counts of what `filters` select."""
    with reading(engine) as connection:
        values = {
            name: _values(connection, column, _without(filters, name), listed=name in LISTED)
            for name, column in {**SINGLE, **LISTED}.items()
        }
        count, with_pay = _counts(connection, filters)
        return Facets(count, with_pay, values, _pay(connection, filters))


def _without(filters: Filters, name: str) -> Filters:
    changes: dict[str, Any] = {name: ()}
    return replace(filters, **changes)


def _values(connection: Connection, column: ColumnElement[Any], filters: Filters, *, listed: bool) -> tuple[Value, ...]:
    query = select(column.label("value"), func.count()).where(*filters.conditions()).group_by(column)
    found: Counter[str] = Counter()
    for value, postings in connection.execute(query):
        for name in _names(value) if listed else [value]:
            if name:
                found[name] += postings
    return tuple(Value(name, n) for name, n in sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _names(value: str | None) -> list[str]:
    if value is None:
        return []
    return [str(name) for name in json.loads(value)] if value.startswith("[") else [value]


def _counts(connection: Connection, filters: Filters) -> tuple[int, int]:
    stated = or_(P.salary_min.is_not(None), P.salary_max.is_not(None))
    query = select(func.count(), func.count().filter(stated)).select_from(POSTING).where(*filters.conditions())
    count, with_pay = connection.execute(query).one()
    return count, with_pay


def _pay(connection: Connection, filters: Filters) -> tuple[PayBar, ...]:
    """The middle of each stated range, of postings that no flag keeps out of statistics."""
    # Amounts are whole hundredths in both stores.
    least, most = type_coerce(P.annual_min_usd, BigInteger), type_coerce(P.annual_max_usd, BigInteger)
    low, high = func.coalesce(least, most), func.coalesce(most, least)
    bar = (low + high) // (2 * 100 * PAY_STEP)
    number = case((bar >= PAY_BARS - 1, PAY_BARS - 1), else_=bar)
    usable = and_(low.is_not(None), P.excluded.is_(False), P.salary_is_estimate.is_(False))
    rows = connection.execute(
        select(number.label("bar"), func.count()).where(usable, *filters.conditions()).group_by("bar")
    )
    counts = {int(bar): postings for bar, postings in rows if bar is not None}
    if not counts:
        return ()
    return tuple(
        PayBar(i * PAY_STEP, (i + 1) * PAY_STEP if i < PAY_BARS - 1 else None, counts.get(i, 0))
        for i in range(max(min(counts), 0), max(counts) + 1)
    )


def flag_counts(engine: Engine) -> dict[str, dict[str, int]]:
    """Flags by state, then by code."""
    query = select(FLAG.c.state, FLAG.c.code, func.count().label("flags")).group_by(FLAG.c.state, FLAG.c.code)
    found: dict[str, dict[str, int]] = {}
    with reading(engine) as connection:
        for row in connection.execute(query.order_by(FLAG.c.state, FLAG.c.code)):
            found.setdefault(row.state, {})[row.code] = row.flags
    return found
