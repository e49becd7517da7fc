"""Work in a child process, bounded in time and memory: a hang, a leak or a crash is a sentence in a report.

The child holds the reading end of a pipe to us and ends when we do, however we end: a scheduler killed with SIGKILL
leaves nobody behind who still writes.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

STDIN = 0
KILL_AFTER_SECONDS = 10.0
TAIL_CHARACTERS = 8_192
ANSWER_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its answer (standard output), the end of its log, and why it failed, None when it did not."""

    answer: str
    log_tail: str
    failure: str | None


def run_child(module: str, args: Sequence[str], *, seconds: float, memory_mb: int, secret: str = "") -> Ended:
    """Runs `python -m module args`; `secret` is handed over through the pipe, where no process list shows it."""
    command = [sys.executable, "-m", module, *args]
    environment = {**os.environ, "JOBLEDGER_MEMORY_MB": str(memory_mb)}
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,  # Ctrl-C in a terminal is for us to pass on
    )
    answer, log = _Tail(process.stdout, ANSWER_CHARACTERS), _Tail(process.stderr, TAIL_CHARACTERS)
    failure: str | None = None
    try:
        _tell(process, secret)
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        failure = f"took longer than {seconds:.0f} s and was ended"
    finally:
        end(process)
    answer_text, log_text = answer.text(), log.text()
    if failure is None and process.returncode != 0:
        failure = _death(process.returncode, log_text)
    return Ended(answer_text, log_text, failure)


def _tell(process: subprocess.Popen[str], secret: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(secret + "\n")
        process.stdin.flush()  # left open: its end is how the child learns of ours
    except BrokenPipeError:  # it died before it listened; its exit code says so
        return


def end(process: subprocess.Popen[str]) -> None:
    """Ends a child: politely, then by force; does nothing to one that has ended."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(KILL_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin is not None:
        try:
            process.stdin.close()
        except BrokenPipeError:
            return


def _death(code: int, log: str) -> str:
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"killed by {name}"
    last = next((line for line in reversed(log.splitlines()) if line.strip()), "")
    return f"exit code {code}" + (f": {last.strip()[:300]}" if last else "")


class _Tail:
    """The last characters of a stream, read in a thread so that a flood neither blocks the child nor fills memory."""

    def __init__(self, stream: IO[str] | None, limit: int) -> None:
        assert stream is not None
        self._stream, self._limit, self._kept = stream, limit, ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while chunk := self._stream.read(4096):
            self._kept = (self._kept + chunk)[-self._limit :]

    def text(self) -> str:
        self._thread.join(5)  # a grandchild may hold the stream open: what came so far must do
        if not self._thread.is_alive():
            self._stream.close()
        return self._kept


def begin() -> str:
    """The child's first act: bounds its memory, watches for our end, returns the secret that it was told."""
    limit = int(os.environ.get("JOBLEDGER_MEMORY_MB", "0")) << 20
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    secret = b""
    while not secret.endswith(b"\n") and (byte := os.read(STDIN, 1)):
        secret += byte
    threading.Thread(target=_watch, daemon=True).start()
    return secret.decode().rstrip("\n")


def _watch() -> None:
    # Not through sys.stdin: a thread that waits inside its lock makes the interpreter abort when it ends.
    while os.read(STDIN, 4096):
        continue
    os._exit(70)  # whoever wanted the work is gone: writing on would race with who took over


def children() -> list[int]:
    """The processes that this one started and that still run; empty where /proc does not say."""
    found: list[int] = []
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            found += [int(pid) for pid in task.read_text("ascii").split()]
        except OSError:  # the thread ended while we looked
            continue
    return found


def end_children(seconds: float = KILL_AFTER_SECONDS) -> None:
    """Asks every child to end, and forces those that have not after `seconds`."""
    deadline = time.monotonic() + seconds
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        for pid in children():
            try:
                os.kill(pid, signal_number)
            except ProcessLookupError:  # ended by itself
                continue
        while children() and time.monotonic() < deadline:
            time.sleep(0.1)
