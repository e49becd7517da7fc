"""Opening a ledger: one URL, SQLite or PostgreSQL, the same behaviour.

SQLite runs in WAL mode with foreign keys on and a busy timeout. A write transaction starts with `BEGIN IMMEDIATE`:
a deferred one that reads first and writes later gets SQLITE_BUSY at once, whatever the timeout says.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlmodel import Session

from db.errors import CREATORS, LedgerDamaged, NoLedger, first_line, is_damage, report_damage
from db.errors import LedgerError as LedgerError

Made = TypeVar("Made")

CACHE_MIB = 128
"""The indexes of a million ads."""
BUSY_TIMEOUT_SECONDS = 30
BEGIN_TRIES = 4
"""Timeouts for which a writer waits for its turn before anything of it is written."""
KNOWN_REVISIONS = tuple(
    sorted(path.name[:4] for path in (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
)
"""Every migration, oldest first, by the names of the files: opening a ledger does not import Alembic."""
SCHEMA_HEAD = KNOWN_REVISIONS[-1]
"""The newest migration."""


def resolved_url(url: str) -> URL:
    """The URL with the driver we use: psycopg for PostgreSQL.

    >>> resolved_url("postgresql://localhost/jobs").drivername
    'postgresql+psycopg'
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise LedgerError(
            f"database URL {url!r} cannot be read: use sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from error
    if parsed.drivername in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise LedgerError(
            f"database URL {url!r}: {parsed.drivername} is not supported; use sqlite:/// or postgresql://"
        )
    return parsed


def make_engine(url: str, *, cache_mib: int = CACHE_MIB) -> Engine:
    """An engine for `url`; nothing is opened or created yet. SQLite may hold `cache_mib` of the ledger in memory."""
    parsed = resolved_url(url)
    shown = parsed.render_as_string(hide_password=True)
    try:
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(
                parsed,
                connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
                json_serializer=_json,
                json_deserializer=partial(_read_json, shown),
            )
            event.listen(engine, "connect", lambda connection, _entry: _prepare_sqlite(connection, cache_mib))
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = create_engine(
                parsed, pool_pre_ping=True, connect_args={"connect_timeout": 10}, json_serializer=_json
            )
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise LedgerError("PostgreSQL needs its driver: pip install 'jobledger[postgres]'") from error
    report_damage(engine, shown)
    return engine


_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def _json(value: object) -> str:
    """JSON as the ledger stores it. What a site published may hold dates and amounts: they are kept as their text."""
    if not value and isinstance(value, list | dict):
        return "[]" if isinstance(value, list) else "{}"  # most are empty, and building an encoder takes a while
    return _encoded(value)


def _read_json(shown: str, stored: str) -> Any:
    """A stored JSON value. Only damage makes it unreadable: every value was written by `_json`."""
    try:
        return json.loads(stored)
    except (ValueError, RecursionError) as error:
        raise LedgerDamaged(shown, error) from error


def _prepare_sqlite(connection: object, cache_mib: int) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # transactions begin in _begin_sqlite, not in the driver
    cursor = connection.cursor()  # type: ignore[attr-defined]  # DBAPI connections have no common type
    try:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute(f"PRAGMA cache_size = {-1024 * cache_mib}")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begins; a write waits through several timeouts, for SQLite gives a free lock to anybody and keeps no queue."""
    if not connection.get_execution_options().get("jobledger_write", False):
        connection.exec_driver_sql("BEGIN")
        return
    for _ in range(BEGIN_TRIES - 1):
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            if "database is locked" not in str(error.orig):
                raise
        else:
            return
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: whole or absent."""
    with engine.connect().execution_options(jobledger_write=True) as connection, connection.begin():
        yield connection


TRIES = 8
"""How often a write is tried that crosses another one; each try waits longer, up to two seconds."""
CROSSED = ("40001", "40P01", "database is locked", "database table is locked")
"""PostgreSQL's serialization failure and deadlock, SQLite's words for a lock that was not given in time."""


def committed(engine: Engine, work: Callable[[Connection], Made]) -> Made:
    """What `work` makes in one write transaction; done again, wholly, when it crossed another writer's.

    `work` must have no other effect than on the connection: what is rolled back is repeated.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with writing(engine) as connection:
                return work(connection)
        except OperationalError as error:
            reason = f"{getattr(error.orig, 'sqlstate', None)} {error.orig}"
            if attempt == TRIES or not any(word in reason for word in CROSSED):
                raise
            time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))  # noqa: S311 - a pause, no secret
    raise AssertionError("the last attempt returns or raises")


Ledger = Engine | Connection
"""Where a question is asked: of the ledger as it is now, or of a view of it that several questions share."""


@contextmanager
def reading(engine: Ledger) -> Iterator[Connection]:
    """One consistent view of the ledger; never blocks a writer. A view that is open already is used as it is."""
    if isinstance(engine, Connection):
        yield engine
        return
    with engine.connect() as connection:
        connection.begin()  # and never committed: there is nothing to keep, and a damaged file refuses to
        if engine.dialect.name == "postgresql":
            # Its default shows every statement what was committed meanwhile: a list and its count would differ.
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection


@contextmanager
def bare_cursor(engine: Engine) -> Iterator[Any]:
    """A cursor of the driver, outside any transaction: what VACUUM, checkpoints and the journal mode need."""
    with driver_errors(engine):
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                yield cursor
            finally:
                cursor.close()
        finally:
            connection.close()


@contextmanager
def driver_errors(engine: Engine) -> Iterator[None]:
    """Makes an error of the driver itself, used without SQLAlchemy, a `LedgerError`."""
    shown = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except engine.dialect.loaded_dbapi.Error as error:
        if is_damage(error):
            raise LedgerDamaged(shown, error) from error
        raise LedgerError(f"cannot use the ledger {shown}: {error}") from error


@contextmanager
def session_scope(engine: Engine, *, write: bool = False) -> Iterator[Session]:
    """An ORM session for reading and small edits; commits on success, rolls back on an exception."""
    scope = writing(engine) if write else reading(engine)
    with scope as connection, Session(bind=connection, autoflush=False) as session:
        yield session
        session.flush()


def open_ledger(url: str, *, create: bool = True, cache_mib: int = CACHE_MIB) -> Engine:
    """A ready ledger at `url`, its schema upgraded on first use; without `create` only one that exists.

    Raises `NoLedger` where there is none, `LedgerDamaged` for a file that cannot be read, and `LedgerError` for a
    ledger of a newer program, a place that may not be used, or a server that does not answer.
    """
    engine = make_engine(url, cache_mib=cache_mib)
    try:
        _make_ready(engine, create)
    except BaseException:
        engine.dispose()
        raise
    return engine


def require_ledger(url: str) -> None:
    """Raises what `open_ledger` raises without `create`."""
    open_ledger(url, create=False).dispose()


def _make_ready(engine: Engine, create: bool) -> None:
    shown = engine.url.render_as_string(hide_password=True)
    path = engine.url.database
    is_file = engine.dialect.name == "sqlite" and path not in (None, "", ":memory:")
    if is_file and not str(path).startswith("file:"):
        _require_place(Path(str(path)), create)
    try:
        revision = _revision(engine, shown)
        if revision is None and not create:
            raise NoLedger(f"{shown} is empty, no ledger: give another --db; {CREATORS}")
        if engine.dialect.name == "sqlite":
            _require_wal(engine, shown)
        if revision != SCHEMA_HEAD:
            from db.schema import upgrade  # Alembic takes half a second to import; a current ledger never needs it

            upgrade(engine)
    except LedgerDamaged as error:
        raise LedgerDamaged(shown, error.orig or error, opens=False) from error
    except LedgerError:
        raise
    except DBAPIError as error:
        raise LedgerError(f"cannot use the ledger {shown}: {first_line(error.orig or error)}") from error


def _require_place(file: Path, create: bool) -> None:
    """Raises an error that says what stands in the way of a file of this name being a ledger that can be used."""
    if file.is_dir():
        raise LedgerError(f"{file} is a folder: give the path of a file, such as {file / 'jobledger.db'}")
    if not file.parent.exists():
        said = f"the folder of {file} does not exist: create it, or give another --db"
        raise LedgerError(said if create else f"no ledger at {file}: {said}; {CREATORS}")
    if not file.exists() and not create:
        raise NoLedger(f"no ledger at {file}: give --db, or fill one; {CREATORS}")
    if file.exists() and not file.is_file():
        raise LedgerError(f"{file} is a device, a pipe or a socket: give the path of a file")
    if file.exists() and not os.access(file, os.R_OK):
        raise LedgerError(f"the ledger {file} may not be read: ask its owner for permission, or give another --db")
    if not os.access(file.parent, os.W_OK) and not _has_log(file):
        raise LedgerError(
            f"the folder of the ledger {file} cannot be written, and SQLite keeps its log there: copy the ledger to a "
            "place that can be written"
        )


def _has_log(file: Path) -> bool:
    """Whether the log and its index stand beside the file already: then it can be read where nothing can be made."""
    return all(Path(f"{file}{ending}").exists() for ending in ("-wal", "-shm"))


def _revision(engine: Engine, shown: str) -> str | None:
    """The ledger's migration, None for an empty database; refuses what is not ours or newer than us."""
    with reading(engine) as connection:
        tables = set(inspect(connection).get_table_names())
        if not tables:
            return None
        if "alembic_version" not in tables or "raw_posting" not in tables:
            if tables <= {"alembic_version"}:
                return None
            raise NoLedger(f"{shown} is a database, but not a jobledger ledger (it has the table {min(tables)!r})")
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision is not None and revision not in KNOWN_REVISIONS:
        raise LedgerError(
            f"{shown} was written by a newer jobledger (schema {revision}, here {SCHEMA_HEAD}): upgrade the program"
        )
    return str(revision) if revision is not None else None


def _require_wal(engine: Engine, shown: str) -> None:
    with bare_cursor(engine) as cursor:
        mode = next(iter(cursor.execute("PRAGMA journal_mode = WAL")), (None,))[0]
    if mode not in {"wal", "memory"}:
        raise LedgerError(f"{shown}: SQLite refused write-ahead logging (it answered {mode!r}); use a local disk")
