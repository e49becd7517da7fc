"""kill -9 of `jobledger ingest` and `jobledger crawl`, parent, child or both: run again, the ledger is the same.

The commands read the real clock, so what is compared leaves out moments, and the tables that tell of runs.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from scraper.site import serve, write_captures
from tests.conftest import REPOSITORY
from tests.ledger import OF_RUNS, differences, held

SEED = random.SystemRandom().randrange(10**9)
VICTIMS = ("parent", "child", "both")

SOURCES = """
[[source]]
name = "sample-careers"
spider = "articles"
url = "{base}/"
allow_hosts = ["127.0.0.1"]
terms = "our own sample site"
"""


def content(url: str) -> dict[str, list[Any]]:
    return held(url, moments=False, without=OF_RUNS)


def start(url: str, command: Sequence[str]) -> subprocess.Popen[str]:
    program = [sys.executable, "-c", "from service.cli import main; main()", "--db", url, *command]
    return subprocess.Popen(
        program, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )


def run(url: str, command: Sequence[str]) -> float:
    begun = time.monotonic()
    process = start(url, command)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return time.monotonic() - begun


def children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [pid for pid, its_parent in pairs if its_parent == parent]


def run_killed(url: str, command: Sequence[str], after: float, victim: str) -> None:
    process = start(url, command)
    time.sleep(after)
    crawls = children(process.pid) if process.poll() is None else []
    # A parent whose child is killed reports it and goes on: only then is it waited for.
    doomed = {"parent": [process.pid], "child": crawls or [process.pid], "both": [process.pid, *crawls]}[victim]
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=120)


def same_after_kills(
    url: str, command: Sequence[str], expected: dict[str, list[Any]], seconds: float, kills: int
) -> None:
    chance = random.Random(f"{SEED} {url}")
    deaths = [(round(chance.uniform(0.2, seconds), 3), chance.choice(VICTIMS)) for _ in range(kills)]
    for after, victim in deaths:
        run_killed(url, command, after, victim)
    run(url, command)
    assert differences(expected, content(url)) == {}, f"seed {SEED}, killed {deaths}"


@pytest.fixture(params=["ingest", pytest.param("crawl", marks=pytest.mark.soak)])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[str]]:
    if request.param == "ingest":
        write_captures(tmp_path / "captures")
        yield ["ingest", str(tmp_path / "captures")]
        return
    with serve() as base:
        sources = tmp_path / "sources.toml"
        sources.write_text(SOURCES.format(base=base))
        yield ["crawl", "sample-careers", "--sources", str(sources)]


def test_killed_anywhere(command: list[str], tmp_path: Path) -> None:
    quiet = f"sqlite:///{tmp_path / 'quiet.db'}"
    seconds = run(quiet, command)
    same_after_kills(f"sqlite:///{tmp_path / 'killed.db'}", command, content(quiet), seconds, kills=2)


@pytest.mark.soak
def test_killed_forty_times(command: list[str], tmp_path: Path) -> None:
    quiet = f"sqlite:///{tmp_path / 'quiet.db'}"
    seconds = run(quiet, command)
    expected = content(quiet)
    for number in range(10):
        same_after_kills(f"sqlite:///{tmp_path / f'{number}.db'}", command, expected, seconds, kills=4)
