"""How fast the rules read: short pay texts, long descriptions, whole raw postings; peers on the same texts beside us.

    python -m benchmarks.normalise_speed [FOLDER of shared data]

Real texts, each read once in a new process after a warm-up on other texts: what is remembered of one text helps only
where the next one repeats it, as in life; one core. Medians of five runs in which we and the peers take turns. Without
the folder of shared data, texts of our own tests stand in, and the output says so.
"""

from __future__ import annotations

import csv
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aggregator.composing import compose
from aggregator.normalise.money import Rates
from aggregator.normalise.salary import parse_salary
from aggregator.reading import read
from benchmarks import peers

REPOSITORY = Path(__file__).parent.parent
RUNS = 5
LONG = 4_000
WARM = 300
"""So many long texts, or ads, are read before the clock starts."""
NOW = datetime(2026, 10, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """Short pay texts, texts of 4 KB, postings, and where they are from."""

    short: list[str]
    long: list[str]
    ads: list[dict[str, Any]]
    origin: str


Read = tuple[list[Any], list[Any], Callable[[Any], object]]
"""What to read first, what to read by the clock, and how."""


def texts(shared: Path) -> Sample:
    boards = shared / "data" / "boards"
    if not boards.is_dir():
        rows = list(csv.DictReader((REPOSITORY / "tests/aggregator/pay_texts.csv").open(encoding="utf-8")))
        short = [row["text"] for row in rows]
        long = ["\n".join(short * 40)[i * 50 :][:LONG] for i in range(500)]
        ads = [
            {"title": "Data Engineer", "company": "Any", "location": "Berlin, Germany", "description": t} for t in long
        ]
        return Sample(short, long, ads, "our own test texts")
    labelled = shared / "data" / "labelled" / "salary_text.csv"
    short = [row["text"] for row in csv.DictReader(labelled.open(encoding="utf-8"))]
    ads = [json.loads(line) for file in sorted(boards.glob("*.jsonl")) for line in file.open(encoding="utf-8")]
    bodies = [str(ad.get("description") or "") for ad in ads]
    long = [body[:LONG] for body in bodies if len(body) >= LONG]
    return Sample(short, long, ads, f"{len(short)} labelled texts, {len(ads)} real ads")


def row_of(ad: dict[str, Any], number: int, description: str | None) -> Any:
    """An ad as a row of `raw_posting`."""
    location = ad.get("location") or ad.get("location_text")
    return SimpleNamespace(
        id=str(number), source="bench", content_hash="", title_text=str(ad.get("title") or "Untitled"),
        company_text=str(ad.get("company") or "") or None, location_text=str(location) if location else None,
        workplace_text=None, country_text=None, employment_text="Full time", level_text=None, salary_text=None, pay=[],
        pay_is_estimate=False, department_text=None, requisition_text=None, language=None, url=None,
        description_text=description, posted_on=None, updated_on=None, valid_through=None, country_hint=None,
        currency_hint=None, first_seen=NOW, last_seen=NOW, closed_at=None,
    )  # fmt: skip


def report(name: str, ours: Sequence[float], theirs: dict[str, list[float]], goal: int | None) -> None:
    median = statistics.median(ours)
    aim = f", goal {goal:,}" if goal else ""
    print(f"{name}: {median:,.0f} a second (of {RUNS}: {min(ours):,.0f} to {max(ours):,.0f}{aim})")
    for peer, rates in theirs.items():
        other = statistics.median(rates)
        print(f"    {peer}: {other:,.0f} a second; ours is {median / other:.2f} times as fast")


def short_texts(sample: Sample) -> Read:
    warm = list(csv.DictReader((REPOSITORY / "tests/aggregator/pay_texts.csv").open(encoding="utf-8")))
    return [row["text"] for row in warm], sample.short, parse_salary


def long_texts(sample: Sample) -> Read:
    return sample.long[:WARM], sample.long[WARM:], parse_salary


def raw_postings(sample: Sample, *, described: bool) -> Read:
    rates = Rates([])
    rates.usd(Decimal(1), "EUR", date(2026, 10, 1))
    rows = [
        row_of(ad, number, sample.long[number % len(sample.long)] if described else None)
        for number, ad in enumerate(sample.ads)
    ]
    return rows[:WARM], rows[WARM:], lambda row: compose(row.id, [read(row)], rates)


KINDS: dict[str, Callable[[Sample], Read]] = {
    "Short pay texts": short_texts,
    "Texts of 4 KB": long_texts,
    "Raw postings without a description": partial(raw_postings, described=False),
    "with a 4 KB one": partial(raw_postings, described=True),
}
GOALS = {"Short pay texts": 25_000, "Texts of 4 KB": 2_000, "Raw postings without a description": 8_000}
GOALS |= {"with a 4 KB one": 1_500}


def once(name: str, shared: str) -> float:
    """Texts a second of one kind; to be called in a process that has read none of them."""
    warm, measured, reading = KINDS[name](texts(Path(shared)))
    for text in warm:
        reading(text)
    started = time.perf_counter()
    for text in measured:
        reading(text)
    return len(measured) / (time.perf_counter() - started)


def in_new_process(name: str, shared: Path) -> float:
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        return fresh.submit(once, name, str(shared)).result()


def main() -> None:
    shared = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY.parent / "shared"
    sample = texts(shared)
    print(f"Texts: {sample.origin}")
    for name in KINDS:
        ours: list[float] = []
        theirs: dict[str, list[float]] = {}
        same = KINDS[name](sample)[1] if name in ("Short pay texts", "Texts of 4 KB") else []
        for _ in range(RUNS):
            ours.append(in_new_process(name, shared))
            for peer, (_, seconds) in peers.ask(list(same)).items() if same else ():
                theirs.setdefault(peer, []).append(len(same) / seconds)
        report(name, ours, theirs, GOALS[name])


if __name__ == "__main__":
    main()
