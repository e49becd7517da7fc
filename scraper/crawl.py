"""One crawl of one source, always in a child process.

A reactor cannot be started twice, a parser can eat all memory, a site can hang: so each crawl gets a process of its
own, and whatever happens to that process is a failed `CrawlResult` with a reason, never an exception here.

The child runs `scraper.child.main`: it tells progress and its result as messages, and the end of its log is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from db.lifecycle import DOUBT, SIGHT
from processes.child import Ended, Heard, run_child
from scraper.files.spooling import spooled
from scraper.health import COUNTS, ORDERLY, PastRun, Verdict, judge
from scraper.sources import Source

CLOSING_SECONDS: Final = 20.0
"""How long a crawl may take to close, once it has begun to, before it is cut off."""
GRACE_SECONDS: Final = 30.0
"""How long a child may take to finish after its time is up before it is killed."""
SILENT_SECONDS: Final = 600.0
"""A spider that lets nothing else happen for so long hangs."""
TIMEOUT_SECONDS: Final = 6 * 3600.0
MEMORY_MB: Final = 1024
MEMORY_SLACK: Final = 4
"""What a crawl may allocate over what it may use: Scrapy measures the latter and ends the crawl in good order."""
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
    cut_short: bool = False
    """Whether the crawl ended before it had read everything that it was asked for: no disk, memory or time left, a
    signal, a crash."""


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
            "closing_seconds": CLOSING_SECONDS,
            "memory_mb": memory_mb,
            "spider_modules": list(spider_modules),
        }
        ended = run_child(
            "scraper.child:main",
            task,
            seconds=timeout_seconds,
            patience=GRACE_SECONDS,
            grace=0,  # it was to end by itself when its time was up
            silent_seconds=SILENT_SECONDS,
            memory_mb=memory_mb * MEMORY_SLACK,
            heard=_telling(progress),
        )
    stats = ended.said.get("stats", {})
    death = _death(ended)
    verdict = judge(stats, source, history) if death is None else Verdict("failed", (death,), complete=False)
    return result_of(
        source,
        verdict,
        stats,
        limit=limit,
        seconds=round(time.monotonic() - started, 3),
        log_tail=ended.log_tail,
        cut_short=death is not None or _is_cut_short(stats, source),
    )


def result_of(
    source: Source,
    verdict: Verdict,
    stats: Mapping[str, Any],
    *,
    limit: int | None = None,
    seconds: float = 0.0,
    log_tail: str = "",
    cut_short: bool = False,
) -> CrawlResult:
    """What a crawl with these stats came to; how much of its source it read goes into its stats."""
    evidence = {SIGHT: verdict.sight if limit is None else None, DOUBT: verdict.doubt if limit is None else None}
    return CrawlResult(
        source=source.name,
        verdict=verdict.verdict,
        reasons=verdict.reasons,
        complete=verdict.complete and limit is None,
        seconds=seconds,
        stats={name: value for name, value in stats.items() if name != NOTES}
        | {name: value for name, value in evidence.items() if value is not None},
        log_tail=log_tail,
        cut_short=cut_short,
        notes=tuple(stats.get(NOTES, ())),
        **{name: int(stats.get(f"jobledger/{name}", 0)) for name in COUNTS},
    )


NOTES: Final = "jobledger/notes"


def _is_cut_short(stats: Mapping[str, Any], source: Source) -> bool:
    """Whether something was left unread. All captures are read by one callback: an error in it ends the reading."""
    broke = source.spider == "captures" and "spider_exceptions/count" in stats
    return broke or stats.get("finish_reason") not in ORDERLY


def _telling(progress: Progress | None) -> Heard | None:
    if progress is None:
        return None

    def heard(message: Mapping[str, Any]) -> None:
        if "progress" in message:
            progress(message["progress"])

    return heard


def _death(ended: Ended) -> str | None:
    """Why the child did not come to an end with a result, in words; None when it did."""
    if "error" in ended.said:
        return str(ended.said["error"])
    if ended.failure is not None:
        return f"the crawl process {ended.failure}"
    return None if "stats" in ended.said else "the crawl process ended without a result"


def _as_json(source: Source) -> dict[str, Any]:
    values = {f.name: getattr(source, f.name) for f in fields(source)}
    return {**values, "options": dict(source.options), "allow_hosts": list(source.allow_hosts)}
