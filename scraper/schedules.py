"""What a `schedule` may say: five cron fields, always UTC, with their standard meaning (crontab(5)).

APScheduler does the calendar; two things it reads differently from every cron are put right here first. It counts
weekdays from Monday = 0 (crontab(5): Sunday = 0 or 7), and when day of month and day of week are both restricted it
wants both to match (crontab(5): either).
"""

from __future__ import annotations

import re
from datetime import UTC
from functools import lru_cache

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
"""crontab(5), without @reboot, which is no time."""

WEEKDAY_PART = re.compile(
    r"""
    (?P<first>\*|[0-7]|[a-z]{3})    # *, a number or a name
    (?:-(?P<last>[0-7]|[a-z]{3}))?  # a range
    (?:/(?P<step>\d+))?             # every so many days
    """,
    re.VERBOSE,
)


class CronError(ValueError):
    """An expression that no cron would take: says which and why."""


@lru_cache(maxsize=4096)
def trigger(expression: str) -> BaseTrigger:
    """The APScheduler trigger that means what cron means, in UTC. Raises `CronError`.

    >>> from datetime import datetime
    >>> trigger("0 6 * * 0").get_next_fire_time(None, datetime(2026, 3, 2, tzinfo=UTC)).strftime("%A %H:%M")
    'Sunday 06:00'
    """
    fields = SHORTHANDS.get(expression.strip().lower(), expression).split()
    if len(fields) != 5:
        raise CronError(f"{expression!r} has {len(fields)} fields; cron has five: minute hour day month weekday")
    minute, hour, day, month, weekday = (field.lower() for field in fields)
    try:
        weekdays = _weekdays(weekday)
        either = not day.startswith("*") and not weekday.startswith("*")  # as crontab(5) words it
        wanted = [{"day": day}, {"day_of_week": weekdays}] if either else [{"day": day, "day_of_week": weekdays}]
        triggers = [CronTrigger(minute=minute, hour=hour, month=month, second=0, timezone=UTC, **w) for w in wanted]
    except ValueError as error:
        raise CronError(f"{expression!r}: {error}") from error
    return OrTrigger(triggers) if either else triggers[0]


def _weekdays(field: str) -> str:
    """A cron weekday field as names, which mean the same everywhere.

    >>> _weekdays("1-5"), _weekdays("7"), _weekdays("fri-mon"), _weekdays("*/2")
    ('mon,tue,wed,thu,fri', 'sun', 'sun,mon,fri,sat', 'sun,tue,thu,sat')
    """
    if field == "*":
        return field
    days: set[int] = set()
    for part in field.split(","):
        found = WEEKDAY_PART.fullmatch(part)
        if found is None:
            raise ValueError(f"weekday {part!r} is neither 0-7, a name such as mon, a range nor a step")
        first, last, step = found["first"], found["last"], int(found["step"] or 1)
        if step < 1 or (first == "*" and last):
            raise ValueError(f"weekday {part!r} selects no day")
        start = 0 if first == "*" else _weekday(first)
        end = _weekday(last) if last else (6 if first == "*" or found["step"] else start)
        if end < start:  # fri-mon runs over the end of the week; 5-7 ends on Sunday
            end += 7
        days.update(day % 7 for day in range(start, end + 1, step))
    return ",".join(WEEKDAYS[day] for day in sorted(days))


def _weekday(word: str) -> int:
    if word.isdigit():
        return int(word) % 7
    if word not in WEEKDAYS:
        raise ValueError(f"no weekday is called {word!r}")
    return WEEKDAYS.index(word)
