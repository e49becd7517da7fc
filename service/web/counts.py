"""The columns that facets are counted from, kept and read anew in time: their answers say when they were read.

A small ledger is read anew before an answer that would be old; of a large one, whose reading takes seconds, the answer
is given as it was, with its time, while a thread reads. What was decided here is always read.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db.errors import LedgerError, first_line
from db.facets import Columns, Facets, count_facets, read_columns
from db.filters import Filters

WORTH = 20
"""Columns are kept for so many times the seconds that reading takes: it takes 5 % of the time at most."""
LONGEST_SECONDS = 60.0
AT_ONCE_SECONDS = 0.25
"""What takes no longer is read before the answer."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """Facets of one ledger, for all threads of a process."""

    engine: Engine
    columns: Columns | None = None
    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    reader: threading.Thread | None = None

    def facets(self, filters: Filters) -> Facets:
        return count_facets(self.engine, self._columns(), filters)

    def begin(self) -> None:
        """Reads in a thread; who asks meanwhile waits for it."""
        threading.Thread(target=self._begun, name="facets", daemon=True).start()

    def _begun(self) -> None:
        with suppress(DBAPIError, LedgerError):  # who asks will be told
            self._columns()

    def forget(self) -> None:
        """Somebody decided something: what is kept is old."""
        self.until = 0.0

    def _columns(self) -> Columns:
        with self.lock:
            known = self.columns
            if known is None or (known.seconds <= AT_ONCE_SECONDS and time.monotonic() >= self.until):
                return self._read()
            if time.monotonic() >= self.until and (self.reader is None or not self.reader.is_alive()):
                self.until = time.monotonic() + LONGEST_SECONDS  # also after a failure: not at every request
                self.reader = threading.Thread(target=self._read_meanwhile, name="facets", daemon=True)
                self.reader.start()
            return known

    def _read(self) -> Columns:
        begun = time.monotonic()
        columns = read_columns(self.engine)
        self.columns = columns
        self.until = time.monotonic() + min(WORTH * (time.monotonic() - begun), LONGEST_SECONDS)
        return columns

    def _read_meanwhile(self) -> None:
        try:
            self._read()
        except (DBAPIError, LedgerError) as error:
            log.warning("facets stay as they are, the ledger cannot be read: %s", first_line(error))
