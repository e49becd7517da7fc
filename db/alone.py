"""One at a time: who reads pending postings, merges, splits or erases waits until nobody else does.

Aggregating reads outside any transaction and writes what it made of it later. Two at once would merge the same pair
twice, bring back a posting that the other merged away, or one that was erased. The lock is the operating system's or
the server's, so it ends with its holder, also by kill -9: nothing expires, nothing is left to clean up. What the holder
let others do in its name may outlast it for a moment: its turn (`db.turns`) is ended by the next one before all else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from db.session import LedgerError
from db.turns import end_turns

SUFFIX = "-alone"
"""Of the empty file beside a SQLite ledger that is locked: a lock on the ledger itself would stop every writer."""
PATIENCE_SECONDS = 24 * 3600
_KEY = 7_316_402_955
"""Of the advisory lock on PostgreSQL; such locks hold within one database."""


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Waits until nobody else is inside, then lets nobody else in. Not to be nested.

    Raises `LedgerError` where the lock cannot be had because the folder of the ledger may not be written.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.detach()  # closed afterwards, never pooled: the lock ends with its connection
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _KEY})
            end_turns(engine)
            yield
        return
    file = engine.url.database
    if not file or file == ":memory:" or file.startswith("file:"):
        yield  # nobody else sees such a ledger, or nobody may write it
        return
    try:
        lock = sqlite3.connect(f"{file}{SUFFIX}", timeout=PATIENCE_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise LedgerError(f"cannot lock the ledger {file}: {error}") from error
    with closing(lock):
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            raise LedgerError(f"cannot lock the ledger {file}: {error}") from error
        end_turns(engine)
        yield


def is_somebody_alone(engine: Engine) -> bool:
    """Whether somebody is inside `alone` at this moment; never waits."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:  # the lock that we get ends with this transaction
            got = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _KEY}).scalar_one()
        return not got
    lock = Path(f"{engine.url.database}{SUFFIX}")
    if not lock.is_file():
        return False
    with closing(sqlite3.connect(lock, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise LedgerError(f"cannot look at the lock {lock}: {error}") from error
            return True
    return False
