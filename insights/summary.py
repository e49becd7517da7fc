"""The figures of one set of postings that is already in memory: for questions about single cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from insights.interval import median_interval
from insights.model import PERCENTILES, Group
from insights.suppression import too_few


def summarised(
    points: NDArray[np.float64], employers: NDArray[np.uint64], key: Mapping[str, str | None], currency: str
) -> Group:
    """The figures of ascending `points`, pay a year, suppressed below 5 postings or 3 employers."""
    n, companies = len(points), len(np.unique(employers))
    reason = too_few(n, companies)
    shown = {} if reason else dict(zip(PERCENTILES, np.quantile(points, list(PERCENTILES.values())), strict=True))
    return Group(
        key=dict(key),
        currency=currency,
        n=n,
        companies=companies,
        postings=n,
        disclosed_share=None,
        suppressed=reason is not None,
        reason=reason,
        median_ci=None if reason else median_interval(points, np.unique(employers, return_inverse=True)[1]),
        **{name: float(value) for name, value in shown.items()},
    )
