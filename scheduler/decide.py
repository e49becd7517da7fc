"""What is to be done now: `tick`, a pure function of the moment, the timetable and what is written down.

It knows no clock, no database and no thread, so a simulated year runs through the very code that runs in service.

A slot is due once it has passed (and its delay too). Of several due slots the newest is run, once, and the others are
written down as missed. Nothing is started while the job still runs. All slots up to the newest one with a row are
accounted for: what came before is never looked at again, which is also what makes a clock set back harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scheduler.cron import next_slot, slots
from scheduler.timetable import Job, delay

LISTED = timedelta(days=7)
"""Missed slots older than this are written down as one row that says so, not one by one."""
LONGEST_WAIT = timedelta(days=31)
"""A probe further away than this was set by a clock that ran ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """What is written down about one job."""

    since: datetime
    """Followed from here on; no slot before it counts."""
    accounted: datetime | None = None
    """The newest slot that has a row."""
    running: bool = False
    circuit: str = "closed"
    probe_after: datetime | None = None
    busy_from: datetime | None = None
    busy_until: datetime | None = None
    """When the last run went on, to say why a slot was missed."""


@dataclass(frozen=True, slots=True)
class Start:
    job: Job
    scheduled_for: datetime
    trigger: str
    """schedule, catch_up or probe."""


@dataclass(frozen=True, slots=True)
class Miss:
    job: Job
    slots: tuple[datetime, ...]
    why: str


Action = Start | Miss


def tick(
    now: datetime, timetable: Iterable[Job], states: Mapping[str, JobState], leading_since: datetime | None = None
) -> list[Action]:
    """Misses and starts, in the order in which to carry them out; a job without a state is left alone.

    `leading_since`: when this scheduler began to lead; earlier slots were missed for want of a scheduler.
    """
    moment = now.astimezone(UTC)  # local times would be compared by the clock on the wall
    misses: list[Miss] = []
    starts: list[Start] = []
    for job in timetable:
        state = states.get(job.name)
        if state is not None and not state.running:
            found, start = _decide(moment, job, state, leading_since)
            misses += found
            starts += [start] if start is not None else []
    return [*misses, *sorted(starts, key=lambda start: (start.scheduled_for, start.job.name))]


def next_look(job: Job, state: JobState) -> datetime | None:
    """Before this moment `tick` finds nothing to do for a job that does not run; None = never again."""
    after = max(state.accounted or state.since, state.since)
    slot: datetime | None = state.since
    if state.accounted is not None or not job.at_once:
        slot = next_slot(job.cron, after)
        slot = slot + delay(job, slot) if slot is not None else None
    moments = [moment for moment in (slot, state.probe_after) if moment is not None]
    return min(moments, default=None) if state.circuit == "closed" or state.probe_after is not None else state.since


def _decide(
    now: datetime, job: Job, state: JobState, leading_since: datetime | None
) -> tuple[list[Miss], Start | None]:
    misses, due, is_delayed = _due(now, job, state)
    if is_delayed and not due:  # its own slot comes in a moment; a probe now would account for it without running it
        return misses, None
    probe = _probe(now, state)
    if state.circuit != "closed":
        if probe is None:
            return [*misses, *_missed(job, due, f"resting until {_clock(state.probe_after)} after failed runs")], None
        chosen, trigger = (due.pop() if due else probe), "probe"
    elif due and _is_worth_it(now, job, due[-1]):
        chosen = due.pop()
        trigger = "schedule" if now - chosen - delay(job, chosen) <= job.grace else "catch_up"
    elif probe is not None:
        chosen, trigger = probe, "probe"
    else:
        return [*misses, *_late(job, due, state, leading_since)], None
    return [*misses, *_late(job, due, state, leading_since)], Start(job, chosen, trigger)


def _due(now: datetime, job: Job, state: JobState) -> tuple[list[Miss], list[datetime], bool]:
    """A long silence as one row; the slots that are due, oldest first; whether another one waits for its delay."""
    never_ran = state.accounted is None
    after = max(state.accounted or state.since, state.since)
    first = [state.since] if never_ran and job.at_once and state.since <= now else []
    misses: list[Miss] = []
    if now - after > LISTED:
        silence = next_slot(job.cron, after)
        if silence is not None and silence <= now - LISTED:
            why = f"nothing was run between {_clock(after)} and {_clock(now - LISTED)}: this row stands for every slot"
            misses.append(Miss(job, (silence,), why))
            after = now - LISTED
    passed = list(slots(job.cron, after, now))
    due = passed[:]
    while due and now < due[-1] + delay(job, due[-1]):
        due.pop()
    return misses, [*first, *due], len(due) < len(passed)


def _probe(now: datetime, state: JobState) -> datetime | None:
    """The moment of the probe that is due."""
    if state.circuit != "closed" and state.probe_after is None:
        return now.replace(microsecond=0)
    if state.probe_after is None or (now < state.probe_after <= now + LONGEST_WAIT):
        return None
    if state.probe_after > now:
        return now.replace(microsecond=0)
    return state.probe_after.astimezone(UTC)


def _is_worth_it(now: datetime, job: Job, slot: datetime) -> bool:
    return job.catch_up is None or now - slot <= job.catch_up


def _late(job: Job, due: list[datetime], state: JobState, leading_since: datetime | None) -> list[Miss]:
    """Due slots that are not run, each with why."""
    reasons: dict[str, list[datetime]] = {}
    for slot in due:
        if state.busy_from is not None and state.busy_from <= slot <= (state.busy_until or slot):
            why = f"the run before it went on from {_clock(state.busy_from)} to {_clock(state.busy_until)}"
        elif leading_since is not None and slot < leading_since:
            why = f"no scheduler was leading until {_clock(leading_since)}"
        else:
            why = "not started in time: every worker or its host was busy, or the ledger away"
        reasons.setdefault(why, []).append(slot)
    return [Miss(job, tuple(missed), why) for why, missed in reasons.items()]


def _missed(job: Job, due: list[datetime], why: str) -> list[Miss]:
    return [Miss(job, tuple(due), why)] if due else []


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment is not None else "now"
