"""What a worker leaves behind when it dies, and what stops it when a page takes too long.

The worker writes the offset of the record it is at into `OUT/_work/<key>.at`. An attempt that finds one there knows
that its predecessor died at that record. A record at which two attempts died is poison: it is left out and reported.
One death proves nothing, because power cuts and operators kill workers too. A worker that died together with its parent
counts half: somebody probably killed the parent.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from db.holder import holder_of, is_dead
from processes.parent import is_child
from scheduler.backfill_parquet import WORK
from scraper.limits import PageTooSlow, cut_after

DEATHS_OF_POISON: Final = 2
DEATH_WITH_PARENT: Final = 0.5
LONGEST_NAME: Final = 1_000
MOST_DEATHS: Final = 40
"""Deaths of workers on one file after which it is given up: something else than single records kills them."""
PATIENCE: Final = 6 * 3600.0
"""Seconds to wait for another process that reads the same file; what it read need not be read again."""
NOWHERE: Final = b"-" * 20
STUCK: Final = 3
"""A page that is not cut after so many times its limit is stuck in native code: the worker process ends itself."""


class BusyError(Exception):
    """Another process reads the same file into the same folder."""


class TooManyDeathsError(Exception):
    """The file kills its workers wherever they are."""


class Trail:
    """The worker's own place in a file, and where its predecessors died."""

    def __init__(self, out: Path, key: str, *, patience: float = PATIENCE) -> None:
        """Waits `patience` seconds for another process to leave the file. Raises `BusyError`."""
        (out / WORK).mkdir(parents=True, exist_ok=True)
        self._deaths_path = out / WORK / f"{key}.deaths.json"
        self._path = out / WORK / f"{key}.at"
        self._file = _locked(self._path, time.monotonic() + patience)
        self.poison = self._poison()

    def _poison(self) -> frozenset[int]:
        """The offsets at which too many attempts ended. Raises `TooManyDeathsError`."""
        deaths: dict[str, float] = {}
        if self._deaths_path.exists():
            deaths = json.loads(self._deaths_path.read_text(encoding="ascii"))
        left, parent = os.pread(self._file, len(NOWHERE), 0), os.pread(self._file, LONGEST_NAME, len(NOWHERE)).decode()
        if left.strip().isdigit():
            name = str(int(left))
            deaths[name] = deaths.get(name, 0) + (DEATH_WITH_PARENT if parent and is_dead(parent) else 1)
            partial = self._deaths_path.with_suffix(".partial")
            partial.write_text(json.dumps(deaths), encoding="ascii")
            partial.replace(self._deaths_path)
        self.leave()
        os.ftruncate(self._file, len(NOWHERE))
        os.pwrite(self._file, holder_of(os.getppid()).encode() if is_child() else b"", len(NOWHERE))
        if sum(deaths.values()) > MOST_DEATHS:
            raise TooManyDeathsError(
                f"{sum(deaths.values()):.0f} workers died on it; remove {self._deaths_path} to try again"
            )
        return frozenset(int(offset) for offset, count in deaths.items() if count >= DEATHS_OF_POISON)

    def at(self, offset: int) -> None:
        """Says which record is being read."""
        os.pwrite(self._file, b"%20d" % offset, 0)

    def leave(self) -> None:
        """Says that no record is being read: an end from here on is nobody's fault."""
        os.pwrite(self._file, NOWHERE, 0)

    def close(self, *, finished: bool) -> None:
        """`finished`: the whole file was read, so that nothing has to be remembered."""
        self.leave()
        if finished:
            self._deaths_path.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
        os.close(self._file)


def _locked(path: Path, until: float) -> int:
    """The file, opened and locked before a time of the monotonic clock. Raises `BusyError`."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.fstat(file).st_ino == path.stat().st_ino:
                return file  # else whoever had it has finished and taken it away
        except (BlockingIOError, FileNotFoundError):
            if time.monotonic() > until:
                os.close(file)
                raise BusyError("another process is reading this file into this folder") from None
            time.sleep(0.05)
        os.close(file)


class Watch:
    """Cuts a page off after its time. In the main thread by `cut_after`, which counts processor time and also ends long
    regular expressions; elsewhere by an exception from a thread beside it, which waits for native code to return."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._by_signal = threading.current_thread() is threading.main_thread()
        self._clock = time.process_time if self._by_signal else time.monotonic
        self._armed = False
        self._since: float | None = None
        self._owner = threading.get_ident()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="page watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    @contextmanager
    def page(self) -> Iterator[None]:
        """Raises `PageTooSlow` inside the block when it takes longer than the limit."""
        self._since = self._clock()
        if self._by_signal:
            try:
                with cut_after(self._seconds):
                    yield
            finally:
                self._since = None
            return
        self._armed = True
        gc.disable()  # Python loses an exception that is raised in a finaliser
        try:
            yield
        finally:
            self._disarm()
            gc.enable()

    def _disarm(self) -> None:
        self._armed = False
        with self._lock:
            self._since = None
            _raise_in(self._owner, None)  # one that was on its way arrives no more

    def _look(self) -> None:
        """Raises in other threads than the main one; ends a worker process that native code holds."""
        while not self._over.wait(min(1.0, self._seconds / 4)):
            with self._lock:
                since = self._since
                if since is None:
                    continue
                taken = self._clock() - since
                if self._armed and taken > self._seconds:
                    _raise_in(self._owner, PageTooSlow)
                if taken > self._seconds * STUCK and is_child():
                    os.kill(os.getpid(), signal.SIGKILL)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raises an exception in another thread at its next step; None takes back one not yet raised."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
