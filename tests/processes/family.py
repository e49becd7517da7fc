"""Processes below a process, as /proc lists them."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

PATIENCE = 60.0
"""Seconds that a loaded machine may take for what takes one."""

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are listed by /proc")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def family_of(pid: int) -> set[int]:
    """The process and all below it, whatever session they lead."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parents[int(stat.parent.name)] = int(stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def expect_all_gone(pids: set[int]) -> None:
    until(lambda: not any(is_running(pid) for pid in pids), f"still running of {sorted(pids)}")


def openers(file: Path) -> set[int]:
    """The processes that have a file open, or another one whose name begins like it."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if str(link.readlink()).startswith(str(file)) and is_running(int(link.parts[2])):
                found.add(int(link.parts[2]))
    return found


def is_ours(process: subprocess.Popen[str]) -> bool:
    """Whether a command catches SIGTERM (proc(5), SigCgt), as it does once it is ours; or has ended."""
    if process.poll() is not None:
        return True
    status = Path(f"/proc/{process.pid}/status").read_text("ascii", "replace")
    caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)
