"""When a cron expression fires: the calendar of the schedules in a sources file. A moment that fires is a slot.

What an expression means stands in `scraper.schedules`, where the sources file is checked by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise

from scraper.schedules import CronError, trigger

__all__ = ["CronError", "interval", "next_slot", "slots", "trigger"]


@lru_cache(maxsize=65_536)
def next_slot(expression: str, after: datetime) -> datetime | None:
    """The first slot later than `after`; None when there is none in the calendar (31 February)."""
    # Compared and counted in UTC: arithmetic on local times would repeat or lose an hour at a change of clocks.
    start = after.astimezone(UTC) + timedelta(microseconds=1)
    found: datetime | None = trigger(expression).get_next_fire_time(None, start)
    return found


def slots(expression: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """The slots in (after, until], oldest first, in UTC.

    >>> day = datetime(2026, 3, 29, tzinfo=UTC)
    >>> [slot.hour for slot in slots("0 */8 * * *", day, day + timedelta(days=1))]
    [8, 16, 0]
    """
    slot = next_slot(expression, after)
    while slot is not None and slot <= until:
        yield slot
        slot = next_slot(expression, slot)


@lru_cache(maxsize=4096)
def interval(expression: str) -> timedelta:
    """The shortest time between two of its next slots: how often a source is read.

    Measured from a fixed moment, so that it is a property of the expression alone.

    >>> interval("*/15 * * * *"), interval("0 9 * * 1-5")
    (datetime.timedelta(seconds=900), datetime.timedelta(days=1))
    """
    start = datetime(2026, 1, 1, tzinfo=UTC)
    some = list(islice(slots(expression, start, start + timedelta(days=3660)), 16))
    return min((later - earlier for earlier, later in pairwise(some)), default=timedelta(days=3660))
