"""A ledger in which nobody reads what was collected: commands, monitor, metrics, alerts and reports say so."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from aggregator import pipeline
from aggregator.pipeline import aggregate
from aggregator.rules import RULES_VERSION
from db.alone import alone, is_somebody_alone
from db.pending import Waiting
from db.records import ArticleRecord
from db.session import writing
from db.source_state import conditions, keep_sources
from db.store import keep
from scheduler import runner
from scheduler.alerts import tell_all
from scheduler.backlog import CYCLE, LEDGER, Backlog, find_backlog
from scheduler.chores import chore_outcome
from scheduler.metrics import Metrics
from scheduler.timetable import AGGREGATE, entries
from tests.db.records import NOON, ad
from tests.scheduler.test_service import ask, eventually, serving, write_sources
from tests.scheduler.test_telling import Ear
from tests.service.test_cli import run

LATE = NOON + CYCLE + timedelta(minutes=1)
OLD = datetime.now(UTC) - CYCLE - timedelta(hours=1)
"""For what looks at the clock itself: older than a cycle whenever the test runs."""


@pytest.fixture(autouse=True)
def quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ROUND_SECONDS", 0.05)
    monkeypatch.setattr(runner, "TELL_EVERY_SECONDS", 0.0)


def ads(number: int, seen_at: datetime = NOON) -> list[Any]:
    return [ad(n, seen_at=seen_at) for n in range(number)]


def test_a_cycle_is_three_slots_of_the_aggregation() -> None:
    assert timedelta(minutes=15) == CYCLE == 3 * AGGREGATE.interval


class TestWhatIsStuck:
    def test_what_waits_longer_than_a_cycle(self, store: Engine) -> None:
        keep(store, ads(3))
        assert not find_backlog(store, NOON + CYCLE).is_stuck
        late = find_backlog(store, LATE)
        assert late.is_stuck
        assert (late.waiting.ads, late.waiting.oldest) == (3, NOON)
        assert str(late).startswith("3 ads wait to be read, the oldest for 16 min: run `jobledger aggregate`")
        aggregate(store, now=LATE)
        read = find_backlog(store, LATE)
        assert (read.waiting, read.is_stuck) == (Waiting(), False)

    def test_an_article_that_nobody_reads(self, store: Engine) -> None:
        article = ArticleRecord(source="x", url="https://x.example/a", title="A vs. B", seen_at=NOON)
        keep(store, [article])
        late = find_backlog(store, LATE)
        assert (late.is_stuck, late.waiting.articles) == (True, 1)
        assert str(late).startswith("1 article waits to be read")

    def test_an_older_program_that_still_aggregates(self, store: Engine) -> None:
        """It reads all ads, by rules that are not those of this program."""
        keep(store, ads(2))
        aggregate(store, now=NOON)
        with writing(store) as connection:
            connection.execute(text("UPDATE raw_posting SET rules_version = :old"), {"old": RULES_VERSION - 1})
        assert find_backlog(store, LATE).waiting.ads == 2
        assert find_backlog(store, LATE).is_stuck

    def test_an_aggregation_under_way_is_given_its_time(self, store: Engine) -> None:
        keep(store, ads(1))
        inside, over = threading.Event(), threading.Event()

        def hold() -> None:
            with alone(store):
                inside.set()
                over.wait(60)

        holder = threading.Thread(target=hold)
        holder.start()
        assert inside.wait(60)
        during = (is_somebody_alone(store), find_backlog(store, LATE).is_stuck)
        over.set()
        holder.join()
        assert during == (True, False)
        eventually(lambda: not is_somebody_alone(store), what="the end of the lock")
        assert find_backlog(store, LATE).is_stuck

    def test_looking_holds_nobody_up_and_makes_no_file(self, ledger: Engine) -> None:
        keep(ledger, ads(1))
        assert find_backlog(ledger, LATE).is_stuck
        assert not Path(f"{ledger.url.database}-alone").exists()


class TestCommands:
    def test_the_check_says_how_many_how_old_and_what_to_do(self, store: Engine, ledger_url: str) -> None:
        keep(store, ads(2, OLD))
        checked = run("db", "check", db=ledger_url)
        assert checked.returncode == 1
        assert re.match(r"2 ads wait to be read, the oldest for 1 h \d+ min: run `jobledger aggregate`", checked.stdout)
        assert run("aggregate", db=ledger_url).returncode == 0
        assert run("db", "check", db=ledger_url).returncode == 0

    def test_an_aggregation_that_crashes_leaves_the_alarm_on(
        self, ledger: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep(ledger, ads(2, OLD))

        def broken(*_given: Any, **_named: Any) -> Any:
            raise RuntimeError("a fault of ours")

        with monkeypatch.context() as patch:
            patch.setattr(pipeline, "compose_all", broken)
            with pytest.raises(RuntimeError):
                aggregate(ledger, now=datetime.now(UTC))
        assert run("db", "check", db=database_url).returncode == 1

    def test_what_came_just_now_is_no_alarm(self, ledger: Engine, database_url: str) -> None:
        keep(ledger, ads(2, datetime.now(UTC)))
        assert run("db", "check", db=database_url).returncode == 0

    @pytest.mark.parametrize("words", [["report"], ["report", "--format", "md"], ["report", "--format", "html"]])
    def test_a_report_says_what_it_does_not_know(self, store: Engine, ledger_url: str, words: list[str]) -> None:
        keep(store, ads(1))
        aggregate(store, now=NOON)
        assert "not in these figures" not in run(*words, db=ledger_url).stdout
        keep(store, [ad(7), ad(8)])
        assert "2 collected ads are not in these figures yet" in " ".join(run(*words, db=ledger_url).stdout.split())

    def test_so_do_json_and_those_that_have_no_room_for_words(self, store: Engine, ledger_url: str) -> None:
        keep(store, ads(1))
        assert json.loads(run("report", "--format", "json", db=ledger_url).stdout)["method"]["unread_ads"] == 1
        for words in (["report", "--format", "csv"], ["postings"], ["postings", "--format", "jsonl"]):
            assert "1 collected ad is not in these figures yet" in run(*words, db=ledger_url).stderr
        aggregate(store, now=NOON)
        assert json.loads(run("report", "--format", "json", db=ledger_url).stdout)["method"]["unread_ads"] == 0
        assert run("postings", "--format", "jsonl", db=ledger_url).stderr == ""


class TestScheduler:
    def test_readiness_fails_with_the_figures_and_comes_back(
        self, ledger: Engine, database_url: str, tmp_path: Path
    ) -> None:
        """A scheduler without an aggregation: crawls go on, and nobody reads what they bring."""
        keep(ledger, ads(4, OLD))
        with serving(database_url, write_sources(tmp_path / "s.toml"), http_port=(port := free_port())):
            code, answer = eventually(lambda: _unready(port), what="not being ready")
            assert code == 503
            assert json.loads(answer)["pending"].startswith("4 ads wait to be read")
            assert 'jobledger_pending_rows{kind="posting"} 4.0' in ask(port, "/metrics")[1]
            aggregate(ledger, now=datetime.now(UTC))
            eventually(lambda: ask(port, "/readyz")[0] == 200, what="being ready again")
            assert "pending" not in json.loads(ask(port, "/readyz")[1])

    def test_a_scheduler_that_does_not_lead_says_so_too(
        self, ledger: Engine, database_url: str, tmp_path: Path
    ) -> None:
        keep(ledger, ads(1, OLD))
        sources = write_sources(tmp_path / "s.toml")
        port = free_port()
        with serving(database_url, sources), serving(database_url, sources, http_port=port, holder="second"):
            eventually(lambda: _unready(port), what="not being ready")

    def test_people_are_told_once_and_once_when_it_is_over(self, store: Engine) -> None:
        keep_sources(store, entries([]), NOON)
        keep(store, ads(2))
        ear = Ear()
        assert tell_all(store, ear, NOON + CYCLE) == 0
        assert [tell_all(store, ear, LATE + timedelta(minutes=n)) for n in range(3)] == [1, 0, 0]
        assert conditions(store)[LEDGER].ailment == "stuck"
        aggregate(store, now=LATE)
        assert [tell_all(store, ear, LATE + timedelta(minutes=n)) for n in range(3, 5)] == [1, 0]
        assert [title for title, _ in ear.heard] == [
            f"jobledger: trouble with {LEDGER}",
            f"jobledger: well again: {LEDGER}",
        ]
        assert "2 ads wait to be read, the oldest for 16 min: run `jobledger aggregate`" in ear.heard[0][1]

    def test_a_healthy_run_that_reads_nothing_does_not_end_the_alarm(self, store: Engine) -> None:
        keep_sources(store, entries([]), NOON)
        keep(store, ads(1))
        ear = Ear()
        tell_all(store, ear, LATE)
        keep_sources(store, entries([]), LATE)  # another timetable is followed: what no file lists stays
        assert tell_all(store, ear, LATE + CYCLE) == 0
        assert len(ear.heard) == 1

    def test_the_job_itself_reads_what_waits(self, ledger: Engine, database_url: str) -> None:
        keep(ledger, ads(2))
        assert chore_outcome(AGGREGATE, database_url).verdict == "healthy"
        assert find_backlog(ledger, LATE).waiting == Waiting()


@pytest.mark.parametrize(
    ("waiting", "age", "lines"),
    [
        (Waiting(ads=7, articles=2, oldest=NOON), 3600, {"posting": 7, "article": 2, "age": 3600}),
        (Waiting(), 0, {"posting": 0, "article": 0, "age": 0}),
    ],
    ids=["some", "none"],
)
def test_metrics_count_what_waits(waiting: Waiting, age: int, lines: Mapping[str, int]) -> None:
    metrics = Metrics()
    metrics.show_backlog(Backlog(waiting=waiting, age=timedelta(seconds=age), is_being_read=False))
    said = metrics.text().decode()
    assert f'jobledger_pending_rows{{kind="posting"}} {lines["posting"]}.0' in said
    assert f'jobledger_pending_rows{{kind="article"}} {lines["article"]}.0' in said
    assert f"jobledger_pending_oldest_seconds {lines['age']}.0" in said


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _unready(port: int) -> tuple[int, str] | None:
    try:
        code, answer = ask(port, "/readyz")
    except OSError:  # it does not listen yet
        return None
    return (code, answer) if code == 503 and "pending" in answer else None
