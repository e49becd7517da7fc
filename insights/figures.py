"""From rows to figures: one posting, one vote; never two currencies in one figure.

The counting and the percentiles are DuckDB's, over columns; what a group is, and what may be shown of it, is decided
here. Amounts are hundredths in the table and units in the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from db.filters import LEVELS
from insights.interval import median_interval
from insights.model import LEAST_EMPLOYERS, PAY_FIELDS, PERCENTILES, Group, InsightError, Key
from insights.rows import DIMENSIONS, LIST, POINT, Rows
from insights.suppression import Cell, complementary, too_few

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NO_PAY = "no posting states pay"
PROTECTS = "kept back so that no smaller cell can be taken out of a total"
SHOWN = tuple(name for name in PAY_FIELDS if name != "median_ci")
HIDDEN = (None,) * len(SHOWN)
RANKS = {level: f"{rank:02d}" for rank, level in enumerate(LEVELS)}


def figures(
    rows: Rows, by: Sequence[str], *, include_estimates: bool = False, intervals: bool = True, suppress: bool = True
) -> tuple[Group, ...]:
    """The figures of every cell that `by` makes, a group for each currency stated in it.

    A posting counts when it is not excluded, states a currency and at least one end of a range per year, and is not an
    estimate (unless asked). The share that discloses pay is that of all postings of the cell, whatever the currency.
    A cell without any pay is one group without currency. With `suppress`, cells below 5 postings or 3 employers show
    no pay, nor do those from which such a cell could be subtracted. Groups come in the order of their keys.
    """
    for name in by:
        if name not in rows.dimensions:
            raise InsightError(f"these rows were read without {name!r}")
    known = rows.employers_known
    cursor = rows.connection.cursor()
    try:
        _prepare_votes(cursor, by, include_estimates)
        shares = _shares(cursor, by)
        table = _percentiles(cursor, by)
        least = 0 if "company" in by or not known else LEAST_EMPLOYERS
        reasons = _reasons(cursor, table, by, least) if suppress else [None] * len(table["n"])
        bounds = _intervals(cursor, table["number"], reasons) if intervals and known else {}
    finally:
        cursor.close()
    if not known:
        table["companies"] = [0] * len(table["n"])
    groups = _groups(table, by, reasons, bounds, shares)
    groups += _without_pay(groups, shares, by)
    return tuple(sorted(groups, key=_order))


def _prepare_votes(cursor: DuckDBPyConnection, by: Sequence[str], include_estimates: bool) -> None:
    """The view `seen` (places, one row for each cell they are in) and the tables `cell` (numbered) and `vote`."""
    cursor.execute(f"CREATE OR REPLACE TEMP VIEW seen AS {_expanded(by)}")
    names = _names([*by, "currency"])
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE spot AS SELECT id, currency <> '' AS known,"
        f" (dense_rank() OVER (ORDER BY {names}) - 1)::INT AS number, {names} FROM seen"
    )
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE vote AS SELECT number, employer, low, high, {POINT} AS point"
        f" FROM paid JOIN spot USING (id) WHERE known {'' if include_estimates else 'AND NOT estimate'}"
    )


def _expanded(by: Sequence[str]) -> str:
    """The places; where a dimension is a JSON list, one row for each of its words."""
    query = "SELECT * FROM place"
    for name in by:
        if name in DIMENSIONS and DIMENSIONS[name].listed:
            plain = f"SELECT * FROM ({query}) WHERE NOT starts_with(\"{name}\", '{LIST}')"
            words = f"json_extract_string(\"{name}\", '$[*]')"
            spread = (
                f"SELECT * REPLACE (unnest(CASE WHEN len({words}) = 0 THEN [''] ELSE {words} END) AS \"{name}\")"
                f" FROM ({query}) WHERE starts_with(\"{name}\", '{LIST}')"
            )
            query = f"{plain} UNION ALL {spread}"
    return query


def _names(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _shares(cursor: DuckDBPyConnection, by: Sequence[str]) -> dict[tuple[str, ...], tuple[int, int]]:
    """How many postings each cell has, and how many of them state pay, whatever the currency."""
    names = f"{_names(by)}, " if by else ""
    grouping = f"GROUP BY {_names(by)}" if by else ""
    found = cursor.execute(
        f"SELECT {names} coalesce(sum(selected - excluded), 0), coalesce(sum(stated), 0) FROM seen {grouping}"
    ).fetchall()
    return {tuple(row[:-2]): (int(row[-2]), int(row[-1])) for row in found}


def _percentiles(cursor: DuckDBPyConnection, by: Sequence[str]) -> dict[str, Any]:
    """Columns of figures, a row a cell with votes, in the order of their keys; `number` says which votes are its."""
    points = ", ".join(str(point) for point in PERCENTILES.values())
    named = ", ".join(f"q[{i}] / 200 AS {name}" for i, name in enumerate(PERCENTILES, start=1))
    names = _names([*by, "currency"])
    cursor.execute(
        f"""SELECT number, {names}, n, companies, {named}, low_end / 100 AS low_end_median,
               high_end / 100 AS high_end_median, width AS range_width
            FROM (SELECT DISTINCT number, {names} FROM spot) JOIN (
                SELECT number, count(*) AS n, count(DISTINCT employer) AS companies,
                    quantile_cont(point, [{points}]) AS q,
                    quantile_cont(low, 0.5) AS low_end, quantile_cont(high, 0.5) AS high_end,
                    quantile_cont(2 * (high - low)::DOUBLE / nullif(point, 0), 0.5) AS width
                FROM vote GROUP BY number
            ) USING (number) ORDER BY number"""
    )
    table = cursor.fetchnumpy()
    return {name: _plain(column) for name, column in table.items()}


def _plain(column: Any) -> list[Any]:
    """A NumPy column as Python values, None where it is masked or not a number."""
    if isinstance(column, np.ma.MaskedArray):
        return [
            None if masked else value
            for value, masked in zip(column.data.tolist(), np.ma.getmaskarray(column), strict=True)
        ]
    return [None if value != value else value for value in column.tolist()]  # a number that differs from itself is NaN


def _reasons(cursor: DuckDBPyConnection, table: Mapping[str, Any], by: Sequence[str], least: int) -> list[str | None]:
    """Why each cell shows no pay, at `least` employers a cell; None for those that do."""
    reasons = [too_few(n, c, least) for n, c in zip(table["n"], table["companies"], strict=True)]
    hidden = [cell for cell, reason in enumerate(reasons) if reason]
    if not hidden or len(hidden) == len(reasons):
        return reasons
    employers = _employers_of(cursor, [table["number"][i] for i in hidden])
    cells = [
        Cell(
            place=tuple(table[name][i] for name in (*by, "currency")),
            n=table["n"][i],
            companies=table["companies"][i],
            employers=employers.get(table["number"][i]),
        )
        for i in range(len(reasons))
    ]
    for i in complementary(cells, dimensions=len(by), least_employers=least):
        reasons[i] = PROTECTS
    return reasons


def _employers_of(cursor: DuckDBPyConnection, numbers: Sequence[int]) -> dict[int, frozenset[int]]:
    cursor.register("hidden", {"number": np.asarray(numbers, dtype=np.int32)})
    found = cursor.execute(
        "SELECT number, list(DISTINCT employer) FROM vote JOIN hidden USING (number) GROUP BY number"
    ).fetchall()
    cursor.unregister("hidden")
    return {number: frozenset(employers) for number, employers in found}


def _intervals(
    cursor: DuckDBPyConnection, numbers: Sequence[int], reasons: Sequence[str | None]
) -> dict[int, tuple[float, float]]:
    """The interval of the median of each cell that shows one, by its position."""
    ordered = cursor.execute(
        "SELECT number, point, dense_rank() OVER (ORDER BY employer) AS whose FROM vote ORDER BY number"
    ).fetchnumpy()
    starts = np.searchsorted(ordered["number"], np.asarray(numbers), side="left")
    ends = np.searchsorted(ordered["number"], np.asarray(numbers), side="right")
    points, whose = ordered["point"] / 200, ordered["whose"].astype(np.int64)
    found: dict[int, tuple[float, float]] = {}
    for cell, reason in enumerate(reasons):
        part = slice(int(starts[cell]), int(ends[cell]))
        bounds = None if reason else median_interval(points[part], whose[part])
        if bounds is not None:
            found[cell] = bounds
    return found


def _groups(
    table: Mapping[str, Sequence[Any]],
    by: Sequence[str],
    reasons: Sequence[str | None],
    bounds: Mapping[int, tuple[float, float]],
    shares: Mapping[tuple[str, ...], tuple[int, int]],
) -> list[Group]:
    """A group for each row of `table`, read column by column: there may be many thousands."""
    places = zip(*(table[name] for name in by), strict=True) if by else repeat((), len(reasons))
    pay = zip(*(table[name] for name in SHOWN), strict=True)
    made = []
    for i, (place, reason, currency, n, companies, shown) in enumerate(
        zip(places, reasons, table["currency"], table["n"], table["companies"], pay, strict=True)
    ):
        postings, disclosing = shares[place]
        p10, p25, median, p75, p90, low_end, high_end, width = HIDDEN if reason else shown
        made.append(
            Group(
                key={name: value or None for name, value in zip(by, place, strict=True)},
                currency=currency,
                n=n,
                companies=companies,
                postings=postings,
                disclosed_share=disclosing / postings,
                suppressed=reason is not None,
                reason=reason,
                p10=p10,
                p25=p25,
                median=median,
                p75=p75,
                p90=p90,
                median_ci=bounds.get(i),
                low_end_median=low_end,
                high_end_median=high_end,
                range_width=width,
            )
        )
    return made


def _without_pay(
    groups: Sequence[Group], shares: Mapping[tuple[str, ...], tuple[int, int]], by: Sequence[str]
) -> list[Group]:
    """A group without currency for every cell in which nothing usable is stated."""
    covered = {tuple(group.key[name] or "" for name in by) for group in groups}
    return [
        Group(
            key={name: value or None for name, value in zip(by, place, strict=True)},
            currency=None,
            n=0,
            companies=0,
            postings=postings,
            disclosed_share=disclosing / postings,
            suppressed=True,
            reason=NO_PAY,
        )
        for place, (postings, disclosing) in shares.items()
        if postings and place not in covered
    ]


def key_order(key: Key) -> tuple[Any, ...]:
    """Keys in their natural order: levels by rank, the unstated last."""
    return tuple(
        [
            (value is None, RANKS.get(value, value) if name == "level" and value else value or "")
            for name, value in key.items()
        ]
    )


def _order(group: Group) -> tuple[Any, ...]:
    return (*key_order(group.key), group.currency is None, group.currency or "")
