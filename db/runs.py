"""Runs: claimed before they start, kept alive while they go, finished once. What ran is what this table says.

A run is one row, unique on (source, scheduled_for). Whoever inserts the row runs; whoever comes second gets None. A
slot that nobody ran is a row too, in the state "missed", and may still be claimed later: it then ran once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, Select, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db.lease import holds
from db.session import reading, writing
from db.source_state import MANY, Condition, change_condition
from db.tables import RUN, SOURCE

OPEN = ("claimed", "running")
LOG_TAIL_LIMIT = 16_384
"""Characters of a crawl's log that a row keeps: its end, where the reason of a death stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to: the columns that finishing it writes."""

    verdict: str
    """healthy, suspect or failed."""
    reasons: tuple[str, ...] = ()
    complete: bool = False
    pages: int = 0
    sightings: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    flagged: int = 0
    rejected: int = 0
    seconds: float | None = None
    stats: Mapping[str, Any] = field(default_factory=dict)
    log_tail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One row of the run table."""

    id: int
    source: str
    scheduled_for: datetime
    trigger: str
    state: str
    holder: str | None
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None
    verdict: str | None
    reasons: tuple[str, ...]
    complete: bool
    pages: int
    sightings: int
    new: int
    updated: int
    unchanged: int
    flagged: int
    rejected: int
    seconds: float | None
    stats: Mapping[str, Any]
    log_tail: str | None


def _row(row: Row[Any]) -> RunRow:
    values = dict(row._mapping)
    return RunRow(**{**values, "reasons": tuple(values["reasons"])})


COLUMNS = tuple(RUN.c[f.name] for f in fields(RunRow))
UNFINISHED: Mapping[str, Any] = {
    **dict.fromkeys(("pages", "sightings", "new", "updated", "unchanged", "flagged", "rejected"), 0),
    "complete": False,
    "reasons": [],
    "stats": {},
}


def claim_run(
    engine: Engine,
    source: str,
    scheduled_for: datetime,
    trigger: str,
    holder: str,
    now: datetime,
    *,
    lease: str | None = None,
) -> int | None:
    """The id of the run that is now ours alone, or None when the slot was claimed before.

    With `lease` the claim also fails when `holder` no longer holds that lease: a scheduler that was frozen while
    another took over starts nothing when it thaws.
    """
    values = {
        "source": source,
        "scheduled_for": scheduled_for,
        "trigger": trigger,
        "state": "claimed",
        "holder": holder,
        "started_at": now,
        "heartbeat_at": now,
        **UNFINISHED,
    }
    insert = _insert(engine)(RUN).values(values)
    statement = insert.on_conflict_do_update(
        index_elements=["source", "scheduled_for"],
        set_={name: insert.excluded[name] for name in values if name not in {"source", "scheduled_for"}},
        where=RUN.c.state == "missed",
    ).returning(RUN.c.id)
    with writing(engine) as connection:
        if lease is not None and not holds(connection, lease, holder):
            return None
        claimed: int | None = connection.execute(statement).scalar()
    return claimed


def heartbeat(engine: Engine, run_id: int, holder: str, now: datetime) -> bool:
    """Says that the run goes on; False when it is no longer ours (finished, or given up for dead)."""
    statement = (
        update(RUN)
        .where(RUN.c.id == run_id, RUN.c.holder == holder, RUN.c.state.in_(OPEN))
        .values(state="running", heartbeat_at=now)
    )
    with writing(engine) as connection:
        return connection.execute(statement).rowcount == 1


def finish_run(
    engine: Engine,
    run_id: int,
    outcome: Outcome,
    now: datetime,
    *,
    holder: str | None = None,
    after: Callable[[Condition], Condition] | None = None,
) -> bool:
    """Closes a run and turns the source's condition into what `after` makes of it: both or neither.

    False, and nothing written, when the run was not open (or, with `holder`, no longer this holder's).
    """
    statement = update(RUN).where(RUN.c.id == run_id, RUN.c.state.in_(OPEN))
    if holder is not None:
        statement = statement.where(RUN.c.holder == holder)
    values = {f.name: getattr(outcome, f.name) for f in fields(Outcome)}
    values |= {
        "state": "finished",
        "finished_at": now,
        "reasons": list(outcome.reasons),
        "stats": dict(outcome.stats),
        "log_tail": outcome.log_tail[-LOG_TAIL_LIMIT:] if outcome.log_tail else None,
    }
    with writing(engine) as connection:
        source = connection.execute(statement.values(values).returning(RUN.c.source)).scalar()
        if source is not None and after is not None:
            change_condition(connection, source, after)
    return source is not None


def record_missed(engine: Engine, source: str, slots: Sequence[datetime], why: str, now: datetime) -> int:
    """Writes down slots that nobody ran, with the reason; slots that have a row keep it. Returns how many were new."""
    rows = [
        {
            "source": source,
            "scheduled_for": slot,
            "trigger": "schedule",
            "state": "missed",
            "finished_at": now,
            **UNFINISHED,
            "reasons": [why],
        }
        for slot in slots
    ]
    if not rows:
        return 0
    insert = _insert(engine)(RUN).on_conflict_do_nothing(index_elements=["source", "scheduled_for"])
    statement = insert.returning(RUN.c.id)
    with writing(engine) as connection:
        return sum(connection.execute(statement, row).first() is not None for row in rows)


def accounted(engine: Engine, sources: Collection[str], now: datetime) -> dict[str, datetime]:
    """For each source that the scheduler knows the newest slot up to `now` that has a row, whatever became of it.

    Rows of the future do not count, nor slots that somebody will have called missed in the future: a clock that ran
    ahead and was set right must not silence a source.
    """
    is_true = (RUN.c.state != "missed") | (RUN.c.finished_at <= now)
    newest = (  # one look-up in the unique index for each source: the table may hold millions of runs
        select(RUN.c.scheduled_for)
        .where(RUN.c.source == SOURCE.c.name, RUN.c.scheduled_for <= now, RUN.c.trigger != "manual", is_true)
        .order_by(RUN.c.scheduled_for.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = select(SOURCE.c.name, newest.label("slot"))
    if len(sources) <= MANY:
        statement = statement.where(SOURCE.c.name.in_(sources))
    with reading(engine) as connection:
        rows = connection.execute(statement).all()
    return {row.name: row.slot for row in rows if row.slot is not None and row.name in sources}


def open_runs(engine: Engine) -> list[RunRow]:
    """Runs that were claimed and are not finished."""
    return _rows(engine, select(*COLUMNS).where(RUN.c.state.in_(OPEN)).order_by(RUN.c.id))


def history(engine: Engine, source: str, limit: int = 30, *, verdict: str | None = None) -> list[RunRow]:
    """The last finished runs of a source, newest first; of one verdict only where it is given."""
    statement = select(*COLUMNS).where(RUN.c.source == source, RUN.c.state == "finished")
    if verdict is not None:
        statement = statement.where(RUN.c.verdict == verdict)
    return _rows(engine, statement.order_by(RUN.c.finished_at.desc(), RUN.c.id.desc()).limit(limit))


def missed_runs(engine: Engine, source: str | None = None, limit: int = 1000) -> list[RunRow]:
    """Slots that nobody ran, newest first."""
    statement = select(*COLUMNS).where(RUN.c.state == "missed")
    if source is not None:
        statement = statement.where(RUN.c.source == source)
    return _rows(engine, statement.order_by(RUN.c.scheduled_for.desc()).limit(limit))


def last_runs(engine: Engine, sources: Iterable[str]) -> dict[str, RunRow]:
    """The last run of each source that was started, going on or finished."""
    found = {}
    with reading(engine) as connection:
        for name in sources:
            statement = select(*COLUMNS).where(RUN.c.source == name, RUN.c.state != "missed")
            row = connection.execute(statement.order_by(RUN.c.scheduled_for.desc()).limit(1)).first()
            if row is not None:
                found[name] = _row(row)
    return found


def ever_worked(engine: Engine, sources: Iterable[str]) -> set[str]:
    """Those of the sources that have a finished run which did not fail."""
    found = set()
    with reading(engine) as connection:
        for name in sources:
            good = select(RUN.c.id).where(RUN.c.source == name, RUN.c.verdict.in_(("healthy", "suspect")))
            if connection.execute(good.limit(1)).first() is not None:
                found.add(name)
    return found


def recent_runs(engine: Engine, source: str | None = None, limit: int = 50, *, jobs: bool = False) -> list[RunRow]:
    """Runs that were started, newest first; of the scheduler's own jobs (names with "@") only with `jobs`."""
    statement = select(*COLUMNS).where(RUN.c.state != "missed")
    if source is not None:
        statement = statement.where(RUN.c.source == source)
    elif not jobs:
        statement = statement.where(~RUN.c.source.startswith("@"))
    return _rows(engine, statement.order_by(RUN.c.scheduled_for.desc(), RUN.c.id.desc()).limit(limit))


def forget_job_runs(engine: Engine, before: datetime) -> int:
    """Deletes finished and missed runs of the scheduler's own jobs; those of sources are history and stay.

    The newest row of a job stays too: it says up to where its slots are accounted for.
    """
    newest = select(func.max(RUN.c.scheduled_for)).where(RUN.c.source.startswith("@")).group_by(RUN.c.source)
    statement = delete(RUN).where(
        RUN.c.source.startswith("@"),
        RUN.c.state.in_(("finished", "missed")),
        RUN.c.scheduled_for < before,
        RUN.c.scheduled_for.not_in(newest),
    )
    with writing(engine) as connection:
        return connection.execute(statement).rowcount


def _rows(engine: Engine, statement: Select[Any]) -> list[RunRow]:
    with reading(engine) as connection:
        return [_row(row) for row in connection.execute(statement)]


def _insert(engine: Engine) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT; the two agree in everything used here."""
    return postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
