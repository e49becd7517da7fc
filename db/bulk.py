"""Many rows at once, the fastest way each store has; the ORM is for reading and small edits.

SQLite: one prepared `INSERT … ON CONFLICT DO UPDATE` executed many times. PostgreSQL: `COPY` into a staging table, then
one such insert; rows that are known to be new are copied straight into their table. Statements are built once a shape;
what is left a row is the driver's own work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, Text, Update, any_, bindparam, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from db.types import UtcTime

Row = Mapping[str, Any]
Convert = Callable[[Any], Any] | None

COPY_FROM_ROWS = 200
"""Fewer rows than these are written one by one: a staging table costs more than it saves."""


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    keys: Sequence[str],
    *,
    keep_old: Sequence[str] = (),
    earliest: Sequence[str] = (),
    latest: Sequence[str] = (),
    all_new: bool = False,
) -> None:
    """Inserts rows, or replaces those whose `keys` exist; all rows hold the same columns and no key twice.

    Rows come in order of key, so that two writers lock them in the same order.

    Columns in `keep_old` keep their first value, those in `earliest` and `latest` the smaller and the greater one.
    `all_new`: the caller has just seen that no key exists. It is only a hint: another writer may have been faster.
    """
    if not rows:
        return
    # Compiling keeps the table's order, and adds columns that have a default in Python: those must be given.
    columns = tuple(column.name for column in table.c if column.name in rows[0] or column.default is not None)
    assert len(columns) == len(rows[0]), f"{table.name}: {sorted(set(columns) ^ set(rows[0]))} unknown or not given"
    rule = _Rule(tuple(keys), tuple(keep_old), tuple(earliest), tuple(latest))
    if connection.dialect.name == "postgresql" and len(rows) >= COPY_FROM_ROWS:
        if all_new and _copied_at_once(connection, table, columns, rows):
            return
        staging = _staged(connection, table, columns, rows)
        connection.exec_driver_sql(_insert_from(table, columns, rule, staging, connection.dialect))
        return
    statement = _insert_sql(table, columns, rule, connection.dialect)
    _execute_rows(connection, statement, columns, _converters(table, columns, connection.dialect), rows)


def update_rows(connection: Connection, statement: Update, rows: Sequence[Row]) -> None:
    """Executes an UPDATE with bound parameters once a row."""
    if not rows:
        return
    compiled = statement.compile(dialect=connection.dialect)
    names = tuple(compiled.positiontup or compiled.binds)
    fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    processors = _processors([compiled.binds[name].type for name in names], connection.dialect)
    _execute_rows(connection, str(compiled), names, processors, [{**fixed, **row} for row in rows] if fixed else rows)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What happens to a row that exists."""

    keys: tuple[str, ...]
    keep_old: tuple[str, ...]
    earliest: tuple[str, ...]
    latest: tuple[str, ...]


@lru_cache(maxsize=256)
def _converters(table: Table, columns: tuple[str, ...], dialect: Dialect) -> list[Convert]:
    return _processors([table.c[name].type for name in columns], dialect)


def _processors(types: Sequence[Any], dialect: Dialect) -> list[Convert]:
    found = [kind.dialect_impl(dialect).bind_processor(dialect) for kind in types]
    return [
        _remembering(made) if made is not None and isinstance(kind, UtcTime) else made
        for kind, made in zip(types, found, strict=True)
    ]


def _remembering(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Converts equal values in a row once: the ads of a page share the moment at which it was read."""
    last: Any = None
    made: Any = convert(None)

    def converted(value: Any) -> Any:
        nonlocal last, made
        if value != last:
            last, made = value, convert(value)
        return made

    return converted


@lru_cache(maxsize=256)
def _insert_sql(table: Table, columns: tuple[str, ...], rule: _Rule, dialect: Dialect) -> str:
    statement = (postgresql if dialect.name == "postgresql" else sqlite).insert(table)
    changes = _changes(table, columns, rule, statement.excluded, dialect)
    if not changes:
        made = statement.on_conflict_do_nothing(index_elements=list(rule.keys))
    else:
        made = statement.on_conflict_do_update(index_elements=list(rule.keys), set_=changes)
    return str(made.compile(dialect=dialect, column_keys=list(columns)))


def _changes(table: Table, columns: tuple[str, ...], rule: _Rule, new: Any, dialect: Dialect) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in columns:
        column = table.c[name]
        if name in rule.keys or name in rule.keep_old:
            continue
        if name in rule.earliest:
            # Words are compared by code point, as SQLite and Python do, whatever the server's own order of words is.
            is_words = isinstance(column.type, Text) and dialect.name == "postgresql"
            smaller = (new[name].collate("C") if is_words else new[name]) < column
            changes[name] = case((smaller, new[name]), else_=column)
        elif name in rule.latest:
            changes[name] = case((new[name] > column, new[name]), else_=column)
        else:
            changes[name] = new[name]
    return changes


@lru_cache(maxsize=256)
def _insert_from(table: Table, columns: tuple[str, ...], rule: _Rule, staging: str, dialect: Dialect) -> str:
    """The same insert with the rows of a staging table for values, in the order in which they were copied there."""
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in columns)
    head, _, tail = _insert_sql(table, columns, rule, dialect).partition(" ON CONFLICT ")
    into = head[: head.index(" VALUES ")]
    assert names in into, "the statement and the staging table must list the same columns in the same order"
    return f"{into} SELECT {names} FROM {staging} ON CONFLICT {tail}"  # noqa: S608 - names of our own tables


def _copied_at_once(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> bool:
    """Copies rows straight into their table; False, and nothing is written, where one of them exists after all."""
    try:
        with connection.begin_nested():
            _copy(connection, table, connection.dialect.identifier_preparer.quote(table.name), columns, rows)
    except IntegrityError:
        return False
    return True


def _staged(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> str:
    """Rows in a staging table of this session, which is empty again after the transaction."""
    quote = connection.dialect.identifier_preparer.quote
    staging = quote(f"staging_{table.name}")
    # A second batch of the same transaction finds the first one's rows, hence the TRUNCATE.
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE IF NOT EXISTS {staging} ON COMMIT DELETE ROWS"  # noqa: S608 - names of our own tables
        f" AS SELECT * FROM {quote(table.name)} WITH NO DATA"
    )
    connection.exec_driver_sql(f"TRUNCATE {staging}")
    _copy(connection, table, staging, columns, rows)
    return staging


def _copy(connection: Connection, table: Table, into: str, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    names = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in columns)
    convert = _converters(table, columns, connection.dialect)
    cursor = connection.connection.cursor()
    try:
        with cursor.copy(f"COPY {into} ({names}) FROM STDIN") as copy:
            for row in _tuples(columns, convert, rows):
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.Error as error:
        # Outside SQLAlchemy's own execution a broken connection must be declared broken, or the pool would reuse it.
        dbapi = connection.dialect.loaded_dbapi
        lost = connection.dialect.is_disconnect(error, connection.connection, cursor)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(f"COPY {into}", None, error, dbapi.Error, connection_invalidated=lost) from error
    finally:
        cursor.close()


def _tuples(columns: tuple[str, ...], convert: Sequence[Convert], rows: Iterable[Row]) -> Iterable[tuple[Any, ...]]:
    """Rows as the driver takes them: all columns at once, then those few that its types have to convert."""
    pick = itemgetter(*columns) if len(columns) > 1 else lambda row: (row[columns[0]],)
    converted = [(position, made) for position, made in enumerate(convert) if made is not None]
    for row in rows:
        values = list(pick(row))
        for position, made in converted:
            if (value := values[position]) is not None:  # the JSON columns are never null
                values[position] = made(value)
        yield tuple(values)


def _execute_rows(
    connection: Connection, statement: str, columns: tuple[str, ...], convert: Sequence[Convert], rows: Sequence[Row]
) -> None:
    found = _tuples(columns, convert, rows)
    if connection.dialect.positional:
        connection.exec_driver_sql(statement, list(found))
    else:
        connection.exec_driver_sql(statement, [dict(zip(columns, values, strict=True)) for values in found])


def last_of_each(rows: Iterable[Row], *keys: str) -> list[Row]:
    """One row a key, the last; in order of key, so that two writers lock rows in the same order."""
    if len(keys) == 1:
        unique: dict[Any, Row] = {row[keys[0]]: row for row in rows}
    else:
        unique = {tuple(row[name] for name in keys): row for row in rows}
    return [unique[identity] for identity in sorted(unique)]


def one_of(connection: Connection, column: Any, ids: Iterable[str | None]) -> Any:
    """The condition that `column` is one of `ids`, however many those are: they travel as one parameter."""
    wanted = sorted({id_ for id_ in ids if id_ is not None})
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, wanted, type_=postgresql.ARRAY(Text)))
    listed = func.json_each(json.dumps(wanted)).table_valued("value")
    return column.in_(select(listed.c.value))


def rows_by_id(connection: Connection, query: Any, column: Any, ids: Iterable[str | None]) -> list[Any]:
    """The rows of `query` whose `column` is one of `ids`, however many those are."""
    wanted = list(ids)
    return list(connection.execute(query.where(one_of(connection, column, wanted)))) if wanted else []


def count(connection: Connection, table: Table, *, whole: bool = False) -> int:
    """How many rows the table holds; `whole` reads the table itself, where SQLite would count in its smallest index."""
    if whole and connection.dialect.name == "sqlite":
        name = connection.dialect.identifier_preparer.quote(table.name)
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {name} NOT INDEXED").scalar_one())  # noqa: S608 - our own
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
