"""When a job is closed, open again, or the same job in a new ad. Pure rules, and two entries for each run.

A posting is closed when its source did not show it in two healthy, complete runs that lie at least 20 hours apart: one
run that misses it is a hiccup of the site more often than the end of the job. It was closed when it was first missed.

When more than half of the open ads that believed runs have shown are missing at once, or all of them, that is a fault
of the site or of our reading more often than the end of so many jobs. Such a run is suspect, and an ad is then closed
only when five runs, each 20 hours after the one before, did not show it. The fifth run that says the same is believed.

Everything follows from two facts in the ledger: when each run read its whole source, and when each ad was last seen.
`docs/closing.md` shows what becomes of which board.
"""

from __future__ import annotations

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Engine

from db.lifecycle import (
    BELIEVED,
    DOUBT,
    WHOLE,
    Absence,
    Absent,
    Board,
    Look,
    look_at_board,
    record_absences,
    sight_of,
)
from db.runs import Outcome

__all__ = ["Closing", "after_run", "judge_board", "reposts", "weigh"]

logger = logging.getLogger(__name__)

MISSES = 2
"""Spaced runs that miss an ad before it is closed."""
DOUBTED_MISSES = 5
"""The same while the runs are doubted; so many spaced runs that say the same are believed."""
SPACING = timedelta(hours=20)
"""From one run that counts to the next: a source that is read every hour must not close a job within two hours."""
DROP_SHARE = 0.5
"""More than this share of the known ads missing is a drop."""
DROP_MINIMUM = 3
"""So few missing ads are a drop only when no known ad reappears."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What a run decided; `reason` says why it is doubted, or which doubt it ended."""

    missing: int = 0
    closed: int = 0
    reason: str | None = None
    doubted: bool = False

    @property
    def verdict(self) -> str:
        return "suspect" if self.doubted else "healthy"


class FinishedRun(Protocol):
    """What a scheduler hands over: the run's id and its outcome (`verdict`, `complete`, `stats`)."""

    @property
    def run_id(self) -> int: ...

    @property
    def outcome(self) -> Any: ...


def weigh(engine: Engine, source: str, run_id: int, outcome: Outcome, now: datetime) -> Outcome:
    """The outcome of a run that ends `now`, once its ads are compared with those that earlier runs showed.

    A healthy run becomes suspect when too few known ads reappear; a suspect one becomes healthy when the runs before it
    said the same for long enough. A run that did not read everything stays as it was.
    """
    sight, doubt = _evidence(outcome)
    if sight is None or (sight != WHOLE and doubt != "past"):
        return outcome
    board = look_at_board(engine, source, run_id, finished=now, whole=sight == WHOLE)
    _, closing = judge_board(board, doubt)
    if closing.reason is None:
        return outcome
    return replace(
        outcome,
        verdict=closing.verdict,
        complete=sight == WHOLE and not closing.doubted,
        reasons=(*outcome.reasons, closing.reason),
        stats=outcome.stats if closing.doubted else {**outcome.stats, BELIEVED: 1},
    )


def after_run(engine: Engine, source: str, run: FinishedRun, now: datetime) -> Closing:
    """Counts what a finished run did not see and closes what was missed often enough.

    Does nothing after a run that did not read its whole source: what was not looked at is not gone.
    """
    sight, doubt = _evidence(run.outcome)
    if sight != WHOLE:
        return Closing()
    judge = partial(judge_board, doubt=doubt)
    closing = record_absences(engine, source, run.run_id, judge, finished=now)
    if closing.reason is not None:
        logger.warning("%s: %s", source, closing.reason)
    return closing


def _evidence(outcome: Any) -> tuple[str | None, str | None]:
    """How much of its source a run read, and what it was doubted for before its ads were compared."""
    stats: Mapping[str, Any] = getattr(outcome, "stats", {})
    return sight_of(outcome.verdict, outcome.complete, stats), stats.get(DOUBT)


def judge_board(board: Board, doubt: str | None = None) -> tuple[list[Absence], Closing]:
    """What becomes of the ads that the last run of `board` did not see, and whether that run is believed.

    `doubt` is what else speaks against the run: None, "past" (unlike the runs before) or "bounds" (of the sources
    file).
    """
    starts = [look.started for look in board.looks if look.whole]
    misses = {ad.id: _spaced(starts, ad.last_seen) for ad in board.absent}
    missing = [misses[ad.id] for ad in _known(board)]
    dropped = _is_drop(len(missing), board.reappeared)
    agreeing = _agreeing(missing, board.reappeared) if dropped else _doubted_before(board.looks)
    settled = agreeing >= DOUBTED_MISSES
    doubted = ((dropped or doubt == "past") and not settled) or doubt == "bounds"
    needed = DOUBTED_MISSES if doubted else MISSES
    finished = {look.started: look.finished for look in board.looks}
    absences = [_absence(ad, misses[ad.id], finished, needed) for ad in board.absent]
    closed = sum(absence.closed_at is not None for absence in absences)
    reason: str | None = None
    if dropped:
        reason = _about_drop(missing, board.reappeared, agreeing, closed)
    elif doubt == "past":
        reason = _about_past(agreeing)
    elif doubt == "bounds":
        reason = _about_bounds(len(board.absent), closed)
    return absences, Closing(len(board.absent), closed, reason, doubted)


def _known(board: Board) -> list[Absent]:
    """The absent ads that count as missing: those that a believed run has shown.

    What only doubted runs have shown does not count, or another company's ads would make the real ones few. Where no
    run was ever believed, every ad counts.
    """
    believed = [look for look in board.looks[:-1] if look.whole and look.believed]
    if not believed:
        return list(board.absent)
    starts = [look.started for look in believed]

    def was_shown(ad: Absent) -> bool:
        """Whether a believed run read the board between the first and the last time that the ad was seen."""
        number = bisect_right(starts, ad.last_seen)
        return number > 0 and believed[number - 1].finished >= ad.first_seen

    return [ad for ad in board.absent if was_shown(ad)]


def _spaced(starts: Sequence[datetime], last_seen: datetime) -> list[datetime]:
    """The runs after an ad was last seen that count: each 20 hours after the one before, five at most."""
    counted: list[datetime] = []
    index = bisect_right(starts, last_seen)
    while index < len(starts) and len(counted) < DOUBTED_MISSES:
        counted.append(starts[index])
        index = bisect_left(starts, starts[index] + SPACING)
    return counted


def _is_drop(missing: int, reappeared: int) -> bool:
    """
    >>> [_is_drop(14, 6), _is_drop(10, 10), _is_drop(3, 2), _is_drop(1, 0)]
    [True, False, False, True]
    """
    return missing > DROP_SHARE * (missing + reappeared) and (missing > DROP_MINIMUM or reappeared == 0)


def _agreeing(missing: Sequence[Sequence[datetime]], reappeared: int) -> int:
    """How many spaced runs say that there is this drop: without the ads that so many runs missed, it would be none."""
    for count in range(DOUBTED_MISSES, 1, -1):
        if not _is_drop(sum(len(runs) < count for runs in missing), reappeared):
            return count
    return 1


def _doubted_before(looks: Sequence[Look]) -> int:
    """How many spaced runs in a row were doubted, with the last one."""
    believed = [number for number, look in enumerate(looks[:-1]) if look.believed]
    starts = [look.started for look in looks[believed[-1] + 1 if believed else 0 :]]
    return len(_spaced(starts, starts[0] - SPACING))


def _absence(ad: Absent, counted: Sequence[datetime], finished: Mapping[datetime, datetime], needed: int) -> Absence:
    missed_at = finished[counted[0]]
    return Absence(ad.id, len(counted), missed_at, missed_at if len(counted) >= needed else None)


def _about_drop(missing: Sequence[Sequence[datetime]], reappeared: int, agreeing: int, closed: int) -> str:
    known = len(missing) + reappeared
    since = min(runs[0] for runs in missing if len(runs) >= agreeing)
    seen = f"{reappeared} of the {_ads(known)} known before {since:%Y-%m-%d} reappeared"
    if agreeing >= DOUBTED_MISSES:
        return f"{seen}; {DOUBTED_MISSES} runs on different days say the same: {_ads(closed)} closed"
    nothing = f"{_ads(closed)} closed, no other" if closed else "nothing"
    return f"{seen}; {nothing} is closed until {DOUBTED_MISSES} runs on different days say the same ({agreeing} so far)"


def _about_past(agreeing: int) -> str:
    if agreeing >= DOUBTED_MISSES:
        return f"believed: {DOUBTED_MISSES} runs on different days were like this"
    return f"not believed until {DOUBTED_MISSES} runs on different days are like this ({agreeing} so far)"


def _about_bounds(missing: int, closed: int) -> str:
    """The bounds of the sources file are the operator's word: no number of runs overrules them."""
    return (
        f"{_ads(missing)} missing, {closed} closed: while the number of ads is out of bounds, an ad is closed after "
        f"{DOUBTED_MISSES} runs on different days; if the board is right, correct min_items or max_items"
    )


def _ads(number: int) -> str:
    return "1 ad" if number == 1 else f"{number} ads"


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
