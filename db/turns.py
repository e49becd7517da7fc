"""The turn of whoever aggregates: work that workers do in its name is written only while it lasts.

Whoever aggregates is alone (`db.alone`), but may hand parts of the work to other processes. When it dies they may go on
for a moment. So each of their transactions asks whether the turn still lasts, and the next one who is alone ends it
first: from then on nothing of it is written.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, delete, insert, select

from db.session import LedgerError, reading, writing
from db.tables import LEASE

NAME = "aggregating"
LASTS = timedelta(days=1)
"""What the row says; a turn has no end of its own, it is ended."""


class TurnOver(LedgerError):
    """The turn in whose name this was to be written is over."""


@contextmanager
def turn(engine: Engine) -> Iterator[str]:
    """A turn, by its name, for as long as the block runs; only to be begun by who is alone."""
    name, now = uuid.uuid4().hex, datetime.now(UTC)
    with writing(engine) as connection:
        connection.execute(delete(LEASE).where(LEASE.c.name == NAME))
        connection.execute(insert(LEASE).values(name=NAME, holder=name, acquired_at=now, expires_at=now + LASTS))
    yield name
    with writing(engine) as connection:  # after an error it stays, until the next one who is alone ends it
        connection.execute(delete(LEASE).where(LEASE.c.name == NAME, LEASE.c.holder == name))


def require_turn(connection: Connection, name: str) -> None:
    """Makes sure, until this transaction ends, that the turn lasts. Raises `TurnOver` when it does not."""
    # Shared: the workers of one turn write side by side, and whoever wants to end it waits for all of them.
    statement = select(LEASE.c.holder).where(LEASE.c.name == NAME).with_for_update(read=True)
    if connection.execute(statement).scalar() != name:
        raise TurnOver("somebody else began to aggregate this ledger: this part of the work is left to them")


def end_turns(engine: Engine) -> None:
    """Ends whatever turn was left over; for who has just become alone."""
    with reading(engine) as connection:
        left = connection.execute(select(LEASE.c.holder).where(LEASE.c.name == NAME)).scalar()
    if left is not None:
        with writing(engine) as connection:
            connection.execute(delete(LEASE).where(LEASE.c.name == NAME))
