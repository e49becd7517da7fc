"""How fast the rules read: short pay texts, long descriptions, whole raw postings; peers on the same texts beside us.

    python -m benchmarks.normalise_speed [FOLDER of shared data]

Real texts, each read once after a warm-up on other texts, so no cache helps; one core. Medians of five runs in which we
and the peers take turns. Without the folder of shared data, texts of our own tests stand in, and the output says so.
"""

from __future__ import annotations

import csv
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
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
NOW = datetime(2026, 10, 1, tzinfo=UTC)


def texts(shared: Path) -> tuple[list[str], list[str], list[dict[str, Any]], str]:
    """(short pay texts, texts of 4 KB, postings, where they are from)"""
    boards = shared / "data" / "boards"
    if not boards.is_dir():
        rows = list(csv.DictReader((REPOSITORY / "tests/aggregator/pay_texts.csv").open(encoding="utf-8")))
        short = [row["text"] for row in rows]
        long = ["\n".join(short * 40)[i * 50 :][:LONG] for i in range(500)]
        ads = [
            {"title": "Data Engineer", "company": "Any", "location": "Berlin, Germany", "description": t} for t in long
        ]
        return short, long, ads, "our own test texts"
    labelled = shared / "data" / "labelled" / "salary_text.csv"
    short = [row["text"] for row in csv.DictReader(labelled.open(encoding="utf-8"))]
    ads = [json.loads(line) for file in sorted(boards.glob("*.jsonl")) for line in file.open(encoding="utf-8")]
    bodies = [str(ad.get("description") or "") for ad in ads]
    long = [body[:LONG] for body in bodies if len(body) >= LONG]
    return short, long, ads, f"{len(short)} labelled texts, {len(ads)} real ads"


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


def rate(work: Callable[[], object], items: int) -> float:
    started = time.perf_counter()
    work()
    return items / (time.perf_counter() - started)


def report(name: str, ours: Sequence[float], theirs: dict[str, list[float]], goal: int | None) -> None:
    median = statistics.median(ours)
    aim = f", goal {goal:,}" if goal else ""
    print(f"{name}: {median:,.0f} a second (of {RUNS}: {min(ours):,.0f} to {max(ours):,.0f}{aim})")
    for peer, rates in theirs.items():
        other = statistics.median(rates)
        print(f"    {peer}: {other:,.0f} a second; ours is {median / other:.2f} times as fast")


def compared(name: str, sample: Sequence[str], goal: int) -> None:
    ours: list[float] = []
    theirs: dict[str, list[float]] = {}
    for _ in range(RUNS):
        ours.append(rate(lambda: [parse_salary(text) for text in sample], len(sample)))
        for peer, (_, seconds) in peers.ask(list(sample)).items():
            theirs.setdefault(peer, []).append(len(sample) / seconds)
    report(name, ours, theirs, goal)


def main() -> None:
    shared = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY.parent / "shared"
    short, long, ads, origin = texts(shared)
    print(f"Texts: {origin}")
    parse_salary("warm-up: 45.000 € brutto im Jahr")
    compared("Short pay texts", short, 25_000)
    compared("Texts of 4 KB", long, 2_000)
    rates = Rates([])
    rates.usd(Decimal(1), "EUR", date(2026, 10, 1))
    for name, goal, with_text in (
        ("Raw postings without a description", 8_000, False),
        ("with a 4 KB one", 1_500, True),
    ):
        rows = [row_of(ad, number, long[number % len(long)] if with_text else None) for number, ad in enumerate(ads)]
        runs = [rate(lambda rows=rows: [compose(r.id, [read(r)], rates) for r in rows], len(rows)) for _ in range(RUNS)]
        report(name, runs, {}, goal)


if __name__ == "__main__":
    main()
