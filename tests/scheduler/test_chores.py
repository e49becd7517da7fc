"""The scheduler's own jobs, `schedule once`, and crawls that misbehave, through the real child processes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from db import runs
from db.decisions import decide_flag
from db.flags import COHORT, keep_cohort_flags
from db.session import reading, writing
from db.source_state import find_condition, keep_sources
from db.tables import FLAG, POSTING
from scheduler import once
from scheduler.chore_settings import ChoreSettings
from scheduler.chores import chore_outcome, chores, cohort_flags
from scheduler.cron import trigger
from scheduler.jobs import run_source
from scheduler.timetable import JOBS, Job, entries, timetable_of, wanted_jobs
from scraper.crawl import crawl
from scraper.sources import Source

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_timetable_is_whole() -> None:
    assert {job.name for job in JOBS} == set(chores(ChoreSettings()))
    for job in JOBS:
        trigger(job.cron)
        assert job.name.startswith("@"), "no source can have such a name"
        assert job.what
        assert job.jitter == timedelta(0)


def test_only_enabled_sources_with_a_schedule_are_jobs() -> None:
    sources = [
        Source(name="a", spider="x", schedule="0 6 * * *"),
        Source(name="b", spider="x", schedule="* * * * *", enabled=False),
        Source(name="c", spider="x"),
    ]
    assert [job.name for job in timetable_of(sources, jobs=())] == ["a"]
    assert [entry.name for entry in entries(sources, jobs=())] == ["a", "b", "c"]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_chore_does_its_work_on_an_empty_ledger(job: Job, ledger: Engine, database_url: str) -> None:
    settings = ChoreSettings(rates_url=None, report_folder=None)
    assert chores(settings)[job.name](ledger, NOON) is not None


def test_jobs_are_left_out_that_lack_what_they_need() -> None:
    names = {job.name for job in JOBS}
    assert names - {job.name for job in wanted_jobs(ChoreSettings())} == {"@report"}
    assert names - {job.name for job in wanted_jobs(ChoreSettings(rates_url=None, report_folder="x"))} == {"@rates"}


def test_a_chore_in_its_child(ledger: Engine, database_url: str) -> None:
    outcome = chore_outcome(Job(name="@maintenance", cron="@daily"), database_url)
    assert (outcome.verdict, outcome.stats) == ("healthy", {"checkpointed": True})


def test_a_chore_whose_ledger_is_no_ledger_fails_in_one_line(tmp_path: Any) -> None:
    outcome = chore_outcome(Job(name="@retention", cron="@daily"), f"sqlite:///{tmp_path}/no/such/folder.db")
    assert outcome.verdict == "failed"
    assert "no ledger at" in outcome.reasons[0]
    assert "Traceback" not in (outcome.log_tail or "")


class TestCohorts:
    @pytest.fixture
    def market(self, ledger: Engine) -> Engine:
        """Forty ordinary postings and one that pays a hundred times as much."""
        rows = []
        for number in range(41):
            usd = Decimal(10_000_000 if number == 40 else 90_000 + 1_000 * number)
            rows.append(
                {
                    "id": f"p{number:02}",
                    "title": "Data Engineer",
                    "title_text": "Data Engineer",
                    "family": "Data",
                    "level": "senior",
                    "country": "US",
                    "annual_min_usd": usd,
                    "annual_max_usd": usd,
                    "salary_is_estimate": False,
                    "excluded": False,
                }
            )
        with writing(ledger) as connection:
            for row in rows:
                connection.execute(insert(POSTING).values({**filler(), **row}))
        return ledger

    def flags(self, engine: Engine) -> dict[str, str]:
        with reading(engine) as connection:
            found = connection.execute(select(FLAG.c.posting_id, FLAG.c.state).where(FLAG.c.code == COHORT))
            return {row.posting_id: row.state for row in found}

    def test_the_odd_one_is_flagged_once(self, market: Engine) -> None:
        assert cohort_flags(market, NOON) == {"raised": 1, "reworded": 0, "lifted": 0, "rejected": 0}
        assert cohort_flags(market, NOON) == {"raised": 0, "reworded": 0, "lifted": 0, "rejected": 0}
        assert self.flags(market) == {"p40": "open"}

    def test_a_flag_that_no_longer_holds_is_lifted(self, market: Engine) -> None:
        cohort_flags(market, NOON)
        made = keep_cohort_flags(market, {}, severity="warn", rules_version=1, now=NOON)
        assert made.lifted == 1
        assert self.flags(market) == {}

    def test_what_a_person_decided_stays(self, market: Engine) -> None:
        cohort_flags(market, NOON)
        decide_flag(market, f"p40:{COHORT}", "dismissed", who="me", why="a founder's pay", now=NOON)
        cohort_flags(market, NOON)
        keep_cohort_flags(market, {}, severity="warn", rules_version=1, now=NOON)
        assert self.flags(market) == {"p40": "dismissed"}


def filler() -> dict[str, object]:
    """A value for every column that must have one."""
    kinds: dict[type, object] = {str: "", int: 0, float: 0.0, bool: False, list: [], dict: {}, datetime: NOON}
    return {
        column.name: kinds.get(_kind(column.type), NOON)
        for column in POSTING.c
        if not column.nullable and not column.foreign_keys
    }


def _kind(column_type: Any) -> type:
    try:
        kind: type = column_type.python_type
    except NotImplementedError:
        return list
    return list if kind is dict else kind


class TestOnce:
    SOURCES = tuple(Source(name=name, spider="x", schedule="0 6 * * *") for name in ("acme", "globex", "initech"))

    def fake(self, source: Source, **_given: Any) -> Any:
        stats = {"finish_reason": "finished"}
        return SimpleNamespace(verdict="healthy", reasons=(), complete=False, pages=2, new=3, stats=stats)

    def run(self, engine: Engine, url: str, now: datetime, jobs: tuple[Job, ...] = ()) -> list[str]:
        results = once.run_due_once(
            self.SOURCES, engine=engine, database_url=url, now=lambda: now, jobs=jobs, workers=2, crawl=self.fake
        )
        return sorted(result.source for result in results)

    def test_everything_due_once(self, ledger: Engine, database_url: str) -> None:
        assert self.run(ledger, database_url, NOON) == ["acme", "globex", "initech"]
        assert self.run(ledger, database_url, NOON + timedelta(minutes=1)) == []
        assert self.run(ledger, database_url, NOON + timedelta(days=1)) == ["acme", "globex", "initech"]

    def test_what_was_crawled_is_aggregated(self, ledger: Engine, database_url: str) -> None:
        aggregate = tuple(job for job in JOBS if job.name == "@aggregate")
        assert "@aggregate" in self.run(ledger, database_url, NOON, aggregate)
        later = NOON + timedelta(days=1, minutes=3)  # not a slot of its own
        self.run(ledger, database_url, later - timedelta(minutes=3), aggregate)
        assert self.run(ledger, database_url, later, aggregate) == []

    def test_results_read_as_one_line(self, ledger: Engine, database_url: str) -> None:
        lines: list[str] = []
        once.run_due_once(
            self.SOURCES[:1],
            engine=ledger,
            database_url=database_url,
            now=lambda: NOON,
            jobs=(),
            crawl=self.fake,
            report=lambda result: lines.append(str(result)),
        )
        assert lines[0].startswith("acme: healthy in ")
        assert "2 pages, 3 new" in lines[0]


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("hangs", "took longer than"),
        ("segfaults", "SIGSEGV"),
        ("exits", "without a result"),
        ("floods", "exit code 3"),
        ("eats", "memory"),
        ("nothing", "no page could be read"),
    ],
)
def test_a_crawl_that_misbehaves_is_judged_bounded_and_reported(
    behaviour: str, words: str, ledger: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the real crawl: the run is failed with its reason, the source's condition knows, and nothing raises."""
    monkeypatch.setattr("scraper.crawl.GRACE_SECONDS", 1.0)
    source = Source(name="acme", spider="misbehaving", schedule="0 * * * *", options={"how": behaviour})
    keep_sources(ledger, entries([source], jobs=()), NOON)
    bounded = partial(
        crawl, spider_modules=("tests.scheduler",), timeout_seconds=2 if behaviour == "hangs" else 30, memory_mb=150
    )
    result = run_source(
        source,
        engine=ledger,
        database_url=database_url,
        scheduled_for=NOON,
        trigger="schedule",
        now=lambda: NOON,
        crawl=bounded,
    )
    assert result is not None
    assert result.verdict == "failed"
    (row,) = runs.history(ledger, "acme")
    assert words in " ".join((*row.reasons, row.log_tail or ""))
    assert len(row.log_tail or "") <= runs.LOG_TAIL_LIMIT
    condition = find_condition(ledger, "acme")
    assert condition is not None
    assert (condition.ailment, condition.failures) == ("crashed", 1)
    assert (
        run_source(
            source, engine=ledger, database_url=database_url, scheduled_for=NOON, trigger="schedule", now=lambda: NOON
        )
        is None
    )
