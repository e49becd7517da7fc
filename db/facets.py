"""What a selection of postings is made of: how many of each role, level, country…, and how their pay spreads.

Each dimension is counted without its own filter, so that a reader sees what else could be chosen; every other filter
holds. One pass over one index counts the cells of all dimensions at once (a million postings stand in some thousand
cells); choosing among the dimensions is arithmetic on those cells, so the cells may be kept while a reader clicks.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, BigInteger, Engine, Table, Text, and_, case, cast, func, or_, select, type_coerce

from db.filters import Filters
from db.models import Posting, PostingFlag
from db.session import reading

POSTING: Table = Posting.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
FLAG: Table = PostingFlag.__table__  # type: ignore[attr-defined]
P = POSTING.c

DIMENSIONS = ("role", "level", "country", "remote", "employment", "currency", "source")
"""What is counted, and what is filtered on the counted cells; every other filter chooses what is counted."""

COLUMNS = (P.role, P.level, P.country, P.countries, P.remote, P.employment_types, P.currency, P.sources)
"""The cells: a prefix of the index `ix_posting_facets`, in its order, so that grouping needs no sorting."""

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


@dataclass(frozen=True, slots=True)
class Cell:
    """Postings alike in every dimension; `names` in the order of `DIMENSIONS`."""

    names: tuple[frozenset[str], ...]
    postings: int
    with_pay: int


def find_facets(engine: Engine, filters: Filters) -> Facets:
    """Counts of what `filters` select."""
    return facets_of(read_cells(engine, without_dimensions(filters)), filters, read_pay(engine, filters))


def without_dimensions(filters: Filters) -> Filters:
    """The filters that choose what is counted: those that are no dimension.

    With a salary filter the currency decides in which amounts it holds, so it stays.
    """
    dropped: dict[str, Any] = dict.fromkeys(DIMENSIONS, ())
    if filters.has_pay_bounds:
        del dropped["currency"]
    return replace(filters, **dropped)


def read_cells(engine: Engine, filters: Filters) -> tuple[Cell, ...]:
    """One pass: how many postings stand in each cell."""
    stated = or_(P.salary_min.is_not(None), P.salary_max.is_not(None))
    columns = [cast(column, Text) if isinstance(column.type, JSON) else column for column in COLUMNS]
    # Grouping by the bare columns, not by their text, lets the store read the groups off its index.
    groups = COLUMNS if engine.dialect.name == "sqlite" else columns
    query = select(*columns, func.count(), func.count().filter(stated)).where(*filters.conditions()).group_by(*groups)
    with reading(engine) as connection:
        return tuple(_cell(tuple(row)) for row in connection.execute(query))


def _cell(row: tuple[Any, ...]) -> Cell:
    role, level, country, countries, remote, employment, currency, sources, postings, with_pay = row
    places = _one(country) | _many(countries)
    names = (_one(role), _one(level), places, _one(remote), _many(employment), _one(currency), _many(sources))
    return Cell(names, postings, with_pay)


@lru_cache(maxsize=4096)
def _one(value: str | None) -> frozenset[str]:
    return frozenset((value,)) if value else frozenset()


@lru_cache(maxsize=4096)
def _many(text: str | None) -> frozenset[str]:
    return frozenset(json.loads(text)) if text else frozenset()


def facets_of(cells: Sequence[Cell], filters: Filters, pay: tuple[PayBar, ...]) -> Facets:
    """The counts of `filters` from the cells that `without_dimensions(filters)` chose."""
    wanted = [frozenset(getattr(filters, name)) for name in DIMENSIONS]
    held = [(i, names) for i, names in enumerate(wanted) if names]
    counters: list[Counter[frozenset[str]]] = [Counter() for _ in DIMENSIONS]
    count = with_pay = 0
    for cell in cells:
        failed = [i for i, names in held if names.isdisjoint(cell.names[i])]
        if not failed:
            count += cell.postings
            with_pay += cell.with_pay
            for counter, names in zip(counters, cell.names, strict=True):
                counter[names] += cell.postings
        elif len(failed) == 1:
            counters[failed[0]][cell.names[failed[0]]] += cell.postings
    values = {name: _values(counter) for name, counter in zip(DIMENSIONS, counters, strict=True)}
    return Facets(count, with_pay, values, pay)


def _values(counter: Counter[frozenset[str]]) -> tuple[Value, ...]:
    found: Counter[str] = Counter()
    for names, postings in counter.items():
        for name in names:
            found[name] += postings
    return tuple(Value(name, n) for name, n in sorted(found.items(), key=lambda item: (-item[1], item[0])))


def read_pay(engine: Engine, filters: Filters) -> tuple[PayBar, ...]:
    """The middle of each stated range, of postings that no flag keeps out of statistics."""
    # Amounts are whole hundredths in both stores.
    least, most = type_coerce(P.annual_min_usd, BigInteger), type_coerce(P.annual_max_usd, BigInteger)
    low, high = func.coalesce(least, most), func.coalesce(most, least)
    bar = (low + high) // (2 * 100 * PAY_STEP)
    number = case((bar >= PAY_BARS - 1, PAY_BARS - 1), else_=bar)
    usable = and_(low.is_not(None), P.excluded.is_(False), P.salary_is_estimate.is_(False))
    query = select(number.label("bar"), func.count()).where(usable, *filters.conditions()).group_by("bar")
    with reading(engine) as connection:
        counts = {int(bar): postings for bar, postings in connection.execute(query) if bar is not None}
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
