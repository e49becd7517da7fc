"""Work by a real Dask cluster of this machine: the same rows as without it, whoever is killed meanwhile."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.engine import make_url

from aggregator.pipeline import aggregate
from db.session import open_ledger, reading
from db.store import keep
from db.tables import RAW
from scheduler.cluster import pool
from tests.cluster.engine import Cluster, ended, jobledger, kill, only_line, run
from tests.conftest import REPOSITORY
from tests.db.records import NOON, ad
from tests.ledger import OF_RUNS, differences, held
from tests.postgres import Throwaway, database

TEXT = " ".join(f"word{n}" for n in range(150))


def fill(url: str, number: int = 800) -> Engine:
    """Ads of many employers; every fourth is published by a second site too, and is to be found to be one job."""
    engine = open_ledger(url)
    said = []
    for n in range(number):
        text = {"title_text": f"Engineer {n}", "company_text": ("ACME", "Acme")[n % 2] + f" {n // 6}"}
        said.append(ad(n, url=f"https://board.example/{n}", description_text=TEXT, **text))
        if n % 4 == 0:
            said.append(ad(n, source="feed", url=f"https://feed.example/{n}", description_text=TEXT, **text))
    for start in range(0, len(said), 1_000):
        keep(engine, said[start : start + 1_000])
    return engine


def rows(url: str) -> dict[str, list[Any]]:
    """All but the numbers that the search index gives in the order of writing."""
    return held(url, moments=False, without=OF_RUNS | {"posting_words"})


def pending(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(RAW).where(RAW.c.rules_version == 0)).scalar_one()


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What one undisturbed process makes of the ads of `fill`."""
    url = f"sqlite:///{tmp_path_factory.mktemp('quiet') / 'ledger.db'}"
    engine = fill(url)
    made = aggregate(engine, now=NOON)
    assert made.merged == 200
    engine.dispose()
    return rows(url)


def same_on(dask: Cluster, url: str, quiet: dict[str, list[Any]]) -> None:
    fill(url).dispose()
    code, said, errors = run(url, "aggregate", "--cluster", dask.address, "--json")
    assert code == 0, errors
    assert (json.loads(said)["read"], json.loads(said)["merged"]) == (1_000, 200)
    assert differences(quiet, rows(url)) == {}


def test_aggregate_gives_the_same_rows_on_sqlite(dask: Cluster, database_url: str, quiet: dict[str, list[Any]]) -> None:
    same_on(dask, database_url, quiet)


def test_aggregate_gives_the_same_rows_on_postgresql(dask: Cluster, postgres_server: str) -> None:
    with database(postgres_server) as here, database(postgres_server) as there:
        engine = fill(here)
        aggregate(engine, now=NOON)
        engine.dispose()
        same_on(dask, there, rows(here))


def test_a_server_that_goes_down_for_seconds_is_waited_for(
    dask: Cluster, postgres_server: str, stoppable: Throwaway
) -> None:
    server = stoppable
    with database(postgres_server) as here:
        engine = fill(here)
        aggregate(engine, now=NOON)
        engine.dispose()
        engine = fill(server.url)
        process = jobledger(server.url, "aggregate", "--cluster", dask.address)
        until(lambda: pending(engine) < 1_000)
        engine.dispose()
        server.stop()
        time.sleep(2)
        server.start()
        code, _, errors = ended(process)
        assert code == 0, errors
        assert differences(rows(here), rows(server.url)) == {}


def test_a_worker_killed_while_it_aggregates(dask: Cluster, database_url: str, quiet: dict[str, list[Any]]) -> None:
    engine = fill(database_url)
    process = jobledger(database_url, "aggregate", "--cluster", dask.address)
    until(lambda: pending(engine) < 1_000)
    kill(dask.workers[0])
    code, _, errors = ended(process)
    assert code == 0, errors
    engine.dispose()
    assert differences(quiet, rows(database_url)) == {}


def test_the_scheduler_killed_is_one_line_and_run_again_is_done(
    dask: Cluster, database_url: str, quiet: dict[str, list[Any]], tmp_path: Path
) -> None:
    engine = fill(database_url)
    process = jobledger(database_url, "aggregate", "--cluster", dask.address)
    until(lambda: pending(engine) < 1_000)
    assert dask.scheduler is not None
    kill(dask.scheduler)
    code, _, errors = ended(process)
    engine.dispose()
    assert code == 1
    assert "its scheduler is gone; what was done is kept, run again" in only_line(errors)
    code, _, errors = run(database_url, "aggregate", "--workers", "2")
    assert code == 0, errors
    assert differences(quiet, rows(database_url)) == {}


def test_a_ledger_that_is_locked_for_seconds_is_waited_for(
    dask: Cluster, database_url: str, quiet: dict[str, list[Any]]
) -> None:
    engine = fill(database_url)
    process = jobledger(database_url, "aggregate", "--cluster", dask.address)
    until(lambda: pending(engine) < 1_000)
    lock = sqlite3.connect(str(engine.url.database), timeout=30, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    time.sleep(3)
    lock.close()
    engine.dispose()
    code, _, errors = ended(process)
    assert code == 0, errors
    assert differences(quiet, rows(database_url)) == {}


def test_who_cannot_do_the_work_is_refused_before_it_begins(dask: Cluster, tmp_path: Path) -> None:
    """A worker without the program; a ledger that it does not see; no such scheduler. Each is one line, exit code 1."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_ledger(url).dispose()
    code, _, errors = run(url, "aggregate", "--cluster", "tcp://127.0.0.1:9")
    assert (code, "no Dask scheduler answers there" in only_line(errors)) == (1, True)
    for address in ("nonsense://x:8786", "nonsense", "tcp://somewhere"):
        code, _, errors = run(url, "aggregate", "--cluster", address)
        assert (code, "is no address of a Dask scheduler" in only_line(errors)) == (1, True)
    preload = tmp_path / "without.py"
    preload.write_text("import sys\nsys.modules['scheduler.cluster_dask'] = None\n")
    dask.add_worker(preload=str(preload))
    code, _, errors = run(url, "aggregate", "--cluster", dask.address)
    assert code == 1
    assert "jobledger is not installed there" in only_line(errors)
    kill(dask.workers.pop())
    other = tmp_path / "other-rules.py"
    other.write_text("import aggregator.rules\naggregator.rules.RULES_VERSION = 0\n")
    dask.add_worker(preload=str(other))
    code, _, errors = run(url, "aggregate", "--cluster", dask.address)
    assert (code, "with rules 0, not" in only_line(errors)) == (1, True)


def test_a_password_is_in_no_log(dask: Cluster) -> None:
    """A task that fails is logged by Dask with its arguments."""
    secret = "postgresql://me:open-sesame@127.0.0.1:9/none"
    with pool(dask.address, 1) as executor:
        assert executor is not None
        for address in (secret, make_url(secret)):
            with pytest.raises(TypeError, match="unsupported"):
                executor.submit(divmod, address, 0).result(60)
    assert "Compute Failed" in dask.logs()
    assert "open-sesame" not in dask.logs()


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, database_url: str) -> None:
    program = "import sys; sys.modules['distributed'] = None; from service.cli import main; main()"
    open_ledger(database_url).dispose()
    done = subprocess.run(
        [sys.executable, "-c", program, "--db", database_url, "aggregate", "--cluster", "tcp://127.0.0.1:8786"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install 'jobledger[cluster]'" in only_line(done.stderr)
