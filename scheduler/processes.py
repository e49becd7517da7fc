"""Processes of this machine that do tasks, and may die of them: a death costs its own task and no other.

`ProcessPoolExecutor` gives up all its tasks when one worker dies, so each worker here is a pool of one.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import connection
from queue import SimpleQueue
from types import FrameType
from typing import Any, TypeVar

from scheduler.cluster import TaskLost

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Processes(Executor):
    """An executor of `workers` processes, which have imported the module `ready` before their first task.

    A task whose process dies is begun again in a new one, `tries` times in all; then it raises `TaskLost`.
    """

    def __init__(self, workers: int, *, tries: int, ready: str) -> None:
        self._tries = tries
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="process")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([ready])  # imported once, not by every worker
        self._lanes: SimpleQueue[_Lane] = SimpleQueue()
        self._every: set[_Lane] = set()
        for _ in range(workers):
            self._open()

    def _open(self) -> None:
        lane = _Lane(self._context)
        self._every.add(lane)
        self._lanes.put(lane)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self._threads.submit(self._run, fn, args, kwargs)

    def _run(self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        for left in reversed(range(self._tries)):
            try:
                return self._run_once(fn, args, kwargs)
            except BrokenExecutor:
                if left:
                    logger.warning("a worker process died: its work is begun again")
        times = "" if self._tries == 1 else f" {self._tries} times"
        raise TaskLost(f"a worker process died{times} of one task, probably for want of memory: run again to go on")

    def _run_once(self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        lane = self._lanes.get()
        try:
            result = lane.run(fn, args, kwargs)
        except BrokenExecutor:
            self._every.discard(lane)
            lane.pool.shutdown(wait=False)
            self._open()
            raise
        except BaseException:
            self._lanes.put(lane)
            raise
        self._lanes.put(lane)
        return result

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Broken off, it does not wait for what is being done: its workers are told to end."""
        if kind is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            for lane in list(self._every):
                lane.end()
        self.shutdown(wait=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for lane in list(self._every):
            lane.pool.shutdown(wait=wait, cancel_futures=cancel_futures)


class _Lane:
    """One worker process."""

    def __init__(self, context: Any) -> None:
        self.pool = ProcessPoolExecutor(1, context, initializer=_begin)
        self._process: int | None = None

    def run(self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        if self._process is None:
            self._process = self.pool.submit(os.getpid).result()
        return self.pool.submit(fn, *args, **kwargs).result()

    def end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGTERM)


def _begin() -> None:
    """A worker that is told to end does so as if its task had raised, and leaves no trail of a death."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent decides
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A killed parent tells nobody: its workers would wait for work for ever."""
    connection.wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(os.EX_TEMPFAIL)
