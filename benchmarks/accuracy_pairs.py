"""How well the same job is recognised: precision and recall on pairs of real ads.

    python -m benchmarks.accuracy_pairs [FOLDER of shared data]

The pairs are built from 3,755 real ads of three feeds (`data/boards`), in three sets:

natural     ads of one employer with nearly one title in two feeds. Every one was read: it is one job, or it could be
            several (the feed says only "Remote" and the board has the job in three countries), which is no pair.
published   a sample of ads published again in the ways that aggregators do it (`WAYS`), each a real habit seen in the
            feeds. The copies stand among all the other ads, so a wrong partner is at hand: the true pair is an ad and
            its own copy, and any other pair is wrong. Left out is what nobody could tell: a copy that reads the same
            as that of another ad of the same board would (title, place; the board shows two openings).
apart       ads of one employer with one title that one board shows side by side for other places. Each is looked at as
            if another publisher had shown it: merging any of them is wrong.
"""

from __future__ import annotations

import html
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aggregator.composing import compose
from aggregator.dedupe import Ad, groups_of, title_words
from aggregator.matching import ad_of
from aggregator.normalise.money import Rates
from aggregator.normalise.title import clean_title
from aggregator.reading import read
from db.keys import folded
from db.records import PublishedPay, RawPostingRecord

NOW = datetime(2026, 8, 3, tzinfo=UTC)
SAMPLE = 600
NATURAL_COPIES = {
    ("affirm", "software engineer ii, backend (capital orchestration)"),
    ("bluelight consulting", "software engineer"),
    ("corndel", "applied ai engineering coach (level 6)"),
    ("dropbox", "senior fullstack product software engineer, web experience"),
    ("flosum", "director of software engineering (portugal)"),
    ("gitlab", "senior backend engineer, platform readiness"),
    ("launch potato", "staff data scientist, marketing"),
    ("lifelancer", "analyst, business analytics"),
    ("muon space", "senior optical engineer"),
    ("twilio", "software architect (l6)"),
    ("workiva", "sr machine learning engineering manager - ai quality and governance"),
    ("xsolla", "principal engineer – identity management (iam & golang backend)"),
}
"""Employer and (beginning of the) title of the natural pairs that are one job, as read."""


@dataclass(frozen=True, slots=True)
class Score:
    """Pairs: right ones merged, wrong ones merged, right ones missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


Way = Callable[[RawPostingRecord], RawPostingRecord]


def _cut(words: int) -> Way:
    return lambda r: replace(r, description_text=" ".join((r.description_text or "").split()[:words]) + "…")


WAYS: Mapping[str, Way] = {
    "as it is": lambda r: r,
    "no description": lambda r: replace(r, description_text=None),
    "first 80 words": _cut(80),
    "first 300 words": _cut(300),
    "place only Remote": lambda r: replace(r, location_text="Remote"),
    "legal name": lambda r: replace(r, company_text=f"{(r.company_text or '').title()}, Inc."),
    "title with place": lambda r: replace(
        r, title_text=f"{r.title_text} - {(r.location_text or 'Remote').split(',')[0]}"
    ),
    "title with marks": lambda r: replace(r, title_text=f"{r.title_text} (m/f/d)"),
    "title short": lambda r: replace(r, title_text=r.title_text.replace("Senior", "Sr.").replace("Engineer", "Eng.")),
    "headings added": lambda r: replace(r, description_text=f"About the job. Apply now! {r.description_text}"),
}


def ads_of(folder: Path) -> Iterator[RawPostingRecord]:
    """The real ads, as their feeds publish them."""
    for row in _lines(folder / "ats-jobs-union.jsonl"):
        yield _record(f"board-{row['company']}", row["id"], row, row["company"], row["location"], row["url"])
    for row in _lines(folder / "himalayas-jobs-union.jsonl"):
        place = ", ".join(row["locationRestrictions"] or []) or None
        record = _record("himalayas", row["guid"], row, row["companyName"], place, row["applicationLink"])
        low, high = (str(row[name]) if row[name] else None for name in ("minSalary", "maxSalary"))
        pay = PublishedPay(min=low, max=high, currency=row["currency"], period=row["salaryPeriod"])
        yield replace(
            record, workplace_text="Remote", pay=(pay,) if low or high else (), employment_text=row["employmentType"]
        )
    for row in _lines(folder / "remotejobsorg-jobs-union.jsonl"):
        record = _record("remotejobs", row["id"], row, row["company"]["name"], row["location"], row["url"])
        yield replace(record, salary_text=row["salary_text"], employment_text=row["type"])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _record(
    source: str, source_id: str, row: Mapping[str, Any], company: str, place: str | None, url: str
) -> RawPostingRecord:
    return RawPostingRecord(
        source=source,
        source_id=source_id,
        title_text=row["title"],
        company_text=company,
        location_text=place,
        url=url,
        description_text=re.sub(r"<[^>]+>", " ", html.unescape(html.unescape(row["description"] or ""))),
        page_url=url,
        seen_at=NOW,
    )


def read_ad(record: RawPostingRecord) -> tuple[str, Ad]:
    """The block and the ad that the pipeline would make of a record."""
    raw = SimpleNamespace(
        id=record.id,
        source=record.source,
        content_hash="",
        first_seen=NOW,
        last_seen=NOW,
        closed_at=None,
        **record.published_fields,
    )
    draft = compose(record.id, [read(raw)], Rates(()))
    return draft.values["block"], ad_of(draft.values, record.id, [raw])


def merged_pairs(records: Sequence[RawPostingRecord]) -> set[frozenset[str]]:
    """The pairs of records that the matching puts into one posting."""
    blocks: dict[str, list[Ad]] = defaultdict(list)
    for block, ad in map(read_ad, records):
        blocks[block].append(ad)
    found: set[frozenset[str]] = set()
    for block, ads in blocks.items():
        for group in groups_of(ads) if block else []:
            found |= {frozenset((a.id, b.id)) for (a, _), (b, _) in combinations(group, 2)}
    return found


def natural(records: Sequence[RawPostingRecord]) -> Score:
    found = merged_pairs(records)
    names = {r.id: (folded(r.company_text), folded(r.title_text)) for r in records}

    def right(pair: frozenset[str]) -> bool:
        return any(
            names[id_][0].replace(" ", "") == company.replace(" ", "") and names[id_][1].startswith(title)
            for id_ in pair
            for company, title in NATURAL_COPIES
        )

    good = sum(right(pair) for pair in found)
    return Score(good, len(found) - good, len(NATURAL_COPIES) - good)


def published(records: Sequence[RawPostingRecord]) -> dict[str, Score]:
    boards = [r for r in records if r.source.startswith("board-")]
    scores = {}
    for name, way in WAYS.items():
        alike = Counter(_reads_as(way(r)) for r in boards)
        chosen = random.Random(1).sample([r for r in boards if alike[_reads_as(way(r))] == 1], SAMPLE)
        copies = [replace(way(r), source="aggregator", source_id=f"copy {r.source_id}", url=None) for r in chosen]
        true = {frozenset((r.id, copy.id)) for r, copy in zip(chosen, copies, strict=True)}
        copied = {copy.id for copy in copies}
        found = {pair for pair in merged_pairs([*records, *copies]) if pair & copied}
        scores[name] = Score(len(found & true), len(found - true), len(true - found))
    return scores


def _reads_as(record: RawPostingRecord) -> tuple[str, tuple[str, ...], str]:
    """What a reader of an ad could tell it from another one of the same employer by."""
    words = title_words(clean_title(record.title_text))
    return folded(record.company_text), words, folded(record.location_text)


def apart(records: Sequence[RawPostingRecord]) -> tuple[int, int]:
    """(pairs looked at, pairs merged wrongly)"""
    titles: dict[tuple[str, str], list[RawPostingRecord]] = defaultdict(list)
    for r in records:
        if r.source.startswith("board-"):
            titles[r.source, folded(r.title_text)].append(r)
    looked = wrong = 0
    for group in titles.values():
        for a, b in combinations(group, 2):
            if folded(a.location_text) != folded(b.location_text):
                looked += 1
                wrong += bool(merged_pairs([a, replace(b, source="elsewhere", url=None)]))
    return looked, wrong


def main(folder: Path) -> None:
    records = list(ads_of(folder))
    print(f"{len(records):,} real ads\n")
    print(f"{'set':<32} {'pairs':>6} {'precision':>10} {'recall':>8}")
    scores = {"natural": natural(records)} | {f"published: {k}": v for k, v in published(records).items()}
    for name, score in scores.items():
        print(f"{name:<32} {score.right + score.missed:>6} {score.precision:>10.4f} {score.recall:>8.4f}")
    total = Score(*(sum(getattr(s, part) for s in scores.values()) for part in ("right", "wrong", "missed")))
    print(f"{'all':<32} {total.right + total.missed:>6} {total.precision:>10.4f} {total.recall:>8.4f}")
    looked, wrong = apart(records)
    print(f"\n{'apart (other places)':<32} {looked:>6} pairs, {wrong} merged wrongly")


if __name__ == "__main__":
    shared = Path(__file__).parent.parent.parent / "shared"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else shared / "data" / "boards")
