"""The report by role, level and country beside bare DuckDB on the same file: `python -m benchmarks.insights_report`.

    python -m benchmarks.insights_report [--rows 1000000] [--runs 5] [--postgres URL] [--ledger FILE]

bare      DuckDB computes the five percentiles and n of the same cells from the same SQLite file, read through Arrow
ours      `build_report` without intervals: also employers, disclosure, low and high ends, widths, suppression, counts
          and exclusions by reason
intervals the bootstrap intervals of 1,000 cells of the same postings
server    PostgreSQL computes the percentiles with percentile_cont (with --postgres, the URL of a server)

Every run is a process of its own, so that memory is its own; the figures of bare and ours are compared to 1e-9.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.insights_ledger import write_ledger
from benchmarks.store_bulk import fresh
from processes.launch import command as module_command

BY = ("role", "level", "country")
POINTS = (0.10, 0.25, 0.50, 0.75, 0.90)
LIMITS = {"ratio": 1.5, "intervals": 5.0, "megabytes": 1024}
ARROW = """SELECT role, level, country, (annual_min + annual_max) / 2.0 AS point FROM posting
           WHERE excluded = 0 AND annual_min IS NOT NULL"""
SERVER = """SELECT role, level, country, count(*),
                percentile_cont(ARRAY[0.10, 0.25, 0.50, 0.75, 0.90]) WITHIN GROUP (ORDER BY point)
            FROM narrow GROUP BY role, level, country"""


def bare(path: str) -> dict[str, list[float]]:
    """The percentiles with nothing around them."""
    import adbc_driver_manager
    import adbc_driver_sqlite
    import duckdb

    with (
        adbc_driver_sqlite.connect(f"file:{path}?mode=ro") as database,
        adbc_driver_manager.AdbcConnection(database) as connection,
        adbc_driver_manager.AdbcStatement(connection) as statement,
        duckdb.connect() as engine,
    ):
        statement.set_sql_query(ARROW)
        stream, _ = statement.execute_query()
        engine.register("stream", stream)
        rows = engine.execute(
            f"SELECT role, level, country, count(*), quantile_cont(point, {list(POINTS)}) FROM stream GROUP BY ALL"
        ).fetchall()
    return {"|".join(row[:3]): [row[3], *(value / 100 for value in row[4])] for row in rows}


def ours(path: str, *, intervals: bool = False, by: Sequence[str] = BY) -> dict[str, list[float]]:
    """The report, as a user gets it."""
    from db.filters import Filters
    from insights.report import build_report

    report = build_report(
        f"sqlite:///{path}",
        filters=Filters(),
        by=by,
        intervals=intervals,
        overview=False,
        alone=True,
        now=datetime.now(UTC),
    )
    return {
        "|".join(str(part) for part in g.key.values()): [g.n, g.p10, g.p25, g.median, g.p75, g.p90]
        for g in report.groups
        if g.n and g.p10 is not None and g.p25 is not None and g.median is not None and g.p75 is not None
        and g.p90 is not None
    }  # fmt: skip


def thousand_intervals(path: str) -> float:
    """Seconds for the intervals alone, of 1,000 cells."""
    from contextlib import closing

    import numpy as np

    from db.filters import Filters
    from insights.interval import median_interval
    from insights.rows import POINT, read_rows, usable

    with closing(read_rows(f"sqlite:///{path}", Filters(), BY, alone=True)) as rows:
        table = rows.connection.execute(
            f"SELECT hash(role, level, country) % 1000 AS cell, ({POINT}) / 200 AS point,"
            f" dense_rank() OVER (ORDER BY employer) AS whose FROM row WHERE {usable()} ORDER BY cell, point"
        ).fetchnumpy()
    cells = np.searchsorted(table["cell"], np.arange(1001))
    started = time.perf_counter()
    for start, end in pairwise(cells):
        median_interval(table["point"][start:end], table["whose"][start:end].astype(np.int64))
    return time.perf_counter() - started


def measured(what: str, path: str) -> dict[str, Any]:
    """One run in this process: seconds, megabytes and what it found."""
    jobs: dict[str, Callable[[str], Any]] = {"bare": bare, "ours": ours, "intervals": thousand_intervals}
    jobs[what](path)  # imports and caches are not what is measured
    started = time.perf_counter()
    found = jobs[what](path)
    seconds = found if what == "intervals" else time.perf_counter() - started
    return {
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "found": None if what == "intervals" else found,
    }


def run(what: str, path: Path, runs: int) -> dict[str, Any]:
    """The median of several processes."""
    made = []
    for _ in range(runs):
        command = module_command("benchmarks.insights_report", "--child", what, "--ledger", str(path))
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        made.append(json.loads(done.stdout))
    return {
        "seconds": statistics.median(one["seconds"] for one in made),
        "megabytes": max(one["megabytes"] for one in made),
        "found": made[0]["found"],
    }


def server(url: str, path: Path, runs: int) -> float:
    """Seconds of percentile_cont over the same postings in a narrow, analysed table of their own."""
    import sqlite3

    import psycopg

    times = []
    with ExitStack() as stack:
        store = stack.enter_context(closing(sqlite3.connect(path)))
        ours = stack.enter_context(fresh(url)).url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = stack.enter_context(psycopg.connect(ours, autocommit=True))
        connection.execute("CREATE TABLE narrow (role text, level text, country text, point double precision)")
        with connection.cursor().copy("COPY narrow FROM STDIN") as copy:
            for row in store.execute(ARROW):
                copy.write_row(row)
        connection.execute("ANALYZE narrow")
        for _ in range(runs):
            started = time.perf_counter()
            connection.execute(SERVER).fetchall()
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def apart(first: dict[str, list[float]], second: dict[str, list[float]]) -> float:
    """The largest relative difference between the figures both show."""
    shared = set(first) & set(second)
    return max(abs(a - b) / b for cell in shared for a, b in zip(first[cell], second[cell], strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--postgres")
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--child", choices=["bare", "ours", "intervals"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measured(given.child, str(given.ledger))))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = given.ledger or Path(folder, "ledger.db")
        if not path.exists():
            write_ledger(path, given.rows)
        report(path, given.runs, given.postgres)


def report(path: Path, runs: int, postgres: str | None) -> None:
    plain, made, sure = (run(what, path, runs) for what in ("bare", "ours", "intervals"))
    ratio, difference = made["seconds"] / plain["seconds"], apart(made["found"], plain["found"])
    votes = int(sum(figures[0] for figures in plain["found"].values()))
    print(f"{votes:,} postings with pay in {len(plain['found']):,} cells of role x level x country")
    print(f"bare DuckDB  {plain['seconds']:6.2f} s {plain['megabytes']:6.0f} MB")
    print(f"our report   {made['seconds']:6.2f} s {made['megabytes']:6.0f} MB")
    print(f"ours over bare {ratio:.2f} (limit {LIMITS['ratio']})")
    print(f"1,000 cells' intervals {sure['seconds']:6.2f} s (limit {LIMITS['intervals']})")
    print(f"largest difference of a figure {difference:.1e}")
    if postgres:
        print(f"percentile_cont on PostgreSQL {server(postgres, path, runs):6.2f} s")
    within = (
        ratio <= LIMITS["ratio"]
        and sure["seconds"] <= LIMITS["intervals"]
        and made["megabytes"] <= LIMITS["megabytes"]
        and difference < 1e-9
    )
    print("within every limit" if within else "NOT within every limit")
    sys.exit(0 if within else 1)


if __name__ == "__main__":
    main()
