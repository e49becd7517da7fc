"""What runs did not see, written down: misses, closings and the words about them. The rules are the aggregator's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from db.bulk import update_rows
from db.session import writing
from db.tables import RAW, RUN

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Absent:
    """An open raw posting that a run did not see, and what was counted before."""

    id: str
    missed: int
    missed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Absence:
    """What is to be written of an absent raw posting; closed when `closed_at` is set."""

    id: str
    missed: int
    missed_at: datetime
    closed_at: datetime | None = None


def record_absences(
    engine: Engine, source: str, run_id: int, judge: Callable[[Sequence[Absent], int], tuple[Sequence[Absence], Made]]
) -> Made | None:
    """Writes what `judge` makes of the postings that a run did not see, in one transaction.

    `judge` gets them and the number of all open postings of the source before the run, and answers with the rows to
    write and a result for the caller. None when there is no such run.
    """
    with writing(engine) as connection:
        started = connection.execute(select(RUN.c.started_at).where(RUN.c.id == run_id)).scalar()
        if started is None:
            return None
        still_open = (RAW.c.source == source) & RAW.c.closed_at.is_(None) & (RAW.c.first_seen < started)
        number = connection.execute(select(func.count()).select_from(RAW).where(still_open)).scalar_one()
        columns = select(RAW.c.id, RAW.c.missed, RAW.c.missed_at)
        rows = connection.execute(columns.where(still_open, RAW.c.last_seen < started).order_by(RAW.c.id))
        absences, made = judge([Absent(*row) for row in rows], number)
        _write(connection, absences, started)
    return made


def _write(connection: Connection, absences: Sequence[Absence], started: datetime) -> None:
    # Whoever saw the ad meanwhile is right: its row is left alone.
    unseen = update(RAW).where(RAW.c.id == bindparam("row_id"), RAW.c.last_seen < started)
    closed, missed = RAW.c.closed_at.type, RAW.c.missed_at.type
    counted = {"missed": bindparam("count"), "missed_at": bindparam("since", type_=missed)}
    rows = [{"row_id": a.id, "count": a.missed, "since": a.missed_at} for a in absences if a.closed_at is None]
    update_rows(connection, unseen.values(counted), rows)
    closing = counted | {"closed_at": bindparam("closing", type_=closed), "rules_version": 0}
    rows = [
        {"row_id": a.id, "count": a.missed, "since": a.missed_at, "closing": a.closed_at}
        for a in absences
        if a.closed_at is not None
    ]
    update_rows(connection, unseen.values(closing), rows)


def note_run(engine: Engine, run_id: int, reason: str) -> None:
    """Adds a reason to a run: what is said of it stands where it is looked for."""
    with writing(engine) as connection:
        reasons = connection.execute(select(RUN.c.reasons).where(RUN.c.id == run_id).with_for_update()).scalar()
        if reasons is not None and reason not in reasons:
            connection.execute(update(RUN).where(RUN.c.id == run_id).values(reasons=[*reasons, reason]))
