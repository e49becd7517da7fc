"""Questions to the ledger, all answered from one commit: columns as Arrow from ADBC into DuckDB, short lists as JSON.

SQLite is read by two connections at once, each half of the table, both looking at the same commit; the lists are read
by one of them. PostgreSQL answers in one transaction (REPEATABLE READ). Whatever belongs to one report is therefore
asked in one call of `ask`: two calls may see two states of a ledger that is being written.

The Arrow driver carries an SQLite of its own, and two copies of SQLite in one process undo each other's file locks
(https://www.sqlite.org/howtocorrupt.html, section 2.2.1): when one closes the file, the locks of the other are gone.
So the file is read in a child process, unless the caller says that nothing else in this process has it open.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from db.errors import REMEDY, SAID_OF_DAMAGE, LedgerError, NoLedger
from db.session import resolved_url
from insights.model import InsightError
from processes.child import run_child

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy import ClauseElement, Select
    from sqlalchemy.engine import URL

    from db.filters import Filters

SPLIT_FROM = 50_000
"""Smaller SQLite tables are read in one piece."""
BATCH = {"adbc.sqlite.query.batch_rows": "8192"}
SNAPSHOT_TRIES = 20
BUSY_TIMEOUT_MILLISECONDS = 30_000
READER_TIMEOUT_SECONDS = 600
READER = "insights.reader:main"
"""What the child process runs."""
STREAM = "stream"
"""The name under which an insert statement finds what the store sends."""
DUCKDB: dict[str, Any] = {"preserve_insertion_order": "false", "threads": "2"}
LISTED = {
    "sqlite": "SELECT json_group_array(json_array({columns})) AS list FROM ({query}) AS asked",
    "postgresql": "SELECT coalesce(json_agg(json_build_array({columns})), '[]')::text AS list FROM ({query}) AS asked",
}
"""How each store makes one text of a whole list, so that the Arrow driver has no types to guess."""


class Unreadable(LedgerError, InsightError):
    """No figure can be made because the ledger cannot be read."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A question about many rows: `query` reads the table posting and ends in its conditions.

    `create` makes the table of DuckDB named `table`; `insert` fills it from `STREAM`.
    """

    query: str
    table: str
    create: str
    insert: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What one commit says: a DuckDB connection for each of the `Columns`, a list of rows for each short question."""

    columns: list[DuckDBPyConnection] = field(default_factory=list)
    lists: list[list[list[Any]]] = field(default_factory=list)

    def close(self) -> None:
        for connection in self.columns:
            connection.close()


def dialect_of(database_url: str) -> str:
    """sqlite or postgresql."""
    return "sqlite" if resolved_url(database_url).get_backend_name() == "sqlite" else "postgresql"


def literal_where(filters: Filters, dialect: str) -> str:
    """The filters as SQL, to follow WHERE."""
    from sqlalchemy import and_, true

    return literal(and_(true(), *filters.conditions()), dialect)


def literal(clause: ClauseElement, dialect: str) -> str:
    """SQL with every value written into it by SQLAlchemy: the Arrow drivers take no parameters here."""
    from sqlalchemy.dialects import postgresql, sqlite

    if dialect == "sqlite":
        engine: Any = sqlite.dialect()
    else:
        engine = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's dialects are untyped
        engine._backslash_escapes = False  # servers read backslashes plainly (standard_conforming_strings)
    written = str(clause.compile(dialect=engine, compile_kwargs={"literal_binds": True}))
    if "\x00" in written:
        raise InsightError("a filter holds a NUL character, which no store can hold")
    return written


def ask(
    database_url: str, columns: Sequence[Columns] = (), lists: Sequence[Select[Any]] = (), *, alone: bool = False
) -> Answers:
    """The answers to all these questions, from one commit of the ledger.

    `alone` says that nothing else in this process has the ledger open. Raises `NoLedger`, and `Unreadable` for a ledger
    that is damaged, away, or written without a pause.
    """
    url = resolved_url(database_url)
    dialect = dialect_of(database_url)
    short = [_listed(query, dialect) for query in lists]
    if dialect == "postgresql":
        return _ask_postgres(url, columns, short)
    path = url.database
    if path in (None, "", ":memory:"):
        raise InsightError("a report reads a ledger in a file or on a server, not one in memory")
    if not Path(str(path)).is_file():
        raise NoLedger(f"no ledger at {path}")
    return ask_sqlite(str(path), columns, short) if alone else _ask_child(str(path), columns, short)


def _listed(query: Select[Any], dialect: str) -> str:
    names = ", ".join(f'asked."{column.name}"' for column in query.selected_columns)
    return LISTED[dialect].format(columns=names, query=literal(query, dialect))


def ask_sqlite(path: str, columns: Sequence[Columns], lists: Sequence[str]) -> Answers:
    """Reads the file in this process."""
    with _filling(path, columns) as answers, _one_commit(path) as (readers, last):
        middle = last // 2
        ranges = [f"posting.rowid <= {middle}", f"posting.rowid > {middle}"] if last >= SPLIT_FROM else ["1 = 1"]
        for question, filled in zip(columns, answers.columns, strict=True):

            def part(number: int, question: Columns = question, filled: DuckDBPyConnection = filled) -> None:
                with readers[number](f"{question.query} AND {ranges[number]}") as stream:
                    _fill(filled, stream, question.insert)

            with ThreadPoolExecutor(len(ranges)) as pool:
                list(pool.map(part, range(len(ranges))))
        for query in lists:
            with readers[0](query) as stream:
                answers.lists.append(json.loads(_value(stream)))
    return answers


def _ask_child(path: str, columns: Sequence[Columns], lists: Sequence[str]) -> Answers:
    """The same in a process of its own, which hands the answers over in files."""
    with tempfile.TemporaryDirectory(prefix="jobledger-") as folder, _filling(path, columns) as answers:
        questions = [asdict(question) for question in columns]
        job = {"path": path, "columns": questions, "lists": list(lists), "folder": folder}
        ended = run_child(READER, job, seconds=READER_TIMEOUT_SECONDS)
        if ended.failure is not None:
            raise Unreadable(ended.said.get("error") or f"{path} cannot be read: the reading process {ended.failure}")
        for number, (question, filled) in enumerate(zip(columns, answers.columns, strict=True)):
            file = str(Path(folder, parquet_name(number)))
            filled.execute(f"INSERT INTO {question.table} SELECT * FROM read_parquet(?)", [file])
        answers.lists.extend(json.loads(Path(folder, LISTS).read_text("utf-8")))
    return answers


LISTS = "lists.json"


def parquet_name(number: int) -> str:
    """The file in which the child process hands over one of its answers."""
    return f"columns-{number}.parquet"


def _ask_postgres(url: URL, columns: Sequence[Columns], lists: Sequence[str]) -> Answers:
    shown = url.render_as_string(hide_password=True)
    with _filling(shown, columns) as answers, _postgres(url) as connection:
        for question, filled in zip(columns, answers.columns, strict=True):
            with _stream(connection, question.query) as stream:
                _fill(filled, stream, question.insert)
        for query in lists:
            with _stream(connection, query) as stream:
                answers.lists.append(json.loads(_value(stream)))
    return answers


@contextmanager
def _filling(shown: str, columns: Sequence[Columns]) -> Iterator[Answers]:
    """Empty tables to be filled; closed again, and the reason said, when a store cannot be read to the end."""
    import duckdb
    from adbc_driver_manager import Error

    answers = Answers([duckdb.connect(":memory:", config=DUCKDB) for _ in columns])
    try:
        for question, made in zip(columns, answers.columns, strict=True):
            made.execute(question.create)
        yield answers
    except BaseException as error:
        answers.close()
        # DuckDB passes on what the driver says in the middle of a stream.
        if isinstance(error, Error) or (isinstance(error, duckdb.Error) and "get_next" in str(error)):
            raise Unreadable(_why_unreadable(shown, error)) from error
        raise


def _why_unreadable(shown: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    damaged = "not a database" in said or any(words in said for words in SAID_OF_DAMAGE)
    return f"{shown} cannot be read: {said}" + (f"; it is damaged: {REMEDY}" if damaged else "")


def _fill(connection: DuckDBPyConnection, stream: Any, insert: str) -> None:
    cursor = connection.cursor()
    try:
        cursor.register(STREAM, stream)
        cursor.execute(insert)
    finally:
        cursor.close()


def _value(stream: Any) -> Any:
    """The first value of what a store sends."""
    import duckdb

    with closing(duckdb.connect(":memory:", config=DUCKDB)) as connection:
        connection.register(STREAM, stream)
        found = connection.execute(f"SELECT * FROM {STREAM}").fetchone()
    return found[0] if found else None


@contextmanager
def _one_commit(path: str) -> Iterator[tuple[Sequence[Callable[[str], Any]], int]]:
    """Two connections that see the same commit, opened again when a writer came between; and the last row number."""
    import adbc_driver_manager
    import adbc_driver_sqlite
    import duckdb

    with ExitStack() as all_open:
        engine = all_open.enter_context(closing(duckdb.connect(":memory:", config=DUCKDB)))

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
    raise Unreadable(f"{path} is being written without a pause: try again")


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
def _postgres(url: URL) -> Iterator[Any]:
    """A connection inside a transaction that sees one commit to its end."""
    try:
        import adbc_driver_manager
        import adbc_driver_postgresql
    except ImportError as error:
        raise InsightError("reports from PostgreSQL need: pip install 'jobledger[postgres]'") from error
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        adbc_driver_postgresql.connect(address) as database,
        adbc_driver_manager.AdbcConnection(database) as connection,
    ):
        connection.set_autocommit(False)
        with adbc_driver_manager.AdbcStatement(connection) as statement:
            statement.set_sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            statement.execute_update()
        yield connection
