"""The index behind the search in words, written with the postings: one for each store, of the same words.

SQLite: `posting_fts` (FTS5) holds the words, `posting_words` the number under which it knows a posting; a number of our
own, because VACUUM may change those that SQLite gives. PostgreSQL: `posting_words` holds the words and a `tsvector`
made of them. A posting that goes takes its words along, by the database's own rules. `db.fulltext` cuts the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.compiler import compiles

from db.fulltext import Term, parse_query, postgres_query, searchable, side_by_side, sqlite_match

TEXTS = ("title", "company", "location_text", "description_text")
"""The columns of a posting that are searched."""
ROWS = 2_000

WORDS = table("posting_words", column("number"), column("posting_id"), column("words"), column("tokens"))
FTS = table("posting_fts", column("rowid"), column("words"))

SCHEMA: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        "CREATE TABLE posting_words (number INTEGER PRIMARY KEY,"
        " posting_id TEXT NOT NULL UNIQUE REFERENCES posting (id) ON DELETE CASCADE)",
        "CREATE VIRTUAL TABLE posting_fts USING fts5 (words, columnsize = 0, tokenize = \"ascii tokenchars '+#.'\")",
        # Bytes in memory before a part of the index is written: the usual million costs twice the time a batch.
        "INSERT INTO posting_fts (posting_fts, rank) VALUES ('hashsize', 16777216)",
        "CREATE TRIGGER posting_words_gone AFTER DELETE ON posting_words"
        " BEGIN DELETE FROM posting_fts WHERE rowid = old.number; END",
    ),
    "postgresql": (
        "CREATE TABLE posting_words (posting_id VARCHAR PRIMARY KEY REFERENCES posting (id) ON DELETE CASCADE,"
        " words TEXT NOT NULL,"
        " tokens TSVECTOR GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED)",
        "CREATE INDEX ix_posting_words_tokens ON posting_words USING gin (tokens)",
    ),
}
"""What makes the index; no model, for no two stores have it alike."""


def is_modelled(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Whether Alembic is to compare it with the models: all but the tables of this file."""
    return not (kind == "table" and (name or "").startswith(("posting_words", "posting_fts")))


def keep_words(connection: Connection, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Writes the words of postings, given as (id, row with `TEXTS`) in order of id; older words of them give way."""
    made = [(id_, searchable([row[name] for name in TEXTS])) for id_, row in rows]
    if not made:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "INSERT INTO posting_words (posting_id) VALUES (?) ON CONFLICT DO NOTHING", [(id_,) for id_, _ in made]
        )
        connection.exec_driver_sql(
            "INSERT OR REPLACE INTO posting_fts (words, rowid)"
            " VALUES (?, (SELECT number FROM posting_words WHERE posting_id = ?))",
            [(words, id_) for id_, words in made],
        )
        return
    connection.exec_driver_sql(
        "INSERT INTO posting_words (posting_id, words) SELECT * FROM unnest(%(ids)s::text[], %(words)s::text[])"
        " ON CONFLICT (posting_id) DO UPDATE SET words = excluded.words",
        {"ids": [id_ for id_, _ in made], "words": [words for _, words in made]},
    )


def words_changed(old: Any, values: Mapping[str, Any]) -> bool:
    """Whether a posting reads otherwise, as far as it is searched; `old` is None for a new one."""
    return old is None or any(old._mapping[name] != values[name] for name in TEXTS)


def fill_words(connection: Connection) -> int:
    """Writes the words of all postings that have none; returns how many those were."""
    names = ", ".join(f"p.{name}" for name in TEXTS)
    query = text(
        f"SELECT p.id, {names} FROM posting p WHERE p.id > :last"  # noqa: S608 - names of our own columns
        " AND NOT EXISTS (SELECT 1 FROM posting_words w WHERE w.posting_id = p.id) ORDER BY p.id LIMIT :rows"
    )
    last, number = "", 0
    while rows := connection.execute(query, {"last": last, "rows": ROWS}).all():
        keep_words(connection, [(row.id, dict(row._mapping)) for row in rows])
        last, number = rows[-1].id, number + len(rows)
    return number


def forget_words(connection: Connection) -> None:
    """Writes the index of SQLite anew: until then its older parts hold the words of postings that are gone."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO posting_fts (posting_fts) VALUES ('optimize')")


class Found(ColumnElement[bool]):
    """The condition that the posting `posting_id` answers a query; each store has it in its own words."""

    inherit_cache = False

    def __init__(self, posting_id: ColumnElement[Any], query: str) -> None:
        terms = parse_query(query)
        wanted = [term for term in terms if not term.excluded]
        unwanted = [term for term in terms if term.excluded]
        self.by_dialect = {
            name: _both(posting_id, make(wanted, True), make(unwanted, False))
            for name, make in (("sqlite", _in_sqlite), ("postgresql", _in_postgres))
        }


@compiles(Found)
def _compile(found: Found, compiler: Any, **options: Any) -> str:
    return str(compiler.process(found.by_dialect[compiler.dialect.name].self_group(), **options))


def _both(posting_id: ColumnElement[Any], wanted: Any, unwanted: Any) -> ColumnElement[bool]:
    conditions = [] if wanted is None else [posting_id.in_(wanted)]
    if unwanted is not None:
        conditions.append(posting_id.not_in(unwanted))
    return conditions[0] if len(conditions) == 1 else conditions[0] & conditions[1]


def _in_sqlite(terms: Sequence[Term], together: bool) -> Any:
    """The postings that hold all terms, or any of them."""
    if not terms:
        return None
    asked = sqlite_match(terms, "AND" if together else "OR")
    numbers = select(FTS.c.rowid).where(literal_column("posting_fts").op("MATCH")(literal(asked)))
    return select(WORDS.c.posting_id).where(WORDS.c.number.in_(numbers))


def _in_postgres(terms: Sequence[Term], together: bool) -> Any:
    if not terms:
        return None
    conditions = [_holds(term) for term in terms]
    return select(WORDS.c.posting_id).where(*conditions if together else [or_(*conditions)])


def _holds(term: Term) -> ColumnElement[bool]:
    has = WORDS.c.tokens.op("@@")(sql_cast(literal(postgres_query(term)), TSQUERY))
    near = side_by_side(term)
    if near is None:
        return has
    spaced = literal(" ").op("||")(WORDS.c.words).op("||")(literal(" "))
    return has & (func.strpos(spaced, near) > 0)
