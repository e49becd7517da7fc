"""kill -9 at a random moment: started again, the ledger holds what an undisturbed run would have written."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from db.checks import check_ledger
from db.session import open_ledger
from tests.conftest import REPOSITORY
from tests.ledger import differences, held
from tests.postgres import database

SEED = random.SystemRandom().randrange(10**9)


@contextmanager
def started(url: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.work", url],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run(url: str) -> float:
    """Runs to the end; the seconds of work after it was ready."""
    with started(url) as process:
        assert process.stdout is not None
        process.stdout.readline()
        begun = time.monotonic()
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        return time.monotonic() - begun


def run_killed(url: str, after: float) -> None:
    with started(url) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after)


def same_after_kills(url: str, expected: dict[str, Any], seconds: float, kills: int) -> None:
    chance = random.Random(SEED)
    moments = [chance.uniform(0, seconds) for _ in range(kills)]
    for moment in moments:
        run_killed(url, moment)
    run(url)
    assert differences(expected, held(url)) == {}, f"seed {SEED}, killed after {moments} seconds"


def test_killed_anywhere_on_sqlite(tmp_path: Path) -> None:
    quiet = f"sqlite:///{tmp_path / 'quiet.db'}"
    seconds = run(quiet)
    same_after_kills(f"sqlite:///{tmp_path / 'killed.db'}", held(quiet), seconds, kills=3)


def test_killed_anywhere_on_postgresql(postgres_server: str, tmp_path: Path) -> None:
    with database(postgres_server) as quiet, database(postgres_server) as killed:
        seconds = run(quiet)
        same_after_kills(killed, held(quiet), seconds, kills=2)


def test_killed_while_the_tables_are_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    chance = random.Random(SEED)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-m", "tests.reliability.work", url], cwd=REPOSITORY)
        time.sleep(chance.uniform(0.5, 1.6))
        process.kill()
        process.wait()
    engine = open_ledger(url)
    assert check_ledger(engine) == []
    engine.dispose()


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_two_hundred_times(kind: str, postgres_server: str, tmp_path: Path) -> None:
    expected: dict[str, Any] = {}
    for number in range(50):
        with database(postgres_server) as name:
            url = name if kind == "postgresql" else f"sqlite:///{tmp_path / f'{number}.db'}"
            if not expected:
                seconds = run(url)
                expected = held(url)
                continue
            same_after_kills(url, expected, seconds, kills=4)
