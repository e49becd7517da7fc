"""The ledger as a process sees it that lives for months: it may be locked, moved away, restored under our hands.

A SQLite file that was moved goes on being written through connections that are open, under its new name; and a new
connection to the old name would begin an empty file there. Neither happens here: the file is looked at every round.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from db.session import LedgerError, open_ledger

logger = logging.getLogger(__name__)


class LedgerAway(Exception):
    """The ledger cannot be used now, but perhaps later: says why."""


class WatchedLedger:
    """An engine, and whether what it opened is still where it was. Raises `LedgerError` where there is no ledger."""

    def __init__(self, url: str, busy_seconds: float) -> None:
        self.url = url
        self.engine: Engine = open_ledger(url)
        database = self.engine.url.database
        is_file = self.engine.dialect.name == "sqlite" and database not in {None, "", ":memory:"}
        self.file = Path(str(database)) if is_file else None
        self.known = self._identity()
        if self.engine.dialect.name == "sqlite":
            busy = f"PRAGMA busy_timeout = {round(busy_seconds * 1000)}"
            event.listen(self.engine, "connect", lambda connection, _entry: connection.execute(busy).close())
            event.listen(self.engine, "do_connect", self._refuse_to_create)
            self.engine.dispose()  # what was opened until now waits for longer

    def require(self) -> None:
        """Raises `LedgerAway` while the file is not in its place; takes up a file that took its place."""
        identity = self._identity()
        if self.file is None or (identity == self.known and identity is not None):
            return
        self.engine.dispose()  # connections that are open write to wherever the file is now
        if identity is None:
            self.known = None
            raise LedgerAway(f"{self.file} is gone: put it back")
        try:
            open_ledger(self.url, create=False).dispose()
        except LedgerError as error:
            raise LedgerAway(str(error)) from error
        logger.warning("%s was put back, or another file in its place: going on with it", self.file)
        self.known = identity

    def _identity(self) -> tuple[int, int] | None:
        """What the file is, whatever it is called; None where there is none."""
        if self.file is None:
            return None
        try:
            found = self.file.stat()
        except OSError:
            return None
        return (found.st_dev, found.st_ino) if found.st_size else None

    def _refuse_to_create(self, *_given: Any) -> None:
        if self.file is not None and not self.file.exists():
            raise sqlite3.OperationalError(f"unable to open database file {self.file}")
