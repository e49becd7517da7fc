"""What a child knows of its parent: the order it was given, a channel to answer on, and that it must not outlive it.

The order comes through a pipe that the parent never closes while it lives. When the pipe ends, the parent is gone,
however it ended. Two things watch for that: the kernel, which sends SIGIO for a pipe opened with O_ASYNC, and SIGIO
kills a process that does not handle it, even one that sits in native code; and a thread, for systems that ignore SIGIO.
"""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from typing import Any, Final

from processes.launch import LENGTH_BYTES

STDIN, STDOUT, STDERR = 0, 1, 2
PARENT_GONE: Final = 70
"""Exit code of a child that ended because its parent did; by the kernel it dies of SIGIO."""

_channel: int | None = None
_saying = threading.Lock()


def tie() -> bytes:
    """The first act of a child: reads the order and ties the child's life to the parent's.

    Standard input is empty from then on, and what is printed goes to the log: standard output is the channel of `say`.
    """
    global _channel
    lifeline, _channel = os.dup(STDIN), os.dup(STDOUT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.close(nothing)
    os.dup2(STDERR, STDOUT)
    order = _exactly(lifeline, int.from_bytes(_exactly(lifeline, LENGTH_BYTES), "big"))
    end_with(lifeline)
    return order


def _exactly(pipe: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(pipe, min(size, 1 << 16))
        if not part:
            os._exit(PARENT_GONE)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def end_with(lifeline: int) -> None:
    """Ends this process when the pipe `lifeline` ends, on which nothing is ever written again."""
    if hasattr(os, "O_ASYNC"):
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    # Also covers a parent that died before the line above: SIGIO is sent for the change, not for the state.
    threading.Thread(target=_watch, args=(lifeline,), name="lifeline", daemon=True).start()


def _watch(lifeline: int) -> None:
    while os.read(lifeline, 4096):
        continue
    os._exit(PARENT_GONE)


def is_child() -> bool:
    """Whether this process only works for another one, so that it may end itself without harm."""
    return _channel is not None or multiprocessing.parent_process() is not None


def say(message: Mapping[str, Any]) -> None:
    """Tells the parent something, as one line of JSON. Raises `RuntimeError` where `launch` did not start us."""
    if _channel is None:
        raise RuntimeError("this process has no parent that listens: it was not started by processes.launch")
    line = json.dumps(message, default=str).encode() + b"\n"
    with _saying:
        while line:
            line = line[os.write(_channel, line) :]
