"""Columns out of the ledger: Arrow from ADBC into DuckDB, never Python objects row by row.

SQLite is read by two connections at once, each half of the table, both looking at the same commit.

The Arrow driver carries an SQLite of its own, and two copies of SQLite in one process undo each other's file locks
(https://www.sqlite.org/howtocorrupt.html, section 2.2.1): when one closes the file, the locks of the other are gone.
So the file is read in a child process, unless the caller says that nothing else in this process has it open.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from db.session import LedgerError, resolved_url
from insights.model import InsightError
from processes.child import run_child

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy.engine import URL

    from db.filters import Filters

SPLIT_FROM = 50_000
"""Smaller SQLite tables are read in one piece."""
BATCH = {"adbc.sqlite.query.batch_rows": "8192"}
SNAPSHOT_TRIES = 20
BUSY_TIMEOUT_MILLISECONDS = 30_000
READER_TIMEOUT_SECONDS = 600
STREAM = "stream"
"""The name under which an insert statement finds what the store sends."""


def dialect_of(database_url: str) -> str:
    """sqlite or postgresql."""
    return "sqlite" if resolved_url(database_url).get_backend_name() == "sqlite" else "postgresql"


def literal_where(filters: Filters, dialect: str) -> str:
    """The filters as SQL with every value written into it by SQLAlchemy: the Arrow drivers take no parameters here."""
    from sqlalchemy import and_, true
    from sqlalchemy.dialects import postgresql, sqlite

    condition = and_(true(), *filters.conditions())
    if dialect == "sqlite":
        engine: Any = sqlite.dialect()
    else:
        engine = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's dialects are untyped
        engine._backslash_escapes = False  # servers read backslashes plainly (standard_conforming_strings)
    written = str(condition.compile(dialect=engine, compile_kwargs={"literal_binds": True}))
    if "\x00" in written:
        raise InsightError("a filter holds a NUL character, which no store can hold")
    return written


def load(
    connection: DuckDBPyConnection, database_url: str, query: str, table: str, insert: str, *, alone: bool = False
) -> None:
    """Runs `query`, which reads the table posting and ends in its conditions, and fills `table` with what it gives.

    `insert` takes the columns from `STREAM`; `alone` says that nothing else in this process has the ledger open.
    """
    url = resolved_url(database_url)
    if url.get_backend_name() != "sqlite":
        with _postgres_stream(url, query) as stream:
            _fill(connection, stream, insert)
        return
    path = url.database
    if path in (None, "", ":memory:"):
        raise InsightError("a report reads a ledger in a file or on a server, not one in memory")
    if not Path(str(path)).is_file():
        raise LedgerError(f"no ledger at {path}")
    if alone:
        load_sqlite(connection, str(path), query, insert)
    else:
        _load_by_child(connection, str(path), query, table, insert)


def load_sqlite(connection: DuckDBPyConnection, path: str, query: str, insert: str) -> None:
    """Reads the file in this process."""
    with _one_commit(connection, path) as (readers, last):
        middle = last // 2
        ranges = [f"posting.rowid <= {middle}", f"posting.rowid > {middle}"] if last >= SPLIT_FROM else ["1 = 1"]

        def part(number: int) -> None:
            with readers[number](f"{query} AND {ranges[number]}") as stream:
                _fill(connection, stream, insert)

        with ThreadPoolExecutor(len(ranges)) as pool:
            list(pool.map(part, range(len(ranges))))


def _load_by_child(connection: DuckDBPyConnection, path: str, query: str, table: str, insert: str) -> None:
    """The same in a process of its own, which hands the columns over in a file."""
    shape = connection.execute("SELECT sql FROM duckdb_tables() WHERE table_name = ?", [table]).fetchone()
    assert shape is not None
    with tempfile.TemporaryDirectory(prefix="jobledger-") as folder:
        out = str(Path(folder, "columns.parquet"))
        job = {"path": path, "query": query, "create": shape[0], "insert": insert, "table": table, "out": out}
        ended = run_child("insights.reader:main", job, seconds=READER_TIMEOUT_SECONDS)
        if ended.failure is not None:
            raise InsightError(f"{path} cannot be read: {ended.said.get('error') or 'the reader ' + ended.failure}")
        connection.execute(f"INSERT INTO {table} SELECT * FROM read_parquet(?)", [out])


def _fill(connection: DuckDBPyConnection, stream: Any, insert: str) -> None:
    cursor = connection.cursor()
    try:
        cursor.register(STREAM, stream)
        cursor.execute(insert)
    finally:
        cursor.close()


@contextmanager
def _one_commit(engine: DuckDBPyConnection, path: str) -> Iterator[tuple[Sequence[Callable[[str], Any]], int]]:
    """Two connections that see the same commit, opened again when a writer came between; and the last row number."""
    import adbc_driver_manager
    import adbc_driver_sqlite

    with ExitStack() as all_open:

        def connected(opened: ExitStack) -> Any:
            database = opened.enter_context(adbc_driver_sqlite.connect(f"file:{quote(path)}?mode=ro"))
            made = opened.enter_context(adbc_driver_manager.AdbcConnection(database))
            _first(engine, made, f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}")
            return made

        watcher = connected(all_open)
        for _ in range(SNAPSHOT_TRIES):
            with ExitStack() as opened:
                before = _first(engine, watcher, "PRAGMA data_version")
                readers, last = [], 0
                for _ in range(2):
                    made = connected(opened)
                    made.set_autocommit(False)
                    last = _first(engine, made, "SELECT coalesce(max(rowid), 0) AS last FROM posting")
                    readers.append(made)
                if _first(engine, watcher, "PRAGMA data_version") == before:
                    yield [lambda query, made=made: _stream(made, query, **BATCH) for made in readers], last  # type: ignore[misc]  # mypy infers no type for the default
                    return
    raise InsightError(f"{path} is being written without a pause: try again")


@contextmanager
def _stream(connection: Any, query: str, **options: str) -> Iterator[Any]:
    import adbc_driver_manager

    with adbc_driver_manager.AdbcStatement(connection) as statement:
        statement.set_options(**options)
        statement.set_sql_query(query)
        handle, _ = statement.execute_query()
        yield handle


def _first(engine: DuckDBPyConnection, connection: Any, query: str) -> int:
    """The first value that `query` gives."""
    cursor = engine.cursor()
    try:
        with _stream(connection, query) as stream:
            cursor.register(STREAM, stream)
            found = cursor.execute(f"SELECT * FROM {STREAM}").fetchone()
    finally:
        cursor.close()
    return int(found[0]) if found else 0


@contextmanager
def _postgres_stream(url: URL, query: str) -> Iterator[Any]:
    try:
        import adbc_driver_manager
        import adbc_driver_postgresql
    except ImportError as error:
        raise InsightError("reports from PostgreSQL need: pip install 'jobledger[postgres]'") from error
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        adbc_driver_postgresql.connect(address) as database,
        adbc_driver_manager.AdbcConnection(database) as connection,
        _stream(connection, query) as stream,
    ):
        yield stream
