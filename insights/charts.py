"""The charts of a report. Each is drawn twice, wide and narrow, so that words keep their size on a telephone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from insights.model import Bar, Group
from insights.svg import Drawing, Scale, scale_for, short_amount, shortened
from insights.wording import cell_name, change_words, counted, money, share

WIDE, NARROW = 760, 340
MOST_ROWS = 24


def charted(groups: Sequence[Group], currency: str | None, most: int = MOST_ROWS) -> list[Group]:
    """The cells to draw in one currency: those with figures, the largest `most` of them, in their own order."""
    shown = [g for g in groups if g.currency == currency and g.median is not None]
    kept = {id(g) for g in sorted(shown, key=lambda g: -g.n)[:most]}
    return [g for g in shown if id(g) in kept]


def currencies(groups: Sequence[Group], most: int = 3) -> list[str]:
    """The currencies with figures, by the number of postings in them."""
    weight: dict[str, int] = {}
    for g in groups:
        if g.median is not None and g.currency:
            weight[g.currency] = weight.get(g.currency, 0) + g.n
    return sorted(weight, key=lambda name: (-weight[name], name))[:most]


def range_bars(
    groups: Sequence[Group],
    *,
    name: str,
    title: str,
    width: int = WIDE,
    references: Mapping[int, tuple[str, float]] | None = None,
) -> Drawing:
    """A row a cell: p10 to p90 as a line, p25 to p75 as a bar, the median as a notch with its interval below.

    All `groups` have figures in one currency. `references` puts a diamond at somebody else's median, by row number.
    """
    narrow = width < 500
    longest = max(len(cell_name(g.key)) for g in groups)
    left, right = (14, width - 14) if narrow else (min(max(7 * longest + 20, 120), 310), width - 84)
    row, top = (46, 14) if narrow else (30, 14)
    currency = groups[0].currency
    height = top + row * len(groups) + 38
    first = f"{cell_name(groups[0].key)}: median {money(groups[0].median, currency)}"
    drawing = Drawing(
        name,
        title,
        f"{counted(len(groups), 'row')}, pay a year in {currency}. {first}. All figures are in the table.",
        width,
        height,
    )
    amounts = [a for g in groups for a in (g.p10, g.p90, *(g.median_ci or ())) if a is not None]
    amounts += [amount for _, amount in (references or {}).values()]
    scale = scale_for(amounts, left, right, wanted=4 if narrow else 6)
    bottom = top + row * len(groups)
    for tick in scale.ticks(4 if narrow else 6):
        drawing.line(scale(tick), top - 4, scale(tick), bottom, "grid")
        drawing.text(scale(tick), bottom + 15, short_amount(tick), kind="quiet", anchor="middle", size=11)
    drawing.text(right, bottom + 32, f"{currency} a year", kind="quiet", anchor="end", size=11)
    for i, g in enumerate(groups):
        y = top + row * i + (30 if narrow else 13)
        _range_row(drawing, g, y, scale, left, narrow, (references or {}).get(i))
    return drawing


def _range_row(
    drawing: Drawing, g: Group, y: float, place: Scale, left: float, narrow: bool, other: tuple[str, float] | None
) -> None:
    assert g.p10 is not None
    assert g.p25 is not None
    assert g.median is not None
    assert g.p75 is not None
    assert g.p90 is not None
    sure = f", 95 % interval {money(g.median_ci[0])} to {money(g.median_ci[1])}" if g.median_ci else ""
    beside = f"; {other[0]}: {money(other[1])}" if other else ""
    drawing.begin(
        f"{cell_name(g.key)}: p10 {money(g.p10)}, p25 {money(g.p25)}, median {money(g.median)}, p75 {money(g.p75)},"
        f" p90 {money(g.p90)}{sure}; {counted(g.n, 'posting')}, {counted(g.companies, 'employer')}{beside}"
    )
    words = cell_name(g.key)
    if narrow:
        drawing.text(left, y - 13, shortened(words, drawing.width - 100, 12.5), size=12.5)
        drawing.text(drawing.width - 14, y - 13, money(g.median), kind="ink strong", anchor="end", size=12.5)
    else:
        drawing.text(left - 10, y + 4, shortened(words, left - 16, 12.5), anchor="end", size=12.5)
        drawing.text(drawing.width - 4, y + 4, money(g.median), kind="ink strong", anchor="end", size=12.5)
    drawing.line(place(g.p10), y, place(g.p90), y, "reach", 2)
    drawing.rect(place(g.p25), y - 5, place(g.p75) - place(g.p25), 10, "half", round_by=3)
    if g.median_ci:
        drawing.line(place(g.median_ci[0]), y + 9, place(g.median_ci[1]), y + 9, "sure", 2)
    drawing.rect(place(g.median) - 2, y - 7, 4, 14, "middle", round_by=1)
    if other:
        drawing.diamond(place(other[1]), y, 5, "other")
    drawing.end()


def histogram(bars: Sequence[Bar], currency: str, *, name: str, title: str, width: int = WIDE) -> Drawing:
    """Postings by bracket of pay; the first and the last bracket may be open."""
    narrow = width < 500
    height, left, bottom = (220, 40, 178) if narrow else (260, 52, 216)
    total = sum(bar.postings for bar in bars)
    most = max(bars, key=lambda bar: bar.postings)
    drawing = Drawing(
        name,
        title,
        f"{counted(total, 'posting')} in {counted(len(bars), 'bracket')} of yearly pay in {currency}; most are in"
        f" {bracket(most)}. The table below holds all counts.",
        width,
        height,
    )
    tall = scale_for([float(most.postings)], bottom, 14, wanted=4, from_zero=True)
    for tick in (whole for whole in tall.ticks(4) if whole == int(whole)):  # there are no half postings
        drawing.line(left, tall(tick), width - 8, tall(tick), "grid")
        drawing.text(left - 6, tall(tick) + 4, short_amount(tick), kind="quiet", anchor="end", size=11)
    step = (width - 8 - left) / len(bars)
    every = max(len(bars) // (4 if narrow else 9), 1)
    for i, bar in enumerate(bars):
        drawing.begin(f"{bracket(bar)}: {counted(bar.postings, 'posting')}, {share(bar.postings / total)}")
        kind = "open" if bar.low is None or bar.high is None else "bar"
        drawing.rect(left + i * step + 1, tall(bar.postings), step - 2, bottom - tall(bar.postings), kind, round_by=2)
        drawing.end()
        if bar.low is not None and i % every == 0:
            drawing.text(left + i * step, bottom + 16, short_amount(bar.low), kind="quiet", anchor="middle", size=11)
    drawing.line(left, bottom, width - 8, bottom, "axis")
    drawing.text(width - 8, bottom + 34, f"{currency} a year", kind="quiet", anchor="end", size=11)
    return drawing


def bracket(bar: Bar) -> str:
    """
    >>> bracket(Bar(None, 40_000, 3)), bracket(Bar(40_000, 50_000, 3)), bracket(Bar(200_000, None, 1))
    ('under 40,000', '40,000 to 50,000', '200,000 and more')
    """
    if bar.low is None:
        return f"under {money(bar.high)}"
    return f"{money(bar.low)} and more" if bar.high is None else f"{money(bar.low)} to {money(bar.high)}"


def month_lines(groups: Sequence[Group], *, name: str, title: str, width: int = WIDE) -> Drawing:
    """The median by month, with p25 to p75 as a band. All `groups` have figures in one currency, months ascending."""
    narrow = width < 500
    height, left, bottom = (220, 44, 182) if narrow else (260, 56, 222)
    currency = groups[0].currency
    months = [g.key["month"] or "" for g in groups]
    drawing = Drawing(
        name,
        title,
        f"Median of {counted(len(groups), 'month')}: {money(groups[0].median, currency)} in {months[0]},"
        f" {money(groups[-1].median, currency)} in {months[-1]}. All figures are in the table.",
        width,
        height,
    )
    tall = scale_for([a for g in groups for a in (g.p25, g.p75) if a is not None], bottom, 16, wanted=4)
    for tick in tall.ticks(4):
        drawing.line(left, tall(tick), width - 12, tall(tick), "grid")
        drawing.text(left - 6, tall(tick) + 4, short_amount(tick), kind="quiet", anchor="end", size=11)
    x = _months_across(months, left + 8, width - 20)
    _month_words(drawing, months, x, bottom, most=3 if narrow else 8)
    known = [(x[g.key["month"] or ""], g) for g in groups]
    for run in _runs(months):
        part = known[run]
        if len(part) == 1:
            at, g = part[0]
            drawing.line(at, tall(g.p25 or 0), at, tall(g.p75 or 0), "reach", 4)
            continue
        band = [(at, tall(g.p75 or 0)) for at, g in part] + [(at, tall(g.p25 or 0)) for at, g in reversed(part)]
        drawing.path(band, "band", closed=True)
    _lines(drawing, months, [(at, tall(g.median or 0)) for at, g in known])
    for at, g in known:
        drawing.begin(f"{g.key['month']}: median {money(g.median, currency)}, {counted(g.n, 'posting')}")
        drawing.circle(at, tall(g.median or 0), 3.5, "dot")
        drawing.end()
    return drawing


def share_lines(shares: Sequence[tuple[str, float, int]], *, name: str, title: str, width: int = WIDE) -> Drawing:
    """The share of postings that state pay, by month: (month, share, postings)."""
    narrow = width < 500
    height, left, bottom = (180, 44, 142) if narrow else (200, 56, 162)
    months = [month for month, _, _ in shares]
    drawing = Drawing(
        name,
        title,
        f"{share(shares[0][1])} in {months[0]}, {share(shares[-1][1])} in {months[-1]}. All shares are in the table.",
        width,
        height,
    )
    tall = scale_for([0.0, 1.0], bottom, 16, wanted=4)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawing.line(left, tall(tick), width - 12, tall(tick), "grid")
        drawing.text(left - 6, tall(tick) + 4, f"{100 * tick:.0f} %", kind="quiet", anchor="end", size=11)
    x = _months_across(months, left + 8, width - 20)
    _month_words(drawing, months, x, bottom, most=3 if narrow else 8)
    _lines(drawing, months, [(x[month], tall(part)) for month, part, _ in shares])
    for month, part, postings in shares:
        drawing.begin(f"{month}: {share(part)} of {counted(postings, 'posting')}")
        drawing.circle(x[month], tall(part), 3.5, "dot")
        drawing.end()
    return drawing


def change_lines(
    changes: Sequence[tuple[str, float, float | None]], *, name: str, title: str, width: int = WIDE
) -> Drawing:
    """Changes of pay by month: (month, change, mean of three months), as shares; the zero line is drawn stronger."""
    narrow = width < 500
    height, left, bottom = (200, 54, 162) if narrow else (230, 56, 192)
    months = [month for month, _, _ in changes]
    drawing = Drawing(
        name,
        title,
        f"{change_words(changes[0][1])} in {months[0]}, {change_words(changes[-1][1])} in {months[-1]}."
        " All changes are in the table.",
        width,
        height,
    )
    amounts = [100 * part for _, change, smoothed in changes for part in (change, smoothed) if part is not None]
    tall = scale_for([0.0, *amounts], bottom, 16, wanted=4)
    for tick in tall.ticks(4):
        drawing.line(left, tall(tick), width - 12, tall(tick), "axis" if tick == 0 else "grid")
        drawing.text(left - 6, tall(tick) + 4, f"{tick:+.10g} %" if tick else "0", kind="quiet", anchor="end", size=11)
    x = _months_across(months, left + 8, width - 20)
    _month_words(drawing, months, x, bottom, most=3 if narrow else 8)
    smooth = [(month, tall(100 * part)) for month, _, part in changes if part is not None]
    _lines(drawing, [month for month, _ in smooth], [(x[month], at) for month, at in smooth])
    for month, change, smoothed in changes:
        mean = f", three months {change_words(smoothed)}" if smoothed is not None else ""
        drawing.begin(f"{month}: {change_words(change)}{mean}")
        drawing.circle(x[month], tall(100 * change), 3.5, "dot")
        drawing.end()
    return drawing


def _months_across(months: Sequence[str], start: float, end: float) -> dict[str, float]:
    """Where each month stands: by the calendar, so that a gap in the months is a gap in the chart."""
    numbers = {month: _number(month) for month in months}
    low, span = min(numbers.values()), max(max(numbers.values()) - min(numbers.values()), 1)
    return {month: round(start + (number - low) / span * (end - start), 2) for month, number in numbers.items()}


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7])


def _runs(months: Sequence[str]) -> list[slice]:
    """The stretches of months that follow each other: nothing is drawn across a gap.

    >>> _runs(["2025-12", "2026-01", "2026-03"]), _runs([])
    ([slice(0, 2, None), slice(2, 3, None)], [])
    """
    starts = [i for i, month in enumerate(months) if i == 0 or _number(month) != _number(months[i - 1]) + 1]
    return [slice(start, end) for start, end in pairwise([*starts, len(months)])]


def _lines(drawing: Drawing, months: Sequence[str], points: list[tuple[float, float]]) -> None:
    for run in _runs(months):
        drawing.path(points[run], "line")


def _month_words(drawing: Drawing, months: Sequence[str], x: Mapping[str, float], bottom: float, *, most: int) -> None:
    every = max(-(-len(months) // most), 1)
    for i, month in enumerate(months):
        if i % every == 0:
            anchor = "start" if i == 0 else "end" if x[month] > drawing.width - 40 else "middle"
            drawing.text(x[month], bottom + 18, month, kind="quiet", anchor=anchor, size=11)
