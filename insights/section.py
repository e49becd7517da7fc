"""One section of a page: a heading, a chart in two widths, what it shows, and its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from insights.charts import NARROW, WIDE
from insights.model import Group
from insights.render import pay_cells
from insights.svg import Drawing
from insights.wording import label, share, value

MOST_TABLE_ROWS = 1000
"""Longer tables are cut, with a line that says so: a page of ten thousand rows helps nobody on a telephone."""


@dataclass(frozen=True, slots=True)
class Table:
    """The figures behind a chart."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    """How many columns, from the left, are words; the others are figures."""


@dataclass(frozen=True, slots=True)
class Section:
    """What a page shows of one question; `name` is unique on the page."""

    name: str
    heading: str
    lead: str
    drawings: tuple[str, ...]
    table: Table
    hidden: Table | None = None
    """The cells that show no pay, with the reason."""
    open: bool = False


def both(draw: Callable[[int, str], Drawing], name: str) -> tuple[str, str]:
    """The chart wide and narrow, so that words keep their size; the page shows the one that fits."""
    return (
        draw(WIDE, f"{name}-w").svg(extra_class="wide"),
        draw(NARROW, f"{name}-n").svg(extra_class="narrow"),
    )


def group_table(groups: Sequence[Group], by: Sequence[str], caption: str) -> Table:
    """The figures of groups that show pay."""
    heads = (
        *(label(name) for name in by),
        "Postings", "Employers", "State pay", "p10", "p25", "Median", "p75", "p90", "95 % interval", "Sure",
    )  # fmt: skip
    rows = [
        (
            *(value(g.key.get(name)) for name in by),
            f"{g.n:,}",
            f"{g.companies:,}",
            share(g.disclosed_share),
            *pay_cells(g),
        )
        for g in groups[:MOST_TABLE_ROWS]
    ]
    return Table(cut_caption(caption, groups), heads, tuple(rows), words=len(by))


def cut_caption(caption: str, groups: Sequence[Group]) -> str:
    if len(groups) <= MOST_TABLE_ROWS:
        return caption
    return f"{caption} (the first {MOST_TABLE_ROWS:,} of {len(groups):,} rows; the CSV report holds all)"
