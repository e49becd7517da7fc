"""Where work is done: in this process, in processes of this machine, or by the workers of an engine that runs already.

    with pool(cluster, workers, ledger=engine) as executor:
        aggregate(engine, now=now, pool=executor)

Whoever has work takes a `concurrent.futures.Executor`, or None for "here", and knows nothing of engines. Tasks are
functions of a module, with arguments that can be pickled, and safe to repeat: a task whose process died is done again
elsewhere. The engine is Dask (`scheduler.cluster_dask`), a dependency of its own that only `--cluster` needs.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, get_context, parent_process
from typing import Any

from sqlalchemy import Engine

logger = logging.getLogger(__name__)

DEATHS = 3
"""So often worker processes may die before it is taken for a fault of the work, not of chance."""


class ClusterError(Exception):
    """The workers cannot do the work: says why and what to do. What was done is kept; run again to go on."""


class TaskLost(ClusterError):
    """One task took its worker with it each time it was tried; the others are not concerned."""


@contextmanager
def pool(cluster: str | None, workers: int, *, ledger: Engine | None = None) -> Iterator[Executor | None]:
    """An executor of the engine at `cluster`, else of so many processes; None when this process is to do the work.

    `ledger`: what the workers have to reach; they are asked before any work is handed out.
    Raises `ClusterError` when the engine does not answer or its workers cannot do the work.
    """
    if cluster is not None:
        try:
            from scheduler.cluster_dask import joined
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] not in {"dask", "distributed"}:
                raise
            raise ClusterError("--cluster needs Dask: pip install 'jobledger[cluster]'") from error
        with joined(cluster, ledger) as executor:
            yield executor
    elif workers > 1:
        with Processes(workers) as executor:
            yield executor
    else:
        yield None


@dataclass(slots=True)
class _Task:
    call: Callable[[], Any]
    told: Future[Any]


class Processes(Executor):
    """Processes of this machine. When one dies, those beside it are replaced too, and unfinished tasks begun again."""

    def __init__(self, workers: int) -> None:
        self._workers, self._deaths, self._closed = workers, 0, False
        self._lock = threading.Lock()
        self._inner = self._begun()

    def _begun(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._workers, get_context("spawn"), initializer=_end_with_parent)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        task = _Task(partial(fn, *args, **kwargs), Future())
        self._start(task)
        return task.told

    def _start(self, task: _Task) -> None:
        with self._lock:
            inner = self._inner
            try:
                future = inner.submit(task.call)
            except BrokenProcessPool:
                self._replace(inner)
                inner = self._inner
                future = inner.submit(task.call)
        future.add_done_callback(partial(self._ended, task, inner))

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        """Begins new processes, once for each time that they die; to be called under the lock."""
        if self._inner is not broken:
            return
        self._deaths += 1
        if self._deaths > DEATHS or self._closed:
            raise TaskLost(
                f"worker processes died {self._deaths} times, probably for want of memory: run again to go on"
            )
        logger.warning("a worker process died: its work is begun again")
        self._inner = self._begun()

    def _ended(self, task: _Task, inner: ProcessPoolExecutor, future: Future[Any]) -> None:
        if task.told.cancelled() or future.cancelled():
            task.told.cancel()
            return
        error = future.exception()
        if not isinstance(error, BrokenProcessPool):
            _tell(task.told, error, None if error is not None else future.result())
            return
        try:
            with self._lock:
                self._replace(inner)
            self._start(task)
        except ClusterError as lost:
            _tell(task.told, lost, None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._closed, inner = True, self._inner
        inner.shutdown(wait=wait, cancel_futures=cancel_futures)


def _tell(told: Future[Any], error: BaseException | None, result: Any) -> None:
    """Hands on what came of a task, unless nobody waits for it any more."""
    if not told.set_running_or_notify_cancel():
        return
    if error is not None:
        told.set_exception(error)
    else:
        told.set_result(result)


def _end_with_parent() -> None:
    """Lets a worker process end with whoever started it, however that ended: without this it would wait for ever."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(70)

    threading.Thread(target=watch, daemon=True).start()
