"""How a source's condition changes: pure rules, one run or one moment at a time.

    closed --failures reach the ailment's bound--> open --probe_after passes--> half_open --healthy--> closed
                                                    ^------------- failed -----------'

While the circuit is closed every slot is read, and a failed run is followed by an extra attempt soon after. While it
is open slots are written down as missed, and probes become rarer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from db.runs import Outcome
from db.source_state import Condition
from scheduler.ailments import BY_CODE, Ailment, diagnose, is_without_host

FIRST_RETRY = timedelta(minutes=5)
"""After the first failed run; three times as long after each further one, never longer than the schedule's interval."""
GONE_AFTER = timedelta(days=3)
"""A host name that nobody could look up for so long is gone, not our resolver's trouble."""
STALE_AFTER_INTERVALS = 3
STALE_AT_LEAST = timedelta(days=2)
SOON = timedelta(seconds=60)
"""A run that died with its scheduler is tried again so much later: the source did nothing wrong."""


def after_run(condition: Condition, outcome: Outcome, interval: timedelta, now: datetime) -> Condition:
    """The condition after a finished run; `interval` is the time between two slots of its schedule."""
    ailment = diagnose(outcome)
    if ailment is None:
        return replace(
            condition,
            failures=0,
            circuit="closed",
            probe_after=None,
            ailment=None,
            ailment_since=None,
            last_healthy_at=now,
        )
    since = condition.ailment_since if condition.ailment == ailment else None
    if outcome.verdict != "failed":  # it answered: whatever it was that failed is over
        alerted = condition.alerted_circuit and "closed"  # the next time that it opens is told again
        condition = replace(condition, failures=0, circuit="closed", probe_after=None, alerted_circuit=alerted)
        return replace(condition, ailment=ailment, ailment_since=since or now)
    failures = condition.failures + 1
    if ailment == "unreachable" and is_without_host(outcome) and since is not None and now - since >= GONE_AFTER:
        ailment = "gone"
    elif condition.ailment == "gone" and is_without_host(outcome):
        ailment, since = "gone", condition.ailment_since
    opens = _opens(BY_CODE[ailment], condition, failures)
    rest = _rest(BY_CODE[ailment], failures, interval) if opens else _retry(failures, interval)
    return replace(
        condition,
        failures=failures,
        circuit="open" if opens else "closed",
        probe_after=(now + rest).replace(microsecond=0),
        ailment=ailment,
        ailment_since=since or now,
    )


def _opens(ailment: Ailment, condition: Condition, failures: int) -> bool:
    was_open = condition.circuit != "closed"
    return was_open or (ailment.open_after is not None and failures >= ailment.open_after)


def _rest(ailment: Ailment, failures: int, interval: timedelta) -> timedelta:
    doublings = min(max(failures - (ailment.open_after or 1), 0), 16)
    return max(min(ailment.rest * (1 << doublings), ailment.longest_rest), interval)


def _retry(failures: int, interval: timedelta) -> timedelta:
    return min(FIRST_RETRY * int(3 ** min(failures - 1, 6)), interval)


def after_abandoned(condition: Condition, was_abandoned_before: bool, now: datetime) -> Condition:
    """The condition after a run whose scheduler died: tried again soon, once.

    Twice in a row and the source is waited for like any other: perhaps it is what kills the scheduler.
    """
    circuit = "open" if condition.circuit != "closed" else "closed"
    probe_after = condition.probe_after if was_abandoned_before else (now + SOON).replace(microsecond=0)
    return replace(condition, circuit=circuit, probe_after=probe_after)


def probing(condition: Condition) -> Condition:
    """The condition while a run is under way: an extra attempt is used up, an open circuit is being tried."""
    circuit = "half_open" if condition.circuit == "open" else condition.circuit
    return replace(condition, circuit=circuit, probe_after=None if circuit == "closed" else condition.probe_after)


def postponed(condition: Condition, now: datetime) -> Condition:
    """The condition when a probe could not be claimed because its moment was taken: another moment, a minute on."""
    if condition.probe_after is None or condition.probe_after > now:
        return condition
    return replace(condition, probe_after=(now + SOON).replace(microsecond=0))


def stale_bound(interval: timedelta) -> timedelta:
    """How long a source may go without a healthy run before it counts as stale."""
    return max(interval * STALE_AFTER_INTERVALS, STALE_AT_LEAST)


def at_moment(condition: Condition, interval: timedelta, now: datetime) -> Condition:
    """The condition as time passes without a run: a source that was well, but not for long enough, is stale."""
    well_at = condition.last_healthy_at or condition.scheduled_since
    if condition.ailment is not None or well_at is None or now - well_at <= stale_bound(interval):
        return condition
    return replace(condition, ailment="stale", ailment_since=now)


def stuck_or_not(condition: Condition, is_stuck: bool, now: datetime) -> Condition:
    """The ledger's own condition as its backlog grows too old, or is read."""
    if is_stuck:
        return condition if condition.ailment == "stuck" else replace(condition, ailment="stuck", ailment_since=now)
    return replace(condition, ailment=None, ailment_since=None)


def to_tell(condition: Condition) -> str | None:
    """Whether somebody should be told now: "broke", "rests" (told before; now its circuit opened), "healed" or None.

    >>> to_tell(Condition(name="acme", failures=1, ailment="unreachable")) is None
    True
    >>> to_tell(Condition(name="acme", failures=1, circuit="open", ailment="blocked"))
    'broke'
    """
    if condition.ailment is None:
        return "healed" if condition.alerted_at is not None else None
    is_open = condition.circuit != "closed"
    if condition.alerted_at is None:
        return "broke" if is_open or condition.failures >= BY_CODE[condition.ailment].tell_after else None
    return "rests" if is_open and condition.alerted_circuit == "closed" else None


def told(condition: Condition, what: str, now: datetime) -> Condition:
    """The condition once somebody was told."""
    if what == "healed":
        return replace(condition, alerted_at=None, alerted_circuit=None)
    return replace(condition, alerted_at=now, alerted_circuit="closed" if condition.circuit == "closed" else "open")
