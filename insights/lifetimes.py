"""How long jobs stay open, and which never close: time to close, reposts, evergreens.

Most postings are still open when we look, and many were open before we first looked. Leaving the former out would make
every job look fast, so times are estimated as Kaplan and Meier (1958) do: open postings count as long as they were
seen, and each posting counts only from the day we could have seen it close (left truncation).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from db.evergreen import EVERGREEN_AGE, EVERGREEN_REPOSTS
from insights.figures import key_order
from insights.model import LEAST_EMPLOYERS, LEAST_POSTINGS, Key
from insights.rows import DIMENSIONS, LIST, checked
from insights.store import STREAM, Columns, ask, dialect_of, literal_where

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from db.filters import Filters

EVERGREEN_DAYS = EVERGREEN_AGE.days

SPAN = {
    "sqlite": (
        "CAST(julianday({end}) - julianday({start}) AS INTEGER)",
        "coalesce(posting.posted_on, posting.first_seen)",
        "posting.first_seen",
        "coalesce(posting.closed_at, posting.last_seen)",
    ),
    "postgresql": (
        "floor(extract(epoch FROM ({end} - {start})) / 86400)::BIGINT",
        "coalesce(posting.posted_on::timestamp AT TIME ZONE 'UTC', posting.first_seen)",
        "posting.first_seen",
        "coalesce(posting.closed_at, posting.last_seen)",
    ),
}
"""How each store counts days, and says when a posting opened, was first seen, and was last known open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """How long the postings of one cell stay open; None where too few are known or most stay open."""

    key: Key
    postings: int
    closed: int
    median_days: float | None
    """The day by which half have closed."""
    reposted_share: float
    evergreen_share: float
    """Of ads that are evergreen (`db.evergreen`)."""
    suppressed: bool


def lifetimes(
    database_url: str, *, filters: Filters, by: Sequence[str] = (), total: bool = False, alone: bool = False
) -> tuple[Lifetime, ...]:
    """The answer to `lifetimes_question` alone."""
    question = lifetimes_question(dialect_of(database_url), filters, by)
    with closing(ask(database_url, [question], alone=alone)) as answers:
        return lifetimes_of(answers.columns[0], by, total=total)


def lifetimes_question(dialect: str, filters: Filters, by: Sequence[str] = ()) -> Columns:
    """Asks how long the postings that `filters` select stayed open, with or without pay, by any of the dimensions."""
    names = _names(checked(by))
    said = [f"coalesce({getattr(DIMENSIONS[n], dialect)}, '') AS {a}" for n, a in zip(by, names, strict=True)]
    days, opened, first, last = SPAN[dialect]
    columns = [
        *said,
        "coalesce(posting.company_id, '') AS company",
        f"{days.format(start=opened, end=first)} AS entered",
        f"{days.format(start=opened, end=last)} AS left_at",
        "CASE WHEN posting.closed_at IS NULL THEN 0 ELSE 1 END AS closed",
        "posting.reposted AS reposted",
    ]
    query = f"SELECT {', '.join(columns)} FROM posting WHERE {literal_where(filters, dialect)}"
    plain = "".join(f"CASE WHEN starts_with({n}::VARCHAR, '{LIST}') THEN '' ELSE {n}::VARCHAR END, " for n in names)
    insert = f"INSERT INTO life SELECT {plain} hash(company), entered, left_at, closed, reposted FROM {STREAM}"
    kinds = "".join(f"{name} VARCHAR, " for name in names)
    create = f"CREATE TABLE life ({kinds} employer UBIGINT, entered INT, left_at INT, closed INT, again INT)"
    return Columns(query, "life", create, insert)


def lifetimes_of(
    connection: DuckDBPyConnection, by: Sequence[str] = (), *, total: bool = False
) -> tuple[Lifetime, ...]:
    """Times to close out of what the store answered to `lifetimes_question`.

    `total` puts all of them together, with an empty key, before the cells. Cells come in the order of their keys, with
    levels by rank. A posting that stands in several countries, sources or types of employment counts under None there.
    """
    names = _names(by)
    ordered = ", ".join([*names, "left_at", "entered", "closed", "again", "employer"])
    table = connection.execute(f"SELECT * FROM life ORDER BY {ordered}").fetchnumpy()
    whole = _by_cell(table, (), ()) if total and by else ()
    return (*whole, *_by_cell(table, by, names))


def _names(by: Sequence[str]) -> list[str]:
    return [f"d{i}" for i in range(len(by))]


def _by_cell(table: dict[str, Any], by: Sequence[str], names: Sequence[str]) -> tuple[Lifetime, ...]:
    keys = list(zip(*(table[name].tolist() for name in names), strict=True)) or [()] * len(table["left_at"])
    starts = [i for i in range(len(keys)) if i == 0 or keys[i] != keys[i - 1]]
    ends = [*starts[1:], len(keys)][: len(starts)]
    made = []
    for start, end in zip(starts, ends, strict=True):
        part = {name: table[name][start:end] for name in ("employer", "entered", "left_at", "closed", "again")}
        n, employers = end - start, len(np.unique(part["employer"]))
        thin = n < LEAST_POSTINGS or (employers < LEAST_EMPLOYERS and "company" not in by)
        open_for = part["left_at"].astype(np.int64)
        made.append(
            Lifetime(
                key={name: value or None for name, value in zip(by, keys[start], strict=True)},
                postings=n,
                closed=int(part["closed"].sum()),
                median_days=None if thin else median_survival(part["entered"], open_for, part["closed"] == 1),
                reposted_share=float((part["again"] > 0).mean()),
                evergreen_share=float(((open_for >= EVERGREEN_DAYS) | (part["again"] >= EVERGREEN_REPOSTS)).mean()),
                suppressed=thin,
            )
        )
    return tuple(sorted(made, key=lambda life: key_order(life.key)))


def median_survival(entered: NDArray[Any], left: NDArray[Any], closed: NDArray[np.bool_]) -> float | None:
    """The day by which half of the postings have closed (Kaplan-Meier), None when fewer than half do.

    `entered`: the age, in days, at which each came under watch; `left`: the age at which it closed or was last seen;
    `closed`: which of the two. A posting that closed on the day it was found counts for that day.

    >>> days = np.array([10, 20, 30, 40])
    >>> median_survival(np.zeros(4, int), days, np.array([True, True, True, True]))
    20.0
    >>> median_survival(np.zeros(4, int), days, np.array([False, False, False, True]))
    40.0
    """
    from_age = np.minimum(entered.astype(np.int64), left.astype(np.int64) - 1)
    ages, closings = np.unique(left[closed].astype(np.int64), return_counts=True)
    if not len(ages):
        return None
    begun = np.searchsorted(np.sort(from_age), ages, side="left")
    gone = np.searchsorted(np.sort(left.astype(np.int64)), ages, side="left")
    surviving = np.cumprod(1 - closings / (begun - gone))
    half = np.flatnonzero(surviving <= 0.5 + 1e-12)
    return float(ages[half[0]]) if len(half) else None
