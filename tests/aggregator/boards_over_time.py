"""Boards as they change from run to run: read from the table of `docs/closing.md`, run as in service.

Only the fetching is played. What a run counts is judged by `scraper.health`, weighed, written and closed by the code
that the scheduler and `jobledger crawl` call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine, func, select

from db.records import RawPostingRecord
from db.runs import Outcome
from db.session import reading
from db.store import keep
from db.tables import RAW
from scheduler.jobs import Crawl, run_source
from scraper.crawl import CrawlResult, result_of
from scraper.health import judge
from scraper.sources import Source
from tests.db.records import ad

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OTHERS, RENUMBERED = 10_000, 20_000
"""Numbers of another company's ads, and of ads that were given new numbers, begin after these."""
SHOWN = re.compile(r"(?:(other|renumbered) )?(?:(\d+)-)?(\d+)")


@dataclass(frozen=True)
class Shown:
    """What one run gets to see."""

    ads: tuple[int, ...] = ()
    stats: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    pay: str | None = "€60,000 - €80,000 a year"

    @classmethod
    def of(cls, words: str) -> Shown:
        """
        >>> Shown.of("2 + other 1").ads, Shown.of("partial 3").stats
        ((1, 2, 10001), {'jobledger/incomplete/the listing breaks off': 1})
        """
        if words == "challenge":
            return cls(stats={"jobledger/challenges": 1, "jobledger/pages": 0})
        if words == "blank":
            return cls(stats={"jobledger/empty_answers": 1})
        how, _, rest = words.partition(" ")
        if how == "limit":
            return cls(_numbers(rest), {"finish_reason": "limit_reached"}, limit=int(rest))
        if how == "partial":
            return cls(_numbers(rest), {"jobledger/incomplete/the listing breaks off": 1})
        if how == "unread":
            return cls(_numbers(rest), {"jobledger/not_inspected": 3})
        if words.endswith(" no pay"):
            return cls(_numbers(words.removesuffix(" no pay")), pay=None)
        return cls(tuple(number for part in words.split(" + ") for number in _numbers(part)))

    def counted(self) -> dict[str, Any]:
        """What the crawl counts."""
        number = len(self.ads)
        counts = dict.fromkeys(("raw_postings", "sightings", "postings_read", "field/description_text"), number)
        counts["field/pay"] = number if self.pay else 0
        counts["pages"] = counts["answers"] = 1
        return {"finish_reason": "finished", **{f"jobledger/{k}": v for k, v in counts.items()}, **self.stats}

    def records(self, source: str, seen_at: datetime) -> list[RawPostingRecord]:
        return [
            ad(
                number,
                source=source,
                seen_at=seen_at,
                salary_text=self.pay,
                title_text=f"Data Engineer {number % OTHERS}",
            )
            for number in self.ads
        ]


def _numbers(words: str) -> tuple[int, ...]:
    found = SHOWN.fullmatch(words)
    assert found is not None, f"{words!r} is nothing that a board shows"
    base = {None: 0, "other": OTHERS, "renumbered": RENUMBERED}[found[1]]
    return tuple(range(base + int(found[2] or 1), base + int(found[3]) + 1))


@dataclass(frozen=True)
class Scenario:
    """One row of the table."""

    board: str
    source: Source
    every: timedelta
    steps: tuple[Shown | timedelta, ...]
    """What each run sees; time that passes in between, or is set back."""
    closes: dict[int, int]
    """The number of a run, and how many ads it closes."""
    last: str

    @classmethod
    def of(cls, row: Sequence[str]) -> Scenario:
        board, source, every, steps, closes, last = row
        said = dict(re.findall(r"(\w+) = (\w+)", source))
        values = {name: value == "true" if name == "complete" else int(value) for name, value in said.items()}
        closing = {} if closes == "never" else dict(re.findall(r"run (\d+): (\d+)", closes))
        return cls(
            board=board,
            source=Source(name=re.sub(r"\W+", "-", board), spider="greenhouse", token="acme", **values),
            every={"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}[every],
            steps=tuple(step for words in steps.split(", ") for step in _steps(words)),
            closes={int(run): int(number) for run, number in closing.items()},
            last=last,
        )


def _steps(words: str) -> Iterator[Shown | timedelta]:
    if moved := re.fullmatch(r"(wait|clock back) (\d+) (days|hours)", words):
        yield (1 if moved[1] == "wait" else -1) * timedelta(**{moved[3]: int(moved[2])})
        return
    words, _, times = words.partition(" ×")
    yield from [Shown.of(words)] * int(times or 1)


def scenarios(page: str) -> list[Scenario]:
    """The rows of the last table of a Markdown page."""
    lines = page[page.rindex("\n| board |") :].strip().splitlines()[2:]
    return [Scenario.of([cell.strip() for cell in line.strip("|").split("|")]) for line in lines]


@dataclass
class BoardOverTime:
    """One source in a ledger, and the clock on the wall."""

    engine: Engine
    source: Source
    now: datetime = START

    def clock(self) -> Callable[[], datetime]:
        """The clock on the wall: each look at it comes five minutes after the one before."""
        began, times = self.now, count(0, 5)
        return lambda: began + next(times) * MINUTE

    def crawl_of(self, shown: Shown) -> Crawl:
        """A crawl that sees this a minute after it began: only the fetching is played."""
        seen_at = self.now + MINUTE

        def crawl(source: Source, *, history: Sequence[Any] = (), **_given: Any) -> CrawlResult:
            keep(self.engine, shown.records(source.name, seen_at))
            stats = shown.counted()
            return result_of(source, judge(stats, source, history), stats, limit=shown.limit)

        return crawl

    def run(self, shown: Shown) -> Outcome:
        """One run that sees this, some minutes long, and what it came to."""
        result = run_source(
            self.source,
            engine=self.engine,
            database_url="",
            scheduled_for=self.now,
            trigger="schedule",
            now=self.clock(),
            crawl=self.crawl_of(shown),
        )
        assert result is not None
        assert result.kept
        return result.outcome

    def pass_by(self, time: timedelta) -> None:
        self.now += time

    def closed(self) -> int:
        with reading(self.engine) as connection:
            closed = (RAW.c.source == self.source.name) & RAW.c.closed_at.is_not(None)
            query = select(func.count()).select_from(RAW).where(closed)
            return connection.execute(query).scalar_one()


def walk(engine: Engine, scenario: Scenario) -> tuple[dict[int, int], Outcome]:
    """Which run closes how many ads, and what the last run came to."""
    board = BoardOverTime(engine, scenario.source)
    closes: dict[int, int] = {}
    number, outcome = 0, Outcome(verdict="failed")
    for step in scenario.steps:
        if isinstance(step, timedelta):
            board.pass_by(step + MINUTE)  # a slot has one run
            continue
        before, number = board.closed(), number + 1
        outcome = board.run(step)
        if board.closed() != before:
            closes[number] = board.closed() - before
        board.pass_by(scenario.every)
    return closes, outcome
