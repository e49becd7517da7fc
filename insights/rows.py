"""The postings a report is about, as columns in DuckDB: where each stands (its place), and what it pays.

Places repeat: a million postings stand in some thousands of role, level, country and currency. Each is kept once, with
its counts; postings with pay refer to it by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from insights.model import InsightError
from insights.store import DUCKDB, STREAM, Columns, ask, dialect_of, literal_where

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from db.filters import Filters

ABSENT = -(2**62)
"""Stands for "no amount" between the store and DuckDB: the Arrow driver guesses types, and guesses wrong at nulls."""
BETWEEN = "\x1f"
"""Stands between the parts of a place (the unit separator of ASCII)."""
MARKS = {
    "sqlite": "(posting.salary_min IS NOT NULL OR posting.salary_max IS NOT NULL)"
    " + 2 * posting.salary_is_estimate + 4 * posting.excluded",
    "postgresql": "(posting.salary_min IS NOT NULL OR posting.salary_max IS NOT NULL)::int"
    " + 2 * posting.salary_is_estimate::int + 4 * posting.excluded::int",
}
"""1: the advertisement states pay; 2: it is an estimate; 4: a flag excludes it."""
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


def _scraped(expression: str) -> Dimension:
    """Words of a page, in which the separator could stand."""
    said = f"replace({expression}, '{BETWEEN}', ' ')"
    return Dimension(said, said)


COMPANY_NAME = "(SELECT company.name FROM company WHERE company.id = posting.company_id)"

DIMENSIONS = {
    "role": _column("role"),
    "family": _column("family"),
    "level": _column("level"),
    "country": Dimension(
        "coalesce(posting.country, posting.countries)", "coalesce(posting.country, posting.countries::text)", True
    ),
    "region": _scraped("posting.region"),
    "city": _scraped("posting.city"),
    "remote": _column("remote"),
    "employment": Dimension("posting.employment_types", "posting.employment_types::text", True),
    "company": _scraped(COMPANY_NAME),
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
    """The condition on the view `row` under which a posting has a vote."""
    return "currency <> ''" if include_estimates else "currency <> '' AND NOT estimate"


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
    """Postings as columns in a DuckDB connection.

    place: `id`, the `dimensions` and `currency` (text, "" for not stated), and the numbers of its postings: `selected`,
        `excluded` by a flag; of the others `stated` (the advertisement gives pay), `unstated` (neither it nor anybody
        else does), `estimates` (pay per year that is an estimate), `vague` (stated, but not per year in a currency).
    paid: of each posting with pay per year that no flag excludes: `id` of its place, `employer` (a number made of the
        employer's key), `low` and `high` (hundredths a year, null where not stated), `estimate`.
    row: a view of both together.
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
    connection = _empty()
    words = len(dimensions) + 1
    made = [list(record) for record in records]
    columns = {
        "place": np.array([BETWEEN.join("" if v is None else v for v in r[:words]) for r in made], dtype=object),
        "company": np.array(["" if r[words] is None else r[words] for r in made], dtype=object),
    }
    for i, name in enumerate(("low", "high", "marks"), start=words + 1):
        columns[name] = np.array([ABSENT if r[i] is None else r[i] for r in made], dtype=np.int64)
    connection.register(STREAM, columns)
    connection.execute(INSERT)
    connection.unregister(STREAM)
    return _rows(connection, dimensions, employers_known=employers_known)


def read_rows(
    database_url: str, filters: Filters, dimensions: Sequence[str], *, in_usd: bool = False, alone: bool = False
) -> Rows:
    """The answer to `rows_question` alone: for figures that need nothing else. `alone`: see `insights.store`."""
    question = rows_question(dialect_of(database_url), filters, dimensions, in_usd=in_usd)
    return rows_of_answer(ask(database_url, [question], alone=alone).columns[0], dimensions)


def rows_question(dialect: str, filters: Filters, dimensions: Sequence[str], *, in_usd: bool = False) -> Columns:
    """Asks for the postings that `filters` select, with pay in their own currency or in US dollars at each own date."""
    query = f"{selection(dialect, dimensions, in_usd=in_usd)} WHERE {literal_where(filters, dialect)}"
    return Columns(query, "loaded", CREATE, INSERT)


def rows_of_answer(connection: DuckDBPyConnection, dimensions: Sequence[str]) -> Rows:
    """What the store answered to `rows_question`."""
    return _rows(connection, dimensions, employers_known=True)


def selection(dialect: str, dimensions: Sequence[str], *, in_usd: bool) -> str:
    """The query that hands the columns over; nothing in it is null, so that the driver sees the types."""
    low, high = ("annual_min_usd", "annual_max_usd") if in_usd else ("annual_min", "annual_max")
    paid = f"posting.{low} IS NOT NULL OR posting.{high} IS NOT NULL"
    currency = f"CASE WHEN {paid} THEN 'USD' ELSE '' END" if in_usd else "coalesce(posting.currency, '')"
    place = [*(f"coalesce({getattr(DIMENSIONS[name], dialect)}, '')" for name in dimensions), currency]
    return "SELECT " + ", ".join(
        [
            f" || '{BETWEEN}' || ".join(place) + " AS place",
            "coalesce(posting.company_id, '') AS company",
            f"coalesce(posting.{low}, {ABSENT}) AS low",
            f"coalesce(posting.{high}, {ABSENT}) AS high",
            f"{MARKS[dialect]} AS marks FROM posting",
        ]
    )


def _empty() -> DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(":memory:", config=DUCKDB)
    connection.execute(CREATE)
    return connection


CREATE = "CREATE TABLE loaded (place VARCHAR, employer UBIGINT, low BIGINT, high BIGINT, marks UTINYINT)"
INSERT = f"""INSERT INTO loaded SELECT CAST(place AS VARCHAR), hash(CAST(company AS VARCHAR)),
             nullif(low, {ABSENT}), nullif(high, {ABSENT}), marks FROM {STREAM}"""


def _rows(connection: DuckDBPyConnection, dimensions: Sequence[str], *, employers_known: bool) -> Rows:
    """Gives each place its number and its counts, and drops what has no pay."""
    parts = [*dimensions, "currency"]
    split = ", ".join(f"split_part(place, '{BETWEEN}', {i}) AS \"{name}\"" for i, name in enumerate(parts, start=1))
    paid = "marks & 4 = 0 AND (low IS NOT NULL OR high IS NOT NULL)"
    connection.execute(
        """CREATE TABLE numbered AS SELECT (row_number() OVER ())::INT AS id, place, counted.* EXCLUDE (place) FROM (
                SELECT place, count(*) AS selected, count(*) FILTER (WHERE marks & 4 = 4) AS excluded,
                    count(*) FILTER (WHERE marks & 7 = 1) AS stated,
                    count(*) FILTER (WHERE marks & 5 = 0 AND low IS NULL AND high IS NULL) AS unstated,
                    count(*) FILTER (WHERE marks & 6 = 2 AND (low IS NOT NULL OR high IS NOT NULL)) AS estimates,
                    count(*) FILTER (WHERE marks & 5 = 1 AND low IS NULL AND high IS NULL) AS vague
                FROM loaded GROUP BY place) AS counted"""
    )
    connection.execute(
        f"""CREATE TABLE paid AS SELECT id, employer, low, high, marks & 2 = 2 AS estimate
            FROM loaded JOIN numbered USING (place) WHERE {paid}"""
    )
    connection.execute(f"CREATE TABLE place AS SELECT id, {split}, numbered.* EXCLUDE (id, place) FROM numbered")
    connection.execute("DROP TABLE loaded")
    connection.execute("DROP TABLE numbered")
    named = ", ".join(f'place."{name}"' for name in parts)
    connection.execute(
        f"CREATE VIEW row AS SELECT {named}, employer, low, high, estimate FROM paid JOIN place USING (id)"
    )
    return Rows(connection, tuple(dimensions), employers_known)
