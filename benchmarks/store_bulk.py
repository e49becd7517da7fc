"""How fast rows are stored, beside the drivers' own fastest way into the same table, in the same run.

    python -m benchmarks.store_bulk [--rows 200000] [--postgres URL] [--repeat 3]

SQLite: `sqlite3` executemany of one INSERT. PostgreSQL: psycopg COPY straight into the table with its indexes. Both get
tuples that are ready made. Ours:

    bulk write   `db.bulk.upsert`, with its conflict rule, of the same rows into the same table, as the store calls it
    store        looks for what is known, then writes raw postings, sightings and pages (three tables and a look-up)
    keep         the same from records that are still to be hashed and identified

Medians; the order of the ways changes from round to round, so that none has the warmer cache.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, text

from db.bulk import _converters, _tuples, upsert
from db.raw_postings import Said, _merged, _row, prepared, write_said
from db.records import RawPostingRecord
from db.session import make_engine, open_ledger, writing
from db.store import keep
from db.tables import RAW

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BATCH = 5_000
COLUMNS = tuple(column.name for column in RAW.c if column.name != "posting_id")


def record(number: int, at: datetime = NOW) -> RawPostingRecord:
    """One ad of about a kilobyte, as a board publishes it."""
    return RawPostingRecord(
        source="board",
        source_id=f"ad-{number}",
        url=f"https://board.example/jobs/{number}",
        title_text=f"Senior Data Engineer, Team {number % 977}",
        company_text=f"Company {number % 4001}",
        location_text="Berlin, Germany",
        employment_text="Full-time",
        salary_text="€70,000 - €90,000 a year",
        department_text="Data",
        description_text=f"You build pipelines for product {number}. " * 18,
        page_url=f"https://board.example/list/{number // 100}",
        seen_at=at,
        payload={"team": number % 977, "remote": None},
    )


def rows_of(records: Sequence[RawPostingRecord]) -> list[dict[str, Any]]:
    return [_row(said.id, _merged(None, [said]), [said], None) for said in prepared(records)[0]]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this process's CPU: on a shared machine only the second can be compared."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def batches(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    yield from (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def ready_made(engine: Engine, rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Rows as the driver takes them: what the peer writes is ready made, what we write is not."""
    return list(_tuples(COLUMNS, _converters(RAW, COLUMNS, engine.dialect), rows))


def raw_insert(engine: Engine, found: Sequence[tuple[Any, ...]]) -> None:
    """The driver's own fastest way: prepared tuples, one statement, one commit a batch."""
    connection = engine.raw_connection()
    cursor = connection.cursor()
    for part in batches(found):
        if engine.dialect.name == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
            marks = ", ".join("?" * len(COLUMNS))
            cursor.executemany(f"INSERT INTO raw_posting ({', '.join(COLUMNS)}) VALUES ({marks})", part)
            cursor.execute("COMMIT")
        else:
            with cursor.copy(f"COPY raw_posting ({', '.join(COLUMNS)}) FROM STDIN") as copy:
                for row in part:
                    copy.write_row(row)
            connection.commit()
    cursor.close()
    connection.close()


def bulk(engine: Engine, rows: Sequence[dict[str, Any]]) -> None:
    for part in batches(rows):
        with writing(engine) as connection:
            upsert(connection, RAW, part, ["id"], earliest=["first_seen"], all_new=True)


def written(engine: Engine, said: Sequence[Said]) -> None:
    for part in batches(said):
        with writing(engine) as connection:
            write_said(connection, part)


def kept(engine: Engine, records: Sequence[RawPostingRecord]) -> None:
    for part in batches(records):
        keep(engine, part)


@contextmanager
def fresh(postgres: str | None) -> Iterator[Engine]:
    """An empty ledger, gone afterwards."""
    if postgres is None:
        with tempfile.TemporaryDirectory() as folder:
            engine = open_ledger(f"sqlite:///{Path(folder) / 'ledger.db'}")
            yield engine
            engine.dispose()
        return
    name = f"jobledger_bench_{time.time_ns()}"
    server = make_engine(postgres).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = open_ledger(server.url.set(database=name).render_as_string(hide_password=False))
    try:
        yield engine
    finally:
        engine.dispose()
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


def measure(postgres: str | None, number: int, repeat: int) -> None:
    records = [record(n) for n in range(number)]
    rows = sorted(rows_of(records), key=lambda row: str(row["id"]))
    again = [record(n, NOW + timedelta(days=1)) for n in range(number)]
    said, said_again = (prepared(part)[0] for part in (records, again))
    peer = "psycopg COPY" if postgres else "sqlite3 executemany"
    times: dict[str, list[tuple[float, float]]] = {}

    def round_of(name: str, *steps: tuple[str, Callable[[Engine], object]]) -> None:
        with fresh(postgres) as engine:
            for label, step in steps:
                times.setdefault(f"{name}{label}", []).append(timed(lambda step=step: step(engine)))  # type: ignore[misc]

    with fresh(postgres) as engine:
        ready = ready_made(engine, rows)
    ways = [
        lambda: round_of(peer, ("", lambda e: raw_insert(e, ready))),
        lambda: round_of("bulk write", (", new", lambda e: bulk(e, rows))),
        lambda: round_of(
            "store", (", new", lambda e: written(e, said)), (", again unchanged", lambda e: written(e, said_again))
        ),
        lambda: round_of(
            "keep", (", new", lambda e: kept(e, records)), (", again unchanged", lambda e: kept(e, again))
        ),
    ]
    for turn in range(repeat):
        for way in ways[turn % len(ways) :] + ways[: turn % len(ways)]:
            way()
    shown = "rows/s by the clock" if postgres else "rows/s by the clock, then a CPU second"
    print(f"\n{'PostgreSQL' if postgres else 'SQLite'}, {number:,} rows, median of {repeat}: {shown}")
    for which in (0,) if postgres else (0, 1):
        limit = median(taken[which] for taken in times[peer])
        for name, taken in times.items():
            middle = median(one[which] for one in taken)
            first = median(one[which] for one in times.get(name.replace(", again unchanged", ", new"), taken))
            faster = f", {first / middle:4.2f} x the first time" if name.endswith("unchanged") else ""
            print(f"  {name:<28} {number / middle:>10,.0f}   {limit / middle:5.2f} of the peer{faster}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--postgres", help="the URL of a server on which databases may be made")
    given = parser.parse_args()
    measure(None, given.rows, given.repeat)
    if given.postgres:
        measure(given.postgres, given.rows, given.repeat)


if __name__ == "__main__":
    main()
