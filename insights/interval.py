"""How sure a median is: a bootstrap interval that resamples employers, not postings.

The postings of one employer resemble each other, so a thousand copies of one pay scale are one observation. Employers
are drawn with replacement, each bringing all its postings (Davison & Hinkley 1997, section 3.8). With few employers the
plain percentile interval is too narrow; it is widened as Hesterberg (2015, "What Teachers Should Know About the
Bootstrap", section 4.3) proposes: the tails are taken where Student's t, not the normal, puts them. The degrees of
freedom follow from the effective number of employers, which is small where one of them posts most of the jobs; how much
of the widening is taken depends on how equal the employers are (`tail`). Where nothing is clustered, no bootstrap is
needed: order statistics bound the median of independent values with a known probability (`_order_statistics`).

Nothing here depends on the order of the rows: employers are numbered by the caller, draws are seeded by their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REPLICATES = 1000
LEVEL = 0.95
SEED = 20_480
FIRST_GRID, FIRST_REACH = 9, 0.4
"""Positions tried first for each end, and how far around its likely place, in standard deviations."""
GRID = 12
"""Positions tried at a time afterwards."""
FEW, MANY = 64, 2_000
"""Up to FEW employers have a table of draws for each number; up to MANY share one; beyond, draws are not kept."""
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
    """The share of replicates left out at each end, for employers with these numbers of postings.

    Full widening puts the ends where Student's t has them, with the effective number of employers as observations. It
    suits employers of one size with many postings each. Where sizes differ, the effective number (which takes all
    postings of an employer for one observation) is already on the safe side, and where employers have hardly more than
    one posting the bootstrap of a median is by itself too wide: there only a part of the widening is taken, as
    simulated markets show it to be needed.
    """
    effective = effective_employers(sizes)
    if effective < 1.5:
        return 0.0
    plain = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    full = student_975(effective - 1) * float(np.sqrt(effective / (effective - 1)))
    part = effective / len(sizes) * (1 - len(sizes) / (2 * float(sizes.sum())))
    return NormalDist().cdf(-(plain + part * (full - plain)))


@lru_cache(maxsize=1024)
def _order_statistics(number: int) -> tuple[int, float]:
    """Which of `number` independent values bounds their median from below: its position, and the part of the way to the
    next one. The upper bound mirrors it.

    The number of values under the median is binomial, so the d-th values from both ends enclose it with a known
    probability, whatever the distribution (sign test); between two such intervals the ends are interpolated as
    Hettmansperger & Sheather (1986) derive it.
    """
    under = np.arange(1, number // 2 + 1)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log((number - under + 1) / under))]) - number * np.log(2)
    inside = 1 - 2 * np.cumsum(np.exp(logarithms))
    kept = int(np.searchsorted(-inside, -LEVEL, side="right"))
    if kept == 0:
        return 0, 0.0
    wider, narrower = float(inside[kept - 1]), max(float(inside[kept]), 0.0)
    part = (wider - LEVEL) / (wider - narrower)
    return kept - 1, (number - kept) * part / (kept + (number - 2 * kept) * part)


def _independent(values: Floats) -> tuple[float, float]:
    """The interval of ascending values of which no two belong together."""
    first, part = _order_statistics(len(values))
    last = len(values) - 1 - first
    low, high = float(values[first]), float(values[last])
    return low + part * (float(values[first + 1]) - low), high - part * (high - float(values[last - 1]))


def median_interval(values: Floats, employers: Ints) -> tuple[float, float] | None:
    """The 95 % interval of the median, or None where there is a single employer and a single posting.

    `employers` says whose each of `values` is, in any numbering that does not depend on the order of the rows.
    Where each employer has one posting, or a single one has all, the order of the values alone gives the interval.

    >>> pay = np.arange(50_000.0, 90_000.0, 1_000.0)
    >>> tuple(round(end, 1) for end in median_interval(pay, np.arange(40) % 20))
    (65910.9, 72159.9)
    """
    order = np.lexsort((employers, values))
    values, (_, whose) = values[order], np.unique(employers[order], return_inverse=True)
    sizes = np.bincount(whose)
    if len(values) < 2:
        return None
    if len(sizes) in (1, len(values)):
        return _independent(values)
    left_out = max(tail(sizes), 1 / REPLICATES)
    low, high = _ends(whose, sizes, (left_out, 1 - left_out))
    return low.between(values), high.between(values)


@dataclass(slots=True)
class _End:
    """One end being searched for: the positions it lies between, and the shares reached at them."""

    wanted: float
    low: int
    high: int
    below: float = 0.0
    reached: float = 1.0

    def narrow(self, positions: Ints, shares: Floats) -> None:
        first = int(np.searchsorted(shares, self.wanted))
        if first < len(positions) and positions[first] < self.high:
            self.high, self.reached = int(positions[first]), float(shares[first])
        if first and positions[first - 1] > self.low:
            self.low, self.below = int(positions[first - 1]), float(shares[first - 1])

    def between(self, values: Floats) -> float:
        """The value there: the share is taken to grow evenly from one value to the next (Hettmansperger & Sheather
        1986), without which the interval of few employers covers more than it says."""
        if self.low < 0 or self.reached <= self.below:
            return float(values[self.high])
        part = min((self.wanted - self.below) / (self.reached - self.below), 1.0)
        return float(values[self.low] + part * (values[self.high] - values[self.low]))


def _ends(whose: Ints, sizes: Ints, wanted: tuple[float, float]) -> tuple[_End, _End]:
    """Where the share of replicated medians reaches each of `wanted`.

    The first positions tried lie around where the normal approximation puts the ends, the next ones ever closer.
    """
    number = len(whose)
    ends = (_End(wanted[0], -1, number - 1), _End(wanted[1], -1, number - 1))
    balance = 2 * np.bincount(whose[: (number + 1) // 2], minlength=len(sizes)) - sizes
    spread = float(np.sqrt((balance**2).sum()))
    grids = [
        (number + (NormalDist().inv_cdf(end.wanted) + np.linspace(-FIRST_REACH, FIRST_REACH, FIRST_GRID)) * spread) / 2
        - 1
        for end in ends
    ]
    while True:
        tried = np.rint(np.concatenate(grids)).astype(np.int64)
        positions = np.unique(np.clip(tried, 0, number - 1))
        shares = _shares(positions, whose, sizes)
        for end in ends:
            end.narrow(positions, shares)
        grids = [np.linspace(end.low + 1, end.high, GRID) for end in ends if end.high - end.low > 1]
        if not grids:
            return ends


def _shares(positions: Ints, whose: Ints, sizes: Ints) -> Floats:
    """The share of replicates whose median is not above the value at each position, one that ends there counted half.

    A replicate draws employer e `w[e]` times; its median is not above a value when twice the postings up to that
    value reach all its postings: sum over e of w[e] * (2 * below[e] - size[e]) >= 0. At exactly 0 the median lies
    between this value and the next.
    """
    columns = len(positions) + 1
    bucket = np.searchsorted(positions, np.arange(len(whose)), side="left")
    below = np.bincount(whose * columns + bucket, minlength=len(sizes) * columns).reshape(len(sizes), columns)
    balance = 2 * below.cumsum(axis=1)[:, :-1] - sizes[:, None]
    kind = np.float32 if len(whose) < EXACT_FLOAT32 else np.float64
    reached = np.zeros(len(positions))
    for weights in draws(len(sizes)):
        sums = weights.astype(kind, copy=False) @ balance.astype(kind)
        reached += np.sign(sums).sum(axis=0)
    return 0.5 + reached / (2 * REPLICATES)


def draws(employers: int) -> Iterator[NDArray[np.float32]]:
    """How often each employer is drawn in each replicate: tables of replicates x employers, the same every time.

    Few employers are drawn as many times as there are; of many each is drawn by itself, a number of times that is
    Poisson with mean 1 (Chamandy and others 2012), so that one table serves every number of employers.
    """
    if employers <= FEW:
        yield _few(employers)
    elif employers <= MANY:
        yield _many()[:, :employers]
    else:
        generator = np.random.Generator(np.random.PCG64([SEED, employers]))
        step = max(MANY * REPLICATES // employers, 1)
        for start in range(0, REPLICATES, step):
            rows = min(step, REPLICATES - start)
            yield generator.poisson(1.0, (rows, employers)).astype(np.float32)


@lru_cache(maxsize=FEW)
def _few(employers: int) -> NDArray[np.float32]:
    generator = np.random.Generator(np.random.PCG64([SEED, employers]))
    picked = generator.integers(0, employers, size=(REPLICATES, employers))
    cells = (picked + (np.arange(REPLICATES) * employers)[:, None]).ravel()
    return np.bincount(cells, minlength=REPLICATES * employers).reshape(REPLICATES, employers).astype(np.float32)


@cache
def _many() -> NDArray[np.float32]:
    """Drawn column by column, so that a longer table would begin with this one."""
    generator = np.random.Generator(np.random.PCG64([SEED, MANY]))
    return np.ascontiguousarray(generator.poisson(1.0, (MANY, REPLICATES)).T.astype(np.float32))
