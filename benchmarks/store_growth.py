"""Whether storing slows down as the ledger grows.

    python -m benchmarks.store_growth [--rows 1000000]

growth   batches of 5,000 new ads into one SQLite ledger; the time a row around 10,000 rows and at the end, the same
         again for ads that are known, and the memory of this process
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import timedelta
from statistics import median

from benchmarks.store_bulk import BATCH, NOW, fresh, record
from db.store import keep


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    growth(given.rows)


if __name__ == "__main__":
    main()
