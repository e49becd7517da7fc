"""How each source fares, as the scheduler last saw it: written beside the runs, read by whoever lists sources.

The scheduler's own jobs stand here too, under names that begin with "@", which no source can have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db.session import reading, writing
from db.tables import SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How one source fares. The rules that change it are `scheduler.conditions`."""

    name: str
    failures: int = 0
    """Failed runs in a row."""
    circuit: str = "closed"
    """closed, open (rests until `probe_after`) or half_open (one probe under way)."""
    probe_after: datetime | None = None
    """When to try again: the next probe of an open circuit, an extra attempt of a closed one."""
    ailment: str | None = None
    ailment_since: datetime | None = None
    alerted_at: datetime | None = None
    """When somebody was told of the ailment; None = nobody yet."""
    alerted_circuit: str | None = None
    """The circuit as it was told then: closed or open."""
    last_healthy_at: datetime | None = None
    scheduled_since: datetime | None = None
    """When its schedule began to be followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """What `sources.toml` says of a source, as far as the ledger keeps it."""

    name: str
    spider: str
    url: str | None = None
    enabled: bool = True
    schedule: str | None = None
    terms: str | None = None


MANY = 100
"""Beyond so many names the whole table is read: it is small, and databases bound the variables of a statement."""
CONDITION_COLUMNS = tuple(SOURCE.c[f.name] for f in fields(Condition))


def keep_sources(engine: Engine, entries: Iterable[SourceEntry], now: datetime) -> None:
    """Makes the table say what the file says; conditions stay.

    A source that is new, newly enabled or has another schedule is followed from `now` on. One that left the file is
    kept as not enabled: its runs and postings refer to it.
    """
    wanted = {entry.name: entry for entry in entries}
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    columns = [SOURCE.c[f.name] for f in fields(SourceEntry)]
    with writing(engine) as connection:
        known = {row.name: SourceEntry(**row._mapping) for row in connection.execute(select(*columns))}
        for name, entry in wanted.items():
            old = known.get(name)
            if old == entry:
                continue
            values = {f.name: getattr(entry, f.name) for f in fields(SourceEntry)}
            if old is None:
                fresh = {**values, "failures": 0, "circuit": "closed", "scheduled_since": now}
                connection.execute(insert(SOURCE).values(fresh).on_conflict_do_nothing(index_elements=["name"]))
                continue
            if (old.schedule, old.enabled) != (entry.schedule, entry.enabled):
                values["scheduled_since"] = now
            connection.execute(update(SOURCE).where(SOURCE.c.name == name).values(values))
        for name in known.keys() - wanted.keys():
            if known[name].enabled:
                connection.execute(update(SOURCE).where(SOURCE.c.name == name).values(enabled=False))


def add_source(engine: Engine, name: str, spider: str) -> None:
    """Gives something that no file lists a condition of its own; it is never enabled. Does nothing where it has one."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    row = {"name": name, "spider": spider, "enabled": False, "failures": 0, "circuit": "closed"}
    with writing(engine) as connection:
        connection.execute(insert(SOURCE).values(row).on_conflict_do_nothing(index_elements=["name"]))


def conditions(engine: Engine, names: Collection[str] | None = None) -> dict[str, Condition]:
    """The condition of every source that the scheduler knows, or of those named, by name."""
    statement = select(*CONDITION_COLUMNS)
    if names is not None and len(names) <= MANY:
        statement = statement.where(SOURCE.c.name.in_(names))
    with reading(engine) as connection:
        rows = connection.execute(statement).all()
    return {row.name: Condition(**row._mapping) for row in rows if names is None or row.name in names}


def source_entries(engine: Engine, names: Collection[str]) -> dict[str, SourceEntry]:
    """What the ledger keeps of the entries of these sources, by name."""
    columns = [SOURCE.c[f.name] for f in fields(SourceEntry)]
    statement = select(*columns)
    if len(names) <= MANY:
        statement = statement.where(SOURCE.c.name.in_(names))
    with reading(engine) as connection:
        return {row.name: SourceEntry(**row._mapping) for row in connection.execute(statement) if row.name in names}


def find_condition(engine: Engine, name: str) -> Condition | None:
    with reading(engine) as connection:
        row = connection.execute(select(*CONDITION_COLUMNS).where(SOURCE.c.name == name)).first()
    return Condition(**row._mapping) if row is not None else None


def change_condition(connection: Connection, name: str, change: Callable[[Condition], Condition]) -> None:
    """Writes what `change` makes of a condition, inside the caller's transaction.

    Read and written in one transaction, so that two writers never undo each other. An unknown source gets no row.
    """
    statement = select(*CONDITION_COLUMNS).where(SOURCE.c.name == name).with_for_update()
    row = connection.execute(statement).first()
    if row is None:
        return
    old = Condition(**row._mapping)
    new = change(old)
    values: dict[str, Any] = {f.name: getattr(new, f.name) for f in fields(Condition)}
    if new != old:
        connection.execute(update(SOURCE).where(SOURCE.c.name == name).values(values))


def set_condition(engine: Engine, name: str, change: Callable[[Condition], Condition]) -> None:
    """`change_condition` in a transaction of its own."""
    with writing(engine) as connection:
        change_condition(connection, name, change)
