"""Whether the ledger is stuck: ads were collected and are not read, although aggregation had its time.

One ad that cannot be read is kept in `rejected` and holds nobody up. This is the alarm for everything else that leaves
ads unread: an aggregation that crashes, a scheduler without one, an older program that still aggregates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from aggregator.rules import RULES_VERSION
from db.alone import is_somebody_alone
from db.pending import Waiting, waiting
from db.source_state import Condition, add_source, find_condition, set_condition
from scheduler.conditions import stuck_or_not
from scheduler.timetable import AGGREGATE, JOB_SPIDER

CYCLE = 3 * AGGREGATE.interval
"""How long an ad may wait to be read. It may miss one slot of `@aggregate` by a moment, and the next one may fail for a
reason that passes; the third one has read it."""
LEDGER = "@ledger"
"""The name under which the ledger's own condition stands beside those of the sources: it is told of like theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits to be read, and whether it waits too long."""

    waiting: Waiting
    age: timedelta
    """Of the one that was seen first."""
    is_being_read: bool

    @property
    def is_stuck(self) -> bool:
        """An aggregation that is under way is given its time: a large ledger takes longer than a cycle."""
        return self.age > CYCLE and not self.is_being_read

    def __str__(self) -> str:
        """The figures and the remedy.

        >>> print(Backlog(waiting=Waiting(ads=1200, articles=1), age=timedelta(hours=30), is_being_read=False))
        1,200 ads and 1 article wait to be read, the oldest for 1 day 6 h: run `jobledger aggregate`; if it fails, its \
error says why; `jobledger schedule run` does it every 5 minutes
        """
        kinds = ((self.waiting.ads, "ad"), (self.waiting.articles, "article"))
        counts = [f"{number:,} {word}{'' if number == 1 else 's'}" for number, word in kinds if number]
        wait = "waits" if self.waiting.ads + self.waiting.articles == 1 else "wait"
        return (
            f"{' and '.join(counts) or 'nothing'} {wait} to be read, the oldest for {_long(self.age)}: run `jobledger "
            "aggregate`; if it fails, its error says why; `jobledger schedule run` does it every "
            f"{AGGREGATE.interval.total_seconds() / 60:.0f} minutes"
        )


def find_backlog(engine: Engine, now: datetime) -> Backlog:
    """What waits now. Its age is that of its last sighting, so old captures that are being ingested count too."""
    found = waiting(engine, RULES_VERSION)
    age = max(now - found.oldest, timedelta(0)) if found.oldest is not None else timedelta(0)
    return Backlog(waiting=found, age=age, is_being_read=age > CYCLE and is_somebody_alone(engine))


def note_backlog(engine: Engine, backlog: Backlog, now: datetime) -> None:
    """Writes down whether the ledger is stuck, so that people are told of it once, and once when it is over."""
    known = find_condition(engine, LEDGER)
    old = known or Condition(name=LEDGER)
    change = partial(stuck_or_not, is_stuck=backlog.is_stuck, now=now)
    if change(old) == old:
        return
    if known is None:
        add_source(engine, LEDGER, JOB_SPIDER)
    set_condition(engine, LEDGER, change)


def _long(age: timedelta) -> str:
    """
    >>> _long(timedelta(minutes=17)), _long(timedelta(hours=2, minutes=5)), _long(timedelta(days=3))
    ('17 min', '2 h 5 min', '3 days')
    """
    hours, minutes = divmod(int(age.total_seconds()) // 60, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "day" if days == 1 else "days"), (hours, "h"), (minutes if not days else 0, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "less than a minute"
