"""`jobledger crawl --all` against a server that plays every platform, sound and sick: once, twice, killed and again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.ledger import OF_RUNS, differences, held
from tests.scraper.boards.server import PORT, serving
from tests.scraper.boards.test_loopback import LOOPBACK, VERDICTS

JOBLEDGER = str(Path(sys.executable).parent / "jobledger")
SERVERS = 5
OTHER_WORDS = ("page.content_hash",)
"""RemoteOK writes another word into each of its answers; the postings in it are the same."""


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[str], list[Counter[str]]]]:
    """The command that crawls them all, and what the servers were asked: cleared, they have answered nobody yet.

    Several servers, as platforms have hosts of their own: one host has one reader at a time.
    """
    with ExitStack() as servers:
        started = [servers.enter_context(serving()) for _ in range(SERVERS)]
        entries = LOOPBACK.read_text("utf-8").split("[[source]]")
        placed = [entry.replace(f":{PORT}", f":{started[n % SERVERS][0]}") for n, entry in enumerate(entries)]
        file = tmp_path_factory.mktemp("sources") / "loopback.toml"
        file.write_text("[[source]]".join(placed), "utf-8")
        yield ["crawl", "--all", "--sources", str(file), "--json"], [asked for _, asked in started]


def start(url: str, command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [JOBLEDGER, "--db", url, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def crawl(url: str, command: list[str]) -> dict[str, dict[str, Any]]:
    """What each source's run came to. Some sources are sick, so the command says that the work failed."""
    process = start(url, command)
    said, errors = process.communicate(timeout=600)
    assert process.returncode == 1, errors
    assert "Traceback" not in errors
    return {run["source"]: run for run in json.loads(said)["runs"]}


def content(url: str) -> dict[str, list[Any]]:
    return held(url, moments=False, without=OF_RUNS, columns=OTHER_WORDS)


@pytest.fixture(scope="module")
def once(
    boards: tuple[list[str], list[Counter[str]]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, list[Any]]]:
    """A ledger after one crawl, and what it holds."""
    url = f"sqlite:///{tmp_path_factory.mktemp('all') / 'ledger.db'}"
    runs = crawl(url, boards[0])
    assert {name: run["verdict"] for name, run in runs.items()} == VERDICTS
    assert all((run["verdict"] == "healthy") == (not run["reasons"]) for run in runs.values())
    return url, content(url)


def test_twice_is_once(once: tuple[str, dict[str, list[Any]]], boards: tuple[list[str], list[Counter[str]]]) -> None:
    url, expected = once
    runs = crawl(url, boards[0])
    assert {name: run["verdict"] for name, run in runs.items()} == VERDICTS
    assert {(run["new"], run["updated"]) for run in runs.values()} == {(0, 0)}
    assert differences(expected, content(url)) == {}


def test_killed_and_run_again_is_once(
    once: tuple[str, dict[str, list[Any]]], boards: tuple[list[str], list[Counter[str]]], tmp_path: Path
) -> None:
    url, expected = f"sqlite:///{tmp_path / 'ledger.db'}", once[1]
    command, asked = boards
    for one in asked:
        one.clear()
    for seconds in (8, 15):
        process = start(url, command)
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the crawls are process groups of their own: they find out
        process.communicate()
    assert {name: run["verdict"] for name, run in crawl(url, command).items()} == VERDICTS
    assert differences(expected, content(url)) == {}
