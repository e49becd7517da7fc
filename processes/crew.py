"""Children that run until they are told to end: one that dies is replaced."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable
from typing import Final

from processes.child import end
from processes.errors import ClusterError

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
SOON_SECONDS: Final = 10.0
"""A child that ends before it has lived so long did not really begin."""
MOST_FAILURES: Final = 5
"""How many children in a row may fail to begin."""


def keep_running(start: Callable[[], subprocess.Popen[bytes]], count: int, *, grace: float) -> None:
    """Keeps `count` children running until an exception, as of Ctrl-C, ends the wait; then ends them all.

    Raises `ClusterError` when one child after the other ends as soon as it is started.
    """
    children: dict[subprocess.Popen[bytes], float] = {}
    failures = 0
    try:
        while True:
            while len(children) < count:
                children[start()] = time.monotonic()
            time.sleep(LOOK_SECONDS)
            for child in [child for child in children if child.poll() is not None]:
                lived = time.monotonic() - children.pop(child)
                failures = failures + 1 if lived < SOON_SECONDS else 0
                logger.warning(
                    "process %d ended with code %d: another one takes its place", child.pid, child.returncode
                )
            if failures >= MOST_FAILURES:
                raise ClusterError(f"{failures} processes in a row ended as soon as they were started: see the log")
    finally:
        for child in children:
            child.terminate()
        for child in children:
            end(child, grace)
