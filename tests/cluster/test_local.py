"""Work in processes of this machine, and in whose turn it is written; without any engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from aggregator import parts
from aggregator.pipeline import aggregate
from db.alone import alone
from db.models import Company, Posting
from db.session import reading, writing
from db.store import keep
from db.turns import TurnOver, require_turn, turn
from db.workers import address_of
from processes.pool import Processes
from scheduler.cluster import DEATHS, TaskLost, pool
from tests.cluster.test_cluster import fill, until
from tests.conftest import REPOSITORY
from tests.db.records import DAY, NOON, ad, rows
from tests.ledger import OF_RUNS, differences, held


def fatal(marker: str) -> int:
    """Kills its process the first time."""
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def always_fatal() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def named(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def started(workers: int) -> Processes:
    """As `pool` starts them."""
    return Processes(workers, tries=DEATHS, ready="aggregator.parts")


def test_one_process_is_this_one() -> None:
    with pool(None, 1) as executor:
        assert executor is None


def test_a_dead_process_is_replaced_and_its_work_done_again(tmp_path: Path) -> None:
    with started(2) as processes:
        others = [processes.submit(slow, 0.05) for _ in range(6)]
        again = processes.submit(fatal, str(tmp_path / "marker"))
        assert again.result(60) != os.getpid()
        assert [future.result(60) for future in others] == [0.05] * 6


def test_work_that_kills_every_process_is_given_up() -> None:
    with started(1) as processes, pytest.raises(TaskLost, match="a worker process died 4 times of one task"):
        processes.submit(always_fatal).result(60)


def test_an_error_of_a_task_is_its_own() -> None:
    with started(1) as processes:
        with pytest.raises(TypeError):
            processes.submit(slow, "long").result(60)
        assert processes.submit(slow, 0).result(60) == 0


PARENT = """
import sys, time
from tests.cluster.test_local import named, started
if __name__ == "__main__":
    with started(2) as processes:
        both = [processes.submit(named, 0.5) for _ in range(2)]
        print(*{future.result() for future in both}, flush=True)
        time.sleep(60)
"""


def test_processes_end_with_who_began_them(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment, text=True) as parent:
        assert parent.stdout is not None
        workers = parent.stdout.readline().split()
        assert len(workers) == 2
        listed = workers + Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        parent.kill()
    until(lambda: not any(is_running(int(pid)) for pid in listed))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def content(engine: Engine) -> dict[str, list[Any]]:
    return held(engine.url.render_as_string(hide_password=False), without=OF_RUNS | {"posting_words"})


def test_processes_make_the_same_rows(store: Engine, tmp_path: Path) -> None:
    """In parts, then all again in parts, then all again without: nothing changes."""
    url = store.url.render_as_string(hide_password=False)
    fill(url, 400).dispose()
    with started(2) as processes:
        first = aggregate(store, now=NOON, pool=processes)
        assert (first.read, first.merged, first.postings.new) == (500, 100, 400)
        before = content(store)
        again = aggregate(store, now=NOON, everything=True, pool=processes)
        assert (again.read, again.postings.updated) == (500, 0)
    assert differences(before, content(store)) == {}
    aggregate(store, now=NOON, everything=True)
    assert differences(before, content(store)) == {}


def test_a_name_is_the_same_whoever_writes_it_first(store: Engine) -> None:
    for number, name in enumerate(("Acme", "ACME", "acme")):
        keep(store, [ad(number, company_text=name)])
        aggregate(store, now=NOON)
    assert [row["name"] for row in rows(store, Company)] == ["ACME"]


def test_what_is_written_after_the_turn_is_refused(store: Engine) -> None:
    keep(store, [ad(n) for n in range(3)])
    with alone(store), turn(store) as name, reading(store) as connection:
        jobs = parts.pending_jobs(connection, parts.RULES_VERSION, 10)
        require_turn(connection, name)
    late = parts.Part(address_of(store), name, NOON, jobs)
    with pytest.raises(TurnOver, match="somebody else began to aggregate"):
        parts.read_part(late)
    assert rows(store, Posting) == []


def test_who_is_alone_next_ends_a_turn_that_was_left(store: Engine) -> None:
    """A caller that was killed leaves its turn behind; its tasks write until the next one is alone, and not after."""
    keep(store, [ad(n) for n in range(3)])
    left = turn(store)
    name = left.__enter__()
    with writing(store) as connection:
        require_turn(connection, name)
    aggregate(store, now=NOON + DAY)
    with pytest.raises(TurnOver), writing(store) as connection:
        require_turn(connection, name)
