"""Two workers against one, and what the engine costs: aggregate and backfill on a Dask cluster of this machine.

    python -m benchmarks.cluster_speed [--ads 20000] [--files 16] [--rounds 5] [--postgres URL]

aggregate   every raw posting read again (`aggregate --all`) by the tasks of one worker and of two, alternately
backfill    WARC files of 300 pages each, read into Parquet, by one worker and by two, alternately
overhead    1,000 tasks that each take 75 ms of CPU, as a part of 150 raw postings or a WARC file of some 100 pages
            does: the seconds on two workers beyond half of what the tasks themselves took

The limits are for a machine with two quiet cores: 1.8 times as fast with two workers, 15 % overhead. Without --postgres
the ledger is SQLite, which lets one process write at a time.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from distributed import LocalCluster
from sqlalchemy import Engine

from aggregator.pipeline import aggregate
from benchmarks.store_bulk import NOW, fresh
from benchmarks.warc_pages import write_warc
from db.records import RawPostingRecord
from db.store import keep
from scheduler.backfill import backfill
from scheduler.cluster import pool

WANTED = 1.8
MOST_OVERHEAD = 0.15
TASKS, TASK_SECONDS = 1_000, 0.075
TEXT = " ".join(f"word{n}" for n in range(300))


@contextmanager
def workers(number: int, ledger: Engine | None = None) -> Iterator[Executor]:
    """An executor of a cluster of so many worker processes."""
    with (
        LocalCluster(
            n_workers=number, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
        ) as cluster,
        pool(cluster.scheduler_address, 1, ledger=ledger) as executor,
    ):
        assert executor is not None
        yield executor


def ads(number: int) -> Iterator[list[RawPostingRecord]]:
    """Batches of ads of which none repeats another's words."""
    for start in range(0, number, 1_000):
        yield [
            RawPostingRecord(
                source="board",
                source_id=str(n),
                title_text=f"Senior Data Engineer (m/w/d), Team {n}",
                company_text=f"Company {n // 7} GmbH",
                location_text="Berlin, Germany and Remote",
                salary_text=f"EUR {50 + n % 40}K - {90 + n % 30}K",
                description_text=f"Number {n}. {TEXT}",
                url=f"https://board.example/{n}",
                page_url="https://board.example/",
                seen_at=NOW,
            )
            for n in range(start, min(start + 1_000, number))
        ]


def alternately(rounds: int, one: Callable[[], float], two: Callable[[], float]) -> tuple[float, float]:
    """The medians of both, measured in turn."""
    pairs = [(one(), two()) for _ in range(rounds)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def said(what: str, one: float, two: float) -> None:
    ratio = one / two
    verdict = "reached" if ratio >= WANTED else "NOT reached"
    print(f"{what:<10} one worker {one:7.2f} s   two {two:7.2f} s   {ratio:.2f} times   (limit {WANTED}: {verdict})")


def measure_aggregate(number: int, rounds: int, postgres: str | None) -> None:
    with fresh(postgres) as engine:
        for batch in ads(number):
            keep(engine, batch)
        aggregate(engine, now=NOW)
        with workers(1, engine) as single, workers(2, engine) as double:

            def again(executor: Executor) -> float:
                begun = time.perf_counter()
                aggregate(engine, now=NOW, everything=True, pool=executor)
                return time.perf_counter() - begun

            again(double)  # vocabulary and rates are read once a process
            again(single)
            said("aggregate", *alternately(rounds, lambda: again(single), lambda: again(double)))


def measure_backfill(number: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name, workers(1) as single, workers(2) as double:
        folder = Path(name)
        files = [str(folder / f"{n}.warc.gz") for n in range(number)]
        for n, file in enumerate(files):
            write_warc(Path(file), 300, jobs=0.05, seed=n)

        def again(executor: Executor, count: int) -> float:
            out = folder / "out"
            begun = time.perf_counter()
            backfill(files, str(out), pool=executor, workers=count)
            seconds = time.perf_counter() - begun
            shutil.rmtree(out)
            return seconds

        again(double, 2)
        again(single, 1)
        said("backfill", *alternately(rounds, lambda: again(single, 1), lambda: again(double, 2)))


def busy(seconds: float) -> float:
    """Keeps a core busy for so many seconds of CPU; returns the seconds on the clock."""
    begun, until = time.perf_counter(), time.process_time() + seconds
    while time.process_time() < until:
        pass
    return time.perf_counter() - begun


def measure_overhead(rounds: int) -> None:
    with workers(2) as executor:
        list(executor.map(busy, [0.001] * 20))
        shares = []
        for _ in range(rounds):
            begun = time.perf_counter()
            worked = sum(executor.map(busy, [TASK_SECONDS] * TASKS))
            shares.append((time.perf_counter() - begun) / (worked / 2) - 1)
    share = median(shares)
    verdict = "reached" if share <= MOST_OVERHEAD else "NOT reached"
    what = f"{TASKS:,} tasks of {TASK_SECONDS * 1000:.0f} ms"
    print(f"overhead   {what}: {share:.1%} of the work   (limit {MOST_OVERHEAD:.0%}: {verdict})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ads", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres", metavar="URL")
    given = parser.parse_args()
    print(f"medians of {given.rounds} alternating rounds; {given.ads:,} ads, {given.files} archive files")
    measure_aggregate(given.ads, given.rounds, given.postgres)
    measure_backfill(given.files, given.rounds)
    measure_overhead(given.rounds)


if __name__ == "__main__":
    main()
