"""Every run is judged before it is believed: healthy, suspect or failed, with reasons in words.

Empty is not failed, and failed is not empty. Only a healthy run that saw its whole source may close postings, so a
capped listing, a failed page or a challenge page is never read as "the jobs are gone".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Protocol

from scraper.sources import Source

COUNTS: Final = ("pages", "articles", "sightings", "raw_postings", "new", "updated", "unchanged", "rejected")
"""What the pipeline counts, under `jobledger/` in the stats."""

Stats = Mapping[str, Any]


class PastRun(Protocol):
    """What is asked of an earlier run of the same source: a row of the run table."""

    @property
    def verdict(self) -> str | None: ...
    @property
    def stats(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    verdict: str
    """healthy, suspect or failed."""
    reasons: tuple[str, ...]
    complete: bool
    """Whether the run saw the whole source: only then may absence mean closed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason to doubt a run."""

    severity: str
    """failed, suspect, or note (incomplete, but no fault)."""
    reason: str


ENDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "finished": ("note", ""),
    "limit_reached": ("note", "ended at the limit of postings that was asked for"),
    "shutdown": ("failed", "was interrupted"),
    "cancelled": ("failed", "was cancelled"),
    "store_failed": ("failed", "could not write to the ledger"),
    "memusage_exceeded": ("failed", "used more memory than it may"),
    "closespider_timeout": ("failed", "ran out of time before it had seen everything"),
    "closespider_timeout_no_item": ("failed", "found nothing for too long"),
    "closespider_errorcount": ("failed", "met too many errors in our parser"),
}
"""How a crawl can end, as Scrapy names it, what that means, and how to go on after "the crawl"."""

REFUSALS: Final = (401, 403, 407, 429, 451)
"""Status codes by which a site says that it does not want us, or not so fast."""
GONE: Final = (404, 410)
FAILED_SHARE: Final = 0.1
"""Share of answers with an error status above which a run is failed, not only suspect."""
SUSPECT_FALL: Final = 0.5
"""A run with fewer postings than this share of the median of the last healthy ones is suspect."""
FEWEST_PAST: Final = 3
"""Healthy runs before the past is a measure."""
PAST: Final = 10
"""Healthy runs that are looked at, the newest."""
COVERAGE_FALL: Final = 0.5
"""A field that falls below this share of its usual coverage was probably lost by our parser."""
COVERAGE_USUAL: Final = 0.3
"""Fields seldomer than this are too rare to judge."""
FEWEST_POSTINGS: Final = 10
"""Postings in a run before shares mean something."""
PAY_COLLAPSE: Final = 0.25
"""Pay disclosed in less than this share of its usual coverage."""


def judge(stats: Stats, source: Source, history: Sequence[PastRun] = ()) -> Verdict:
    """Judges a finished crawl by its stats, its source's bounds and the earlier healthy runs.

    >>> stats = {"finish_reason": "finished", "jobledger/raw_postings": 12, "jobledger/pages": 1}
    >>> judge(stats, Source(name="acme", spider="captures", min_items=20)).reasons
    ('12 postings, fewer than the 20 that this source always has',)
    """
    past = [run.stats for run in history if run.verdict == "healthy"][:PAST]
    findings = [found for question in QUESTIONS for found in question(stats, source, past)]
    order = ("failed", "suspect", "note")
    findings.sort(key=lambda found: order.index(found.severity))
    worst = findings[0].severity if findings else "note"
    first = stats.get("jobledger/first_failure") if worst != "note" else None
    said = [*(found.reason for found in findings), f"first failed: {first}" if first else ""]
    return Verdict(
        verdict="healthy" if worst == "note" else worst,
        reasons=tuple(dict.fromkeys(reason for reason in said if reason)),
        complete=source.complete and not any(found.reason for found in findings),
    )


Findings = Sequence[Finding]


def _ending(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    reason = str(stats.get("finish_reason", "unknown"))
    severity, words = ENDINGS.get(reason, ("failed", f"ended unexpectedly: {reason}"))
    return [Finding(severity, f"the crawl {words}" if words else "")]


def _store(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    error = stats.get("jobledger/store_error")
    return [Finding("failed", f"the ledger could not be written: {error}")] if error else []


def _nothing_read(stats: Stats, source: Source, _past: Sequence[Stats]) -> Findings:
    """A run that read no page at all saw nothing; one that read an empty board saw that it is empty."""
    if _int(stats, "jobledger/pages") or _int(stats, "jobledger/unchanged_pages"):
        return []
    if source.spider == "captures":
        return [] if _int(stats, "jobledger/rejected") else [Finding("failed", "there was nothing to read")]
    return [Finding("failed", "no page could be read")]


def _status_codes(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    """Answers with an error status after all retries."""
    codes = {int(name): count for name, count in _under(stats, "jobledger/failed_answers/").items()}
    if not codes:
        return []
    bad = sum(codes.values())
    answers = max(_int(stats, "jobledger/answers"), bad)
    shown = ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))
    refused = any(code in REFUSALS for code in codes)
    words = "refused us" if refused else "has no such page" if set(codes) <= set(GONE) else "failed"
    severity = "failed" if bad / answers > FAILED_SHARE else "suspect"
    return [Finding(severity, f"the site {words}: {shown} of {answers} answers")]


def _failed_downloads(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    """Requests that never got an answer, after all retries, and those that we refused to send."""
    findings = []
    if refused := _int(stats, "jobledger/refused_addresses"):
        findings.append(Finding("suspect", f"{_counted(refused, 'request')} to private or forbidden addresses refused"))
    if lost := _under(stats, "jobledger/no_answers/"):
        pages, kinds = sum(lost.values()), ", ".join(sorted(lost))
        findings.append(Finding("suspect", f"{_counted(pages, 'page')} without an answer after all retries ({kinds})"))
    return findings


def _parse_errors(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    findings = []
    raised = _under(stats, "spider_exceptions/")
    raised.pop("count", None)
    if raised:
        shown = ", ".join(f"{count} x {name}" for name, count in raised.items())
        findings.append(Finding("failed", f"our parser broke: {shown}"))
    if unread := _int(stats, "jobledger/parse_errors"):
        pages = max(_int(stats, "jobledger/pages"), 1)
        severity = "failed" if unread >= pages else "suspect"
        findings.append(Finding(severity, f"{_counted(unread, 'answer')} could not be read"))
    if unseen := _int(stats, "jobledger/not_inspected"):
        findings.append(Finding("suspect", f"{_counted(unseen, 'listed posting')} whose own page could not be read"))
    return findings


def _challenge(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    met = _int(stats, "jobledger/challenges")
    return [Finding("failed", f"{_counted(met, 'page')} asked whether we are human")] if met else []


def _incomplete(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    """Reasons that the spider itself gives for not having seen everything."""
    reasons = [name.replace("_", " ") for name in _under(stats, "jobledger/incomplete/")]
    if not reasons and _int(stats, "jobledger/incomplete"):
        reasons = ["the spider says so"]
    return [Finding("suspect", f"not the whole source: {reason}") for reason in reasons]


def _bounds(stats: Stats, source: Source, _past: Sequence[Stats]) -> Findings:
    found = _int(stats, "jobledger/raw_postings")
    if stats.get("finish_reason") == "limit_reached":
        return []
    if source.min_items is not None and found < source.min_items:
        return [
            Finding(
                "suspect",
                f"{_counted(found, 'posting')}, fewer than the {source.min_items} that this source always has",
            )
        ]
    if source.max_items is not None and found > source.max_items:
        return [
            Finding(
                "suspect", f"{_counted(found, 'posting')}, more than the {source.max_items} that this source ever has"
            )
        ]
    return []


def _against_past(stats: Stats, _source: Source, past: Sequence[Stats]) -> Findings:
    if len(past) < FEWEST_PAST or stats.get("finish_reason") == "limit_reached":
        return []
    usual = median(_int(run, "jobledger/raw_postings") for run in past)
    found = _int(stats, "jobledger/raw_postings")
    if found < usual * SUSPECT_FALL:
        return [Finding("suspect", f"{_counted(found, 'posting')} where the last healthy runs had {usual:.0f}")]
    return []


def _coverage(stats: Stats, _source: Source, past: Sequence[Stats]) -> Findings:
    """Fields that used to be there and are no longer."""
    if len(past) < FEWEST_PAST or _int(stats, "jobledger/postings_read") < FEWEST_POSTINGS:
        return []
    findings = []
    names = {name for run in past for name in run if name.startswith("jobledger/field/")}
    for name in sorted(names):
        usual = median(_share(run, name) for run in past)
        share = _share(stats, name)
        is_pay = name == "jobledger/field/pay"
        if usual >= COVERAGE_USUAL and share < usual * (PAY_COLLAPSE if is_pay else COVERAGE_FALL):
            words = name.removeprefix("jobledger/field/").removesuffix("_text").replace("_", " ")
            findings.append(Finding("suspect", f"{words} in {share:.0%} of postings where {usual:.0%} is usual"))
    return findings


QUESTIONS: Final[tuple[Callable[[Stats, Source, Sequence[Stats]], Findings], ...]] = (
    _ending,
    _store,
    _nothing_read,
    _status_codes,
    _failed_downloads,
    _parse_errors,
    _challenge,
    _incomplete,
    _bounds,
    _against_past,
    _coverage,
)
"""What is asked of every run, in order."""


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _int(stats: Stats, name: str) -> int:
    value = stats.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0


def _under(stats: Stats, prefix: str) -> dict[str, int]:
    """The counts below a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): _int(stats, name) for name in stats if name.startswith(prefix)}


def _share(stats: Stats, name: str) -> float:
    read = _int(stats, "jobledger/postings_read")
    return _int(stats, name) / read if read else 0.0
