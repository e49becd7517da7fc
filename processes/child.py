"""The supervisor of one piece of work in one child process, bounded in time and memory.

A hang, a leak or a crash of the child is a sentence in `Ended`, never an exception here. The child never outlives us.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Final

from processes.launch import launch

KILL_AFTER_SECONDS: Final = 10.0
"""How long a child that was asked to end may take before it is killed."""
TAIL_BYTES: Final = 16_384
"""What is kept of a child's log: its end, where the reason of a death stands."""
LONGEST_MESSAGE: Final = 64 << 20
LOOK_SECONDS: Final = 0.5

Heard = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: what it said, by key and the last value of each; why it failed, None when it did not."""

    said: Mapping[str, Any]
    failure: str | None
    log_tail: str = ""


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    said: dict[str, Any] = field(default_factory=dict)
    heard_at: float = field(default_factory=time.monotonic)
    log: bytes = b""


_running: dict[int, subprocess.Popen[bytes]] = {}
"""The children that are being supervised now."""


def run_child(
    target: str,
    *arguments: Any,
    seconds: float,
    patience: float = 0.0,
    grace: float = KILL_AFTER_SECONDS,
    silent_seconds: float | None = None,
    memory_mb: int | None = None,
    heard: Heard | None = None,
) -> Ended:
    """Runs `target` ("module:function") in a child and waits for its end, `seconds` at most.

    A child that watches its time itself has `patience` seconds on top. A child that says nothing for `silent_seconds`
    hangs. Both bounds end the child: it is asked to end, and killed after `grace` seconds. `heard` is called with each
    message (`processes.parent.say`) as it comes.
    """
    try:
        process = launch(target, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, memory_mb=memory_mb)
    except OSError as error:
        return Ended({}, f"could not be started: {error}")
    _running[process.pid] = process
    child = _Child(process)
    listeners = [
        threading.Thread(target=_listen, args=(process.stdout, child, heard), daemon=True),
        threading.Thread(target=_gather, args=(process.stderr, child), daemon=True),
    ]
    for listener in listeners:
        listener.start()
    try:
        over = _wait(child, seconds, patience, silent_seconds)
        end(process, grace)
    except BaseException:
        end(process, 0)  # nobody waits for its result any more
        raise
    finally:
        _running.pop(process.pid, None)
        for listener, stream in zip(listeners, (process.stdout, process.stderr), strict=True):
            listener.join(timeout=5)
            if stream is not None and not listener.is_alive():  # a process that the child started may hold it open
                stream.close()
    log = child.log.decode("utf-8", "replace")
    return Ended(child.said, over or _death(process.returncode, log), log)


def _wait(child: _Child, seconds: float, patience: float, silent_seconds: float | None) -> str | None:
    """Waits for the child; in words why it has to be ended, None when it ended by itself."""
    deadline = time.monotonic() + seconds + patience
    while True:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, min(LOOK_SECONDS, deadline - time.monotonic())))
            return None
        now = time.monotonic()
        if now >= deadline:
            return f"took longer than {seconds:.0f} seconds and was ended"
        if silent_seconds is not None and now - child.heard_at > silent_seconds:
            return f"hung: it kept Python busy for {silent_seconds:.0f} seconds and was ended"


def end(process: subprocess.Popen[bytes], grace: float = KILL_AFTER_SECONDS) -> None:
    """Ends a child, first by asking, after `grace` seconds by force, with whatever it started."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()


def end_children(grace: float = KILL_AFTER_SECONDS) -> None:
    """Ends every child that is being supervised, first by asking, after `grace` seconds by force.

    To be called by another thread than those that wait for the children: they see them end.
    """
    doomed = list(_running.values())
    for process in doomed:
        process.terminate()
    deadline = time.monotonic() + grace
    while any(process.poll() is None for process in doomed) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in doomed:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _listen(stream: IO[bytes] | None, child: _Child, heard: Heard | None) -> None:
    while stream is not None and (line := stream.readline(LONGEST_MESSAGE)):
        try:
            message = json.loads(line)
        except ValueError:
            continue  # cut off by the child's death, which is reported by itself
        child.heard_at = time.monotonic()
        child.said.update(message)
        if heard is not None:
            heard(message)


def _gather(stream: IO[bytes] | None, child: _Child) -> None:
    """Keeps the end of the log: a flood neither blocks the child nor fills our memory."""
    while stream is not None and (part := os.read(stream.fileno(), 4096)):
        child.log = (child.log + part)[-TAIL_BYTES:]


def _death(code: int, log: str) -> str | None:
    """Why a child did not end well, in words; None when it did.

    >>> _death(-9, ""), _death(3, "one\\nValueError: two\\n")
    ('was killed by SIGKILL, probably because memory ran out', 'ended with exit code 3: ValueError: two')
    """
    if code == 0:
        return None
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"was killed by {name}" + (", probably because memory ran out" if name == "SIGKILL" else "")
    last = next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "it wrote no log")
    return f"ended with exit code {code}: {last[:300]}"
