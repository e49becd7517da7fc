"""The ledger away while the scheduler runs: a server that is stopped, a file that is locked, a file that is moved.

The scheduler waits, says so, goes on; no slot runs twice, none is lost. The short versions take seconds in which the
scheduler's clock goes twenty times as fast; `soak` stops a server for two real minutes.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.session import make_engine, open_ledger, reading
from db.tables import RUN
from scheduler.cron import slots
from scheduler.ledger import LedgerAway, WatchedLedger
from tests.postgres import Throwaway
from tests.scheduler.service_process import fake_crawl
from tests.scheduler.test_service import ask, eventually, serving
from tests.scheduler.test_service import quick_rounds as quick_rounds

SOURCES = """
[[source]]
name = "minutely"
spider = "captures"
schedule = "* * * * *"

[[source]]
name = "slow"
spider = "captures"
schedule = "0 0 1 1 *"
options = { seconds = %s }
"""


class FastClock:
    """A clock that goes so many times as fast as the real one."""

    def __init__(self, times: float) -> None:
        self.began, self.real, self.times = datetime.now(UTC), time.monotonic(), times

    def __call__(self) -> datetime:
        return self.began + timedelta(seconds=self.times * (time.monotonic() - self.real))


class Crawls:
    """Counts what is crawled, and how many at a time of one source."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.going: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def __call__(self, source: Any, **given: Any) -> Any:
        self.begun[source.name] += 1
        self.going[source.name] += 1
        self.most[source.name] = max(self.most[source.name], self.going[source.name])
        try:
            return fake_crawl(source, **given)
        finally:
            self.going[source.name] -= 1


@contextmanager
def stopped(server: Throwaway) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Nobody else may write, nor read what is not yet in their memory."""
    other = sqlite3.connect(file, isolation_level=None, timeout=30)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def moved(file: Path) -> Iterator[None]:
    """The file and what belongs to it lie elsewhere for a while."""
    elsewhere = file.parent / "elsewhere"
    elsewhere.mkdir()
    parts = [file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))]
    for part in [part for part in parts if part.exists()]:
        part.rename(elsewhere / part.name)
    yield
    assert not file.exists(), "an empty ledger was begun in the place of the one that was moved"
    for part in [part for part in parts if (elsewhere / part.name).exists()]:
        (elsewhere / part.name).rename(part)


def stays_away_and_comes_back(
    url: str, tmp_path: Path, away: Callable[[], Any], caplog: pytest.LogCaptureFixture, *, seconds: float, times: float
) -> None:
    """The whole story; `seconds` are real ones. With a real clock the pauses are those of the service."""
    caplog.set_level("INFO")
    path = tmp_path / "sources.toml"
    path.write_text(SOURCES % (seconds / 2), "utf-8")
    crawls, clock = Crawls(), FastClock(times)
    pauses = {"away_seconds": 0.1, "busy_seconds": 0.05, "lease_seconds": 2} if times > 1 else {"away_seconds": 15}
    with serving(url, path, crawl=crawls, clock=clock, http_port=0, **pauses) as service:
        port = eventually(lambda: next((r.port for r in caplog.records if hasattr(r, "port")), None))
        eventually(lambda: crawls.begun["minutely"] and crawls.begun["slow"], what="the first runs")
        eventually(lambda: ask(port, "/readyz")[0] == 200)
        with away():
            gone = time.monotonic()
            eventually(lambda: not service.pulse.ledger_up, seconds=60, what="noticing")
            status, said = ask(port, "/readyz")
            assert (status, json.loads(said)["ledger"] in {"up", "not reached yet"}) == (503, False)
            assert ask(port, "/healthz")[0] == 200, "waiting is no illness"
            assert "jobledger_ledger_up 0.0" in ask(port, "/metrics")[1]
            begun = crawls.begun.copy()
            while time.monotonic() < gone + seconds:
                time.sleep(0.05)
                assert ask(port, "/healthz")[0] == 200
            assert crawls.begun == begun, "nothing is begun that cannot be written down"
        back = clock()
        eventually(lambda: service.pulse.ledger_up, seconds=30, what="coming back")
        assert eventually(lambda: ask(port, "/readyz")[0] == 200)
        eventually(lambda: crawls.begun["minutely"] > begun["minutely"] + 1, seconds=90, what="going on")
        wait_until = clock() + timedelta(minutes=1)
        eventually(lambda: clock() > wait_until, seconds=90)
    messages = [record.message for record in caplog.records]
    assert any("the ledger is away, waiting for it" in message for message in messages)
    assert any("the ledger answers" in message for message in messages)
    audit(url, crawls, back)


def audit(url: str, crawls: Crawls, until: datetime) -> None:
    """Every slot has one row; what was crawled and what the table calls run are the same; nothing ran beside itself."""
    engine = make_engine(url)
    with reading(engine) as connection:
        rows = connection.execute(select(RUN)).all()
    engine.dispose()
    assert set(crawls.most.values()) == {1}
    finished = [row for row in rows if row.state == "finished"]
    for name in ("minutely", "slow"):
        assert crawls.begun[name] == sum(row.source == name for row in finished)
        assert all(row.verdict == "healthy" for row in finished if row.source == name), name
    assert {row.state for row in rows} <= {"finished", "missed"}
    known = {row.scheduled_for for row in rows if row.source == "minutely"}
    assert len(known) == sum(row.source == "minutely" for row in rows)
    lost = [slot for slot in slots("* * * * *", min(known), until) if slot not in known]
    assert lost == []


AWAY_SECONDS = 5.0


def test_a_server_that_is_stopped(stoppable: Throwaway, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_ledger(stoppable.url).dispose()
    stays_away_and_comes_back(
        stoppable.url, tmp_path, lambda: stopped(stoppable), caplog, seconds=AWAY_SECONDS, times=20
    )


@pytest.mark.parametrize("how", [locked, moved])
def test_a_file_that_is(
    how: Callable[[Path], Any], tmp_path: Path, sqlite_template: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "ledger.db"
    shutil.copy(sqlite_template, file)
    stays_away_and_comes_back(f"sqlite:///{file}", tmp_path, lambda: how(file), caplog, seconds=AWAY_SECONDS, times=20)


@pytest.mark.soak
def test_a_server_that_is_stopped_for_two_minutes(
    stoppable: Throwaway, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is in service: the clock is the real one, and so are the pauses."""
    monkeypatch.undo()
    open_ledger(stoppable.url).dispose()
    stays_away_and_comes_back(stoppable.url, tmp_path, lambda: stopped(stoppable), caplog, seconds=120, times=1)


@pytest.mark.soak
@pytest.mark.parametrize("how", [locked, moved])
def test_a_file_that_is_for_two_minutes(
    how: Callable[[Path], Any],
    tmp_path: Path,
    sqlite_template: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    file = tmp_path / "ledger.db"
    shutil.copy(sqlite_template, file)
    stays_away_and_comes_back(f"sqlite:///{file}", tmp_path, lambda: how(file), caplog, seconds=120, times=1)


def test_a_stop_is_bounded_while_the_ledger_is_away(
    stoppable: Throwaway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ended meanwhile cannot be written down: the next scheduler gives the run up, and reads the source again."""
    monkeypatch.setattr("scheduler.jobs.LAST_WRITE_SECONDS", 1.0)
    open_ledger(stoppable.url).dispose()
    path = tmp_path / "sources.toml"
    path.write_text(SOURCES % 1, "utf-8")
    crawls = Crawls()
    with serving(stoppable.url, path, crawl=crawls, lease_seconds=2) as service:
        eventually(lambda: service.pulse.ledger_up and crawls.begun["slow"])
        stoppable.stop()
        eventually(lambda: not service.pulse.ledger_up)
    stoppable.start()
    engine = make_engine(stoppable.url)
    with reading(engine) as connection:
        states = {row.source: row.state for row in connection.execute(select(RUN.c.source, RUN.c.state))}
    engine.dispose()
    assert states["slow"] in {"claimed", "running"}


class TestTheFile:
    @pytest.fixture
    def file(self, tmp_path: Path, sqlite_template: Path) -> Path:
        return Path(shutil.copy(sqlite_template, tmp_path / "ledger.db"))

    def test_another_ledger_in_its_place_is_taken_up(self, file: Path, sqlite_template: Path) -> None:
        watched = WatchedLedger(f"sqlite:///{file}", 1)
        watched.require()
        file.rename(file.with_name("old.db"))
        for _ in range(2):
            with pytest.raises(LedgerAway, match="is gone"):
                watched.require()
        shutil.copy(sqlite_template, file)
        watched.require()
        watched.engine.dispose()

    @pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be looked at"])
    def test_what_is_no_ledger_is_not(self, file: Path, content: bytes) -> None:
        watched = WatchedLedger(f"sqlite:///{file}", 1)
        file.rename(file.with_name("old.db"))
        file.write_bytes(content)
        with pytest.raises(LedgerAway):
            watched.require()
        assert file.read_bytes() == content

    def test_nothing_is_begun_in_its_place(self, file: Path) -> None:
        watched = WatchedLedger(f"sqlite:///{file}", 1)
        file.unlink()
        with pytest.raises(Exception, match="unable to open"), reading(watched.engine):
            pass
        assert not file.exists()


def test_a_heart_that_could_not_beat_is_not_given_up(ledger: Engine) -> None:
    """Of two schedulers the other one comes back first: what its colleague runs goes on, and is not run again."""
    from db import runs
    from scheduler.conductor import SILENT_AFTER, Conductor

    now = datetime(2026, 3, 1, tzinfo=UTC)
    run_id = runs.claim_run(ledger, "acme", now, "schedule", "elsewhere/1/1", now)
    assert run_id is not None
    back = now + timedelta(minutes=2)
    heir = Conductor(ledger, holder="heir", launch=lambda *_: None, has_room=lambda _: True, lease=None, jobs=())
    heir.reached_again(back)
    assert heir.tick(back + timedelta(seconds=5)).abandoned == 0
    assert heir.tick(back + SILENT_AFTER + timedelta(seconds=1)).abandoned == 1
