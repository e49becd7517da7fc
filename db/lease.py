"""Leases: one holder at a time, as long as it renews.

A lease is one row. It is taken when it is free or has expired, renewed by its holder alone, and released by deleting
it. Time comes from the caller (a fake clock in tests, one machine's clock on SQLite) or, with `now=None`, from the
database: schedulers on several machines then agree on the time whatever their own clocks say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db.session import reading, writing
from db.tables import LEASE


@dataclass(frozen=True, slots=True)
class LeaseRow:
    name: str
    holder: str
    acquired_at: datetime
    expires_at: datetime


def database_now(connection: Connection) -> datetime:
    """The database's clock: the server's on PostgreSQL, this machine's on SQLite, which has no server."""
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


def acquire(engine: Engine, name: str, holder: str, seconds: float, *, now: datetime | None = None) -> bool:
    """Takes the lease, or keeps it, for `seconds` from now; False while another holder's lease runs."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    with writing(engine) as connection:
        moment = now or database_now(connection)
        expires = moment + timedelta(seconds=seconds)
        statement = insert(LEASE).values(name=name, holder=holder, acquired_at=moment, expires_at=expires)
        free = LEASE.c.expires_at <= moment
        # A lease that ends later than anyone could have asked for was written by a clock that ran ahead.
        impossible = LEASE.c.expires_at > moment + timedelta(seconds=2 * seconds)
        taken = connection.execute(
            statement.on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": holder, "acquired_at": moment, "expires_at": expires},
                where=(LEASE.c.holder != holder) & or_(free, impossible),
            ).returning(LEASE.c.name)
        ).scalar()
        if taken is not None:
            return True
        ours = update(LEASE).where(LEASE.c.name == name, LEASE.c.holder == holder).values(expires_at=expires)
        return connection.execute(ours).rowcount == 1


def renew(engine: Engine, name: str, holder: str, seconds: float, *, now: datetime | None = None) -> bool:
    """Prolongs a lease that is still ours; False when it expired and another took it, or when it is gone."""
    with writing(engine) as connection:
        moment = now or database_now(connection)
        ours = update(LEASE).where(LEASE.c.name == name, LEASE.c.holder == holder)
        return connection.execute(ours.values(expires_at=moment + timedelta(seconds=seconds))).rowcount == 1


def release(engine: Engine, name: str, holder: str) -> bool:
    """Gives the lease up, so that the next holder need not wait for its end."""
    with writing(engine) as connection:
        return connection.execute(delete(LEASE).where(LEASE.c.name == name, LEASE.c.holder == holder)).rowcount == 1


def forget_expired(engine: Engine, prefix: str, *, now: datetime | None = None) -> int:
    """Deletes the expired leases whose names begin so: their holders died, and nobody takes such a name again."""
    with writing(engine) as connection:
        over = LEASE.c.name.startswith(prefix, autoescape=True) & (
            LEASE.c.expires_at <= (now or database_now(connection))
        )
        return connection.execute(delete(LEASE).where(over)).rowcount


def find_lease(engine: Engine, name: str) -> LeaseRow | None:
    """Who holds the lease, expired or not; None when nobody does."""
    columns = (LEASE.c.name, LEASE.c.holder, LEASE.c.acquired_at, LEASE.c.expires_at)
    with reading(engine) as connection:
        row = connection.execute(select(*columns).where(LEASE.c.name == name)).first()
    return LeaseRow(*row) if row is not None else None


def holds(connection: Connection, name: str, holder: str) -> bool:
    """Whether `holder` holds the lease now, asked inside the transaction that depends on the answer.

    An expired lease that nobody has taken yet is still its holder's: nobody else acts under it. On PostgreSQL the row
    is locked until the transaction ends, so that a takeover waits for it.
    """
    statement = select(LEASE.c.holder).where(LEASE.c.name == name).with_for_update()
    return connection.execute(statement).scalar() == holder
