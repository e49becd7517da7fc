"""How each source fares, in one word: what lists and pages show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from sqlalchemy import Engine

from db.runs import Outcome, RunRow, ever_worked, history, last_runs
from db.source_state import Condition, conditions
from scheduler.ailments import diagnose

NEVER_WORKED = "never worked"
WELL = "well"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How one source or job fares."""

    condition: Condition
    last_run: RunRow | None
    """The last run that was started, going on or finished."""
    ailment: str | None
    """What is wrong, also with a source that only people crawl, whose condition nobody keeps."""
    health: str | None
    """never worked (every run failed), else the ailment, else well; None before the first finished run."""


def states(engine: Engine, names: Iterable[str]) -> dict[str, State]:
    """The state of each of these."""
    wanted = list(names)
    known, last, worked = conditions(engine), last_runs(engine, wanted), ever_worked(engine, wanted)
    return {
        name: _state(
            known.get(name, Condition(name=name)),
            last.get(name),
            next(iter(history(engine, name, 1)), None) if name in last else None,
            has_worked=name in worked,
        )
        for name in wanted
    }


def _state(condition: Condition, last: RunRow | None, finished: RunRow | None, *, has_worked: bool) -> State:
    ailment = condition.ailment
    if ailment is None and finished is not None:
        ailment = diagnose(Outcome(**{f.name: getattr(finished, f.name) for f in fields(Outcome)}))
    health: str | None = ailment
    if finished is not None and not has_worked:
        health = NEVER_WORKED
    elif finished is not None and ailment is None:
        health = WELL
    return State(condition=condition, last_run=last, ailment=ailment, health=health)
