"""Bars from left to right: one number a row, for shares and days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insights.charts import WIDE
from insights.svg import Drawing, Scale, scale_for, shortened
from insights.wording import counted


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: its name, its number, the number in words, and what a pointer resting on it is told besides."""

    name: str
    amount: float
    words: str
    hint: str


def bars_across(bars: Sequence[Bar], *, name: str, title: str, width: int = WIDE, end: float | None = None) -> Drawing:
    """A row a bar, from zero to `end` (else to the longest); every row carries its number, so there is no axis."""
    narrow = width < 500
    row, top = (38, 8) if narrow else (26, 8)
    longest = max(len(bar.name) for bar in bars)
    left, right = (14, width - 80) if narrow else (min(max(7 * longest + 20, 120), 310), width - 84)
    drawing = Drawing(
        name,
        title,
        f"{counted(len(bars), 'row')}: {bars[0].name} {bars[0].words}, {bars[-1].name} {bars[-1].words}."
        " All figures are in the table.",
        width,
        top + row * len(bars) + 8,
    )
    reach = Scale(0.0, end, left, right) if end else scale_for([b.amount for b in bars], left, right, from_zero=True)
    for i, bar in enumerate(bars):
        y = top + row * i + (26 if narrow else 13)
        drawing.begin(f"{bar.name}: {bar.words}, {bar.hint}")
        if narrow:
            drawing.text(left, y - 9, shortened(bar.name, width - 100, 12.5), size=12.5)
        else:
            drawing.text(left - 10, y + 4, shortened(bar.name, left - 16, 12.5), anchor="end", size=12.5)
        drawing.text(width - 6, y + 4, bar.words, kind="ink strong", anchor="end", size=12.5)
        drawing.line(left, y, right, y, "grid", 1)
        drawing.rect(left, y - 5, reach(bar.amount) - left, 10, "bar", round_by=3)
        drawing.end()
    return drawing
