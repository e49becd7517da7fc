"""Ads that never end: one rule for lists, pages and reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

EVERGREEN_AGE = timedelta(days=120)
EVERGREEN_REPOSTS = 3


def is_evergreen(posting: Mapping[Any, Any]) -> bool:
    """Whether an ad is open so long, or published again so often, that it may stand for no vacancy.

    Open for 120 days or more (from the day it was posted, where the site says, to the day last seen), or reposted three
    times or more. Both are more than three times the usual time to fill of some five weeks.

    >>> from datetime import UTC, date
    >>> seen = {"first_seen": datetime(2026, 5, 1, tzinfo=UTC), "last_seen": datetime(2026, 6, 1, tzinfo=UTC)}
    >>> is_evergreen(seen | {"posted_on": None, "reposted": 0}), is_evergreen(seen | {"posted_on": date(2025, 1, 1)})
    (False, True)
    """
    first, posted = posting["first_seen"], posting["posted_on"]
    if posted is not None:
        first = min(first, datetime.combine(posted, time(), first.tzinfo))
    return bool(posting["last_seen"] - first >= EVERGREEN_AGE or posting.get("reposted", 0) >= EVERGREEN_REPOSTS)
