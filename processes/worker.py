"""A worker process of `processes.pool`: does one task after the other until its pool is gone or tells it to end."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any


def serve(descriptor: int, ready: str) -> int:
    """Imports the module `ready`, then answers the tasks that come through the connection `descriptor`."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool decides
    import_module(ready)
    with Connection(descriptor) as wire, suppress(EOFError, ConnectionError):
        while True:
            wire.send_bytes(_answer(wire.recv_bytes()))
    return 0


def _answer(task: bytes) -> bytes:
    """What came of a task, pickled: whether it succeeded, and its result or its error."""
    function: Callable[..., Any]
    try:
        function, arguments, named = pickle.loads(task)  # noqa: S301 - from our own parent
        return pickle.dumps((True, function(*arguments, **named)))
    except Exception as error:  # noqa: BLE001 - raised again where the task was submitted
        try:
            pickle.loads(pickled := pickle.dumps((False, error)))  # noqa: S301 - our own
        except Exception:  # noqa: BLE001 - any class may refuse to be pickled; its words are kept
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return pickled


def _end(_number: int, _frame: FrameType | None) -> None:
    """A worker that is told to end does so as if its task had raised, and leaves no trace of a death."""
    raise SystemExit(os.EX_TEMPFAIL)
