"""Hostile text for every rule, for as long as asked: no exception, no hang, time linear in length.

    python -m benchmarks.fuzz --minutes 10

Texts are made of real building blocks (amounts, signs, words, places, markup, broken bytes, other scripts), cut, joined
and repeated at random, in turn with joins of our own vocabularies and, where the folder of shared data is, with the
titles, places and pay texts of the world (`benchmarks.world`). A text that raises, or takes longer than `SLOW` a
character, is printed with its seed and ends the run with exit code 1.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from aggregator.normalise.company import parse_company
from aggregator.normalise.employment import parse_employment
from aggregator.normalise.level import parse_board_level, parse_level
from aggregator.normalise.location import parse_location
from aggregator.normalise.role import parse_role
from aggregator.normalise.salary import parse_salary
from aggregator.normalise.title import clean_title
from aggregator.quality import Candidate, judge
from benchmarks.world import join, readers, texts_of
from db.text import one_line, repair, without_personal_data

SLOW = 200e-6
"""Seconds a character: some hundred times what the rules need; `ALLOWANCE` covers a pause of the machine."""
ALLOWANCE = 1.0

RULES: dict[str, Callable[[str], object]] = {
    **{name: lambda text, read=read: read({"text": text}) for name, read in readers().items()},
    "salary": lambda text: judge(Candidate(salary=parse_salary(text))),
    "title": clean_title,
    "role": parse_role,
    "level": parse_level,
    "board level": parse_board_level,
    "location": parse_location,
    "employment": parse_employment,
    "company": parse_company,
    "repair": repair,
    "one line": one_line,
    "personal data": without_personal_data,
}

BLOCKS = [
    *"0123456789.,'’ \u00a0\u202f-–—~〜/+%$€£¥₹₽₩()[]{}<>&;:|@#*\\\"\t\n\r\x00\x1b\x85\x96\u200b\u202e\ufeff\ud800",
    "USD", "EUR", "CA$", "A$", "kr", "Kč", "zł", "K", "M", "k€", "lakh", "crore", "LPA", "万", "만원", "億", "Tsd",
    "per hour", "p.a.", "brutto im Jahr", "par mois", "miesięcznie", "в месяц", "年収", "月給", "bis", "to", "od",
    "Senior", "Intern", "(m/w/d)", "Remote", "Berlin, Germany", "Austin, TX", "Georgia", "OTE", "401(k)", "bonus",
    "<p>", "</li>", "&amp;amp;", "ยท", "๐Ÿ‘€", "Β·", "â‚¬", "שכר", "راتب", "เงินเดือน", "1111111K", "9" * 40, "1e309",
    "NaN", "mailto:a@b.example", "+49 30 1234567", "http://x.example/?q=1",
]  # fmt: skip


def made(source: random.Random, seeds: list[str]) -> str:
    """One text: blocks and pieces of pay texts, sometimes one thing very often."""
    parts = []
    for _ in range(source.choice((1, 3, 8, 20, 80))):
        piece = source.choice(seeds) if source.random() < 0.3 else source.choice(BLOCKS)
        if source.random() < 0.1:
            piece = piece[source.randrange(len(piece) + 1) :]
        parts.append(piece * (source.choice((100, 1_000, 5_000)) if source.random() < 0.01 else 1))
    return source.choice(("", " ", "")).join(parts)


def texts(seed: int) -> Iterator[str]:
    source = random.Random(seed)
    rows = Path(__file__).parent.parent / "tests" / "aggregator" / "pay_texts.csv"
    seeds = [row["text"] for row in csv.DictReader(rows.open(encoding="utf-8")) if row["text"]]
    worldly = world()
    while True:
        yield made(source, seeds)
        yield join(source)
        yield next(worldly, None) or join(source)


def world() -> Iterator[str]:
    """The texts of the world, once; none, and that is said, where the folder of shared data is absent."""
    shared = Path(os.environ.get("JOBLEDGER_SHARED_DATA", Path(__file__).parent.parent.parent / "shared"))
    if not (shared / "data" / "public").is_dir():
        print(f"no public rows at {shared / 'data' / 'public'}: set JOBLEDGER_SHARED_DATA to read them too")
        return
    yield from (text for _, text in texts_of(shared / "data"))


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=10)
    asked.add_argument("--seed", type=int, default=int(time.time()))
    given = asked.parse_args()
    end, tried, longest = time.monotonic() + given.minutes * 60, 0, 0
    for text in texts(given.seed):
        for name, rule in RULES.items():
            started = time.perf_counter()
            try:
                rule(text)
            except Exception as error:  # noqa: BLE001 - any exception is what is looked for
                print(f"seed {given.seed}, text {tried}, {name}: {error!r}\n{text[:500]!r}")
                return 1
            seconds = time.perf_counter() - started
            if seconds > ALLOWANCE + SLOW * len(text):
                print(f"seed {given.seed}, text {tried}, {name}: {seconds:.1f} s for {len(text):,} characters")
                print(repr(text[:500]))
                return 1
        tried, longest = tried + 1, max(longest, len(text))
        if time.monotonic() > end:
            break
    print(
        f"{tried:,} texts, up to {longest:,} characters, {len(RULES)} rules: no exception, no hang (seed {given.seed})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
