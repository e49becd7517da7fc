"""From the ledger to columns: the postings a report is about, as one DuckDB table in memory.

The store hands over Arrow columns (ADBC), never Python objects row by row. SQLite is read by two connections at once,
each half of the table, both looking at the same commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from db.session import LedgerError, resolved_url
from insights.model import InsightError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy.engine import URL

    from db.filters import Filters

ABSENT = -(2**62)
"""Stands for "no amount" between the store and DuckDB: the Arrow driver guesses types, and guesses wrong at nulls."""
SPLIT_FROM = 50_000
"""Smaller SQLite tables are read in one piece."""
SNAPSHOT_TRIES = 20
LIST = "["
"""A value that begins so is a JSON list: the posting votes once in each of its words."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something to group by: how SQLite and PostgreSQL say it over the table posting; may be a JSON list."""

    sqlite: str
    postgresql: str
    listed: bool = False


def _column(name: str) -> Dimension:
    return Dimension(f"posting.{name}", f"posting.{name}")


COMPANY_NAME = "(SELECT company.name FROM company WHERE company.id = posting.company_id)"

DIMENSIONS = {
    "role": _column("role"),
    "family": _column("family"),
    "level": _column("level"),
    "country": Dimension(
        "coalesce(posting.country, posting.countries)", "coalesce(posting.country, posting.countries::text)", True
    ),
    "region": _column("region"),
    "city": _column("city"),
    "remote": _column("remote"),
    "employment": Dimension("posting.employment_types", "posting.employment_types::text", True),
    "company": Dimension(COMPANY_NAME, COMPANY_NAME),
    "source": Dimension("posting.sources", "posting.sources::text", True),
    "period": _column("period"),
    "month": Dimension(
        "substr(coalesce(posting.posted_on, posting.first_seen), 1, 7)",
        "to_char(coalesce(posting.posted_on, (posting.first_seen AT TIME ZONE 'UTC')::date), 'YYYY-MM')",
    ),
}
"""What a report can be grouped by. A job open to several countries votes in each; so do types of employment and
sources. The month is the one of posting or, where the site gives no date, of first sight."""


POINT = "coalesce(low, high) + coalesce(high, low)"
"""Twice the point of a posting, in hundredths: the middle of its range, or the one end it states."""


def usable(*, include_estimates: bool = False) -> str:
    """The condition on the table `row` under which a posting has a vote."""
    paid = "NOT excluded AND currency <> '' AND (low IS NOT NULL OR high IS NOT NULL)"
    return paid if include_estimates else f"{paid} AND NOT estimate"


def checked(by: Sequence[str]) -> tuple[str, ...]:
    """The dimensions asked for; an unknown one, or one given twice, is an error that names those there are."""
    for name in by:
        if name not in DIMENSIONS:
            raise InsightError(f"cannot group by {name!r}; choose from: {', '.join(DIMENSIONS)}")
    if len(set(by)) != len(by):
        raise InsightError(f"grouping by {', '.join(by)} names a dimension twice")
    return tuple(by)


@dataclass(frozen=True, slots=True)
class Rows:
    """Postings as columns, in the table `row` of a DuckDB connection.

    Columns: the `dimensions` (text, "" for not stated), `currency` ("" for none), `employer` (a number made of the
    employer's key), `low` and `high` (pay per year in hundredths of the currency, null where not stated), `stated` (the
    advertisement gives pay), `estimate` and `excluded` (booleans).
    """

    connection: DuckDBPyConnection
    dimensions: tuple[str, ...]
    employers_known: bool = True
    """False for tables that name no employers: nothing is then said of them, nor of intervals."""

    def close(self) -> None:
        self.connection.close()


def rows_from(records: Iterable[Sequence[Any]], dimensions: Sequence[str], *, employers_known: bool = True) -> Rows:
    """Rows made by hand: each record holds the dimensions, then currency, company, low, high and marks.

    `low` and `high` are hundredths; `marks` adds 1 (the advertisement states pay), 2 (an estimate) and 4 (excluded).
    """
    connection = _empty(dimensions)
    names = [*dimensions, "currency", "company", "low", "high", "marks"]
    made = list(zip(*records, strict=True)) or [()] * len(names)
    words = {
        name: np.array(["" if v is None else v for v in column], dtype=object)
        for name, column in zip(names, made, strict=True)
    }
    for name in ("low", "high", "marks"):
        amounts = [ABSENT if v is None else v for v in made[names.index(name)]]
        words[name] = np.array(amounts, dtype=np.int64)
    _load(connection, words, "given", lambda stream: _insert(dimensions, stream))
    return Rows(connection, tuple(dimensions), employers_known)


def read_rows(database_url: str, filters: Filters, dimensions: Sequence[str], *, in_usd: bool = False) -> Rows:
    """The postings that `filters` select, with pay in their own currency or in US dollars at each one's own date."""
    dialect = dialect_of(database_url)
    query = f"{selection(dialect, dimensions, in_usd=in_usd)} WHERE {literal_where(filters, dialect)}"
    connection = _empty(dimensions)
    read_into(connection, database_url, query, lambda stream: _insert(dimensions, stream))
    return Rows(connection, tuple(dimensions))


def dialect_of(database_url: str) -> str:
    """sqlite or postgresql."""
    return "sqlite" if resolved_url(database_url).get_backend_name() == "sqlite" else "postgresql"


def read_into(connection: DuckDBPyConnection, database_url: str, query: str, insert: Callable[[str], str]) -> None:
    """Runs `query`, which reads the table posting and ends in its conditions, and loads what it gives.

    `insert` makes the statement that takes the columns from the stream of the given name.
    """
    url = resolved_url(database_url)
    if url.get_backend_name() == "sqlite":
        _read_sqlite(connection, url, query, insert)
        return
    with _postgres_stream(url, query) as stream:
        _load(connection, stream, "part", insert)


def selection(dialect: str, dimensions: Sequence[str], *, in_usd: bool) -> str:
    """The query that hands the columns over; nothing in it is null, so that the driver sees the types."""
    said = [f"coalesce({getattr(DIMENSIONS[name], dialect)}, '') AS {name}" for name in dimensions]
    low, high = ("annual_min_usd", "annual_max_usd") if in_usd else ("annual_min", "annual_max")
    pay = f"posting.{low} IS NOT NULL OR posting.{high} IS NOT NULL"
    currency = f"CASE WHEN {pay} THEN 'USD' ELSE '' END" if in_usd else "coalesce(posting.currency, '')"
    return "SELECT " + ", ".join(
        [
            *said,
            f"{currency} AS currency",
            "coalesce(posting.company_id, '') AS company",
            f"coalesce(posting.{low}, {ABSENT}) AS low",
            f"coalesce(posting.{high}, {ABSENT}) AS high",
            "CASE WHEN posting.salary_min IS NOT NULL OR posting.salary_max IS NOT NULL THEN 1 ELSE 0 END"
            " + CASE WHEN posting.salary_is_estimate THEN 2 ELSE 0 END"
            " + CASE WHEN posting.excluded THEN 4 ELSE 0 END AS marks FROM posting",
        ]
    )


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


def _empty(dimensions: Sequence[str]) -> DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(":memory:", config={"preserve_insertion_order": "false", "threads": "2"})
    columns = "".join(f'"{name}" VARCHAR, ' for name in dimensions)
    connection.execute(
        f"CREATE TABLE row ({columns} currency VARCHAR, employer UBIGINT, low BIGINT, high BIGINT,"
        " stated BOOLEAN, estimate BOOLEAN, excluded BOOLEAN)"
    )
    return connection


def _insert(dimensions: Sequence[str], source: str) -> str:
    said = "".join(f"coalesce(CAST({name} AS VARCHAR), ''), " for name in dimensions)
    return (
        f"INSERT INTO row SELECT {said} coalesce(CAST(currency AS VARCHAR), ''),"
        f" hash(coalesce(CAST(company AS VARCHAR), '')), nullif(low, {ABSENT}), nullif(high, {ABSENT}),"
        f" marks & 1 = 1, marks & 2 = 2, marks & 4 = 4 FROM {source}"
    )


def _load(connection: DuckDBPyConnection, stream: Any, name: str, insert: Callable[[str], str]) -> None:
    cursor = connection.cursor()
    try:
        cursor.register(name, stream)
        cursor.execute(insert(name))
    finally:
        cursor.close()


def _read_sqlite(connection: DuckDBPyConnection, url: URL, query: str, insert: Callable[[str], str]) -> None:
    path = url.database
    if path in (None, "", ":memory:"):
        raise InsightError("a report reads a ledger in a file or on a server, not one in memory")
    if not Path(str(path)).is_file():
        raise LedgerError(f"no ledger at {path}")
    last = _last_row(str(path))
    middle = last // 2
    ranges = [f"posting.rowid <= {middle}", f"posting.rowid > {middle}"] if last >= SPLIT_FROM else ["1 = 1"]
    with _one_commit(str(path), len(ranges)) as handles:

        def part(number: int) -> None:
            with handles[number](f"{query} AND {ranges[number]}") as stream:
                _load(connection, stream, f"part_{number}", insert)

        with ThreadPoolExecutor(len(ranges)) as pool:
            list(pool.map(part, range(len(ranges))))


def _last_row(path: str) -> int:
    with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as plain:
        found = plain.execute("SELECT max(rowid) FROM posting").fetchone()[0]
    return int(found or 0)


@contextmanager
def _one_commit(path: str, count: int) -> Iterator[list[Callable[[str], Any]]]:
    """`count` connections that all see the same commit: opened again when a writer came between."""
    import adbc_driver_manager
    import adbc_driver_sqlite

    uri = f"file:{quote(path)}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as watcher:
        for _ in range(SNAPSHOT_TRIES):
            with ExitStack() as opened:
                before = watcher.execute("PRAGMA data_version").fetchone()
                connections = []
                for _ in range(count):
                    database = opened.enter_context(adbc_driver_sqlite.connect(uri))
                    made = opened.enter_context(adbc_driver_manager.AdbcConnection(database))
                    made.set_autocommit(False)
                    with _stream(made, "SELECT count(*) AS n FROM (SELECT 1 FROM posting LIMIT 1)") as first:
                        _drain(first)
                    connections.append(made)
                if watcher.execute("PRAGMA data_version").fetchone() == before:
                    yield [lambda query, made=made: _stream(made, query) for made in connections]  # type: ignore[misc]  # mypy infers no type for the default
                    return
    raise InsightError(f"{path} is being written without a pause: try again")


@contextmanager
def _stream(connection: Any, query: str) -> Iterator[Any]:
    import adbc_driver_manager

    with adbc_driver_manager.AdbcStatement(connection) as statement:
        statement.set_sql_query(query)
        handle, _ = statement.execute_query()
        yield handle


def _drain(stream: Any) -> None:
    import duckdb

    with duckdb.connect(":memory:") as reader:
        reader.register("first", stream)
        reader.execute("SELECT * FROM first").fetchall()


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
