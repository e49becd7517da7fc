"""How sure a median is: a bootstrap interval that resamples employers, not postings.

The postings of one employer resemble each other, so a thousand copies of one pay scale are one observation. Employers
are drawn with replacement, each bringing all its postings (Davison & Hinkley 1997, section 3.8). With few employers the
plain percentile interval is too narrow; it is widened as Hesterberg (2015, "What Teachers Should Know About the
Bootstrap", section 4.3) proposes: the tails are taken where Student's t, not the normal, puts them. The degrees of
freedom follow from the effective number of employers, which is small where one of them posts most of the jobs.

Nothing here depends on the order of the rows: employers are numbered by the caller, draws are seeded by their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REPLICATES = 1000
LEVEL = 0.95
SEED = 20_480
GRID = 32
"""Positions tried at a time while the ends of the interval are searched for."""
CACHED_DRAWS = 2_000_000
"""Tables of draws up to this many numbers are kept for the next group with as many employers."""
EXACT_FLOAT32 = 2**21
"""Below this many postings all sums stay whole numbers that a 32-bit float holds exactly."""

T_975 = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
"""The 97.5 % point of Student's t with 1 to 10 degrees of freedom."""


def student_975(freedom: float) -> float:
    """The 97.5 % point of Student's t; between whole degrees the smaller one, which is the wider.

    Above ten degrees the expansion of Abramowitz & Stegun 26.7.5, right to three decimals there.

    >>> student_975(1), round(student_975(12), 3), round(student_975(1000), 3)
    (12.7062, 2.179, 1.962)
    """
    if freedom < 11:
        return T_975[max(int(freedom), 1) - 1]
    z = NormalDist().inv_cdf(0.975)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return z + (z**3 + z) / (4 * freedom) + second + third


def effective_employers(sizes: NDArray[np.number]) -> float:
    """How many employers of equal size would weigh as these do (Kish): (sum m)^2 / sum m^2.

    >>> effective_employers(np.array([10, 10, 10])), round(effective_employers(np.array([98, 1, 1])), 2)
    (3.0, 1.04)
    """
    wide = sizes.astype(np.float64)
    return float(wide.sum() ** 2 / (wide**2).sum())


def tail(sizes: NDArray[np.number]) -> float:
    """The share of replicates left out at each end, for employers with these numbers of postings."""
    effective = effective_employers(sizes)
    if effective < 1.5:
        return 0.0
    reach = student_975(effective - 1) * float(np.sqrt(effective / (effective - 1)))
    return NormalDist().cdf(-reach)


def median_interval(values: Floats, employers: Ints) -> tuple[float, float] | None:
    """The 95 % interval of the median, or None where there is a single employer and a single posting.

    `values` ascend; `employers` says whose each is, in any numbering from 0 up that does not depend on row order.
    Inside one employer the postings themselves are drawn.

    >>> pay = np.arange(50_000.0, 90_000.0, 1_000.0)
    >>> median_interval(pay, np.arange(40) % 20)
    (66000.0, 73000.0)
    """
    _, whose = np.unique(employers, return_inverse=True)
    sizes = np.bincount(whose)
    if len(sizes) == 1:
        whose, sizes = np.arange(len(values)), np.ones(len(values), dtype=np.int64)
    if len(sizes) < 2:
        return None
    low, high = _search(whose, sizes, tail(sizes))
    return float(values[low]), float(values[high])


def _search(whose: Ints, sizes: Ints, left_out: float) -> tuple[int, int]:
    """The positions at which the shares of replicated medians reach `left_out` and 1 - `left_out`."""
    wanted = max(left_out, 1 / REPLICATES), min(1 - left_out, 1.0)
    brackets = [(-1, len(whose) - 1), (-1, len(whose) - 1)]
    while any(high - low > 1 for low, high in brackets):
        grids = [np.unique(np.linspace(low + 1, high, GRID).astype(np.int64)) for low, high in brackets]
        positions = np.unique(np.concatenate(grids))
        lower, upper = _shares(positions, whose, sizes)
        for end, share in enumerate((lower, upper)):
            low, high = brackets[end]
            reached = positions[(share >= wanted[end]) & (positions <= high) & (positions > low)]
            high = int(reached[0]) if len(reached) else high
            before = positions[(positions > low) & (positions < high)]
            brackets[end] = (int(before[-1]) if len(before) else low, high)
    return brackets[0][1], brackets[1][1]


def _shares(positions: Ints, whose: Ints, sizes: Ints) -> tuple[Floats, Floats]:
    """The share of replicates whose lower (upper) median lies at or before each position.

    A replicate draws employer e `w[e]` times; its median is not above a value when twice the postings up to that
    value reach all its postings: sum over e of w[e] * (2 * below[e] - size[e]) >= 0.
    """
    columns = len(positions) + 1
    bucket = np.searchsorted(positions, np.arange(len(whose)), side="left")
    below = np.bincount(whose * columns + bucket, minlength=len(sizes) * columns).reshape(len(sizes), columns)
    balance = 2 * below.cumsum(axis=1)[:, :-1] - sizes[:, None]
    kind = np.float32 if len(whose) < EXACT_FLOAT32 else np.float64
    lower, upper = np.zeros(len(positions)), np.zeros(len(positions))
    for weights in draws(len(sizes)):
        sums = weights.astype(kind, copy=False) @ balance.astype(kind)
        lower += (sums >= 0).sum(axis=0)
        upper += (sums > 0).sum(axis=0)
    return lower / REPLICATES, upper / REPLICATES


def draws(employers: int) -> Iterator[NDArray[np.float32]]:
    """How often each employer is drawn in each replicate: tables of replicates x employers, the same every time."""
    if employers * REPLICATES <= CACHED_DRAWS:
        yield _table(employers)
        return
    step = max(CACHED_DRAWS // employers, 1)
    generator = np.random.Generator(np.random.PCG64([SEED, employers]))
    for start in range(0, REPLICATES, step):
        yield _drawn(generator, min(step, REPLICATES - start), employers)


@lru_cache(maxsize=64)
def _table(employers: int) -> NDArray[np.float32]:
    return _drawn(np.random.Generator(np.random.PCG64([SEED, employers])), REPLICATES, employers)


def _drawn(generator: np.random.Generator, rows: int, employers: int) -> NDArray[np.float32]:
    picked = generator.integers(0, employers, size=(rows, employers)) + (np.arange(rows) * employers)[:, None]
    return np.bincount(picked.ravel(), minlength=rows * employers).reshape(rows, employers).astype(np.float32)
