"""How pay moves, without being fooled by which jobs happen to be posted.

As Indeed's wage tracker does it: the median of each cell (role, level, country, pay period and currency) and month is
compared with the same cell earlier; the change of the market is the median of the changes of the cells, smoothed over
three months. A month with more senior jobs raises no cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from insights.figures import figures
from insights.lifetimes import Lifetime, lifetimes_of, lifetimes_question
from insights.model import LEAST_EMPLOYERS, LEAST_POSTINGS, Group, InsightError
from insights.rows import POINT, Rows, read_rows, rows_of_answer, rows_question, usable
from insights.store import ask, dialect_of

if TYPE_CHECKING:
    from db.filters import Filters

LIVES_BY = ("level",)
CELL = ("role", "level", "country", "period")
LEAST_CELLS = 5
"""With fewer cells the median change is that of single cells, not of a market."""
STEPS = {"year": 12, "month": 1}
SMOOTHED_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Change:
    """The change of advertised pay up to one month; `change` is a share (0.031 = 3.1 % more)."""

    month: str
    change: float | None
    smoothed: float | None
    """The mean of this and the two months before it; None unless all three are known."""
    cells: int
    postings: int
    """Postings of the month in the compared cells."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The share of postings that state pay, in one month or place."""

    name: str
    share: float
    smoothed: float | None
    postings: int


@dataclass(frozen=True, slots=True)
class Trends:
    """What moves in the postings that some filters select."""

    step: str
    changes: tuple[Change, ...]
    disclosed_by_month: tuple[Disclosure, ...]
    disclosed_by_country: tuple[Disclosure, ...]
    lifetimes: tuple[Lifetime, ...]
    """Of all postings (an empty key) and of each level."""


def market_trends(database_url: str, *, filters: Filters, step: str = "year", alone: bool = False) -> Trends:
    """The wage tracker, the share that states pay, and how long jobs stay open, all from one commit of the ledger.

    `step` as in `wage_tracker`.
    """
    dialect, dimensions = dialect_of(database_url), (*CELL, "month")
    columns = [rows_question(dialect, filters, dimensions), lifetimes_question(dialect, filters, LIVES_BY)]
    answers = ask(database_url, columns, alone=alone)
    with closing(answers), closing(rows_of_answer(answers.columns[0], dimensions)) as rows:
        moved = changes(rows, step=step)
        by_month, by_country = (
            disclosures(figures(rows, (name,), intervals=False), name) for name in ("month", "country")
        )
        open_for = lifetimes_of(answers.columns[1], LIVES_BY, total=True)
    return Trends(step, moved, by_month, by_country, open_for)


def wage_tracker(database_url: str, *, filters: Filters, step: str = "year", alone: bool = False) -> tuple[Change, ...]:
    """The changes of the postings that `filters` select; `step` year or month says what each is compared with."""
    with closing(read_rows(database_url, filters, (*CELL, "month"), alone=alone)) as rows:
        return changes(rows, step=step)


def changes(rows: Rows, *, step: str = "year") -> tuple[Change, ...]:
    """The median change of the cells of `rows`, which were read with the dimensions of `CELL` and the month.

    A cell counts in a month with at least 5 postings of 3 employers; a change needs 5 cells known in both months.
    Cells whose role, level or country is not stated are left out: they are mixtures.
    """
    if step not in STEPS:
        raise InsightError(f"cannot compare by {step!r}; choose from: {', '.join(STEPS)}")
    stated = " AND ".join(f"{name} <> ''" for name in CELL)
    names = ", ".join((*CELL, "currency"))
    cursor = rows.connection.cursor()
    try:
        found = cursor.execute(
            f"""WITH cell AS (
                    SELECT {names}, month[1:4]::INT * 12 + month[6:7]::INT AS month, count(*) AS n,
                        quantile_cont(({POINT})::DOUBLE, 0.5) AS middle
                    FROM row WHERE {usable()} AND month <> '' AND {stated} GROUP BY ALL
                    HAVING count(*) >= {LEAST_POSTINGS} AND count(DISTINCT employer) >= {LEAST_EMPLOYERS})
                SELECT now.month, quantile_cont(now.middle / before.middle - 1, 0.5), count(*), sum(now.n)::BIGINT
                FROM cell AS now JOIN cell AS before USING ({names})
                WHERE before.month = now.month - {STEPS[step]} AND before.middle > 0
                GROUP BY now.month ORDER BY now.month"""
        ).fetchall()
    finally:
        cursor.close()
    known = {int(month): float(change) for month, change, cells, _ in found if cells >= LEAST_CELLS}
    return tuple(
        Change(_month(month), known.get(month), _smoothed(known, month), int(cells), int(postings))
        for month, _, cells, postings in found
    )


def disclosures(groups: Sequence[Group], dimension: str) -> tuple[Disclosure, ...]:
    """The share that states pay, by month or by place, from figures grouped by that one dimension.

    Months are smoothed over three; a gap in them leaves the average out.
    """
    shares: dict[str, tuple[float, int]] = {}
    for g in groups:
        name = g.key[dimension]
        if name is not None and g.disclosed_share is not None:
            shares[name] = (g.disclosed_share, g.postings)
    numbered = {_number(name): share for name, (share, _) in shares.items()} if dimension == "month" else {}
    return tuple(
        Disclosure(name, share, _smoothed(numbered, _number(name)) if numbered else None, postings)
        for name, (share, postings) in sorted(shares.items())
    )


def _smoothed(known: Mapping[int, float], month: int) -> float | None:
    window = [known.get(month - back) for back in range(SMOOTHED_MONTHS)]
    values = [value for value in window if value is not None]
    return fmean(values) if len(values) == SMOOTHED_MONTHS else None


def _number(month: str) -> int:
    """
    >>> _number("2026-01") - _number("2025-12")
    1
    """
    return int(month[:4]) * 12 + int(month[5:7])


def _month(number: int) -> str:
    """
    >>> _month(_number("2025-12"))
    '2025-12'
    """
    year, month = divmod(number - 1, 12)
    return f"{year}-{month + 1:02d}"
