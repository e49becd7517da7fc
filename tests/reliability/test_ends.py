"""The parent of a command is killed, or told to end, at any moment: no process is left, none has the ledger open."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.warc_pages import write_warc
from processes.launch import command
from scraper.site import serve, write_captures
from tests.processes.family import expect_all_gone, family_of, is_ours, needs_proc, openers, until

pytestmark = needs_proc

SEED = random.SystemRandom().randrange(10**9)
KILLS = 3
SOURCES = """
[[source]]
name = "sample-careers"
spider = "articles"
url = "{base}/"
schedule = "* * * * *"
allow_hosts = ["127.0.0.1"]
terms = "our own sample site"
"""

COMMANDS = {
    "ingest": ["ingest", "captures"],
    "crawl": ["crawl", "sample-careers", "--sources", "sources.toml"],
    "aggregate": ["aggregate", "--all", "--workers", "2"],
    "aggregate here": ["aggregate", "--all"],
    "backfill": ["backfill", "0.warc.gz", "1.warc.gz", "2.warc.gz", "--out", "out", "--workers", "2"],
    "report": ["report"],
    "schedule": ["schedule", "run", "--sources", "sources.toml"],
    "serve": ["serve", "--port", "0"],
    "serve by two": ["serve", "--port", "0", "--workers", "2"],
    "mcp": ["mcp"],
}
ENDS_WELL = {"schedule"}
"""Commands that take a signal as their ordinary end."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a ledger and something to do for every command."""
    folder = tmp_path_factory.mktemp("ends")
    write_captures(folder / "captures")
    for number in range(3):
        write_warc(folder / f"{number}.warc.gz", 600, jobs=0.3, articles=0.02, seed=number)
    subprocess.run(program("ingest", "captures"), cwd=folder, check=True, capture_output=True)
    with serve() as base:
        (folder / "sources.toml").write_text(SOURCES.format(base=base), "utf-8")
        yield folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "work"))


def program(*words: str) -> list[str]:
    return command("service", *words)


def start(folder: Path, words: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        program(*words), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def moments(name: str, kills: int) -> list[float]:
    chance = random.Random(f"{SEED} {name}")
    return [round(chance.uniform(0.1, 4.0), 2) for _ in range(kills)]


def killed_leaves_nothing(folder: Path, name: str, kills: int) -> None:
    for after in moments(name, kills):
        shutil.rmtree(folder / "out", ignore_errors=True)
        process = start(folder, COMMANDS[name])
        time.sleep(after)
        family = family_of(process.pid)
        process.kill()
        process.communicate()
        expect_all_gone(family)
        until(lambda: not openers(folder / "jobledger.db"), f"the ledger is open, {name} killed after {after}, {SEED}")


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_leaves_no_process(name: str, folder: Path) -> None:
    killed_leaves_nothing(folder, name, KILLS)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["aggregate", "backfill", "crawl", "ingest", "schedule", "serve by two"])
def test_killed_twenty_times_leaves_no_process(name: str, folder: Path) -> None:
    killed_leaves_nothing(folder, name, 20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_ends_it_with_one_line(name: str, number: signal.Signals, folder: Path) -> None:
    for after in moments(f"{name} {number}", KILLS):
        shutil.rmtree(folder / "out", ignore_errors=True)
        process = start(folder, COMMANDS[name])
        # Python itself has to be up: before that, a signal is its own.
        until(lambda process=process: is_ours(process), "the command began")  # type: ignore[misc]
        time.sleep(after)
        family = family_of(process.pid)
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
        where = f"{name}, {number.name} after {after}, seed {SEED}: {said}"
        assert "Traceback" not in said, where
        expect_all_gone(family)
        if process.returncode == 0:
            assert name in ENDS_WELL or "interrupted" not in said, where
            continue
        assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGTERM), where
        assert said.splitlines()[-1] == f"jobledger: interrupted by {number.name}", where
        assert said.count("interrupted") == 1, where


def test_two_signals_end_it_at_once(folder: Path) -> None:
    process = start(folder, COMMANDS["crawl"])
    until(lambda: len(family_of(process.pid)) > 1, "the crawl began")
    family = family_of(process.pid)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said.splitlines()) == (130, ["jobledger: interrupted by SIGINT"])
    expect_all_gone(family)


def test_what_a_shell_tells_us_to_ignore_is_ignored(folder: Path) -> None:
    """As for a command that a script puts into its background."""
    code = (
        "import signal, os; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        f"os.execv({sys.executable!r}, {program('schedule', 'list', '--sources', 'sources.toml')!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, text=True)
    until(lambda: is_ours(process), "the command began")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert (process.returncode, "sample-careers" in said) == (0, True)
