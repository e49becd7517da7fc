"""Worker processes that may die of a task: a death costs its own task and no other.

A `ProcessPoolExecutor` gives up all its tasks when one worker dies, and its workers outlive a killed parent. Here each
worker is a process of `processes.launch` with a connection of its own.
"""

from __future__ import annotations

import logging
import pickle
import subprocess
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Pipe
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from processes.child import end
from processes.errors import TaskLost
from processes.launch import launch

logger = logging.getLogger(__name__)

T = TypeVar("T")

BROKEN_OFF_SECONDS: Final = 5.0
"""How long workers may take to end when the work is broken off before they are killed."""


class WorkerDied(Exception):
    """A worker ended in the middle of a task."""


class Processes(Executor):
    """An executor of `workers` processes, which import the module `ready` before their first task.

    A task whose process dies is begun again in a new one, `tries` times in all; then it raises `TaskLost`.
    """

    def __init__(self, workers: int, *, tries: int, ready: str) -> None:
        self._tries, self._ready = tries, ready
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="process")
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._every: set[_Worker] = set()
        self._over = False
        for _ in range(workers):
            self._open()

    def _open(self) -> None:
        worker = _Worker(self._ready)
        self._every.add(worker)
        self._idle.put(worker)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self._threads.submit(self._run, fn, args, kwargs)

    def _run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        task = pickle.dumps((fn, args, kwargs))
        for left in reversed(range(self._tries)):
            try:
                return self._run_once(task)
            except WorkerDied:
                if self._over:
                    break
                if left:
                    logger.warning("a worker process died: its work is begun again")
        times = "" if self._tries == 1 else f" {self._tries} times"
        raise TaskLost(f"a worker process died{times} of one task, probably because memory ran out: run again to go on")

    def _run_once(self, task: bytes) -> Any:
        worker = self._idle.get()
        try:
            answer = worker.run(task)
        except WorkerDied:
            self._every.discard(worker)
            worker.end(0)
            if not self._over:
                self._open()
            raise
        self._idle.put(worker)
        succeeded, result = pickle.loads(answer)  # noqa: S301 - from our own child
        if succeeded:
            return result
        raise result

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """When the work is broken off, it does not wait for what is being done: the workers are told to end."""
        if kind is not None:
            self._over = True
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._end(BROKEN_OFF_SECONDS)
        self.shutdown(wait=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._over = True
        if wait:
            self._end(BROKEN_OFF_SECONDS)

    def _end(self, grace: float) -> None:
        for worker in list(self._every):
            worker.ask_to_end()
        for worker in list(self._every):
            worker.end(grace)


class _Worker:
    """One worker process and our end of its connection."""

    def __init__(self, ready: str) -> None:
        self._wire, theirs = Pipe()
        with theirs:
            self._process: subprocess.Popen[bytes] = launch(
                "processes.worker:serve", theirs.fileno(), ready, pass_fds=(theirs.fileno(),)
            )

    def run(self, task: bytes) -> bytes:
        """The answer to a task. Raises `WorkerDied`."""
        try:
            self._wire.send_bytes(task)
            return self._wire.recv_bytes()
        except (EOFError, OSError) as error:
            raise WorkerDied from error

    def ask_to_end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()

    def end(self, grace: float) -> None:
        end(self._process, grace)
        self._wire.close()
