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
from db.schema import downgrade
from db.session import make_engine, open_ledger
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


def killed_while_it_migrates(url: str, kills: int) -> None:
    """A ledger of the first program, full, opened by today's, which is killed again and again."""
    run(url)
    expected = held(url, columns=NUMBERS)
    chance = random.Random(SEED)
    for _ in range(kills):
        engine = make_engine(url)
        downgrade(engine, "0001")
        engine.dispose()
        process = subprocess.Popen([sys.executable, "-c", MIGRATE, url], cwd=REPOSITORY, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.wait()
        process.stdout.close()
        assert differences(expected, held(url, columns=NUMBERS)) == {}, f"seed {SEED}"


NUMBERS = ("posting_words.number",)
"""Of rows, given anew when the words are."""
MIGRATE = """
import sys
import db.schema
from db.schema import downgrade
from db.session import make_engine, open_ledger
print("ready", flush=True)
open_ledger(sys.argv[1]).dispose()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_while_an_old_ledger_migrates(kind: str, postgres_server: str, tmp_path: Path) -> None:
    with database(postgres_server) as name:
        killed_while_it_migrates(name if kind == "postgresql" else f"sqlite:///{tmp_path / 'old.db'}", kills=3)


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
