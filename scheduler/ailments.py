"""What ails a source, read from one run; and what is done about each ailment.

The evidence is what Scrapy counts (status codes, exceptions, finish reason) and the verdict of the run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from db.runs import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailment:
    """One way to be ill. Counts are of failed runs in a row; 0 = as soon as it is seen. Told no later than it opens."""

    code: str
    means: str
    remedy: str
    tell_after: int
    """Somebody is told from this many failed runs on."""
    open_after: int | None = None
    """The circuit opens from this many failed runs on; None = never, it goes on being read."""
    rest: timedelta = timedelta(hours=1)
    """How long an open circuit rests before its first probe; twice as long after each failed probe."""
    longest_rest: timedelta = timedelta(days=1)


AILMENTS = (
    Ailment(
        code="gone",
        means="the address answers that there is nothing any more, or its host name no longer exists",
        remedy="look whether the employer has another board; else set enabled = false",
        tell_after=2,
        open_after=2,
        rest=timedelta(days=1),
        longest_rest=timedelta(days=14),
    ),
    Ailment(
        code="moved",
        means="the address sends us elsewhere",
        remedy="write the new address into sources.toml",
        tell_after=2,
        open_after=3,
        rest=timedelta(hours=12),
        longest_rest=timedelta(days=7),
    ),
    Ailment(
        code="blocked",
        means="the site refuses us (401, 403, 429, a challenge page, robots.txt)",
        remedy="read its terms and robots.txt; slow down, ask, or set enabled = false",
        tell_after=1,
        open_after=1,  # who is refused and comes back at once is refused for longer
        rest=timedelta(hours=6),
        longest_rest=timedelta(days=7),
    ),
    Ailment(
        code="unreachable",
        means="requests fail: time-outs, refused connections, server errors",
        remedy="usually passes; see the log of the last run",
        tell_after=3,
        open_after=3,
    ),
    Ailment(
        code="parser_broke",
        means="pages come but cannot be read as before",
        remedy="compare a saved page with the spider; the site has probably changed its markup",
        tell_after=2,
        open_after=4,
        rest=timedelta(hours=6),
    ),
    Ailment(
        code="crashed",
        means="the crawl itself died: a hang, too much memory, a crash, a bug",
        remedy="see the log of the last run; raise a limit only when the source is really that large",
        tell_after=2,
        open_after=3,
    ),
    Ailment(
        code="misconfigured",
        means="its entry or its spider cannot be used: it is absent, or cannot be imported",
        remedy="mend the entry or the spider's file; jobledger sources check NAME says more",
        tell_after=1,
    ),
    Ailment(
        code="job_failed",
        means="one of the scheduler's own jobs could not do its work",
        remedy="see the reasons of its last run: jobledger runs --source NAME",
        tell_after=2,
    ),
    Ailment(
        code="empty",
        means="pages come and are read, but there is no posting where there used to be some",
        remedy="look at the page: perhaps there really are none",
        tell_after=0,
    ),
    Ailment(
        code="drifting",
        means="a run brought clearly less, or other, than runs used to",
        remedy="see the reasons of the last run",
        tell_after=0,
    ),
    Ailment(
        code="stuck",
        means="ads were collected and are not read, for longer than aggregation takes",
        remedy="run `jobledger aggregate`: where it fails, its error says why; `jobledger db check` says how many wait",
        tell_after=0,
    ),
    Ailment(
        code="stale",
        means="no healthy run for a long time",
        remedy="see its last runs",
        tell_after=0,
    ),
)

BY_CODE: Mapping[str, Ailment] = {ailment.code: ailment for ailment in AILMENTS}

ENTRY_FAULT = "jobledger/entry_fault"
"""In the stats of a crawl that could not begin; written by `scraper.child`."""
JOB_FAILED = "job_failed"
"""In the stats of one of our own jobs that ended by itself and said why it failed."""
STATUS = re.compile(r"downloader/response_status_count/(\d{3})")
ROBOTS_STATUS = re.compile(r"robotstxt/response_status_count/(\d{3})")
EXCEPTION = re.compile(r"downloader/exception_type_count/(?:[\w.]*\.)?(\w+)")
GONE_STATUSES = frozenset({404, 410})
MOVED_STATUSES = frozenset({301, 302, 303, 307, 308})
BLOCKED_STATUSES = frozenset({401, 403, 407, 429, 451})
NOT_MODIFIED = 304
NO_SUCH_HOST = frozenset({"DNSLookupError", "CannotResolveHostError"})
BROKEN_OFF = frozenset(
    {
        "memusage_exceeded",
        "closespider_timeout",
        "closespider_timeout_no_item",
        "store_failed",
        "shutdown",
        "cancelled",
    }
)
"""Finish reasons that say that the crawl, not the site, was the trouble."""


def diagnose(outcome: Outcome) -> str | None:
    """The ailment that a run shows; None when it shows none.

    >>> diagnose(Outcome(verdict="failed", stats={"downloader/response_status_count/404": 1}))
    'gone'
    >>> diagnose(Outcome(verdict="failed", stats={"downloader/response_status_count/200": 9}, pages=9))
    'parser_broke'
    """
    if outcome.verdict == "healthy":
        return None
    if outcome.verdict == "suspect":
        return "empty" if outcome.pages > 0 and _items(outcome) == 0 else "drifting"
    stats = outcome.stats
    if JOB_FAILED in stats:
        return "job_failed"
    if ENTRY_FAULT in stats:
        return "misconfigured"
    if not stats or stats.get("finish_reason") in BROKEN_OFF:
        return "crashed"  # a process that ends by itself reports what it counted
    statuses = _statuses(stats)
    exceptions = _counts(EXCEPTION, stats)
    good = sum(count for status, count in statuses.items() if 200 <= status < 300 or status == NOT_MODIFIED)
    refused = sum(count for status, count in statuses.items() if status in BLOCKED_STATUSES)
    broken = sum(count for status, count in statuses.items() if status >= 500) + sum(exceptions.values())
    if refused > good or _is_challenged(stats, good):  # a listing that came does not make up for pages that did not
        return "blocked"
    if broken > good:
        return "unreachable"
    if good > 0:
        return "parser_broke"
    if statuses.keys() & GONE_STATUSES:
        return "gone"
    return "moved" if statuses.keys() & MOVED_STATUSES else "crashed"


def is_without_host(outcome: Outcome) -> bool:
    """Whether no request got further than looking the host up.

    One such run says nothing: our own resolver may be down. Days of them say that the name is gone.
    """
    exceptions = _counts(EXCEPTION, outcome.stats)
    return bool(exceptions) and exceptions.keys() <= NO_SUCH_HOST and not _statuses(outcome.stats)


def _statuses(stats: Mapping[str, Any]) -> dict[int, int]:
    """Answers by status code, without those of robots.txt: a site that is gone often still has one."""
    robots = _counts(ROBOTS_STATUS, stats)
    counts = {int(code): count - robots.get(code, 0) for code, count in _counts(STATUS, stats).items()}
    return {code: count for code, count in counts.items() if count > 0}


def _is_challenged(stats: Mapping[str, Any], good: int) -> bool:
    """Whether we were asked to be human, or robots.txt left us nothing to read."""
    return _count(stats, "jobledger/challenges") > 0 or (good == 0 and _count(stats, "robotstxt/forbidden") > 0)


def _count(stats: Mapping[str, Any], name: str) -> int:
    value = stats.get(name, 0)
    return value if isinstance(value, int) else 0


def _counts(pattern: re.Pattern[str], stats: Mapping[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, value in stats.items():
        match = pattern.fullmatch(name)
        if match is not None and isinstance(value, int) and value > 0:
            found[match[1]] = found.get(match[1], 0) + value
    return found


def _items(outcome: Outcome) -> int:
    return outcome.sightings + outcome.new + outcome.updated + outcome.unchanged
