"""Every run is judged before it is believed: healthy, suspect or failed, with reasons in words.

Empty is not failed, and failed is not empty. Only a run that read its whole source may close postings, so a capped
listing, a failed page or a challenge page is never read as "the jobs are gone". A run that read everything and is
doubted only for what the source shows is suspect at first; `aggregator.lifecycle` decides when it is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Protocol

from db.lifecycle import BELIEVED, SHARE, SIGHT, WHOLE
from scraper.failures import FIRST_FAILURE
from scraper.sources import Source

COUNTS: Final = ("pages", "articles", "sightings", "raw_postings", "new", "updated", "unchanged", "rejected")
"""What the pipeline counts, under `jobledger/` in the stats."""

CUT_OFF: Final = "jobledger/cut_off"
"""In the stats: after how many seconds a crawl that did not close was cut off."""

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
    """Whether the run saw the whole source and is believed."""
    sight: str | None = None
    """`WHOLE` or `SHARE` when the run read all that it was meant to read, whether it is believed or not."""
    doubt: str | None = None
    """Why a run that read everything is suspect: past or bounds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason to doubt a run."""

    severity: str
    """One of `SEVERITIES`."""
    reason: str


SEVERITIES: Final = ("failed", "suspect", "bounds", "past", "note", "told")
"""From the worst: failed; suspect (something was not read); everything was read, but its number is out of the bounds of
the sources file, or it is unlike the runs before; a note (incomplete, without a fault); told (worth saying, without a
doubt)."""


LIMIT_REACHED: Final = "limit_reached"
ENDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "finished": ("note", ""),
    LIMIT_REACHED: ("note", "ended at the limit of postings that was asked for"),
    "shutdown": ("failed", "was interrupted"),
    "cancelled": ("failed", "was cancelled"),
    "store_failed": ("failed", "could not write to the ledger"),
    "memusage_exceeded": ("failed", "used more memory than it may"),
    "closespider_timeout": ("failed", "ran out of time before it had seen everything"),
    "closespider_timeout_no_item": ("failed", "found nothing for too long"),
    "closespider_errorcount": ("failed", "met too many errors in our parser"),
}
"""How a crawl can end, as Scrapy names it, what that means, and how to go on after "the crawl"."""

ORDERLY: Final = ("finished", "limit_reached")
"""Endings of a crawl that has read all that it was asked for."""
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
ELSEWHERE_SHARE: Final = 0.5
"""Share of a run's ads above which addresses that lead elsewhere are a fault of the site more than closed ads."""
PAY_COLLAPSE: Final = 0.25
"""Pay disclosed in less than this share of its usual coverage."""


def judge(stats: Stats, source: Source, history: Sequence[PastRun] = ()) -> Verdict:
    """Judges a finished crawl by its stats, its source's bounds and the earlier healthy runs.

    >>> stats = {"finish_reason": "finished", "jobledger/raw_postings": 12, "jobledger/pages": 1}
    >>> judge(stats, Source(name="acme", spider="captures", min_items=20)).reasons
    ('12 postings, fewer than the 20 that this source always has',)
    """
    past = _usual(history)
    findings = [found for question in QUESTIONS for found in question(stats, source, past)]
    findings = sorted((f for f in findings if f.reason), key=lambda found: SEVERITIES.index(found.severity))
    doubts = [found for found in findings if found.severity != "told"]
    worst = doubts[0].severity if doubts else None
    read_all = all(found.severity in ("bounds", "past") for found in doubts)
    verdict = {None: "healthy", "note": "healthy", "failed": "failed"}.get(worst, "suspect")
    first = stats.get(FIRST_FAILURE) if verdict != "healthy" else None
    said = [*(found.reason for found in findings), *([f"first failed: {first}"] if first else [])]
    return Verdict(
        verdict=verdict,
        reasons=tuple(dict.fromkeys(said)),
        complete=source.complete and not doubts,
        sight=(WHOLE if source.complete else SHARE) if read_all else None,
        doubt=worst if read_all else None,
    )


def _usual(history: Sequence[PastRun]) -> list[Stats]:
    """The stats of the runs that a new one is measured against, newest first; none while there are too few.

    A run that confirmed a change ends the past: what came before it is no longer usual. It stands for the runs that
    said the same, so it is enough by itself.
    """
    past: list[Stats] = []
    for run in history:
        if run.verdict != "healthy" or run.stats.get("finish_reason") == LIMIT_REACHED:
            continue
        past.append(run.stats)
        if BELIEVED in run.stats:
            return past[:PAST]
    return past[:PAST] if len(past) >= FEWEST_PAST else []


Findings = Sequence[Finding]


def _ending(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    reason = str(stats.get("finish_reason", "unknown"))
    if reason == "store_failed" and "jobledger/store_error" in stats:
        return []  # `_store` says it with its reason
    severity, words = ENDINGS.get(reason, ("failed", f"ended unexpectedly: {reason}"))
    return [Finding(severity, f"the crawl {words}" if words else "")]


def _store(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    error = stats.get("jobledger/store_error")
    return [Finding("failed", f"the ledger could not be written: {error}")] if error else []


def _cut_off(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    seconds = _int(stats, CUT_OFF)
    return [Finding("suspect", f"the crawl did not close within {seconds} seconds and was cut off")] if seconds else []


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
    if broke := _int(stats, "jobledger/parser_failures"):
        # A few entries do not make a run suspect, but what they were is unknown: absence closes nothing after it.
        severity = "failed" if broke > _int(stats, "jobledger/postings_read") else "note"
        findings.append(Finding(severity, f"our parser broke on {_counted(broke, 'entry', 'entries')}"))
    if empty := _int(stats, "jobledger/empty_answers"):
        findings.append(Finding("suspect", f"{_counted(empty, 'answer')} had no content"))
    if unseen := _int(stats, "jobledger/not_inspected"):
        findings.append(Finding("suspect", f"{_counted(unseen, 'listed posting')} whose own page could not be read"))
    return findings


def _elsewhere(stats: Stats, _source: Source, _past: Sequence[Stats]) -> Findings:
    """Ads whose address leads to another ad or a list: a few are closed ads, more than half are a site that moved."""
    gone = _int(stats, "jobledger/details_elsewhere")
    if not gone:
        return []
    there = sum(_int(stats, f"jobledger/{name}") for name in ("details_read", "details_spared", "not_inspected"))
    said = f"the addresses of {gone} of {gone + there} ads lead to another page or say that the ad is gone"
    if gone > ELSEWHERE_SHARE * (gone + there):
        return [Finding("suspect", f"{said}: has the site moved?")]
    return [Finding("told", f"{said}: each of them is a rejected record with its reason")]


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
    if stats.get("finish_reason") == LIMIT_REACHED:
        return []
    if source.min_items is not None and found < source.min_items:
        words = f"fewer than the {source.min_items} that this source always has"
    elif source.max_items is not None and found > source.max_items:
        words = f"more than the {source.max_items} that this source ever has"
    else:
        return []
    return [Finding("bounds", f"{_counted(found, 'posting')}, {words}")]


def _against_past(stats: Stats, source: Source, past: Sequence[Stats]) -> Findings:
    """Fewer postings than usual, where postings cannot be compared one by one: two whole runs are, in the ledger."""
    if not past or stats.get("finish_reason") == LIMIT_REACHED or (source.complete and past[0].get(SIGHT) == WHOLE):
        return []
    usual = median(_int(run, "jobledger/raw_postings") for run in past)
    found = _int(stats, "jobledger/raw_postings")
    if found < usual * SUSPECT_FALL:
        return [Finding("past", f"{_counted(found, 'posting')} where the last healthy runs had {usual:.0f}")]
    return []


def _coverage(stats: Stats, _source: Source, past: Sequence[Stats]) -> Findings:
    """Fields that used to be there and are no longer."""
    if not past or _int(stats, "jobledger/postings_read") < FEWEST_POSTINGS:
        return []
    findings = []
    names = {name for run in past for name in run if name.startswith("jobledger/field/")}
    for name in sorted(names):
        usual = median(_share(run, name) for run in past)
        share = _share(stats, name)
        is_pay = name == "jobledger/field/pay"
        if usual >= COVERAGE_USUAL and share < usual * (PAY_COLLAPSE if is_pay else COVERAGE_FALL):
            words = name.removeprefix("jobledger/field/").removesuffix("_text").replace("_", " ")
            findings.append(Finding("past", f"{words} in {share:.0%} of postings where {usual:.0%} is usual"))
    return findings


QUESTIONS: Final[tuple[Callable[[Stats, Source, Sequence[Stats]], Findings], ...]] = (
    _ending,
    _store,
    _cut_off,
    _nothing_read,
    _status_codes,
    _failed_downloads,
    _parse_errors,
    _elsewhere,
    _challenge,
    _incomplete,
    _bounds,
    _against_past,
    _coverage,
)
"""What is asked of every run, in order."""


def _counted(number: int, thing: str, things: str | None = None) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {things or thing + 's'}"


def _int(stats: Stats, name: str) -> int:
    value = stats.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0


def _under(stats: Stats, prefix: str) -> dict[str, int]:
    """The counts below a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): _int(stats, name) for name in stats if name.startswith(prefix)}


def _share(stats: Stats, name: str) -> float:
    read = _int(stats, "jobledger/postings_read")
    return _int(stats, name) / read if read else 0.0
