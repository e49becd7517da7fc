"""What can be wrong with a ledger, as errors that say which ledger, why, and what to do.

LedgerError             it cannot be used as asked
├── NoLedger            there is none at this address; only some commands create one
└── LedgerDamaged       the store holds bytes that it cannot read; also a `DatabaseError` of SQLAlchemy
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DatabaseError

CREATORS = "`jobledger ingest`, `jobledger crawl`, `jobledger demo` or `jobledger db upgrade` creates one"
REMEDY = (
    "`jobledger db check` names what is damaged; restore a backup, or try `jobledger db copy` into a new file, "
    "which makes every index again"
)
SQLITE_CORRUPT, SQLITE_NOT_A_DATABASE = 11, 26
"""Primary result codes of SQLite; the upper bits of an extended code say more."""
POSTGRESQL_DAMAGE = frozenset({"XX001", "XX002"})
"""data_corrupted and index_corrupted."""
SAID_OF_DAMAGE = ("malformed", "fts5: corrupt", "vtable constructor failed", "Could not decode to UTF-8")
"""SQLite reports some damage with other codes: a damaged virtual table, a text or JSON that is neither."""

UNNAMED_CONSTRAINT = "constraint failed"
"""Our own constraints are named in the error; this is one inside the tables of the search in words."""


class LedgerError(Exception):
    """The ledger cannot be used as asked: says which, why, and what to do."""


class NoLedger(LedgerError):
    """There is no ledger at this address, and the command does not create one."""


class LedgerDamaged(LedgerError, DatabaseError):
    """The store cannot read its own bytes. Whoever waits for a ledger that is away need not wait for this one."""

    def __init__(self, shown: str, orig: BaseException, *, opens: bool = True) -> None:
        """`opens`: whether the ledger can be opened at all, so that more can be found out about it."""
        DatabaseError.__init__(self, None, None, orig)
        self.shown, self.opens = shown, opens

    def __str__(self) -> str:
        if self.opens:
            return f"the ledger {self.shown} is damaged: {first_line(self.orig)}; {REMEDY}"
        return (
            f"the ledger {self.shown} cannot be opened: {first_line(self.orig)}: its header, its list of tables or its "
            "schema version is damaged; restore a backup, or give another --db"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(LedgerDamaged, opens=self.opens), (self.shown, self.orig)


def is_damage(error: BaseException) -> bool:
    """Whether a driver's error says that stored bytes cannot be read.

    >>> import sqlite3
    >>> is_damage(sqlite3.DatabaseError("database disk image is malformed"))
    True
    >>> is_damage(sqlite3.OperationalError("database is locked"))
    False
    """
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int) and code & 0xFF in {SQLITE_CORRUPT, SQLITE_NOT_A_DATABASE}:
        return True
    if getattr(error, "sqlstate", None) in POSTGRESQL_DAMAGE:
        return True
    if type(error).__module__ != "sqlite3":
        return False
    return str(error) == UNNAMED_CONSTRAINT or any(words in str(error) for words in SAID_OF_DAMAGE)


def report_damage(engine: Engine, shown: str) -> None:
    """Makes every error of this engine's driver that means damage a `LedgerDamaged`."""

    def named(context: ExceptionContext) -> None:
        if is_damage(context.original_exception):
            raise LedgerDamaged(shown, context.original_exception) from context.original_exception

    event.listen(engine, "handle_error", named)


def first_line(error: BaseException | None) -> str:
    """The first line of what an error says, or its kind when it says nothing."""
    said = str(error).splitlines() if error is not None else []
    return said[0] if said else type(error).__name__
