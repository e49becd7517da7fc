"""The scheduler as a process: started, watched, killed, frozen, stopped, and its ledger taken away."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from db import runs
from db.lease import find_lease
from db.session import open_ledger
from scheduler import jobs, runner
from scheduler.conductor import ABANDONED, LEASE
from scheduler.jobs import STOPPED, RunResult
from scheduler.runner import SchedulerSettings, Service
from scraper.crawl import crawl
from scraper.sources import Source, SourceError
from tests.scheduler.service_process import fake_crawl


def write_sources(path: Path, **sources: str) -> Path:
    """A sources file: name = options as TOML, a source a line. They are read once at the start, then in January."""
    entries = [
        f'[[source]]\nname = "{name}"\nspider = "captures"\nurl = "https://{name}.example/"\n'
        f'schedule = "0 0 1 1 *"\noptions = {{ {options} }}\n'
        for name, options in sources.items()
    ]
    path.write_text("\n".join(entries), "utf-8")
    return path


def eventually(question: Callable[[], object], seconds: float = 120, what: str = "it") -> Any:
    """Waits until `question` is true. The bound only ends a test that would wait for ever: a busy machine is slow."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.03)
    pytest.fail(f"{what} did not come true within {seconds} s")


def verdicts(engine: Engine) -> dict[str, str | None]:
    return {row.source: row.verdict for row in runs.recent_runs(engine)}


@pytest.fixture(autouse=True)
def quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ROUND_SECONDS", 0.05)
    monkeypatch.setattr(runner, "TELL_EVERY_SECONDS", 0.0)


@contextmanager
def serving(url: str, sources: Path, **more: Any) -> Iterator[Service]:
    """A service in a thread of this process; stopped at the end."""
    given = {"crawl": fake_crawl, "away_seconds": 0.1, **more}
    settings = SchedulerSettings(database_url=url, sources_path=sources, jobs=(), **given)
    service = Service(settings)
    thread = threading.Thread(target=service.serve)
    thread.start()
    try:
        yield service
    finally:
        service.stop()
        thread.join(60)
        assert not thread.is_alive()


@dataclass
class Process:
    """A scheduler process and what it logs."""

    popen: subprocess.Popen[str]
    lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        with self.popen.stderr as log:
            for line in log:
                self.lines.append(json.loads(line))

    def said(self, words: str) -> bool:
        return any(words in line["message"] for line in list(self.lines))

    def signal(self, number: int) -> None:
        os.kill(self.popen.pid, number)


def frozen_between_writes(process: Process, store: Engine) -> bool:
    """Freezes the process, unless it holds the write lock of an SQLite file: nobody can take that lock over."""
    process.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.popen.pid, os.WSTOPPED)
    if store.dialect.name != "sqlite":
        return True
    with closing(sqlite3.connect(str(store.url.database), isolation_level=None, timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            process.signal(signal.SIGCONT)
            return False
        connection.execute("ROLLBACK")
    return True


@contextmanager
def process(url: str, sources: Path, **more: Any) -> Iterator[Process]:
    given = {"database_url": url, "sources": str(sources), "log_format": "json", "lease_seconds": 2, **more}
    command = [sys.executable, "-m", "tests.scheduler.service_process", json.dumps(given)]
    root = Path(__file__).parents[2]
    popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=root, start_new_session=True)
    made = Process(popen)
    try:
        yield made
    finally:
        with suppress(ProcessLookupError):  # nobody is left of it
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()
        made.reader.join(5)


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class TestServing:
    def test_it_reads_what_is_due_and_leaves_a_clean_table(
        self, ledger: Engine, database_url: str, tmp_path: Path
    ) -> None:
        sources = write_sources(tmp_path / "s.toml", acme="", globex="")
        with serving(database_url, sources) as service:
            eventually(lambda: verdicts(ledger) == {"acme": "healthy", "globex": "healthy"}, what="both runs")
            assert service.pulse.leads
        assert find_lease(ledger, LEASE) is None
        assert runs.open_runs(ledger) == []

    def test_a_fault_after_a_run_disturbs_nothing_else(
        self,
        ledger: Engine,
        database_url: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def broken(engine: Engine, result: RunResult, now: datetime) -> None:
            if result.source == "acme":
                raise ValueError("a fault of ours")

        monkeypatch.setattr(jobs, "close_absent", broken)
        sources = write_sources(tmp_path / "s.toml", acme="", globex="")
        with serving(database_url, sources) as service:
            eventually(lambda: verdicts(ledger) == {"acme": "healthy", "globex": "healthy"}, what="both runs")
            eventually(lambda: not service.in_hand)
        assert "acme: run" in caplog.text
        assert "what follows it broke: ValueError('a fault of ours')" in caplog.text

    def test_a_timetable_without_sources_is_said(
        self, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "s.toml").write_text('[[source]]\nname = "acme"\nspider = "captures"\nurl = "https://a.example/"\n')
        with serving(database_url, tmp_path / "s.toml") as service:
            eventually(lambda: service.pulse.leads)
        assert "no source is enabled and has a schedule" in caplog.text

    def test_it_may_be_watched(
        self, ledger: Engine, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        with serving(database_url, write_sources(tmp_path / "s.toml", acme=""), http_port=0):
            port = eventually(lambda: next((r.port for r in caplog.records if hasattr(r, "port")), None))
            eventually(lambda: verdicts(ledger) == {"acme": "healthy"})
            eventually(lambda: ask(port, "/readyz")[0] == 200)
            assert json.loads(ask(port, "/healthz")[1])["ok"]
            assert json.loads(ask(port, "/readyz")[1]) == {
                "ok": True,
                "leads": True,
                "ledger": "up",
                "sources": "ok",
                "stopping": False,
            }
            eventually(lambda: 'jobledger_source_failures{source="acme"} 0.0' in ask(port, "/metrics")[1])
            text = ask(port, "/metrics")[1]
            assert 'jobledger_runs_total{source="acme",verdict="healthy"} 1.0' in text
            assert "jobledger_leader 1.0" in text
            assert "jobledger_source_last_healthy_timestamp_seconds" in text
            assert ask(port, "/other")[0] == 404

    def test_the_second_waits_and_takes_over(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        sources = write_sources(tmp_path / "s.toml", acme="")
        with serving(database_url, sources, holder="first") as first:
            eventually(lambda: first.pulse.leads)
            with serving(database_url, sources, holder="second") as second:
                time.sleep(0.5)
                assert not second.pulse.leads
                assert second.pulse.ledger_up
                first.stop()
                eventually(lambda: second.pulse.leads)
        assert len(runs.recent_runs(ledger)) == 1

    def test_a_broken_crawl_function_is_a_failed_run_not_the_end(
        self, ledger: Engine, database_url: str, tmp_path: Path
    ) -> None:
        sources = write_sources(tmp_path / "s.toml", acme="seconds = 'soon'", globex="")
        with serving(database_url, sources):
            eventually(lambda: verdicts(ledger) == {"acme": "failed", "globex": "healthy"})
        (row,) = runs.history(ledger, "acme")
        assert row.reasons[0].startswith("an error of ours: ValueError")

    def test_crawls_run_side_by_side_up_to_the_limit(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        sources = write_sources(tmp_path / "s.toml", **{f"s{i}": "seconds = 0.6" for i in range(4)})
        with serving(database_url, sources, workers=2):
            eventually(lambda: len(runs.open_runs(ledger)) == 2)
            time.sleep(0.2)
            assert len(runs.open_runs(ledger)) == 2
            eventually(lambda: list(verdicts(ledger).values()) == ["healthy"] * 4)


class TestSourcesFile:
    def test_a_change_is_followed(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        path = write_sources(tmp_path / "s.toml", acme="")
        with serving(database_url, path):
            eventually(lambda: verdicts(ledger) == {"acme": "healthy"})
            write_sources(path, acme="", globex="")
            eventually(lambda: verdicts(ledger) == {"acme": "healthy", "globex": "healthy"})

    def test_a_broken_file_keeps_the_old_timetable_and_says_why(
        self, ledger: Engine, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = write_sources(tmp_path / "s.toml", acme="")
        with serving(database_url, path) as service:
            eventually(lambda: verdicts(ledger) == {"acme": "healthy"})
            path.write_text('[[source]]\nname = "acme"\nspider = "no-such-spider"\n', "utf-8")
            eventually(lambda: service.pulse.sources_error)
            assert "no-such-spider" in str(service.pulse.sources_error)
            assert [job.name for job in service.conductor.timetable] == ["acme"]
            assert any("old timetable stays" in record.message for record in caplog.records)
            write_sources(path, acme="", initech="")
            eventually(lambda: "initech" in verdicts(ledger))
            assert service.pulse.sources_error is None

    def test_a_file_that_vanishes_is_a_broken_file(self, database_url: str, tmp_path: Path) -> None:
        path = write_sources(tmp_path / "s.toml", acme="")
        with serving(database_url, path) as service:
            eventually(lambda: service.pulse.leads)
            path.unlink()
            eventually(lambda: service.pulse.sources_error)
            assert [job.name for job in service.conductor.timetable] == ["acme"]

    def test_a_broken_file_at_the_start_is_an_error(self, database_url: str, tmp_path: Path) -> None:
        path = tmp_path / "s.toml"
        path.write_text("[[source]\n", "utf-8")
        with pytest.raises(SourceError, match="is no TOML"):
            Service(SchedulerSettings(database_url=database_url, sources_path=path))


class TestProcess:
    def test_sigterm_lets_runs_finish(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        sources = write_sources(tmp_path / "s.toml", acme="seconds = 1.5")
        with process(database_url, sources) as one:
            eventually(lambda: runs.open_runs(ledger))
            one.signal(signal.SIGTERM)
            assert one.popen.wait(50) == 0
        assert verdicts(ledger) == {"acme": "healthy"}
        assert find_lease(ledger, LEASE) is None

    def test_a_stop_is_bounded_and_blames_no_source(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        sources = write_sources(tmp_path / "s.toml", acme="seconds = 60, child = true")
        with process(database_url, sources, stop_seconds=0.3) as one:
            eventually(lambda: runs.open_runs(ledger))
            time.sleep(0.3)
            one.signal(signal.SIGTERM)
            assert one.popen.wait(50) == 0  # the crawl itself would take 60 s
        (row,) = runs.history(ledger, "acme")
        assert row.reasons[0] == STOPPED

    def test_a_second_signal_means_now(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        sources = write_sources(tmp_path / "s.toml", acme="seconds = 60, child = true")
        with process(database_url, sources, stop_seconds=60) as one:
            eventually(lambda: runs.open_runs(ledger))
            one.signal(signal.SIGINT)
            eventually(lambda: one.said("have 60 s to finish"))
            one.signal(signal.SIGINT)
            assert one.popen.wait(50) == 0

    def test_sighup_reads_the_sources_now(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        path = write_sources(tmp_path / "s.toml", acme="")
        with process(database_url, path, round_seconds=600, lease_seconds=2000) as one:
            eventually(lambda: verdicts(ledger) == {"acme": "healthy"})
            time.sleep(0.3)
            write_sources(path, acme="", globex="")
            time.sleep(0.3)
            assert "globex" not in verdicts(ledger)
            one.signal(signal.SIGHUP)
            eventually(lambda: verdicts(ledger).get("globex") == "healthy")

    def test_kill_9_is_taken_over_and_the_run_given_up(self, store: Engine, ledger_url: str, tmp_path: Path) -> None:
        sources = write_sources(tmp_path / "s.toml", acme="seconds = 60, child = true", globex="")
        with process(ledger_url, sources) as first:
            eventually(lambda: verdicts(store) == {"acme": None, "globex": "healthy"})
            with process(ledger_url, sources) as second:
                eventually(lambda: second.said(" began"))
                first.signal(signal.SIGKILL)
                eventually(lambda: second.said(" leads"))
                eventually(lambda: verdicts(store)["acme"] == "failed")
        assert runs.history(store, "acme")[0].reasons == (ABANDONED,)
        assert len(runs.recent_runs(store, "globex")) == 1

    def test_a_frozen_leader_finds_itself_replaced(self, store: Engine, ledger_url: str, tmp_path: Path) -> None:
        sources = write_sources(tmp_path / "s.toml", acme="")
        with process(ledger_url, sources, lease_seconds=6) as first:
            eventually(lambda: verdicts(store) == {"acme": "healthy"})
            with process(ledger_url, sources, lease_seconds=6) as second:
                eventually(lambda: second.said(" began"))
                eventually(lambda: frozen_between_writes(first, store))
                eventually(lambda: second.said(" leads"))
                first.signal(signal.SIGCONT)
                eventually(lambda: first.said("no longer leads"))
                time.sleep(0.5)
                assert not second.said("no longer leads")
        assert len(runs.recent_runs(store)) == 1


def test_the_ledger_goes_away_and_comes_back(postgres_url: str, tmp_path: Path) -> None:
    """The scheduler waits, says so, goes on; a run that ended meanwhile is written down afterwards."""
    engine = open_ledger(postgres_url)
    name = make_url(postgres_url).database
    server = create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    path = write_sources(tmp_path / "s.toml", acme="seconds = 3")
    with serving(postgres_url, path) as service:
        eventually(lambda: service.pulse.ledger_up and runs.open_runs(engine))
        with server.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"))
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
        eventually(lambda: not service.pulse.ledger_up)
        assert service.pulse.ledger_error
        assert service.pulse.health()[0]
        assert not service.pulse.readiness()[0]
        time.sleep(1.5)
        with server.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"))
        eventually(lambda: service.pulse.ledger_up)
        eventually(
            lambda: verdicts(engine) == {"acme": "healthy"}, seconds=60
        )  # the run's end is written when it can be
        write_sources(path, acme="seconds = 0", globex="")
        eventually(lambda: verdicts(engine).get("globex") == "healthy")
    server.dispose()
    engine.dispose()


BEHAVIOURS = ("hangs", "segfaults", "exits", "floods", "eats", "nothing")


def test_while_others_misbehave_a_source_is_read_on_time(
    ledger: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real crawls in real children: six that hang, crash, eat or flood, and a source that is read every minute."""
    monkeypatch.setattr("scraper.crawl.GRACE_SECONDS", 1.0)
    sources = [
        f'[[source]]\nname = "{how}"\nspider = "captures"\nurl = "https://{how}.example/"\n'
        f'schedule = "0 0 1 1 *"\noptions = {{ how = "{how}" }}\n'
        for how in BEHAVIOURS
    ]
    sources.append(
        '[[source]]\nname = "well"\nspider = "captures"\nurl = "https://well.example/"\nschedule = "* * * * *"\n'
    )
    path = tmp_path / "s.toml"
    path.write_text("\n".join(sources), "utf-8")
    bounded = partial(crawl, spider_modules=("tests.scheduler",), timeout_seconds=8, memory_mb=150)

    def crawl_or_not(source: Source, **given: Any) -> Any:
        ill = source.name in BEHAVIOURS
        return bounded(replace(source, spider="misbehaving"), **given) if ill else fake_crawl(source, **given)

    began, real = datetime.now(UTC), time.monotonic()
    with serving(
        database_url,
        path,
        crawl=crawl_or_not,
        workers=len(BEHAVIOURS) + 1,
        clock=lambda: began + 10 * timedelta(seconds=time.monotonic() - real),
    ):
        eventually(lambda: {verdicts(ledger).get(how) for how in BEHAVIOURS} == {"failed"}, seconds=120)
        eventually(lambda: len(runs.history(ledger, "well")) > 2, seconds=60)
    for how in BEHAVIOURS:
        assert runs.history(ledger, how)[-1].reasons
    assert {row.verdict for row in runs.history(ledger, "well")} == {"healthy"}
    assert not [row for row in runs.missed_runs(ledger, "well") if "worker" in row.reasons[0]]
