"""What a task in another process needs of the ledger: one engine a process, and patience.

Tasks get the ledger as a `URL`, never as text: its representation hides the password, so that no log of a failed task
shows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from db.session import make_engine

Made = TypeVar("Made")

PAUSES_SECONDS = (0.5, 1, 2, 4, 8, 15, 15, 15)
"""How long a task waits for a ledger that is away: a minute in all."""


def address_of(engine: Engine) -> URL:
    """Where the ledger is, as other processes find it: a relative path means something else to each of them."""
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file or file == ":memory:" or file.startswith("file:"):
        return engine.url
    return engine.url.set(database=str(Path(file).resolve()))


@lru_cache(maxsize=8)
def engine_at(address: URL) -> Engine:
    """This process's engine for the ledger; opened once, for tasks are many and short."""
    return make_engine(address.render_as_string(hide_password=False))


def patiently(work: Callable[[], Made], pauses: Sequence[float] = PAUSES_SECONDS) -> Made:
    """What `work` makes; done again, wholly, when the ledger was away, so it must be safe to repeat.

    Raises the last error when the ledger stays away.
    """
    for pause in pauses:
        try:
            return work()
        except DBAPIError as error:
            if not (error.connection_invalidated or isinstance(error, OperationalError)):
                raise
        time.sleep(pause)
    return work()
