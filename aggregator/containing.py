"""Jobs composed of their raw postings, each raw posting by itself: one that makes a rule fail costs only itself.

    one of several fails    the posting is composed of the others, as if that one did not exist
    all of them fail        no new posting is made; one that the ledger holds stays as it was, flagged `unreadable`

Either way the raw posting is rejected with the reason and is no longer pending: it is read again when it changes or
the rules do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from aggregator.composing import compose
from aggregator.normalise.money import Rates
from aggregator.reading import Reading, read
from aggregator.rules import RULES_VERSION
from db.contained import Failure, contained, contained_together
from db.postings import Batch, PostingDraft
from db.records import RejectedRecord
from db.rejected import UNREADABLE
from db.unread import Unread, seen_of

Job = tuple[str, Sequence[Any]]
"""A posting's id and the rows of `raw_posting` that describe it."""
Failed = tuple[Any, Failure]
"""A raw posting, and why it could not be read."""


def compose_all(rates: Rates, jobs: Sequence[Job], *, now: datetime) -> Batch:
    """What becomes of these jobs, in the same order."""
    drafts: list[PostingDraft] = []
    unread: list[Unread] = []
    rejected: list[RejectedRecord] = []
    for posting_id, rows in jobs:
        draft, failed = composed(posting_id, rows, rates)
        if draft is not None:
            drafts.append(draft)
        else:
            hashes = {row.id: row.content_hash for row in rows}
            unread.append(Unread(posting_id, str(failed[0][1]), seen_of(rows), hashes))
        rejected += [rejection(row, failure, now) for row, failure in failed]
    return Batch(drafts, unread, rejected)


def composed(posting_id: str, rows: Sequence[Any], rates: Rates) -> tuple[PostingDraft | None, list[Failed]]:
    """The posting that the readable ones of these raw postings describe, None without any; and the others."""
    failed: list[Failed] = []
    readings: list[Reading] = []
    by_id = {row.id: row for row in rows}
    for row in by_id.values():
        reading = contained(read, row)
        if isinstance(reading, Failure):
            failed.append((row, reading))
        else:
            readings.append(reading)
    draft, more = contained_together(partial(_composed, posting_id, rates), readings)
    failed += [(by_id[reading.raw_id], failure) for reading, failure in more]
    if draft is not None and failed:
        draft = replace(draft, read_from={row.id: row.content_hash for row in rows})
    return draft, failed


def _composed(posting_id: str, rates: Rates, readings: Sequence[Reading]) -> PostingDraft | None:
    return compose(posting_id, readings, rates) if readings else None


def rejection(row: Any, failure: Failure, now: datetime, *, reason: str = UNREADABLE) -> RejectedRecord:
    """What the ledger keeps of a raw posting or an article that our rules failed on."""
    title = getattr(row, "title_text", None) or getattr(row, "title", None)
    return _rejected(row.id, row.source, row.url, title, failure, now, reason, RULES_VERSION)


def posting_rejection(row: Any, failure: Failure, now: datetime, *, reason: str, version: int) -> RejectedRecord:
    """The same of a posting that could not be compared with others."""
    return _rejected(row.id, next(iter(row.sources), ""), row.url, row.title_text, failure, now, reason, version)


def _rejected(
    subject: str,
    source: str,
    url: str | None,
    title: str | None,
    failure: Failure,
    now: datetime,
    reason: str,
    version: int,
) -> RejectedRecord:
    return RejectedRecord(
        source=source,
        url=url or "",
        reason=reason,
        detail=str(failure),
        seen_at=now,
        excerpt=(title or "")[:300],
        subject=subject,
        rules_version=version,
    )
