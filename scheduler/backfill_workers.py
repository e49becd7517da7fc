"""Local processes for tasks that may kill them: the death of one worker costs its own task and no other.

`ProcessPoolExecutor` gives up all its tasks when one worker dies, so each worker here is a pool of one.
"""

from __future__ import annotations

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

T = TypeVar("T")


class LocalWorkers(Executor):
    """An executor of `workers` processes. A task whose process dies raises `BrokenExecutor`; the next one gets a new
    process."""

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="backfill")
        self._lanes: SimpleQueue[_Lane] = SimpleQueue()
        self._every: set[_Lane] = set()
        for _ in range(workers):
            self._open()

    def _open(self) -> None:
        lane = _Lane()
        self._every.add(lane)
        self._lanes.put(lane)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self._threads.submit(self._run, fn, args, kwargs)

    def _run(self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
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
        """Broken off, it does not wait for the files being read: their workers are told to end."""
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

    def __init__(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["scheduler.backfill_file"])  # imported once, not by every worker
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
