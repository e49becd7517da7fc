"""What a selection of postings is made of: how many of each role, level, country…, and how their pay spreads.

Each dimension is counted without its own filter, so that a reader sees what else could be chosen; every other filter
holds. The columns that are counted are read once and kept as numbers, some 30 bytes a posting: counting a million
postings then takes some milliseconds, however many filters are combined. Who keeps them says how old they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Engine,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from db.filters import Filters
from db.session import Ledger, driver_errors, reading
from db.tables import FLAG, POSTING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.integer[Any]]
    Mask = NDArray[np.bool_]
    Places = NDArray[np.intp]

P = POSTING.c

DIMENSIONS: Mapping[str, tuple[Any, ...]] = {
    "role": (P.role,),
    "level": (P.level,),
    "country": (P.country, P.countries),
    "remote": (P.remote,),
    "employment": (P.employment_types,),
    "currency": (P.currency,),
    "source": (P.sources,),
}
"""What is counted, and the columns of which: a word, or a JSON list of words."""

PAY_STEP = 20_000
"""US dollars a year that one bar of the pay histogram is wide."""
PAY_BARS = 16
"""The last bar holds everything above."""
ROWS = 20_000

OPEN, EXCLUDED, PAID = 1, 2, 4
"""Bits that tell of a posting whether it is open, kept out of statistics by a flag, and states pay."""


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
    counted_at: datetime
    """When the postings were read that were counted."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is counted of every posting, one number each; all arrays are as long."""

    number: NDArray[np.int64]
    """Under which the store knows the posting, ascending: see `_number`."""
    codes: Mapping[str, Numbers]
    """By dimension: the place of the posting's words in `words`."""
    words: Mapping[str, tuple[frozenset[str], ...]]
    whole: Mapping[str, NDArray[np.intp]]
    """By dimension: how many postings have each code."""
    marks: Numbers
    """`OPEN`, `EXCLUDED` and `PAID` together."""
    bar: Numbers
    """Of the pay histogram; -1 for postings that have no place in it."""
    read_at: datetime
    seconds: float
    """That reading took."""
    counted: dict[Filters, Facets] = field(default_factory=dict)
    """Answers that were given already."""
    chosen: dict[Filters, Mask] = field(default_factory=dict)
    """What the ledger was asked already: whoever searches words then clicks among the facets."""


class _Coder(dict[str, int]):
    """Numbers texts in the order in which they come."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


def find_facets(engine: Engine, filters: Filters) -> Facets:
    """Counts of what `filters` select, as the ledger stands now."""
    return count_facets(engine, read_columns(engine), filters)


def read_columns(engine: Engine) -> Columns:
    """Everything that is counted, in one pass over one index (PostgreSQL: over the table).

    The driver's own rows, of two numbers and a text for each group of `TOGETHER`: SQLAlchemy's take thrice as long.
    """
    import numpy as np

    begun, now = time.perf_counter(), datetime.now(UTC)
    query = select(_number(engine), _marks(), *(_text(names) for names in TOGETHER)).select_from(POSTING)
    statement = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    coders = [_Coder() for _ in TOGETHER]
    parts: list[list[Any]] = [[np.zeros(0, np.int64)] for _ in range(2 + len(TOGETHER))]
    with reading(engine) as connection, driver_errors(engine):
        for rows in _driver_rows(connection, statement):
            for place, values in enumerate(zip(*rows, strict=True)):
                numbers = values if place < 2 else map(coders[place - 2].__getitem__, values)
                parts[place].append(np.fromiter(numbers, dtype=np.int64, count=len(rows)))
    number, marks, *coded = [np.concatenate(part) for part in parts]
    order = np.argsort(number, kind="stable")
    codes: dict[str, Numbers] = {}
    words: dict[str, tuple[frozenset[str], ...]] = {}
    for names, coder, code in zip(TOGETHER, coders, coded, strict=True):
        for name, (small, said) in _apart(names, list(coder)).items():
            codes[name], words[name] = small[code[order]], said
    whole = {name: np.bincount(code, minlength=len(words[name])) for name, code in codes.items()}
    marks = marks[order].astype(np.int32)
    taken = time.perf_counter() - begun
    return Columns(number[order], codes, words, whole, marks & 7, (marks >> 3) - 1, now, taken)


def _driver_rows(connection: Connection, statement: str) -> Iterator[Sequence[Any]]:
    """Rows as the driver gives them, some thousand at a time; PostgreSQL keeps the rest on its side."""
    driver = connection.connection
    cursor = driver.cursor() if connection.dialect.name == "sqlite" else driver.cursor(name="facets")
    try:
        cursor.execute(statement)
        while rows := cursor.fetchmany(ROWS):
            yield rows
    finally:
        cursor.close()


TOGETHER = (("role",), ("level", "country", "remote", "employment", "currency"), ("source",))
"""Dimensions that are read as one text: together they have few values, and one text is read faster than six."""
BETWEEN = "\x1f"


def _text(names: tuple[str, ...]) -> Any:
    columns = [column for name in names for column in DIMENSIONS[name]]
    said = [cast(c, Text) if isinstance(c.type, JSON) else func.coalesce(c, "") for c in columns]
    text: Any = said[0]
    for more in said[1:]:
        text = text.op("||")(BETWEEN).op("||")(more)
    return text


def _apart(names: tuple[str, ...], texts: list[str]) -> dict[str, tuple[Numbers, tuple[frozenset[str], ...]]]:
    """By dimension: for each text the code of what it says of the dimension, and what the codes mean."""
    import numpy as np

    found = {}
    columns = list(zip(*(text.split(BETWEEN) for text in texts), strict=True)) or [()] * 9
    for name in names:
        mine = [columns.pop(0) for _ in DIMENSIONS[name]]
        coder: dict[frozenset[str], int] = {}
        codes = [coder.setdefault(_said(values), len(coder)) for values in zip(*mine, strict=True)]
        found[name] = (np.array(codes, dtype=np.min_scalar_type(len(coder))), tuple(coder))
    return found


def _said(values: tuple[str, ...]) -> frozenset[str]:
    """Words of columns: each one word, a JSON list of words, or nothing."""
    words: set[str] = set()
    for value in values:
        words.update(json.loads(value) if value.startswith("[") else [value] if value else [])
    return frozenset(words)


def _marks() -> Any:
    """`OPEN`, `EXCLUDED` and `PAID` in the three lowest bits, above them the bar of the pay histogram plus one."""
    stated = or_(P.salary_min.is_not(None), P.salary_max.is_not(None))
    bits = ((P.closed_at.is_(None), OPEN), (P.excluded.is_(True), EXCLUDED), (stated, PAID))
    return sum((case((condition, bit), else_=0) for condition, bit in bits), start=8 * (_bar() + 1))


def _number(engine: Engine) -> Any:
    """What tells postings apart in 64 bits while the columns are kept: SQLite's own number, or a hash of the id."""
    if engine.dialect.name == "sqlite":
        return literal_column("posting.rowid")
    return func.hashtextextended(P.id, 0)


def _bar() -> Any:
    """The bar in which the middle of the stated range lies, of postings that no flag keeps out of statistics."""
    # Amounts are whole hundredths in both stores.
    least, most = type_coerce(P.annual_min_usd, BigInteger), type_coerce(P.annual_max_usd, BigInteger)
    low, high = func.coalesce(least, most), func.coalesce(most, least)
    bar = (low + high) // (2 * 100 * PAY_STEP)
    usable = and_(low.is_not(None), P.excluded.is_(False), P.salary_is_estimate.is_(False))
    return case((~usable, -1), (bar < 0, 0), (bar >= PAY_BARS - 1, PAY_BARS - 1), else_=bar)


def count_facets(engine: Engine, columns: Columns, filters: Filters) -> Facets:
    """The counts of `filters`; what the columns do not hold (words, amounts, days) the ledger is asked for."""
    if (known := columns.counted.get(filters)) is not None:
        return known
    base = _base(engine, columns, filters)
    masks = {name: _among(columns, name, getattr(filters, name)) for name in DIMENSIONS if getattr(filters, name)}
    selected = _places(_both(base, masks.values()))
    values = {
        name: _values(columns, name, _places(_both(base, [m for other, m in masks.items() if other != name])))
        if name in masks
        else _values(columns, name, selected)
        for name in DIMENSIONS
    }
    marks, bars = _taken(columns.marks, selected), _taken(columns.bar, selected)
    found = Facets(len(marks), int(((marks & PAID) > 0).sum()), values, _pay(bars), columns.read_at)
    if len(columns.counted) < KEPT:
        columns.counted[filters] = found
    return found


FEW = 12
KEPT_CHOICES = 32
KEPT = 2_000
"""Answers that are kept with the columns."""
IN_COLUMNS = (*DIMENSIONS, "open", "flagged", "has_salary")


def _base(engine: Engine, columns: Columns, filters: Filters) -> Mask | None:
    """The postings that every filter selects which is no dimension; None for all."""
    import numpy as np

    parts: list[Mask] = []
    for wanted, bit in ((filters.open, OPEN), (filters.flagged, EXCLUDED), (filters.has_salary, PAID)):
        if wanted is not None:
            parts.append(((columns.marks & bit) > 0) == wanted)
    asked = replace(filters, **_without(filters))
    if asked in columns.chosen:
        parts.append(columns.chosen[asked])
    elif asked != Filters():
        query = select(_number(engine)).select_from(POSTING).where(*asked.conditions())
        with reading(engine) as connection:
            cursor = connection.execution_options(yield_per=ROWS).execute(query)
            numbers = np.fromiter(cursor.scalars(), dtype=np.int64)
        mask = np.zeros(len(columns.number), dtype=np.bool_)
        places = np.searchsorted(columns.number, numbers)
        places = places[places < len(mask)]
        known = np.isin(columns.number[places], numbers)
        mask[places[known]] = True
        parts.append(mask)
        if len(columns.chosen) < KEPT_CHOICES:
            columns.chosen[asked] = mask
    return _both(None, parts)


def _without(filters: Filters) -> dict[str, Any]:
    """What takes out of the filters those that the columns answer.

    With a salary filter the currency decides in which amounts it holds, so it stays.
    """
    gone: dict[str, Any] = {name: () if name in DIMENSIONS else None for name in IN_COLUMNS}
    if filters.has_pay_bounds:
        del gone["currency"]
    return gone


def _both(base: Mask | None, masks: Iterable[Mask]) -> Mask | None:
    """Where all hold; None stands for everywhere."""
    for mask in masks:
        base = mask if base is None else base & mask
    return base


def _among(columns: Columns, name: str, wanted: tuple[str, ...]) -> Mask:
    import numpy as np

    codes = columns.codes[name]
    chosen = [code for code, words in enumerate(columns.words[name]) if not words.isdisjoint(wanted)]
    if len(chosen) > FEW:
        return np.isin(codes, chosen)
    mask = np.zeros(len(codes), dtype=np.bool_)
    for code in chosen:  # ten times as fast as looking each one up
        mask |= codes == code
    return mask


def _places(mask: Mask | None) -> Places | None:
    import numpy as np

    return None if mask is None else np.flatnonzero(mask)


def _taken(values: Numbers, places: Places | None) -> Numbers:
    return values if places is None else values[places]


def _values(columns: Columns, name: str, places: Places | None) -> tuple[Value, ...]:
    import numpy as np

    if places is None:
        numbers = columns.whole[name]
    else:
        numbers = np.bincount(columns.codes[name][places], minlength=len(columns.words[name]))
    found: dict[str, int] = {}
    for place in np.flatnonzero(numbers):
        for word in columns.words[name][place]:
            found[word] = found.get(word, 0) + int(numbers[place])
    return tuple(Value(word, n) for word, n in sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _pay(bars: Numbers) -> tuple[PayBar, ...]:
    import numpy as np

    counts = np.bincount(bars[bars >= 0], minlength=PAY_BARS)
    filled = np.flatnonzero(counts)
    if not len(filled):
        return ()
    return tuple(
        PayBar(i * PAY_STEP, (i + 1) * PAY_STEP if i < PAY_BARS - 1 else None, int(counts[i]))
        for i in range(int(filled[0]), int(filled[-1]) + 1)
    )


def flag_counts(ledger: Ledger) -> dict[str, dict[str, int]]:
    """Flags by state, then by code."""
    query = select(FLAG.c.state, FLAG.c.code, func.count().label("flags")).group_by(FLAG.c.state, FLAG.c.code)
    found: dict[str, dict[str, int]] = {}
    with reading(ledger) as connection:
        for row in connection.execute(query.order_by(FLAG.c.state, FLAG.c.code)):
            found.setdefault(row.state, {})[row.code] = row.flags
    return found
