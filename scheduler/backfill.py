"""Backfill: WARC files in bulk, a task a file, into Parquet partitions and, where wanted, into the ledger.

    files -> tasks (backfill_file) -> partitions and manifests -> one summary

The same files give the same rows, whatever the number of workers and however often the work was broken off: a finished
file is known by its manifest, an unfinished one is read again from its beginning.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from processes.pool import Processes
from scheduler.backfill_file import SECONDS_A_PAGE, BackfillResult, backfill_file, result_in
from scheduler.backfill_parquet import ROWS, manifests
from scheduler.cluster import TaskLost
from scraper.backfill.inputs import is_url
from scraper.files.finding import Skipped, files_below, is_folder

ENDINGS: Final = (".warc", ".warc.gz", ".warc.zst")
MOST_TRIES: Final = 8
"""Attempts on one file whose workers die; two deaths find one poisonous record."""
MOST_WAITING: Final = 4
"""Tasks handed to the pool for each that it can run, so that a list of a million files stays a list."""
DEATHS: Final = (TaskLost, BrokenExecutor, CancelledError, OSError)
"""What executors answer for a task whose worker died."""
COUNTS: Final = ("records", "pages", "pages_with_jobs", "postings", "articles", "rejected", "bytes")

Progress = Callable[[int, int, Mapping[str, int]], None]
"""Called after each file with files done, all files, and the sums so far."""


@dataclass(frozen=True, slots=True)
class BackfillSummary:
    """What a backfill came to; `results` stand in the order of the files."""

    results: tuple[BackfillResult, ...] = ()
    seconds: float = 0.0
    totals: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        sums = {name: sum(getattr(result, name) for result in self.results) for name in COUNTS}
        object.__setattr__(self, "totals", sums)

    @property
    def failed(self) -> tuple[BackfillResult, ...]:
        return tuple(result for result in self.results if result.error is not None)

    @property
    def skipped(self) -> int:
        return sum(result.skipped for result in self.results)

    def as_json(self) -> dict[str, Any]:
        """The summary as users script against it."""
        return {
            "files": len(self.results),
            "skipped": self.skipped,
            "failed": len(self.failed),
            **self.totals,
            "seconds": self.seconds,
            "ends_early": [result.ends_early for result in self.results if result.ends_early is not None],
            "errors": [{"file": result.file, "error": result.error} for result in self.failed],
            "poison": [{"file": result.file, "record": name} for result in self.results for name in result.poison],
        }


def backfill(
    files: Sequence[str],
    out: str,
    *,
    pool: Executor | None = None,
    workers: int = 1,
    database_url: str | None = None,
    allow_hosts: tuple[str, ...] = (),
    seconds_a_page: float = SECONDS_A_PAGE,
    rows_a_partition: int = ROWS,
    progress: Progress | None = None,
) -> BackfillSummary:
    """Reads `files` (paths or web addresses) into the folder `out`, a task a file.

    `pool` is any executor whose workers see the same paths and have jobledger installed: it gets picklable calls of
    `backfill_file` and nothing else, `workers` then says how many run at once. It should outlive the death of a worker
    and answer the task with one of `DEATHS`; the task is then handed in again, up to `MOST_TRIES` times. The pool is
    not shut down here. Without a pool, `workers` local processes do it; one worker is this process itself.

    Files of one web server are read one after the other, in this process: two streams at once are no manners.
    """
    started = time.monotonic()
    options: dict[str, Any] = {
        "database_url": database_url,
        "allow_hosts": allow_hosts,
        "seconds_a_page": seconds_a_page,
        "rows_a_partition": rows_a_partition,
    }
    board = _Board(files, out, progress)
    board.skip_finished(database_url)
    local = [number for number in board.open if not is_url(files[number])]
    remote = [number for number in board.open if is_url(files[number])]
    if pool is None and workers == 1:
        for number in local:
            board.done(number, backfill_file(files[number], out, **options))
    elif local:
        with nullcontext(pool) if pool is not None else _processes(workers) as executor:
            _spread(board, executor, local, workers * MOST_WAITING, options)
    for number in remote:
        board.done(number, backfill_file(files[number], out, **options))
    return BackfillSummary(board.results(), round(time.monotonic() - started, 3))


def _processes(workers: int) -> Processes:
    """One try each: which record a worker died of is found by the next attempt at its file."""
    return Processes(workers, tries=1, ready="scheduler.backfill_file")


class _Board:
    """Which files are done, and what they came to."""

    def __init__(self, files: Sequence[str], out: str, progress: Progress | None) -> None:
        self.files, self.out = files, out
        self._progress = progress
        self._results: dict[int, BackfillResult] = {}
        self._sums = dict.fromkeys(COUNTS, 0)

    @property
    def open(self) -> list[int]:
        """The numbers of the files still to be read."""
        return [number for number in range(len(self.files)) if number not in self._results]

    def skip_finished(self, database_url: str | None) -> None:
        """Files known by path, size and time of change, or by address, cost no reading to be skipped."""
        known: dict[tuple[object, ...], dict[str, Any]] = {
            (m.get("file"), m.get("size"), m.get("mtime_ns")): m for m in manifests(Path(self.out))
        }
        for number, name in enumerate(self.files):
            found = result_in(known.get(_known_as(name)), database_url)
            if found is not None:
                self.done(number, BackfillResult(**{**asdict(found), "file": name}))

    def done(self, number: int, result: BackfillResult) -> None:
        self._results[number] = result
        for name in COUNTS:
            self._sums[name] += getattr(result, name)
        if self._progress is not None:
            self._progress(len(self._results), len(self.files), self._sums)

    def results(self) -> tuple[BackfillResult, ...]:
        return tuple(self._results[number] for number in sorted(self._results))


def _known_as(name: str) -> tuple[object, ...]:
    if is_url(name):
        return (name, None, None)
    path = Path(name)
    try:
        status = path.stat()
    except OSError:
        return (name, None, -1)  # no manifest says so; reading it tells what is wrong
    return (str(path.resolve()), status.st_size, status.st_mtime_ns)


def _spread(board: _Board, pool: Executor, numbers: Iterable[int], most: int, options: Mapping[str, Any]) -> None:
    """Hands the files to the pool, `most` at a time, again where a worker died."""
    todo = deque(numbers)
    tries: dict[int, int] = {}
    running: dict[Future[BackfillResult], int] = {}
    while todo or running:
        while todo and len(running) < most:
            number = todo.popleft()
            tries[number] = tries.get(number, 0) + 1
            running[pool.submit(backfill_file, board.files[number], board.out, **options)] = number
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            number = running.pop(future)
            death = _death(future)
            if death is None:
                board.done(number, future.result())
            elif tries[number] < MOST_TRIES:
                todo.append(number)
            else:
                error = f"{tries[number]} workers died on it; run again to go on ({death})"
                board.done(number, BackfillResult(board.files[number], error=error))


def _death(future: Future[BackfillResult]) -> str | None:
    """Why the worker of a task is gone; None when the task came to its end. A fault of ours is raised."""
    if future.cancelled():
        return "cancelled"
    error = future.exception()
    if error is None:
        return None
    if isinstance(error, DEATHS):
        return str(error) or type(error).__name__
    raise error


def find_warcs(paths: Sequence[str]) -> list[str]:
    """The WARC files that paths, folders and web addresses name, folders walked in sorted order, each once.

    What turns out to be no regular file is handed on, so that reading it reports it. Raises `FileNotFoundError` for a
    path that does not exist, and for a folder without a WARC file.
    """
    found: dict[str, None] = {}
    for given in paths:
        path = Path(given)
        if not is_url(given) and is_folder(path):
            inside = [
                one.path if isinstance(one, Skipped) else str(one)
                for one in files_below(path, _no_warc)
                if not isinstance(one, Skipped) or one.failed
            ]
            if not inside:
                raise FileNotFoundError(f"{given}: holds no file named {' or '.join('*' + end for end in ENDINGS)}")
            found.update(dict.fromkeys(inside))
        elif is_url(given) or os.path.lexists(path):
            found[given] = None
        else:
            raise FileNotFoundError(f"{given}: no such file or folder")
    return list(found)


def _no_warc(path: Path) -> str | None:
    return None if path.name.endswith(ENDINGS) or is_folder(path) else "its name is not that of a WARC file"
