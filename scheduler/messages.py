"""What is said of a source that broke or recovered: pure functions from what is known to words and facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from db.runs import RunRow
from db.source_state import Condition
from db.text import one_line
from scheduler.ailments import BY_CODE

LISTED = 20
"""So many sources a message names; the rest it counts."""
LONGEST_REASON = 500
RAW_POSTINGS = "jobledger/raw_postings"
FIRST_ADDRESS = "jobledger/first_address"
"""Keys of a run's stats, written by the scraper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One source, or one job of ours, with what is written down about it."""

    condition: Condition
    address: str | None = None
    """The `url` of its entry."""
    next_try: datetime | None = None
    runs: Sequence[RunRow] = ()
    """Its last finished runs, newest first."""
    figures: str | None = None
    """What is wrong and what to do, in figures: goes before the general words."""


def kind_of(known: Sequence[Known]) -> str:
    """The kind of a message about these: failure when one cannot be read, warning when all are only odd, else success.

    >>> kind_of([Known(condition=Condition(name="acme", ailment="drifting"))])
    'warning'
    """
    ill = [one.condition for one in known if one.condition.ailment is not None]
    if not ill:
        return "success"
    return "failure" if any(one.failures or one.circuit != "closed" for one in ill) else "warning"


def title_of(known: Sequence[Known]) -> str:
    names = [one.condition.name for one in known]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"jobledger: {'well again: ' if kind_of(known) == 'success' else 'trouble with '}{shown}"


def facts_of(known: Known, base_url: str | None = None) -> dict[str, Any]:
    """What a message says of a source, for machines."""
    condition, last = known.condition, known.runs[0] if known.runs else None
    is_job = condition.name.startswith("@")
    healthy = [run for run in known.runs if run.verdict == "healthy"]
    usual = [_postings(run) for run in healthy]
    well_at = condition.last_healthy_at or (healthy[0].finished_at if healthy else None)
    return {
        "source": condition.name,
        "ailment": condition.ailment,
        "since": _iso(condition.ailment_since),
        "circuit": condition.circuit,
        "failures": condition.failures,
        "verdict": last.verdict if last else None,
        "reasons": [one_line(reason) for reason in last.reasons] if last else [],
        "run_at": _iso(last.finished_at or last.started_at) if last else None,
        "pages": last.pages if last and not is_job else None,
        "postings": _postings(last) if last and not is_job else None,
        "usual_postings": round(median(usual)) if usual and not is_job else None,
        "last_healthy": _iso(well_at),
        "next_try": _iso(known.next_try) if condition.ailment is not None else None,
        "address": known.address or (last.stats.get(FIRST_ADDRESS) if last else None),
        "page": f"{base_url}/sources#source-{condition.name}" if base_url and not is_job else None,
    }


def body_of(known: Sequence[Known], base_url: str | None = None) -> str:
    """The text of a message: a paragraph a source."""
    parts = [_paragraph(one, base_url) for one in known[:LISTED]]
    more = len(known) - LISTED
    return "\n\n".join([*parts, *([f"… and {more} more: see `jobledger sources list`"] if more > 0 else [])])


def _paragraph(known: Known, base_url: str | None) -> str:
    condition, facts = known.condition, facts_of(known, base_url)
    lines = [_headline(condition, known.figures), *_last_run(facts)]
    if condition.ailment is not None:
        lines.append(f"last healthy run: {_words(facts['last_healthy'], 'never')}")
        lines.append(f"next try: {_words(facts['next_try'], 'at its next slot')}")
        if known.figures is None:
            lines.append(f"what to do: {BY_CODE[condition.ailment].remedy}")
    lines += [f"{word}: {facts[name]}" for word, name in (("source", "address"), ("details", "page")) if facts[name]]
    return "\n  ".join(lines)


def _headline(condition: Condition, figures: str | None) -> str:
    if condition.ailment is None:
        return f"{condition.name}: healthy again"
    since = f" since {_words(_iso(condition.ailment_since), '')}" if condition.ailment_since else ""
    runs = f"{condition.failures} failed run{'s' if condition.failures > 1 else ''} in a row"
    rests = ", now left alone until the next try" if condition.circuit != "closed" else ""
    means = figures or BY_CODE[condition.ailment].means
    return f"{condition.name}: {condition.ailment}{since}{f', {runs}' if condition.failures else ''}{rests}: {means}."


def _last_run(facts: dict[str, Any]) -> list[str]:
    if facts["verdict"] is None:
        return []
    usual = f" ({facts['usual_postings']} are usual)" if facts["usual_postings"] is not None else ""
    counts = f", {facts['pages']} pages, {facts['postings']} postings{usual}" if facts["postings"] is not None else ""
    said = "; ".join(reason for reason in facts["reasons"] if reason)[:LONGEST_REASON]
    return [f"last run: {facts['verdict']}{counts}", *([f"why: {said}"] if said else [])]


def _postings(run: RunRow) -> int:
    counted = run.stats.get(RAW_POSTINGS)
    return counted if isinstance(counted, int) else run.sightings


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _words(iso: str | None, otherwise: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M} UTC" if iso else otherwise
