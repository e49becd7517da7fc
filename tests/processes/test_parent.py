"""A parent killed with SIGKILL tells nobody: its children, idle, busy, in native code or starting, end all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes.launch import command
from tests.conftest import REPOSITORY
from tests.processes.family import PATIENCE, expect_all_gone, family_of, needs_proc, until

pytestmark = needs_proc


@pytest.fixture
def parents() -> Iterator[list[subprocess.Popen[bytes]]]:
    begun: list[subprocess.Popen[bytes]] = []
    yield begun
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.wait()


def begin(begun: list[subprocess.Popen[bytes]], *words: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command("tests.processes.behaviour", *words), cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    begun.append(process)
    return process


@pytest.mark.parametrize("doing", ["sleep", "native", "child"])
def test_a_child_ends_with_its_parent(doing: str, tmp_path: Path, parents: list[subprocess.Popen[bytes]]) -> None:
    parent = begin(parents, "supervise", str(tmp_path), doing)
    until(lambda: len(list(tmp_path.iterdir())) == (2 if doing == "child" else 1), "the child began")
    kill_and_expect_nothing_left(parent)


@pytest.mark.parametrize("doing", ["starting", "idle", "sleep", "native", "child"])
def test_workers_end_with_their_parent(doing: str, tmp_path: Path, parents: list[subprocess.Popen[bytes]]) -> None:
    parent = begin(parents, "keep_pool", str(tmp_path), doing)
    if doing == "starting":
        until(lambda: len(family_of(parent.pid)) == 3, "the workers were started")
    else:
        until((tmp_path / "ready").exists, "the workers were ready")
        if doing != "idle":
            time.sleep(0.2)  # so that the second task has begun, mostly; nothing depends on it
    kill_and_expect_nothing_left(parent)


def kill_and_expect_nothing_left(parent: subprocess.Popen[bytes]) -> None:
    below = family_of(parent.pid)
    assert len(below) > 1
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    expect_all_gone(below)


def test_a_child_whose_parent_died_before_it_was_tied_ends() -> None:
    """The order is cut off in the middle, or never comes."""
    for written in (b"", b"\0" * 7 + b"\xff" + b"half an order"):
        process = subprocess.Popen(command("processes.boot"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        _, _ = process.communicate(written, timeout=PATIENCE)
        assert process.returncode == 70


def test_without_the_kernel_the_thread_ends_it() -> None:
    """As on systems that know no O_ASYNC, or ignore SIGIO."""
    code = (
        "import os, signal, sys, time; from processes import parent;"
        "del os.O_ASYNC; read, write = os.pipe(); parent.end_with(read); os.close(write); time.sleep(60)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=REPOSITORY, timeout=PATIENCE, check=False)
    assert done.returncode == 70
