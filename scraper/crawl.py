"""One crawl of one source, always in a child process.

A reactor cannot be started twice, a parser can eat all memory, a site can hang: so each crawl gets a process of its
own, and whatever happens to that process is a failed `CrawlResult` with a reason, never an exception here.

The child (`python -m scraper.crawl`) reads its task as JSON from stdin, writes progress and its result as JSON lines to
a pipe of its own, and its log to stderr, of which the end is kept.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import IO, Any, Final

from scraper.files.spooling import spooled
from scraper.health import COUNTS, PastRun, Verdict, judge
from scraper.sources import Source

LOG_TAIL: Final = 16_384
"""Bytes of the child's log that are kept: its end, where the reason of a death stands."""
GRACE_SECONDS: Final = 20.0
"""How long a child may take to finish after its time is up before it is killed."""
SILENT_SECONDS: Final = 600.0
"""A spider that lets nothing else happen for so long hangs."""
LOOK_SECONDS: Final = 0.5
TIMEOUT_SECONDS: Final = 6 * 3600.0
MEMORY_MB: Final = 1024
SPIDER_MODULES: Final = ("scraper.spiders",)

Progress = Callable[[Mapping[str, int]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlResult:
    """What one crawl came to."""

    source: str
    verdict: str
    """healthy, suspect or failed."""
    reasons: tuple[str, ...]
    complete: bool
    """Whether the crawl saw the whole source, so that absence may mean closed."""
    pages: int = 0
    articles: int = 0
    sightings: int = 0
    raw_postings: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    seconds: float = 0.0
    stats: Mapping[str, Any] = field(default_factory=dict)
    log_tail: str = ""
    notes: tuple[str, ...] = ()
    """Lines worth showing that are no failure: which files were skipped."""


def crawl(
    source: Source,
    *,
    database_url: str,
    limit: int | None = None,
    paths: Sequence[str] = (),
    timeout_seconds: float = TIMEOUT_SECONDS,
    memory_mb: int = MEMORY_MB,
    history: Sequence[PastRun] = (),
    progress: Progress | None = None,
    spider_modules: Sequence[str] = SPIDER_MODULES,
) -> CrawlResult:
    """Crawls `source` into the ledger at `database_url` and judges the run.

    `limit` ends the run after so many postings; `paths` are the files of a captures run (`-` is standard input);
    `history` are earlier runs of this source; `progress` is called about once a second with the counts so far.
    A child that dies, hangs, or grows beyond `memory_mb` is a failed result. Raises `OSError` for standard input that
    cannot be kept.
    """
    started = time.monotonic()
    with spooled(paths) as files:
        task = {
            "source": _as_json(source),
            "database_url": database_url,
            "limit": limit,
            "paths": list(files),
            "timeout_seconds": timeout_seconds,
            "memory_mb": memory_mb,
            "spider_modules": list(spider_modules),
        }
        child = _run_child(task, timeout_seconds + GRACE_SECONDS, progress)
    stats = child.stats or {}
    if child.stats is None or child.death is not None:
        verdict = Verdict("failed", (child.death or "the crawl process ended without a result",), complete=False)
    else:
        verdict = judge(stats, source, history)
    counts = {name: int(stats.get(f"jobledger/{name}", 0)) for name in COUNTS}
    return CrawlResult(
        source=source.name,
        verdict=verdict.verdict,
        reasons=verdict.reasons,
        complete=verdict.complete and limit is None,
        seconds=round(time.monotonic() - started, 3),
        stats={name: value for name, value in stats.items() if name != NOTES},
        log_tail=child.log_tail,
        notes=tuple(stats.get(NOTES, ())),
        **counts,
    )


NOTES: Final = "jobledger/notes"


def _as_json(source: Source) -> dict[str, Any]:
    values = {f.name: getattr(source, f.name) for f in fields(source)}
    return {**values, "options": dict(source.options), "allow_hosts": list(source.allow_hosts)}


@dataclass(slots=True)
class _Child:
    """What is known of a child that has ended."""

    stats: dict[str, Any] | None
    death: str | None
    log_tail: str


def _run_child(task: Mapping[str, Any], timeout: float, progress: Progress | None) -> _Child:
    """Starts the child, feeds it, listens to it until it ends or its time is up."""
    read_end, write_end = os.pipe()
    command = [sys.executable, "-m", "scraper.crawl", str(write_end)]
    tail: deque[bytes] = deque(maxlen=256)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(write_end,),
            start_new_session=True,
        )
    except OSError as error:
        os.close(read_end)
        os.close(write_end)
        return _Child(None, f"the crawl process could not be started: {error}", "")
    os.close(write_end)
    heard: dict[str, Any] = {}
    with process, os.fdopen(read_end, encoding="utf-8", errors="replace") as messages:
        listeners = (
            threading.Thread(target=_gather, args=(process.stderr, tail), daemon=True),
            threading.Thread(target=_listen, args=(messages, heard, progress), daemon=True),
        )
        for listener in listeners:
            listener.start()
        try:
            _feed(process, task)
            over = _wait(process, timeout, heard)
        finally:
            _kill(process)
            for listener in listeners:
                listener.join(timeout=5)
    log_tail = b"".join(tail).decode("utf-8", "replace")[-LOG_TAIL:]
    return _Child(heard.get("stats"), over or _death(process.returncode, heard, log_tail), log_tail)


def _feed(process: subprocess.Popen[bytes], task: Mapping[str, Any]) -> None:
    if process.stdin is None:
        raise RuntimeError("the child was started without stdin")
    try:
        process.stdin.write(json.dumps(task).encode())
        process.stdin.close()
    except BrokenPipeError:
        return  # it died before it read its task: its exit code and log say why


def _wait(process: subprocess.Popen[bytes], timeout: float, heard: Mapping[str, Any]) -> str | None:
    """Waits for the child; in words why it has to be ended, None when it ended by itself."""
    started = time.monotonic()
    while True:
        try:
            process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            if now - started > timeout:
                return f"the crawl took longer than {timeout - GRACE_SECONDS:.0f} seconds and was ended"
            if now - heard.get("turned_at", started) > SILENT_SECONDS:
                return f"the crawl hung: its spider kept Python busy for {SILENT_SECONDS:.0f} seconds and was ended"
        else:
            return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the child and whatever it started."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        process.wait()


def _gather(stream: IO[bytes] | None, tail: deque[bytes]) -> None:
    """Keeps the end of the child's log; a line that never ends is cut."""
    while stream is not None and (line := stream.readline(4096)):
        tail.append(line)


def _listen(messages: IO[str], heard: dict[str, Any], progress: Progress | None) -> None:
    for line in messages:
        try:
            message = json.loads(line)
        except ValueError:
            continue  # cut off by the child's death, which is reported by itself
        if "progress" in message:
            heard["turned_at"] = time.monotonic()
            if progress is not None:
                progress(message["progress"])
        heard.update({name: message[name] for name in ("stats", "error") if name in message})


def _death(code: int | None, heard: Mapping[str, Any], log_tail: str) -> str | None:
    """Why the child did not end well, in words; None when it did."""
    if "error" in heard:
        return str(heard["error"])
    if code == 0:
        return None if "stats" in heard else "the crawl process ended without a result"
    last = next((line for line in reversed(log_tail.splitlines()) if line.strip()), "it wrote no log")
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in list(signal.Signals) else str(-code)
        hint = ", probably for want of memory" if -code == signal.SIGKILL else ""
        return f"the crawl process was killed by {name}{hint}"
    return f"the crawl process ended with exit code {code}: {last.strip()[:300]}"


if __name__ == "__main__":
    from scraper.child import main

    sys.exit(main(int(sys.argv[1])))
