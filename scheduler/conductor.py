"""The part between deciding and doing: reads what is written down, asks `decide.tick`, claims, launches, tells.

A conductor keeps nothing that matters in memory: killed at any line and started again, here or on another machine, it
goes on from the tables. Service, tests and simulations drive the same class with their own clock and launcher.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from db import runs, source_state
from db.holder import is_dead
from db.runs import Outcome, RunRow
from db.source_state import Condition
from scheduler import conditions
from scheduler.decide import JobState, Miss, Start, next_look, tick
from scheduler.jobs import Claimed
from scheduler.timetable import JOBS, Job, entries, timetable_of
from scraper.sources import Source

logger = logging.getLogger(__name__)

LEASE = "scheduler"
SILENT_AFTER = timedelta(seconds=60)
"""A run without a heartbeat for so long is given up: its holder died, froze or lost the ledger."""
AHEAD = timedelta(minutes=10)
"""A heartbeat further in the future was written by a clock that ran ahead."""
ABANDONED = "the scheduler that ran it died or lost the ledger"
LOOK_AGAIN = timedelta(minutes=15)
"""Each job is looked at so often even when nothing is due: a crawl by hand may have changed its condition."""
CHECK_EVERY = timedelta(minutes=10)
"""How often staleness is looked for: its bound is days."""

Launch = Callable[[Start, Claimed], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one tick did."""

    started: int = 0
    missed: int = 0
    abandoned: int = 0
    waiting: int = 0
    """Due, but every worker was busy."""


class Conductor:
    """Carries out the timetable for one holder. `launch` begins the work of a claimed run and returns at once."""

    def __init__(
        self,
        engine: Engine,
        *,
        holder: str,
        launch: Launch,
        has_room: Callable[[Job], bool],
        lease: str | None = LEASE,
        jobs: Sequence[Job] = JOBS,
    ) -> None:
        self.engine, self.holder, self.lease = engine, holder, lease
        self.launch, self.has_room = launch, has_room
        self.own_jobs = tuple(jobs)
        self.timetable: tuple[Job, ...] = ()
        self.leading_since: datetime | None = None
        self._reached_since: datetime | None = None
        self._in_hand: set[int] = set()
        self._checked_at: datetime | None = None
        self._quiet_until: dict[str, datetime] = {}
        self._last_tick: datetime | None = None

    def follow(self, sources: Iterable[Source], now: datetime) -> None:
        """Takes over a timetable: writes its sources down and drives them from now on."""
        listed = tuple(sources)
        source_state.keep_sources(self.engine, entries(listed, self.own_jobs), now.replace(microsecond=0))
        self.timetable = timetable_of(listed, self.own_jobs)
        self._quiet_until.clear()

    def lead(self, now: datetime) -> None:
        """Says that this holder leads from now on."""
        self.leading_since = now
        self._quiet_until.clear()

    def reached_again(self, now: datetime) -> None:
        """Says that the ledger was away for everybody until now: hearts that could not beat are not dead."""
        self._reached_since = now

    def is_over(self, run_id: int) -> None:
        """Says that a launched run has ended, so that its silence is no longer watched."""
        self._in_hand.discard(run_id)

    def tick(self, now: datetime) -> Report:
        """One round: give up dead runs, write down what was missed, start what is due."""
        abandoned = self._give_up_the_dead(now)
        jobs = self._awake(now)
        states = self._states(jobs, now)
        actions = tick(now, jobs, states, self.leading_since)
        self._let_sleep(jobs, states, now)
        missed = sum(self._write_miss(action, now) for action in actions if isinstance(action, Miss))
        started = waiting = 0
        for action in actions:
            if isinstance(action, Start):
                self._quiet_until.pop(action.job.name, None)
                has_room = self.has_room(action.job)
                waiting += not has_room
                started += self._start(action, now) if has_room else 0
        self._look_for_the_stale(now)
        return Report(started=started, missed=missed, abandoned=abandoned, waiting=waiting)

    def _awake(self, now: datetime) -> tuple[Job, ...]:
        """The jobs that may have something to do: with many sources, few have at any moment.

        Every job is looked at again after a while, and all of them when the clock was set back.
        """
        if self._last_tick is not None and now < self._last_tick:
            self._quiet_until.clear()
        self._last_tick = now
        return tuple(job for job in self.timetable if self._quiet_until.get(job.name, now) <= now)

    def _let_sleep(self, jobs: Iterable[Job], states: Mapping[str, JobState], now: datetime) -> None:
        for job in jobs:
            state = states.get(job.name)
            if state is None or state.running:
                continue
            moment = next_look(job, state)
            self._quiet_until[job.name] = min(moment or now + LOOK_AGAIN, now + LOOK_AGAIN)

    def _states(self, jobs: Sequence[Job], now: datetime) -> dict[str, JobState]:
        names = {job.name for job in jobs}
        known = source_state.conditions(self.engine, names) if names else {}
        accounted = runs.accounted(self.engine, names, now) if names else {}
        running = {run.source for run in runs.open_runs(self.engine)} if names else set()
        behind = {job.name for job in jobs if job.name in accounted and job.interval < now - accounted[job.name]}
        last = runs.last_runs(self.engine, behind)  # only to say why a slot was missed, so only where one may have been
        return {name: _state(known[name], accounted.get(name), name in running, last.get(name), now) for name in known}

    def _write_miss(self, miss: Miss, now: datetime) -> int:
        written = runs.record_missed(self.engine, miss.job.name, miss.slots, miss.why, now)
        if written:
            logger.warning("%s: missed %d slots: %s", miss.job.name, written, miss.why, extra={"source": miss.job.name})
        return written

    def _start(self, start: Start, now: datetime) -> int:
        name = start.job.name
        run_id = runs.claim_run(
            self.engine, name, start.scheduled_for, start.trigger, self.holder, now, lease=self.lease
        )
        change = conditions.probing if run_id is not None else partial(conditions.postponed, now=now)
        source_state.set_condition(self.engine, name, change)
        if run_id is None:
            logger.info("%s: the slot %s was taken by another", name, start.scheduled_for.isoformat())
            return 0
        self._in_hand.add(run_id)
        self.launch(
            start,
            Claimed(
                id=run_id,
                name=name,
                scheduled_for=start.scheduled_for,
                trigger=start.trigger,
                holder=self.holder,
            ),
        )
        return 1

    def _give_up_the_dead(self, now: datetime) -> int:
        """Finishes the runs whose holder is dead or silent as failed, without blaming the source."""
        count = 0
        for run in runs.open_runs(self.engine):
            if run.id in self._in_hand or not is_abandoned(run, now, self._reached_since):
                continue
            count += give_up(self.engine, run, now)
        return count

    def _look_for_the_stale(self, now: datetime) -> None:
        if self._checked_at is not None and timedelta(0) <= now - self._checked_at < CHECK_EVERY:
            return
        self._checked_at = now
        known = source_state.conditions(self.engine)
        for job in self.timetable:
            condition = known.get(job.name)
            change = partial(conditions.at_moment, interval=job.interval, now=now)
            if condition is not None and change(condition) != condition:
                source_state.set_condition(self.engine, job.name, change)


def give_up(engine: Engine, run: RunRow, now: datetime) -> bool:
    """Finishes a run whose holder is gone as failed, without blaming the source; False when it is no longer open."""
    before = runs.history(engine, run.source, 1)
    again = bool(before) and before[0].reasons == (ABANDONED,)
    outcome = Outcome(verdict="failed", reasons=(ABANDONED,))
    change = partial(conditions.after_abandoned, was_abandoned_before=again, now=now)
    given_up = runs.finish_run(engine, run.id, outcome, now, holder=run.holder, after=change)
    if given_up:
        logger.warning("%s: gave up run %d of %s", run.source, run.id, run.holder)
    return given_up


def is_abandoned(run: RunRow, now: datetime, reached_since: datetime | None) -> bool:
    if run.holder is not None and is_dead(run.holder):
        return True
    beat = run.heartbeat_at or run.started_at
    if beat is not None and reached_since is not None and beat < reached_since <= now:
        beat = reached_since
    return beat is None or beat < now - SILENT_AFTER or beat > now + AHEAD


def _state(
    condition: Condition, accounted: datetime | None, running: bool, last: RunRow | None, now: datetime
) -> JobState:
    return JobState(
        since=condition.scheduled_since or now,
        accounted=accounted,
        running=running,
        circuit=condition.circuit,
        probe_after=condition.probe_after,
        busy_from=last.started_at if last is not None else None,
        busy_until=last.finished_at if last is not None else None,
    )
