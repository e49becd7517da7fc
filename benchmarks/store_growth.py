"""Whether storing slows down as the ledger grows, and how fast the whole road from text captures to postings is.

    python -m benchmarks.store_growth [--rows 1000000] [--captures 2000]

growth   batches of 5,000 new ads into one SQLite ledger; the time a row around 10,000 rows and at the end, the same
         again for ads that are known, and the memory of this process
road     text captures of articles with five featured jobs each, as the sample site shows them: parse, keep, normalise,
         judge, match; in one process, without the start of a program
"""

from __future__ import annotations

import argparse
import hashlib
import io
import resource
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Engine

from aggregator.pipeline import aggregate
from benchmarks.store_bulk import BATCH, NOW, fresh, record
from db.queries import table_counts
from db.records import Record
from db.store import keep
from scraper.captures import Capture, read_capture

FEATURED = """Featured Job 👀
{title}

@ {company} | {place}

Full Time {level} {pay}
"""
TITLES = ("Data Engineer", "Senior Data Scientist", "Head of Analytics", "Machine Learning Engineer II", "Data Analyst")
PLACES = ("Berlin, Germany", "Austin, TX", "Remote (anywhere in the U.S.)", "London, England", "Toronto, Canada")
LEVELS = ("Senior-level / Expert", "Mid-level / Intermediate", "Entry-level / Junior")
PAY = ("USD 85K - 185K", "EUR 60K - 80K", "USD 120K - 138K", "GBP 45K - 60K", "CAD 90K - 110K")


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def growth(rows: int) -> None:
    with fresh(None) as engine:
        new: list[float] = []
        early = megabytes()
        for start in range(0, rows, BATCH):
            batch = [record(n) for n in range(start, start + BATCH)]
            begun = time.process_time()
            keep(engine, batch)
            new.append((time.process_time() - begun) / BATCH * 1e6)
            if start <= 10 * BATCH:
                early = megabytes()
        again = []
        for start in range(0, rows, max(BATCH, rows // 20)):
            batch = [record(n, NOW + timedelta(days=1)) for n in range(start, start + BATCH)]
            begun = time.process_time()
            keep(engine, batch)
            again.append((time.process_time() - begun) / BATCH * 1e6)
    first, last = median(new[1:6]), median(new[-5:])
    print(f"growth to {rows:,} ads, CPU microseconds a row")
    print(f"  new, at the beginning {first:8.1f}")
    print(f"  new, at the end       {last:8.1f}   {last / first:.2f} x")
    print(f"  known, all over       {median(again):8.1f}")
    print(f"  memory {early:.0f} MiB after the first batches, {megabytes():.0f} MiB in the end")


def road(captures: int) -> None:
    with tempfile.TemporaryDirectory() as folder, fresh(None) as engine:
        paths = []
        for number in range(captures):
            jobs = [
                FEATURED.format(
                    title=f"{TITLES[n % 5]}, Team {number}",
                    company=f"Company {number} {n}",
                    place=PLACES[(n + number) % 5],
                    level=LEVELS[(n + number) % 3],
                    pay=PAY[(n + number) % 5],
                )
                for n in range(5)
            ]
            path = Path(folder) / f"{number:06}.txt"
            title = f"Data Analyst vs. Data Engineer {number}"
            head = f"{title}\n\n{title}: A Comparison\n\n5 min read · Dec. 6, 2023\n{title}\nTable of contents\n\n"
            path.write_text(head + "Definitions\n\n" + "Both work with data. " * 60 + "\n\n" + "".join(jobs))
            paths.append(path)
        run_road(engine, paths[:20])  # vocabulary and rates are read once a process
        begun = time.process_time()
        jobs_kept = run_road(engine, paths[20:])
        seconds = time.process_time() - begun
    print(
        f"\nroad: {jobs_kept:,} featured jobs in {seconds:.1f} CPU seconds, {jobs_kept / seconds:,.0f} a second a core"
    )


def run_road(engine: Engine, paths: list[Path]) -> int:
    """Parses, keeps in batches of 500 records as a crawl does, and normalises; returns the jobs kept."""
    before = table_counts(engine)["postings"]
    batch: list[Record] = []
    for path in paths:
        data = path.read_bytes()
        digest = hashlib.blake2b(data).hexdigest()
        batch += read_capture(
            Capture(name=path.name, file=io.BytesIO(data), size=len(data), digest=digest, seen_at=NOW)
        )
        if len(batch) >= 500:
            keep(engine, batch)
            batch = []
    keep(engine, batch)
    aggregate(engine, now=NOW)
    return table_counts(engine)["postings"] - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--captures", type=int, default=2_000)
    given = parser.parse_args()
    road(given.captures)
    growth(given.rows)


if __name__ == "__main__":
    main()
