"""What closings are decided on, read from the ledger, and what was decided, written to it; the aggregator decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, func, or_, select, update

from db.bulk import update_rows
from db.session import reading, writing
from db.tables import RAW, RUN

SIGHT: Final = "jobledger/sight"
"""Key in a run's stats: `WHOLE` or `SHARE` when the run read everything that it was meant to read, else absent."""
WHOLE: Final = "whole"
"""The run read its whole source: what it did not show is absent."""
SHARE: Final = "share"
"""The run read all that one run of this source can read, such as the newest entries of a feed."""
DOUBT: Final = "jobledger/doubt"
"""Key in a run's stats: why a run that read everything is doubted, `past` (unlike the runs before) or `bounds`."""
BELIEVED: Final = "jobledger/believed"
"""Key in a run's stats: the run confirmed a change that earlier runs were doubted for."""


class Judged(Protocol):
    """What is decided about a run after its ads were compared with those of the runs before."""

    @property
    def reason(self) -> str | None: ...
    @property
    def verdict(self) -> str: ...


Made = TypeVar("Made", bound=Judged)


@dataclass(frozen=True, slots=True)
class Look:
    """One run that read everything that it was meant to read."""

    started: datetime
    finished: datetime
    believed: bool
    """Whether its verdict is healthy."""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Absent:
    """An open raw posting that a run did not see."""

    id: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """A source as one run found it."""

    looks: tuple[Look, ...]
    """Oldest first; the last one is the run in question."""
    absent: tuple[Absent, ...] = ()
    reappeared: int = 0
    """Open postings that the run saw and that were known when the newest believed run before it ended."""


@dataclass(frozen=True, slots=True)
class Absence:
    """What is to be written of an absent raw posting; closed when `closed_at` is set."""

    id: str
    missed: int
    missed_at: datetime
    closed_at: datetime | None = None


def sight_of(verdict: str | None, complete: bool, stats: Mapping[str, Any]) -> str | None:
    """How much of its source a run read: `WHOLE`, `SHARE`, or None when something was not read."""
    said = stats.get(SIGHT)
    if verdict != "failed" and said in (WHOLE, SHARE):
        return str(said)
    return WHOLE if complete and verdict == "healthy" else None


def look_at_board(engine: Engine, source: str, run_id: int, *, finished: datetime, whole: bool) -> Board:
    """The source as the run `run_id` found it; `finished` is when that run ended.

    `whole` says whether the run read the whole source: only then are postings absent. The looks reach back to the
    newest believed run, and to the newest one that began before the first absent posting was last seen.
    Raises `LookupError` when there is no such run.
    """
    with reading(engine) as connection:
        return _board(connection, source, run_id, finished, whole)


def record_absences(
    engine: Engine,
    source: str,
    run_id: int,
    judge: Callable[[Board], tuple[Sequence[Absence], Made]],
    *,
    finished: datetime,
) -> Made:
    """Writes what `judge` makes of the postings that a run did not see, and of the run, in one transaction.

    Raises `LookupError` when there is no such run.
    """
    with writing(engine) as connection:
        board = _board(connection, source, run_id, finished, True)
        absences, made = judge(board)
        _write(connection, absences, board.looks[-1].started)
        if made.reason is not None:
            _note(connection, run_id, made)
    return made


def _board(connection: Connection, source: str, run_id: int, finished: datetime, whole: bool) -> Board:
    started = connection.execute(select(RUN.c.started_at).where(RUN.c.id == run_id)).scalar()
    if started is None:
        raise LookupError(f"run {run_id} of {source} is not in the ledger or has not started")
    before = (RUN.c.source == source) & (RUN.c.id != run_id) & (RUN.c.started_at < started)
    still_open = (RAW.c.source == source) & RAW.c.closed_at.is_(None) & (RAW.c.first_seen < started)
    absent: tuple[Absent, ...] = ()
    if whole:
        columns = select(RAW.c.id, RAW.c.first_seen, RAW.c.last_seen)
        rows = connection.execute(columns.where(still_open, RAW.c.last_seen < started).order_by(RAW.c.id))
        absent = tuple(Absent(*row) for row in rows)
    looks = _looks(connection, before, min((one.last_seen for one in absent), default=started))
    known_by = max((look.finished for look in looks if look.believed and look.whole), default=started)
    again = still_open & (RAW.c.last_seen >= started) & (RAW.c.first_seen <= known_by)
    reappeared = connection.execute(select(func.count()).select_from(RAW).where(again)).scalar_one()
    return Board((*looks, Look(started, finished, believed=False, whole=whole)), absent, reappeared)


_SIGHT = RUN.c.stats[SIGHT].as_string()
_WAS_BELIEVED = RUN.c.verdict == "healthy"
_READ_ALL = (
    (RUN.c.state == "finished")
    & (RUN.c.verdict != "failed")
    & or_(RUN.c.complete & _WAS_BELIEVED, _SIGHT.in_((WHOLE, SHARE)))
)
"""The same as `sight_of`, in SQL."""


def _looks(connection: Connection, before: ColumnElement[bool], moment: datetime) -> list[Look]:
    """The runs that read everything, from the newest believed one that began by this moment; all when there is none."""
    believed = select(func.max(RUN.c.started_at)).where(before, _READ_ALL, _WAS_BELIEVED, RUN.c.started_at <= moment)
    since = connection.execute(believed).scalar()
    columns = select(RUN.c.started_at, RUN.c.finished_at, RUN.c.verdict, RUN.c.complete, _SIGHT)
    query = columns.where(before, _READ_ALL).order_by(RUN.c.started_at, RUN.c.id)
    if since is not None:
        query = query.where(RUN.c.started_at >= since)
    return [
        Look(started, finished, verdict == "healthy", complete or sight == WHOLE)
        for started, finished, verdict, complete, sight in connection.execute(query)
    ]


def _write(connection: Connection, absences: Sequence[Absence], started: datetime) -> None:
    # Another crawl may have seen the ad meanwhile: then its row is left alone.
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


def _note(connection: Connection, run_id: int, made: Judged) -> None:
    """Makes the row of a run say what was decided about it; the scheduler has written the same when it finished it."""
    columns = select(RUN.c.verdict, RUN.c.complete, RUN.c.reasons, RUN.c.stats)
    row = connection.execute(columns.where(RUN.c.id == run_id).with_for_update()).one()
    believed = made.verdict == "healthy"
    values: dict[str, Any] = {
        "verdict": made.verdict,
        "complete": believed,
        "reasons": [*row.reasons, *({made.reason} - set(row.reasons))],
        "stats": {**row.stats, SIGHT: WHOLE, **({BELIEVED: 1} if believed else {})},
    }
    if values != dict(row._mapping):
        connection.execute(update(RUN).where(RUN.c.id == run_id).values(values))
