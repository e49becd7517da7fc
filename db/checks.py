"""Whether a ledger is sound: what is damaged in its file, by name, and questions that must have no answer."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from db.errors import LedgerDamaged, first_line
from db.session import reading, writing

REJECTED = (
    "EXISTS (SELECT 1 FROM rejected x WHERE x.subject = r.id AND x.reason = 'rule_failed' AND x.resolved_at IS NULL)"
)
"""Whether the raw posting `r` is one that our rules could not read: it says nothing of its posting."""

CHECKS: tuple[tuple[str, str], ...] = (
    (
        "a posting without any raw posting",
        "SELECT p.id FROM posting p WHERE NOT EXISTS (SELECT 1 FROM raw_posting r WHERE r.posting_id = p.id)",
    ),
    (
        "a raw posting that was read but belongs to no posting",
        f"SELECT id FROM raw_posting r WHERE rules_version <> 0 AND posting_id IS NULL AND NOT {REJECTED}",  # noqa: S608 - our own words
    ),
    (
        "a raw posting that was never seen on a page",
        "SELECT id FROM raw_posting r WHERE NOT EXISTS (SELECT 1 FROM sighting s WHERE s.raw_posting_id = r.id)",
    ),
    (
        "a sighting of nothing",
        "SELECT raw_posting_id FROM sighting s"
        " WHERE NOT EXISTS (SELECT 1 FROM raw_posting r WHERE r.id = s.raw_posting_id)",
    ),
    (
        "a flag of nothing",
        "SELECT posting_id FROM posting_flag f WHERE NOT EXISTS (SELECT 1 FROM posting p WHERE p.id = f.posting_id)",
    ),
    (
        "a posting that the search in words does not know",
        "SELECT id FROM posting p WHERE NOT EXISTS (SELECT 1 FROM posting_words w WHERE w.posting_id = p.id)",
    ),
    ("a posting last seen before it was first seen", "SELECT id FROM posting WHERE last_seen < first_seen"),
    (
        "a posting that is closed although one of its ads is open",
        "SELECT p.id FROM posting p WHERE p.closed_at IS NOT NULL AND EXISTS (SELECT 1 FROM raw_posting r"  # noqa: S608
        f" WHERE r.posting_id = p.id AND r.closed_at IS NULL AND r.rules_version <> 0 AND NOT {REJECTED})",
    ),
    (
        "a posting that is open although all its ads are closed",
        "SELECT p.id FROM posting p WHERE p.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM raw_posting r"
        " WHERE r.posting_id = p.id AND (r.closed_at IS NULL OR r.rules_version = 0))"
        " AND EXISTS (SELECT 1 FROM raw_posting r WHERE r.posting_id = p.id)",
    ),
    (
        "a posting that was merged into another one and is still there",
        "SELECT p.id FROM posting p JOIN posting_merge m ON m.other_id = p.id AND m.state = 'merged'",
    ),
    (
        "a merge into a posting that is not there",
        "SELECT m.other_id FROM posting_merge m WHERE m.state = 'merged' AND NOT EXISTS"
        " (SELECT 1 FROM posting p WHERE p.id = m.posting_id) AND NOT EXISTS"
        " (SELECT 1 FROM posting_merge n WHERE n.other_id = m.posting_id AND n.state = 'merged')",
    ),
    (
        "a lower end of pay above the upper one that no flag names",
        "SELECT id FROM posting p WHERE salary_min > salary_max AND NOT EXISTS"
        " (SELECT 1 FROM posting_flag f WHERE f.posting_id = p.id AND f.severity = 'exclude')",
    ),
    (
        "a posting in the statistics although a flag excludes it",
        "SELECT id FROM posting p WHERE NOT excluded AND EXISTS (SELECT 1 FROM posting_flag f"
        " WHERE f.posting_id = p.id AND f.severity = 'exclude' AND f.state <> 'dismissed')",
    ),
    (
        "a posting out of the statistics that no flag excludes",
        "SELECT id FROM posting p WHERE excluded AND NOT EXISTS (SELECT 1 FROM posting_flag f"
        " WHERE f.posting_id = p.id AND f.severity = 'exclude' AND f.state <> 'dismissed')",
    ),
)
"""(what would be wrong, a query for the keys of rows that are)"""

SHOWN = 3
LINES = 100
"""Of what SQLite says about a damaged file; more would not help anybody."""
RESTORE = "restore a backup"
DERIVED = ("posting_fts", "posting_words")
"""What the names of tables begin with that are made of others; a copy fills them anew."""
COPY = "`jobledger db copy` into a new file makes it again"


def check_ledger(engine: Engine) -> list[str]:
    """What is wrong with the ledger, in words; empty when it is sound.

    Damage in one place hides nothing in another: each part is read for itself, the questions in one view.
    """
    problems = find_damage(engine)
    with reading(engine) as connection:
        for wrong, query in CHECKS:
            try:
                with connection.begin_nested():
                    found = [str(row[0]) for row in connection.execute(text(query))]
            except LedgerDamaged as error:
                problems.append(f"not to be found out, {wrong}: {first_line(error.orig)}; {RESTORE}")
                continue
            if found:
                more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
                problems.append(f"{wrong}: {', '.join(found[:SHOWN])}{more}")
    return problems


def find_damage(engine: Engine) -> list[str]:
    """What is damaged in a SQLite file; on PostgreSQL the server watches over its own files."""
    return [*_damage(engine), *_search_damage(engine)] if engine.dialect.name == "sqlite" else []


def _damage(engine: Engine) -> list[str]:
    """The tables and indexes of a SQLite file that are damaged, and references that lead nowhere."""
    with reading(engine) as connection:
        said = _integrity(connection)
        problems = list(_damaged_parts(connection)) if said else []
        if said and not problems:
            problems = [f"the file is damaged outside its tables: {said[0]}; {COPY}"]
        try:
            references = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        except LedgerDamaged as error:
            return [*problems, f"the references cannot be checked: {first_line(error.orig)}; {RESTORE}"]
    pairs = sorted({(str(row[0]), str(row[2])) for row in references})
    counts = {pair: sum((str(row[0]), str(row[2])) == pair for row in references) for pair in pairs}
    return problems + [
        f"{number:,} broken references in table {table} to {other}" for (table, other), number in counts.items()
    ]


def _damaged_parts(connection: Connection) -> Iterator[str]:
    """Each table and index that SQLite finds damage in, with what it says first.

    SQLite checks a table together with its indexes; reading each of them to its end tells which it is.
    """
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    for table in connection.exec_driver_sql(tables).scalars().all():
        said = _integrity(connection, table)
        if not said:
            continue
        listed = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? ORDER BY name"
        indexes = connection.exec_driver_sql(listed, (table,)).scalars().all()
        broken = {
            name: line
            for name in indexes
            if (line := _said_of_index(name, said) or _breaks(connection, _walk(table, name)))
        }
        if line := _breaks(connection, f'SELECT * FROM "{table}" NOT INDEXED'):  # noqa: S608 - as above
            yield f"the table {table} is damaged: {line}; {COPY if table.startswith(DERIVED) else RESTORE}"
        elif not broken:  # an index that is empty by its own condition cannot be read by itself
            yield f"the table {table}, or an index of it, is damaged: {said[0]}; {COPY}"
        for name, line in broken.items():
            yield f"the index {name} of the table {table} is damaged: {line}; {COPY}"


def _integrity(connection: Connection, table: str | None = None) -> list[str]:
    """What SQLite finds wrong with a table and its indexes, or with the whole file."""
    of = f"""'{table.replace("'", "''")}'""" if table is not None else LINES
    found: list[str] = []
    try:
        for (said,) in connection.exec_driver_sql(f"PRAGMA integrity_check({of})"):
            found += [line for line in str(said).splitlines() if line != "ok" and not line.startswith("*** in")]
    except LedgerDamaged as error:  # some damage ends the check itself
        found.append(first_line(error.orig))
    return found


def _said_of_index(name: str, said: list[str]) -> str | None:
    return next((line for line in said if line.endswith(f"index {name}")), None)


def _walk(table: str, index: str) -> str:
    """A query that reads all of an index and nothing else."""
    return f'SELECT rowid FROM "{table}" INDEXED BY "{index}"'  # noqa: S608 - names of this file's own tables


def _breaks(connection: Connection, query: str) -> str | None:
    """Why a query cannot be answered to its end, None when it can."""
    try:
        for _ in connection.exec_driver_sql(query):
            pass
    except LedgerDamaged as error:
        return first_line(error.orig)
    except DBAPIError:  # an index that holds no row can answer no query
        return None
    return None


def _search_damage(engine: Engine) -> list[str]:
    """Whether the index in words says the same as the words that were put into it; writers wait meanwhile."""
    try:
        with writing(engine) as connection:
            connection.exec_driver_sql("INSERT INTO posting_fts (posting_fts) VALUES ('integrity-check')")
    except LedgerDamaged as error:
        return [f"the search in words (posting_fts) is damaged: {first_line(error.orig)}; {COPY}"]
    except DBAPIError as error:
        return [f"the search in words (posting_fts) cannot be checked: {first_line(error.orig)}"]
    return []
