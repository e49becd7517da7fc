"""Moving a ledger to another store, row for row: SQLite to PostgreSQL, or back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, Integer, Table, func, literal_column, select
from sqlmodel import SQLModel

import db.models  # noqa: F401 - the tables register themselves
from db.bulk import count, upsert
from db.session import LedgerError, reading, writing
from db.words import fill_words

ROWS = 2_000
"""Rows that are in memory at once."""


def copy_ledger(source: Engine, target: Engine, progress: Callable[[str, int], None] | None = None) -> dict[str, int]:
    """Copies every row of every table into an empty ledger, in one transaction; returns the rows of each table.

    The source is read as it stood at the beginning, while others may write to it. Raises `LedgerError`, and leaves the
    target as it was, when that holds anything or the counts differ in the end.
    """
    tables = SQLModel.metadata.sorted_tables  # a table after those that it refers to
    with reading(source) as old, writing(target) as new:
        for table in tables:
            if count(new, table):
                raise LedgerError(f"the target holds rows already (in {table.name}): copy into a new ledger")
        for table in tables:
            _copy_table(old, new, table, progress)
        copied = {table.name: count(old, table, whole=True) for table in tables}
        for table in tables:
            if count(new, table) != copied[table.name]:
                raise LedgerError(f"{table.name}: {count(new, table)} of {copied[table.name]} rows arrived")
        _continue_numbers(new, tables)
        fill_words(new)
    return copied


def _copy_table(old: Connection, new: Connection, table: Table, progress: Callable[[str, int], None] | None) -> None:
    keys = [column.name for column in table.primary_key]
    done = 0
    # SQLite reads the table itself and no index: a ledger whose indexes are damaged can still be copied.
    order: list[Any] = [literal_column("rowid")] if old.dialect.name == "sqlite" else list(table.primary_key)
    found = old.execution_options(yield_per=ROWS).execute(select(table).order_by(*order))
    for part in found.partitions():
        rows = [dict(row._mapping) for row in part]
        upsert(new, table, rows, keys, keep_old=[column.name for column in table.c])
        done += len(rows)
        if progress is not None:
            progress(table.name, done)


def _continue_numbers(new: Connection, tables: list[Table]) -> None:
    """PostgreSQL counts on from where its own numbering stands: set it to the highest number copied."""
    if new.dialect.name != "postgresql":
        return
    for table in tables:
        for column in table.primary_key:
            if isinstance(column.type, Integer) and len(table.primary_key) == 1:
                highest = new.execute(select(func.max(column))).scalar()
                if highest is not None:
                    sequence = func.pg_get_serial_sequence(table.name, column.name)
                    new.execute(select(func.setval(sequence, highest)))
