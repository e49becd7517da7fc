"""What the figures are made of: plain frozen records, ready for JSON, tables and pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from insights.lifetimes import Lifetime
    from insights.trends import Change

PERCENTILES = {"p10": 0.10, "p25": 0.25, "median": 0.50, "p75": 0.75, "p90": 0.90}
"""The five points that the BLS publishes in its Occupational Employment and Wage Statistics."""

LEAST_POSTINGS = 5
LEAST_EMPLOYERS = 3
"""Below either a cell shows no pay: the thresholds most salary pages state, and three so that no employer can take
its own pay out of a cell and be left with its competitor's."""

SURE_EMPLOYERS = 6
"""With fewer employers even the whole range of resampled medians covers less than 95 % (1 - 2 * 0.5**employers)."""


class InsightError(Exception):
    """A figure that cannot be made as asked: says which and what can be asked."""


Key = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The figures of one cell, in one currency and per year; pay is None where it is suppressed or not stated."""

    key: Key
    currency: str | None
    n: int
    """Postings in the figures: one vote each."""
    companies: int
    """Their employers; postings that name none count together as one."""
    postings: int
    """All postings of the cell that no flag excludes, with or without pay, in any currency."""
    disclosed_share: float | None
    """The share of `postings` whose advertisement states pay; estimates do not."""
    suppressed: bool
    reason: str | None = None
    p10: float | None = None
    p25: float | None = None
    median: float | None = None
    p75: float | None = None
    p90: float | None = None
    median_ci: tuple[float, float] | None = None
    low_end_median: float | None = None
    high_end_median: float | None = None
    range_width: float | None = None
    """The median width of a stated range, as a share of its midpoint."""

    @property
    def confidence(self) -> str | None:
        """low, medium or high, by postings and employers; None without a figure."""
        if self.median is None:
            return None
        if self.n < 15 or self.companies < SURE_EMPLOYERS:
            return "low"
        return "high" if self.n >= 50 and self.companies >= 15 else "medium"


PAY_FIELDS = (
    *PERCENTILES,
    "median_ci",
    "low_end_median",
    "high_end_median",
    "range_width",
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One column of a distribution: postings whose point lies in [low, high); an open end is None."""

    low: float | None
    high: float | None
    postings: int


@dataclass(frozen=True, slots=True)
class Reference:
    """Published figures of somebody else, drawn beside ours and never counted with them."""

    name: str
    note: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A salary report: figures, and everything needed to judge them."""

    generated_at: datetime
    title: str
    """The finding, as a sentence."""
    by: tuple[str, ...]
    filters: Mapping[str, Any]
    method: Mapping[str, Any]
    groups: tuple[Group, ...]
    totals: tuple[Group, ...]
    """All groups together, once a currency."""
    distribution: tuple[Bar, ...] = ()
    """Of the currency with the most postings."""
    levels: tuple[Group, ...] = ()
    months: tuple[Group, ...] = ()
    countries: tuple[Group, ...] = ()
    references: tuple[Reference, ...] = ()
    changes: tuple[Change, ...] = ()
    """Of the same cells against a year before."""
    lifetimes: tuple[Lifetime, ...] = ()
    """Of all postings (an empty key) and of each level."""
    beside: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """What else was asked for, from the same commit."""

    @property
    def main(self) -> Group | None:
        """The total of the currency that most postings state."""
        return max(self.totals, key=lambda g: (g.n, g.currency or ""), default=None)
