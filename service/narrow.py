"""Tables that are read in a terminal of eighty columns: short moments, and columns that step aside for want of room."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime

from service.output import Row, print_table, shown

PIPED_WIDTH = 160
"""Columns when no terminal reads: as `print_table` has it."""
FOLDED = 26
"""A cell longer than this is folded into lines, so it needs no more room."""
BORDER = 3
"""Columns that each cell's border and blanks take."""


def moment(at: datetime | None, now: datetime) -> str | None:
    """A moment as short as it stays clear: the time within a year of `now`, the day alone beyond.

    >>> from datetime import UTC
    >>> now = datetime(2026, 3, 1, tzinfo=UTC)
    >>> moment(datetime(2026, 2, 28, 6, 15, 9, tzinfo=UTC), now), moment(datetime(2028, 2, 29, tzinfo=UTC), now)
    ('02-28 06:15', '2028-02-29')
    """
    if at is None:
        return None
    return f"{at:%m-%d %H:%M}" if abs((at - now).days) < 180 else f"{at:%Y-%m-%d}"


def print_fitting(
    title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Row], *, spare: Sequence[str], footer: str = ""
) -> None:
    """`print_table` without those `spare` columns for which there is no room, the first first; says which they are."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPED_WIDTH
    kept, gone = list(columns), list[str]()
    for key in spare:
        if table_width(kept, rows) <= width:
            break
        gone += [heading for name, heading in kept if name == key]
        kept = [(name, heading) for name, heading in kept if name != key]
    left_out = f"left out for want of room: {', '.join(gone)}; --format json has everything" if gone else ""
    print_table(title, kept, rows, footer="\n".join(line for line in (footer, left_out) if line))


def table_width(columns: Sequence[tuple[str, str]], rows: Sequence[Row]) -> int:
    """How wide a table is in which no cell needs to be folded that is not long anyway."""
    cells = ([len(heading), *(len(shown(row.get(name))) for row in rows)] for name, heading in columns)
    return sum(min(max(lengths), FOLDED) + BORDER for lengths in cells) + 1
