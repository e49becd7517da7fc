"""What must stay hidden so that no thin cell comes out by subtraction.

A cell is thin below 5 postings or 3 employers. Whoever knows the figures of a total and of all its other parts knows
something of the rest: so in every total, over any of the dimensions, the hidden cells together must be no thinner than
what may be shown. Where they are, the smallest shown cell of the total is hidden too (complementary suppression;
Willenborg & de Waal 2001, "Elements of Statistical Disclosure Control", chapter 4). Such a cell is wide by itself, so
every rest that it falls into is wide as well: one pass over all totals is enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from insights.model import LEAST_EMPLOYERS, LEAST_POSTINGS


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `employers` names its employers when it is thin, None when it may be shown."""

    place: tuple[str, ...]
    """Its value in each dimension, the currency last."""
    n: int
    companies: int
    employers: frozenset[int] | None


def too_few(n: int, companies: int, least_employers: int = LEAST_EMPLOYERS) -> str | None:
    """Why a cell shows no pay, None when it may.

    >>> too_few(4, 4)
    '4 of the 5 postings with pay that a figure needs'
    >>> too_few(5, 3)
    """
    if n < LEAST_POSTINGS:
        return f"{n} of the {LEAST_POSTINGS} postings with pay that a figure needs"
    if companies < least_employers:
        return f"{companies} of the {least_employers} employers that a figure needs"
    return None


def complementary(cells: Sequence[Cell], *, dimensions: int, least_employers: int = LEAST_EMPLOYERS) -> tuple[int, ...]:
    """The positions of the further cells to hide, ascending; the same whatever the order of `cells`.

    >>> thin = Cell(("senior", "EUR"), 2, 2, frozenset({1, 2}))
    >>> wide = [Cell(("mid", "EUR"), 9, 4, None), Cell(("entry", "EUR"), 30, 8, None)]
    >>> complementary([thin, *wide], dimensions=1)
    (1,)
    """
    more: set[int] = set()
    subsets = [kept for size in reversed(range(dimensions)) for kept in combinations(range(dimensions), size)]
    for kept in subsets:
        totals: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for i, cell in enumerate(cells):
            totals[(*(cell.place[d] for d in kept), cell.place[-1])].append(i)
        for _, total in sorted(totals.items()):
            if _rest_is_thin(cells, total, more, least_employers):
                shown = [i for i in total if cells[i].employers is None]
                if shown:
                    more.add(min(shown, key=lambda i: (cells[i].n, cells[i].companies, cells[i].place)))
    return tuple(sorted(more))


def _rest_is_thin(cells: Sequence[Cell], total: Sequence[int], more: set[int], least_employers: int) -> bool:
    """Whether the total hides something, and all it hides together is still too little."""
    if any(i in more for i in total):
        return False
    hidden = [cells[i] for i in total if cells[i].employers is not None]
    if not hidden:
        return False
    employers = frozenset[int]().union(*(cell.employers or frozenset() for cell in hidden))
    return sum(cell.n for cell in hidden) < LEAST_POSTINGS or len(employers) < least_employers
