"""Disk full, a file that may not be written, a server that goes away: a clear error, the batch whole or absent."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from aggregator.pipeline import aggregate
from db import raw_postings
from db.checks import check_ledger
from db.models import Page, Posting, RawPosting, Sighting
from db.session import LedgerError, make_engine, open_ledger, resolved_url
from db.store import keep
from tests.conftest import REPOSITORY
from tests.db.records import ad, rows

MANY = [ad(n, description_text="x" * 4000) for n in range(300)]


def test_a_full_disk_says_so_and_the_next_run_repairs(ledger: Engine) -> None:
    keep(ledger, [ad(1000)])
    ledger.dispose()

    def few_pages(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 200")

    event.listen(ledger, "connect", few_pages)
    with pytest.raises(OperationalError, match="database or disk is full"):
        keep(ledger, MANY)
    assert len(rows(ledger, RawPosting)) == 1
    assert len(rows(ledger, Sighting)) == 1
    event.remove(ledger, "connect", few_pages)
    ledger.dispose()
    assert keep(ledger, MANY).new == 300
    assert check_ledger(ledger) == []


def test_a_full_disk_is_one_line_for_the_user(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        f"from service.cli import main; main(['--db', 'sqlite:///{tmp_path}/ledger.db', 'db', 'upgrade'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any file")
def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_ledger(f"sqlite:///{path}").dispose()
    path.chmod(stat.S_IRUSR)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises((LedgerError, OperationalError), match=r"readonly|unable to open"):
            keep(open_ledger(f"sqlite:///{path}"), [ad(1)])
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_ledger_opened_for_reading_only_refuses_in_one_line(ledger: Engine) -> None:
    keep(ledger, [ad(1)])
    ledger.dispose()
    only_reading = make_engine(f"sqlite:///file:{ledger.url.database}?mode=ro&uri=true")
    with pytest.raises(OperationalError, match="readonly database"):
        keep(only_reading, [ad(2)])
    only_reading.dispose()
    assert len(rows(ledger, RawPosting)) == 1


def test_a_batch_that_breaks_in_the_middle_leaves_nothing(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the process fell over")

    with monkeypatch.context() as patch:
        patch.setattr(raw_postings, "_keep_sightings", broken)
        with pytest.raises(RuntimeError):
            keep(store, MANY)
    assert not any(rows(store, table) for table in (RawPosting, Page, Sighting))
    counted: set[str] = set()
    assert keep(store, MANY, counted=counted).new == 300


@pytest.mark.parametrize("many", [False, True], ids=["row by row", "in bulk"])
def test_a_connection_cut_in_the_middle_of_a_batch(
    postgres_ledger_url: str, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    store = make_engine(postgres_ledger_url)
    server = create_engine(resolved_url(postgres_ledger_url), isolation_level="AUTOCOMMIT")
    before = raw_postings._keep_sightings

    def cut(connection: Any, said: Any, **named: Any) -> None:
        with server.connect() as other:
            other.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                     " AND datname = current_database()")
            )  # fmt: skip
        before(connection, said, **named)

    said = MANY if many else MANY[:3]
    with monkeypatch.context() as patch:
        patch.setattr(raw_postings, "_keep_sightings", cut)
        with pytest.raises(DBAPIError, match=r"terminat|closed|lost"):
            keep(store, said)
    assert not any(rows(store, table) for table in (RawPosting, Page, Sighting))
    assert keep(store, said).new == len(said)
    aggregate(store, now=said[0].seen_at)
    assert len(rows(store, Posting)) == len(said)
    assert check_ledger(store) == []
    for engine in (store, server):
        engine.dispose()


def test_writers_that_cross_are_repeated(postgres_ledger_url: str) -> None:
    """Two writers that lock the same rows in opposite orders: PostgreSQL ends one of them, and it is done again."""
    engine = make_engine(postgres_ledger_url)
    first, second = [ad(n, page_url=f"https://x.example/{n}") for n in range(2)]
    keep(engine, [first, second])
    failures: list[BaseException] = []

    def write(*said: object) -> None:
        try:
            for _ in range(20):
                keep(engine, list(said))  # type: ignore[arg-type]
        except DBAPIError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=order) for order in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(rows(engine, RawPosting)) == 2
    engine.dispose()
