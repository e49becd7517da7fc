"""How fast the whole road is, from text captures to stored postings, and where the time goes.

    python -m benchmarks.road_speed [--captures 1000] [--repeat 3]

Text captures of articles with five featured jobs each, as the sample site shows them: parsed, kept in batches of 500
records as a crawl does, normalised, judged, stored, matched; in one process, on a new SQLite ledger, without the start
of a program. Every title and employer is another one, so that no memory of texts read before helps. Seconds are of this
process's CPU; the limit is 2,000 featured jobs a second a core.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine

from aggregator import pipeline
from benchmarks.store_bulk import NOW, fresh
from db.queries import table_counts
from db.records import Record
from db.store import keep
from scraper.captures import Capture, read_capture

LIMIT = 2_000
"""Featured jobs a second a core."""
WARM = 20
"""Captures read before the clock starts: vocabulary and rates are read once a process."""

FEATURED = """Featured Job 👀
{title}

@ {company} | {place}

Full Time {level} {pay}
"""
TITLES = ("Data Engineer", "Senior Data Scientist", "Head of Analytics", "Machine Learning Engineer II", "Data Analyst")
PLACES = ("Berlin, Germany", "Austin, TX", "Remote (anywhere in the U.S.)", "London, England", "Toronto, Canada")
LEVELS = ("Senior-level / Expert", "Mid-level / Intermediate", "Entry-level / Junior")
PAY = ("USD 85K - 185K", "EUR 60K - 80K", "USD 120K - 138K", "GBP 45K - 60K", "CAD 90K - 110K")

STEPS = (
    ("compose_all", "normalise and judge"),
    ("match", "match"),
    ("_aggregate_articles", "claims of articles"),
)
"""Functions of `aggregator.pipeline` that are timed, and their names on the page."""


@dataclass(slots=True)
class Clock:
    """CPU seconds a step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - begun

    def timed(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*given: Any, **named: Any) -> Any:
            with self.step(name):
                return work(*given, **named)

        return measured


def write_articles(folder: Path, number: int) -> list[Path]:
    """Text captures of articles, each with five featured jobs of its own."""
    paths = []
    for article in range(number):
        jobs = [
            FEATURED.format(
                title=f"{TITLES[n % 5]}, Team {article}",
                company=f"Company {article} {n}",
                place=PLACES[(n + article) % 5],
                level=LEVELS[(n + article) % 3],
                pay=PAY[(n + article) % 5],
            )
            for n in range(5)
        ]
        title = f"Data Analyst vs. Data Engineer {article}"
        head = f"{title}\n\n{title}: A Comparison\n\n5 min read · Dec. 6, 2023\n{title}\nTable of contents\n\n"
        path = folder / f"{article:06}.txt"
        path.write_text(head + "Definitions\n\n" + "Both work with data. " * 60 + "\n\n" + "".join(jobs))
        paths.append(path)
    return paths


def take_road(engine: Engine, paths: list[Path], clock: Clock) -> int:
    """Parses, keeps and normalises; returns the postings made."""
    before = table_counts(engine)["postings"]
    batch: list[Record] = []
    for path in paths:
        with clock.step("read and parse captures"):
            data = path.read_bytes()
            digest = hashlib.blake2b(data, digest_size=16).hexdigest()
            file = io.BytesIO(data)
            batch += read_capture(Capture(name=path.name, file=file, size=len(data), digest=digest, seen_at=NOW))
        if len(batch) >= 500 or path is paths[-1]:
            with clock.step("keep what was published"):
                keep(engine, batch)
            batch = []
    with patch.multiple(pipeline, **{name: clock.timed(step, getattr(pipeline, name)) for name, step in STEPS}):
        begun, counted = time.process_time(), sum(clock.seconds.values())
        pipeline.aggregate(engine, now=NOW)
        elsewhere = time.process_time() - begun - (sum(clock.seconds.values()) - counted)
    clock.seconds["store postings"] = clock.seconds.get("store postings", 0.0) + elsewhere
    return table_counts(engine)["postings"] - before


def measured(captures: int) -> tuple[int, Clock]:
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, fresh(None) as engine:
        paths = write_articles(Path(folder), captures + WARM)
        take_road(engine, paths[:WARM], Clock())
        return take_road(engine, paths[WARM:], clock), clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    rounds = [measured(given.captures) for _ in range(given.repeat)]
    jobs, clock = min(rounds, key=lambda found: sum(found[1].seconds.values()))
    total = sum(clock.seconds.values())
    print(f"{jobs:,} featured jobs in {total:.2f} CPU seconds, the best of {given.repeat} rounds")
    for name, seconds in sorted(clock.seconds.items(), key=lambda step: -step[1]):
        print(f"  {name:<26} {seconds / jobs * 1e6:7.1f} microseconds a job   {seconds / total:4.0%}")
    print(f"{jobs / total:,.0f} featured jobs a second a core; the limit is {LIMIT:,}")


if __name__ == "__main__":
    main()
