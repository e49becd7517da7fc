"""How pay spreads: postings counted in brackets of a round width."""

from __future__ import annotations

from math import floor, log10

from insights.model import Bar, Group
from insights.rows import POINT, Rows, usable

LEAST_FOR_BARS = 30
"""Fewer postings make bars that show single advertisements, not a distribution."""
WANTED_BARS = 14


def round_width(low: float, high: float, bars: int = WANTED_BARS) -> float:
    """The round width (1, 2, 2.5 or 5 times a power of ten) that cuts [low, high] into about `bars` pieces.

    >>> round_width(40_000, 190_000)
    10000
    """
    exact = max((high - low) / bars, 1e-9)
    power = 10 ** floor(log10(exact))
    widths: list[float] = [step * power for step in (1, 2, 2.5, 5, 10)]
    return min(widths, key=lambda width: abs(width - exact))


def distribution(rows: Rows, total: Group, *, include_estimates: bool = False) -> tuple[Bar, ...]:
    """Postings by bracket in the currency of `total`; what lies beyond p10 - width and p90 + width is open-ended.

    Empty where the total itself is suppressed or has fewer than 30 postings.
    """
    if total.p10 is None or total.p90 is None or total.n < LEAST_FOR_BARS or total.p90 <= total.p10:
        return ()
    width = round_width(total.p10, total.p90, WANTED_BARS - 4)
    first, last = floor(total.p10 / width) - 2, floor(total.p90 / width) + 2
    votes = usable(include_estimates=include_estimates)
    cursor = rows.connection.cursor()
    try:
        found = cursor.execute(
            f"""SELECT least(greatest(floor(({POINT}) / 200 / $width)::BIGINT, $first - 1), $last) AS bracket, count(*)
                FROM row WHERE {votes} AND currency = $currency
                GROUP BY bracket""",
            {"width": width, "first": first, "last": last, "currency": total.currency},
        ).fetchall()
    finally:
        cursor.close()
    counts = {int(bracket): int(n) for bracket, n in found}
    middle = [Bar(i * width, (i + 1) * width, counts.get(i, 0)) for i in range(first, last)]
    bars = [Bar(None, first * width, counts.get(first - 1, 0)), *middle, Bar(last * width, None, counts.get(last, 0))]
    return tuple(bar for bar in bars if bar.postings or (bar.low is not None and bar.high is not None))
