"""What a ledger holds, read from the database itself, to compare one ledger with another."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, DateTime, MetaData, select

from db.checks import check_ledger
from db.session import open_ledger, reading

OF_RUNS = frozenset({"run", "lease", "source", "audit"})
"""Tables that tell how the ledger came to be: of a run that was killed, or of a second one, there is more to tell."""


def held(
    url: str, *, moments: bool = True, without: Collection[str] = (), columns: Collection[str] = ()
) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table but those `without` and an index in words, sorted; the ledger is sound.

    `moments`: with the columns that hold a time, and the numbers that come of one; `columns`: left out too, as
    `table.column`.
    """
    engine = open_ledger(url, create=False)
    schema = MetaData()
    schema.reflect(engine)
    assert "raw_posting" in schema.tables, "no ledger"
    found = {}
    with reading(engine) as connection:
        for table in schema.sorted_tables:
            if table.name in without or table.name.startswith(("alembic", "posting_fts")):
                continue
            chosen = [c for c in table.c if f"{table.name}.{c.name}" not in columns and (moments or not _is_of_time(c))]
            found[table.name] = sorted((tuple(row) for row in connection.execute(select(*chosen))), key=repr)
    problems = check_ledger(engine)
    engine.dispose()
    assert problems == []
    return found


def _is_of_time(column: Column[Any]) -> bool:
    made = {("posting_change", "id"), ("posting_words", "number")}
    return isinstance(column.type, DateTime) or (column.table.name, column.name) in made


def differences(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Tables that differ, each with a few rows that only one side has: short enough to read in a failed test."""
    return {
        name: [[row for row in one[name] if row not in other[name]][:2], [r for r in other[name] if r not in rows][:2]]
        for name, rows in one.items()
        if rows != other[name]
    }
