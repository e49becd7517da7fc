"""Who is dead, and who only might be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.holder import is_dead, this_holder

HOST = this_holder().partition("/")[0]

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")


def test_we_live() -> None:
    assert not is_dead(this_holder())
    assert not is_dead(this_holder("once"))


def test_parts_of_one_process_are_different_holders() -> None:
    assert this_holder("a") != this_holder("b") != this_holder()


@pytest.mark.parametrize(
    "holder",
    ["", "me", "elsewhere/1/1", f"{HOST}/", f"{HOST}/x/1", f"{HOST}"],
    ids=["nothing", "a name", "another machine", "no process", "no number", "only a host"],
)
def test_what_cannot_be_known_is_not_called_dead(holder: str) -> None:
    assert not is_dead(holder)


def test_a_process_that_ended_is_dead_even_before_it_is_buried() -> None:
    print_holder = "from db.holder import this_holder; print(this_holder())"
    process = subprocess.Popen([sys.executable, "-c", print_holder], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        holder = process.stdout.read().strip()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert is_dead(holder)
    process.wait()
    assert is_dead(holder)


def test_another_process_with_the_same_number_is_not_the_same_holder() -> None:
    host, pid, _started = this_holder().split("/")
    assert is_dead(f"{host}/{pid}/1")
