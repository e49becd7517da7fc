"""Two roles side by side: pay, levels, places, ways of working, and what articles claim about them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from insights.claims import CHECKED_BY, Check, Claim, checks, claims_of, claims_query
from insights.figures import figures
from insights.model import Group, InsightError
from insights.rows import rows_of_answer, rows_question
from insights.store import ask, dialect_of
from insights.wording import counted, money

if TYPE_CHECKING:
    from db.filters import Filters

ASPECTS = ("level", "country", "remote", "employment")
LIKE_FOR_LIKE = ("level", "country")
LEAST_PAIRS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One role: its figures overall (once a currency) and by aspect, and the claims about it."""

    role: str
    postings: int
    totals: tuple[Group, ...]
    by_level: tuple[Group, ...]
    by_country: tuple[Group, ...]
    by_remote: tuple[Group, ...]
    by_employment: tuple[Group, ...]
    claims: tuple[Check, ...]
    growth: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """How much more the first role is offered than the second, in one currency."""

    currency: str
    raw: float
    """Median over median, less one."""
    intervals_apart: bool | None
    """Whether the two intervals of the medians do not touch: then chance alone is no explanation."""
    like_for_like: float | None
    """The median of that ratio over the cells (level and country) in which both roles have figures."""
    pairs: int


@dataclass(frozen=True, slots=True)
class Comparison:
    sides: tuple[Side, ...]
    gaps: tuple[Gap, ...]
    statement: str


def compare_roles(
    database_url: str, roles: Sequence[str], *, filters: Filters, currency: str | None = None, alone: bool = False
) -> Comparison:
    """Compares two roles among the postings that `filters` select, from one commit; `currency` as in `build_report`.

    A gap is stated for each currency in which both have figures; where fewer than 3 cells are shared, the difference
    like for like is not stated.
    """
    if len(roles) != 2 or roles[0] == roles[1]:
        raise InsightError("compare takes two different roles")
    in_usd = currency == "USD"
    chosen = replace(filters, role=tuple(roles))
    if currency is not None and not in_usd:
        chosen = replace(chosen, currency=(currency,))
    dialect, dimensions = dialect_of(database_url), ("role", *ASPECTS)
    columns = [
        rows_question(dialect, chosen, dimensions, in_usd=in_usd),
        rows_question(dialect, replace(filters, role=tuple(roles)), CHECKED_BY),
    ]
    answers = ask(database_url, columns, [claims_query(roles)], alone=alone)
    claims = claims_of(answers.lists[0])
    with closing(answers), closing(rows_of_answer(answers.columns[0], dimensions)) as rows:
        totals = figures(rows, ("role",))
        aspects = {name: figures(rows, ("role", name), intervals=False) for name in ASPECTS}
        cells = figures(rows, ("role", *LIKE_FOR_LIKE), intervals=False)
        checked = checks(claims, rows_of_answer(answers.columns[1], CHECKED_BY))
    sides = tuple(_side(role, totals, aspects, checked, claims) for role in roles)
    gaps = _gaps(sides, cells)
    return Comparison(sides, gaps, _statement(sides, gaps))


def _side(
    role: str,
    totals: Sequence[Group],
    aspects: dict[str, tuple[Group, ...]],
    checks: Sequence[Check],
    claims: Sequence[Claim],
) -> Side:
    own = {name: tuple(g for g in groups if g.key["role"] == role) for name, groups in aspects.items()}
    mine = tuple(g for g in totals if g.key["role"] == role)
    return Side(
        role=role,
        postings=max((g.postings for g in mine), default=0),
        totals=mine,
        by_level=own["level"],
        by_country=own["country"],
        by_remote=own["remote"],
        by_employment=own["employment"],
        claims=tuple(check for check in checks if check.claim.role == role),
        growth=tuple(claim for claim in claims if claim.role == role and claim.kind == "growth"),
    )


def _gaps(sides: Sequence[Side], cells: Sequence[Group]) -> tuple[Gap, ...]:
    first, second = ({g.currency: g for g in side.totals if g.median} for side in sides)
    made = []
    for currency in sorted(set(first) & set(second), key=lambda c: (-first[c].n - second[c].n, c or "")):
        a, b = first[currency], second[currency]
        if currency is None or a.median is None or b.median is None:
            continue
        apart = None
        if a.median_ci and b.median_ci:
            apart = a.median_ci[1] < b.median_ci[0] or b.median_ci[1] < a.median_ci[0]
        ratios = _shared_ratios([side.role for side in sides], cells, currency)
        alike = median(ratios) - 1 if len(ratios) >= LEAST_PAIRS else None
        made.append(Gap(currency, a.median / b.median - 1, apart, alike, len(ratios)))
    return tuple(made)


def _shared_ratios(roles: Sequence[str], cells: Sequence[Group], currency: str) -> list[float]:
    medians: dict[tuple[str | None, ...], dict[str, float]] = {}
    for g in cells:
        place = tuple(g.key[name] for name in LIKE_FOR_LIKE)
        if g.currency == currency and g.median and all(place):
            medians.setdefault(place, {})[g.key["role"] or ""] = g.median
    first, second = roles
    return [found[first] / found[second] for found in medians.values() if first in found and second in found]


def _statement(sides: Sequence[Side], gaps: Sequence[Gap]) -> str:
    names = f"{sides[0].role} and {sides[1].role}"
    if not gaps:
        return f"{names}: no currency in which both have enough postings with pay to compare."
    gap = gaps[0]
    a, b = (next(g for g in side.totals if g.currency == gap.currency) for side in sides)
    more = "more" if gap.raw >= 0 else "less"
    sure = {True: "; their intervals do not touch", False: "; their intervals touch, so it may be chance", None: ""}
    alike = ""
    if gap.like_for_like is not None:
        direction = "more" if gap.like_for_like >= 0 else "less"
        alike = f" At the same level and country it is {abs(gap.like_for_like):.0%} {direction} ({gap.pairs} cells)."
    return (
        f"{sides[0].role} is offered {abs(gap.raw):.0%} {more} than {sides[1].role}: a median of"
        f" {money(a.median, gap.currency)} ({counted(a.n, 'posting')}) against {money(b.median)}"
        f" ({counted(b.n, 'posting')}){sure[gap.intervals_apart]}.{alike}"
    )
