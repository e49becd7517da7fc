"""A Dask cluster of this machine, of processes that a test may kill."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

START_SECONDS = 60


@dataclass(slots=True)
class Cluster:
    """A scheduler and workers, each a process of one thread; their logs are in `folder`."""

    folder: Path
    port: int
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    begun: int = 0
    """Workers that were ever started."""

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def mend(self, workers: int = 2) -> None:
        """Makes the cluster whole: a scheduler and so many workers."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.end()
            self.port = free_port()
            self.scheduler = self._start("scheduler", "scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) > workers:
            kill(self.workers.pop())
        while len(self.workers) < workers:
            self.add_worker()

    def add_worker(self, preload: str | None = None) -> None:
        options = ["--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder)]
        if preload is not None:
            options += ["--preload", preload]
        self.begun += 1
        name = f"worker-{self.begun}"
        self.workers.append(self._start(name, "worker", self.address, "--name", name, *options))
        self._until_said(name, "Registered to")

    def _start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:], "--no-dashboard"],
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
                start_new_session=True,
            )

    def _until_said(self, name: str, words: str) -> None:
        until = time.monotonic() + START_SECONDS
        while words not in self.log(name):
            assert time.monotonic() < until, f"{name} did not start: {self.log(name)[-2000:]}"
            time.sleep(0.1)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def logs(self) -> str:
        return "".join(file.read_text("utf-8", "replace") for file in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                kill(process)
        self.workers, self.scheduler = [], None


def kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    made = Cluster(folder, free_port())
    try:
        made.mend()
        yield made
    finally:
        made.end()


def jobledger(url: str, *command: str) -> subprocess.Popen[str]:
    """The command as users run it."""
    return subprocess.Popen(
        [sys.executable, "-c", "from service.cli import main; main()", "--db", url, *command],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def ended(process: subprocess.Popen[str], seconds: float = 180) -> tuple[int, str, str]:
    said, errors = process.communicate(timeout=seconds)
    return process.returncode, said, errors


def run(url: str, *command: str) -> tuple[int, str, str]:
    return ended(jobledger(url, *command))


def only_line(errors: str) -> str:
    """The one line that a failure is told in."""
    lines: Sequence[str] = [line for line in errors.splitlines() if line.strip()]
    assert len(lines) == 1, errors
    return lines[0]
