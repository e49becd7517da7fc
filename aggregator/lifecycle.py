"""When a job is closed, open again, or the same job in a new ad. Pure rules, and one entry after each run.

A posting is closed when its source did not show it in two healthy, complete runs that lie at least 20 hours apart: one
run that misses it is a hiccup of the site more often than the end of the job. It was closed when it was first missed.

When more than half of a source's open postings are missing at once, that is a fault of the site or of our reading more
often than the end of so many jobs: nothing is closed, and the run says so. Only when five such runs in a row, each 20
hours after the one before, say the same, it is believed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Engine

from db.lifecycle import Absence, Absent, note_run, record_absences

__all__ = ["Closing", "after_run", "judge_absences", "reposts"]

logger = logging.getLogger(__name__)

MISSES = 2
SPACING = timedelta(hours=20)
"""A source that is read every hour must not close a job within two hours."""
DROP_SHARE = 0.5
DROP_MINIMUM = 3
"""So few missing postings are no drop, however small the board."""
DROP_MISSES = 5


@dataclass(frozen=True, slots=True)
class Closing:
    """What a run closed; `reason` says why it closed nothing although much was missing, or that it believed a drop."""

    missing: int = 0
    closed: int = 0
    reason: str | None = None


class FinishedRun(Protocol):
    """What a scheduler hands over: the run's id and its outcome (`verdict`, `complete`)."""

    @property
    def run_id(self) -> int: ...

    @property
    def outcome(self) -> Any: ...


def after_run(engine: Engine, source: str, run: FinishedRun, now: datetime) -> Closing:
    """Counts what a finished run did not see and closes what was missed often enough.

    Does nothing after a run that was not healthy or not complete: what was not looked at is not gone.
    """
    if run.outcome.verdict != "healthy" or not run.outcome.complete:
        return Closing()
    closing = record_absences(engine, source, run.run_id, partial(judge_absences, now=now))
    if closing is not None and closing.reason is not None:
        logger.warning("%s: %s", source, closing.reason)
        note_run(engine, run.run_id, closing.reason)
    return closing or Closing()


def judge_absences(absent: Sequence[Absent], open_before: int, *, now: datetime) -> tuple[list[Absence], Closing]:
    """What becomes of the postings that a run at `now` did not see, of `open_before` open ones."""
    dropped = len(absent) > DROP_MINIMUM and len(absent) > DROP_SHARE * open_before
    needed = DROP_MISSES if dropped else MISSES
    absences = [_missed(one, needed, now) for one in absent]
    closed = sum(absence.closed_at is not None for absence in absences)
    return absences, Closing(len(absent), closed, _about_drop(len(absent), open_before, closed) if dropped else None)


def _missed(absent: Absent, needed: int, now: datetime) -> Absence:
    if absent.missed_at is None:
        return Absence(absent.id, 1, now)
    counts = now >= absent.missed_at + absent.missed * SPACING
    missed = absent.missed + 1 if counts else absent.missed
    return Absence(absent.id, missed, absent.missed_at, absent.missed_at if missed >= needed else None)


def _about_drop(missing: int, open_before: int, closed: int) -> str:
    drop = f"{missing} of {open_before} open postings are missing, more than {DROP_SHARE:.0%}"
    if closed:
        return f"{drop}; {closed} are closed now, after {DROP_MISSES} runs that say the same"
    return f"{drop}: nothing is closed until {DROP_MISSES} runs say the same"


def reposts(ads: Sequence[tuple[str, datetime, datetime]]) -> tuple[int, int]:
    """How often one job was published again as a new ad, and the days from the first of these ads to the last.

    `ads` are (source, first seen, last seen) of the ads of one job. A new ad is one that a source first showed after it
    had last shown the one before, in days: ads that stand side by side, or in one crawl, are openings, not reposts. The
    source with most counts.

    >>> from datetime import UTC
    >>> day = lambda n: datetime(2026, 1, n, tzinfo=UTC)
    >>> reposts([("a", day(1), day(5)), ("a", day(9), day(12)), ("b", day(3), day(4))])
    (1, 8)
    """
    best = (0, 0)
    for source in {ad[0] for ad in ads}:
        mine = sorted((first, last) for name, first, last in ads if name == source)
        times, until = 0, mine[0][1]
        for first, last in mine[1:]:
            times += first.date() > until.date()
            until = max(until, last)
        if times:
            best = max(best, (times, (mine[-1][0] - mine[0][0]).days))
    return best
