"""Where an offer stands among what is advertised: its percentile, how sure that is, and what it was compared with.

The closest comparison, same role, level and country, is often thin. Then wider ones help out: any level, then any
country, then the whole family of roles. Each estimate leans on the next wider one by how few employers it rests on,
p = (e * p_here + S * p_wider) / (e + S), the mean of a hierarchical Dirichlet process whose prior is worth S employers.
What was used, and how much it weighed, is part of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from insights.interval import draws, effective_employers, tail
from insights.model import LEAST_EMPLOYERS, LEAST_POSTINGS, Group, InsightError
from insights.rows import POINT, Rows, rows_of_answer, rows_question, usable
from insights.store import ask, dialect_of
from insights.summary import summarised
from insights.wording import counted, money

if TYPE_CHECKING:
    from sqlalchemy import Select

    from db.filters import Filters

ENOUGH_EMPLOYERS = 30
"""From so many employers of effectively equal size on, nothing wider is looked at."""
STRENGTH = 5
"""How many employers the wider comparison is worth."""
DIMENSIONS = ("role", "family", "level", "country")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stage:
    """One comparison: which postings, their figures, where the offer stands among them, and its weight."""

    words: str
    figures: Group
    percentile: float | None
    """The share of these postings that advertise less, ties counted half; None where they are too few."""
    weight: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where an offer stands: `percentile` 0.62 is above 62 % of what is advertised; None without evidence."""

    offer: Decimal
    currency: str
    percentile: float | None
    interval: tuple[float, float] | None
    stages: tuple[Stage, ...]
    statement: str


@dataclass(frozen=True, slots=True)
class _Votes:
    """The postings of one stage: twice the points in hundredths, and whose each is."""

    points: Floats
    employers: NDArray[np.uint64]


def place_offer(
    database_url: str,
    *,
    filters: Filters,
    offer: Decimal,
    currency: str,
    role: str | None = None,
    family: str | None = None,
    level: str | None = None,
    country: str | None = None,
    alone: bool = False,
) -> Place:
    """Places a yearly `offer` among the postings that `filters` select and that are like the job described.

    `role`, `family`, `level` and `country` describe the job as the ledger normalises it; what is None is not compared.
    In one country the comparison is in the offer's own currency; across countries it is in US dollars, the offer at
    the ledger's newest rate of its currency. Raises `InsightError` when there is nothing to compare by.
    """
    if offer <= 0:
        raise InsightError(f"an offer of {offer} is no yearly pay")
    wanted = _stages(role, family, level, country)
    if not wanted:
        raise InsightError("a title whose role is known, or a role, is needed to compare an offer")
    widest = replace(filters, family=(family,)) if family else replace(filters, role=(role,) if role else ())
    dialect = dialect_of(database_url)
    columns = [rows_question(dialect, widest, DIMENSIONS, in_usd=in_usd) for in_usd in (False, True)]
    answers = ask(database_url, columns, rate_queries(currency), alone=alone)
    rate = rate_of(currency, answers.lists)
    with closing(answers):
        own, usd = (rows_of_answer(filled, DIMENSIONS) for filled in answers.columns)
        found: list[tuple[Stage, _Votes, float]] = []
        for words, like in wanted:
            in_own = "country" in like or rate is None
            rows, unit = (own, currency) if in_own else (usd, "USD")
            amount = 200 * float(offer) * (1.0 if in_own or rate is None else rate)
            votes = _votes(rows, like, unit)
            figures = summarised(votes.points / 200, votes.employers, like, unit)
            percentile = None if figures.suppressed else _percentile(votes.points, amount)
            found.append((Stage(words, figures, percentile, 0.0), votes, amount))
            if effective(votes) >= ENOUGH_EMPLOYERS:
                break
    return _answer(offer, currency, found)


def _stages(
    role: str | None, family: str | None, level: str | None, country: str | None
) -> list[tuple[str, dict[str, str]]]:
    """The comparisons from the closest to the widest, each named and as the values it fixes."""
    made: list[tuple[str, dict[str, str]]] = []
    candidates = (
        ("same role, level and country", {"role": role, "level": level, "country": country}),
        ("same role and country, any level", {"role": role, "country": country}),
        ("same role, any level and country", {"role": role}),
        ("same family of roles", {"family": family}),
    )
    for words, like in candidates:
        known = {name: value for name, value in like.items() if value is not None}
        if ("role" in known or "family" in known) and known not in [seen for _, seen in made]:
            words = "same " + ", ".join(known) if len(known) < len(like) else words
            made.append((words, known))
    return made


def _votes(rows: Rows, like: Mapping[str, str], currency: str) -> _Votes:
    conditions = [f"{name} = ${name}" if name != "country" else COUNTRY for name in like]
    cursor = rows.connection.cursor()
    try:
        table = cursor.execute(
            f"SELECT ({POINT})::DOUBLE AS point, employer FROM row WHERE {usable()} AND currency = $currency"
            f" AND {' AND '.join(conditions)} ORDER BY point, employer",
            {**like, "currency": currency},
        ).fetchnumpy()
    finally:
        cursor.close()
    return _Votes(np.asarray(table["point"], dtype=np.float64), np.asarray(table["employer"], dtype=np.uint64))


COUNTRY = "(country = $country OR (starts_with(country, '[') AND contains(country, '\"' || $country || '\"')))"


def effective(votes: _Votes) -> float:
    """The effective number of employers of a stage, 0 without postings."""
    if not len(votes.employers):
        return 0.0
    return effective_employers(np.unique(votes.employers, return_counts=True)[1])


def _percentile(points: Floats, amount: float) -> float:
    return float(((points < amount).sum() + 0.5 * (points == amount).sum()) / len(points))


def _answer(offer: Decimal, currency: str, found: Sequence[tuple[Stage, _Votes, float]]) -> Place:
    usable_stages = [(stage, votes, amount) for stage, votes, amount in found if stage.percentile is not None]
    if not usable_stages:
        least = f"{LEAST_POSTINGS} postings with pay from {LEAST_EMPLOYERS} employers"
        said = f"{money(float(offer), currency)}: nothing to compare it with, no comparison has {least}"
        return Place(offer, currency, None, None, tuple(stage for stage, _, _ in found), said)
    weights = _weights([effective(votes) for _, votes, _ in usable_stages])
    by_stage = {id(stage): weight for (stage, _, _), weight in zip(usable_stages, weights, strict=True)}
    stages = tuple(replace(stage, weight=by_stage.get(id(stage), 0.0)) for stage, _, _ in found)
    parts = [stage.percentile or 0.0 for stage, _, _ in usable_stages]
    percentile = float(np.dot(weights, parts))
    interval = _interval([(votes, amount) for _, votes, amount in usable_stages], weights)
    return Place(
        offer, currency, percentile, interval, stages, _statement(offer, currency, percentile, interval, stages)
    )


def _weights(employers: Sequence[float]) -> list[float]:
    """What each stage weighs, from the closest to the widest; they add up to 1.

    >>> [round(w, 3) for w in _weights([5.0, 15.0, 40.0])]
    [0.5, 0.375, 0.125]
    """
    weights, left = [], 1.0
    for number in employers[:-1]:
        weights.append(left * number / (number + STRENGTH))
        left -= weights[-1]
    return [*weights, left]


def _interval(stages: Sequence[tuple[_Votes, float]], weights: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the percentile: employers drawn with replacement, all stages from the same draw."""
    everybody = np.unique(np.concatenate([votes.employers for votes, _ in stages]))
    if len(everybody) < 2:
        return None
    columns: list[Floats] = []
    for votes, amount in stages:
        whose = np.searchsorted(everybody, votes.employers)
        below = (votes.points < amount) + 0.5 * (votes.points == amount)
        columns.append(np.bincount(whose, weights=below, minlength=len(everybody)).astype(np.float64))
        columns.append(np.bincount(whose, minlength=len(everybody)).astype(np.float64))
    table = np.column_stack(columns)
    replicates = np.concatenate([_replicated(drawn @ table, weights) for drawn in draws(len(everybody))])
    heaviest = stages[int(np.argmax(weights))][0]
    left_out = tail(np.unique(heaviest.employers, return_counts=True)[1])
    low, high = np.quantile(replicates, [left_out, 1 - left_out], method="inverted_cdf")
    return float(low), float(high)


def _replicated(sums: NDArray[Any], weights: Sequence[float]) -> Floats:
    """The weighted percentile of each draw; the weight of a stage that the draw left empty goes to the others."""
    below, size = sums[:, 0::2].astype(np.float64), sums[:, 1::2].astype(np.float64)
    weighed = np.where(size > 0, np.asarray(weights), 0.0)
    shares = np.divide(below, size, out=np.zeros_like(below), where=size > 0)
    total = weighed.sum(axis=1)
    halves: Floats = np.full(len(total), 0.5)
    np.divide((weighed * shares).sum(axis=1), total, out=halves, where=total > 0)
    return halves


def _statement(
    offer: Decimal, currency: str, percentile: float, interval: tuple[float, float] | None, stages: Sequence[Stage]
) -> str:
    sure = f" (95 % interval {100 * interval[0]:.0f} to {100 * interval[1]:.0f} %)" if interval else ""
    first = stages[0]
    used = [
        f"{stage.words} {stage.weight:.0%} ({counted(stage.figures.n, 'posting')})" for stage in stages if stage.weight
    ]
    compared = f"Compared with {used[0]}" if len(used) == 1 else f"Weighed: {'; '.join(used)}"
    thin = "" if first.weight > 0.999 else f"; {first.words} alone: {counted(first.figures.n, 'posting')}"
    return (
        f"{money(float(offer), currency)} a year is more than about {percentile:.0%} of comparable postings"
        f" advertise{sure}. {compared}{thin}."
    )


def newest_rate(database_url: str, currency: str, *, alone: bool = False) -> float | None:
    """US dollars for one unit of `currency`, at the newest date that the ledger holds; None if it holds none."""
    return rate_of(currency, ask(database_url, lists=rate_queries(currency), alone=alone).lists)


def rate_queries(currency: str) -> list[Select[Any]]:
    """Ask for the newest rate of a currency that a posting was converted at, and for the newest one that is stored."""
    from sqlalchemy import select

    from db.filters import P
    from db.tables import RATE

    used = select(P.fx_rate, P.fx_date).where(P.currency == currency, P.fx_rate.is_not(None), P.fx_date.is_not(None))
    kept = select(RATE.c.usd, RATE.c.on).where(RATE.c.currency == currency)
    return [used.order_by(P.fx_date.desc(), P.fx_rate).limit(1), kept.order_by(RATE.c.on.desc()).limit(1)]


def rate_of(currency: str, lists: Sequence[Sequence[Sequence[Any]]]) -> float | None:
    """The newer one of the rates that the store answered to `rate_queries`."""
    if currency == "USD":
        return 1.0
    known = sorted((row for rows in lists for row in rows), key=lambda row: row[1])
    return float(known[-1][0]) if known else None
