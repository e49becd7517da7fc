"""Finding the postings that are one job, and looking again at the merges that older rules made.

The rules are `aggregator.dedupe`; here they meet the ledger. Each batch of blocks is one transaction, and a posting is
marked as examined in the transaction that merges it: a killed process repeats a batch, and never half of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine

from aggregator.containing import composed, posting_rejection
from aggregator.dedupe import MATCH_VERSION, Ad, Publisher, groups_of, listed_twice, same_job
from aggregator.normalise.money import Rates
from aggregator.normalise.salary import Salary
from aggregator.quality import Candidate, judge
from db import flags, merges
from db.contained import Failure, contained, contained_together
from db.merges import Merge
from db.postings import siblings
from db.records import RejectedRecord
from db.rejected import UNCOMPARED, keep_rejections
from db.session import reading

AT_ONCE = 2_000
"""Postings that are looked at in one transaction."""


@dataclass(frozen=True, slots=True)
class Matched:
    """How many postings went into another one, and those that no rule could compare."""

    merged: int = 0
    rejected: tuple[RejectedRecord, ...] = ()


def match(engine: Engine, *, now: datetime) -> Matched:
    """Merges the postings that are one job. A posting that makes a rule fail stays by itself, and is rejected."""
    merged = 0
    rejected: dict[str, RejectedRecord] = {}
    while True:
        with reading(engine) as connection:
            waiting = merges.unmatched(connection, MATCH_VERSION, AT_ONCE)
            if not waiting:
                return Matched(merged, tuple(rejected.values()))
            crowded = merges.crowded_blocks(connection, {row.block for row in waiting if row.block})
            rows = merges.postings_of(connection, crowded)
            raw = merges.publishers_of(connection, [row.id for row in rows])
            apart = merges.kept_apart(connection, [row.id for row in raw])
        found, twice, failed = _compared(rows, raw, _by_posting(apart, raw))
        gone = {merge.other for merge in found}
        flags.keep_duplicate_flags(
            engine,
            {later: _in_words(first) for later, first in twice.items() if later not in gone},
            [row.id for row in rows],
            rules_version=MATCH_VERSION,
            now=now,
        )
        fresh = [
            posting_rejection(row, failure, now, reason=UNCOMPARED, version=MATCH_VERSION) for row, failure in failed
        ]
        keep_rejections(engine, fresh, examined=[row.id for row in rows], reason=UNCOMPARED, now=now)
        rejected |= {record.id: record for record in fresh}
        # Marked are those that were waiting: what joins a block meanwhile looks at all of it in its own turn.
        examined = [row.id for row in waiting]
        merged += merges.keep_matches(engine, found, examined, version=MATCH_VERSION, now=now)


Failed = list[tuple[Any, Failure]]
"""Postings that cannot be compared, and why."""


def _compared(
    rows: Sequence[Any], raw: Sequence[Any], apart: set[frozenset[str]]
) -> tuple[list[Merge], dict[str, str], Failed]:
    """The merges among these postings, those that one publisher lists twice, and those that make a rule fail."""
    shown: dict[str, list[Any]] = {}
    for one in raw:
        shown.setdefault(one.posting_id, []).append(one)
    blocks: dict[str, list[Any]] = {}
    for row in rows:
        blocks.setdefault(row.block, []).append(row)
    found: list[Merge] = []
    twice: dict[str, str] = {}
    failed: Failed = []
    for block in sorted(blocks):

        def compared(some: Sequence[Any]) -> tuple[list[Merge], dict[str, str]]:
            ads = [ad_of(row._mapping, row.id, shown.get(row.id, [])) for row in some]
            return _merges(ads, apart), listed_twice(ads)

        (merges_here, twice_here), failed_here = contained_together(compared, blocks[block])
        found += merges_here
        twice |= twice_here
        failed += failed_here
    return found, twice, failed


def _in_words(first: str) -> str:
    return next(f.detail for f in judge(Candidate(Salary(None), duplicate_of=first)) if f.code == flags.DUPLICATE)


def _by_posting(apart: Iterable[frozenset[str]], raw: Sequence[Any]) -> set[frozenset[str]]:
    """Pairs of founding ids as pairs of the postings that they are part of today."""
    owner = {row.id: row.posting_id for row in raw}
    return {frozenset(owner.get(id_, id_) for id_ in pair) for pair in apart}


def _merges(ads: Sequence[Ad], apart: set[frozenset[str]]) -> list[Merge]:
    return [
        Merge(first.id, ad.id, verdict.score, verdict.why)
        for (first, _), *rest in groups_of(ads, apart)
        for ad, verdict in rest
        if verdict is not None
    ]


def ad_of(values: Mapping[Any, Any], posting_id: str, shown: Iterable[Any]) -> Ad:
    """What the rules compare, from a posting's columns and the (source, url) of its raw postings."""
    shown = list(shown)
    return Ad(
        id=posting_id,
        title=values["title"],
        title_text=values["title_text"],
        company=values["company_id"],
        employer=values["company"],
        level=values["level"],
        city=values["city"],
        region=values["region"],
        country=values["country"],
        countries=tuple(values["countries"]),
        location_text=values["location_text"],
        remote=values["remote"],
        employment_types=tuple(values["employment_types"]),
        currency=values["currency"],
        annual_min=values["annual_min"],
        annual_max=values["annual_max"],
        requisition=values["requisition_text"],
        urls=frozenset(row.url.split("#")[0].rstrip("/") for row in shown if row.url),
        description=values["description_text"],
        publishers=frozenset(Publisher(row.source, _host(row.url)) for row in shown),
        first_seen=values["first_seen"],
        last_seen=values["last_seen"],
    )


def _host(url: str | None) -> str:
    """The host of an address; none of one that cannot be split ("http://[x")."""
    try:
        return urlsplit(url or "").netloc
    except ValueError:
        return ""


def review(engine: Engine, rates: Rates, *, now: datetime) -> int:
    """Judges the merges of older rules by today's; returns how many it took back."""
    with reading(engine) as connection:
        old = merges.merges_to_review(connection, MATCH_VERSION)
        roots = merges.roots(connection, [row.posting_id for row in old])
        leaving = {row.id: set(merges.members(connection, row.other_id)) for row in old}
        shown: dict[str, list[Any]] = {}
        for raw in siblings(connection, set(roots.values())):
            shown.setdefault(raw.posting_id, []).append(raw)
    stale: list[str] = []
    sound: list[str] = []
    for row in old:
        raws = shown.get(roots[row.posting_id], [])
        theirs = [raw for raw in raws if raw.id in leaving[row.id]]
        mine = [raw for raw in raws if raw.id not in leaving[row.id]]
        same = _still_one(mine, theirs, rates)
        if same is not None:
            (sound if same else stale).append(row.id)
    merges.confirm_merges(engine, sound, MATCH_VERSION)
    return merges.undo_stale_merges(engine, stale, now=now) if stale else 0


def _still_one(mine: Sequence[Any], theirs: Sequence[Any], rates: Rates) -> bool | None:
    """Whether both sides are still one job; None where a rule fails on one of them, and it is asked again next time."""
    if not mine or not theirs:
        return True
    drafts = [(composed(raws[0].id, raws, rates)[0], raws) for raws in (mine, theirs)]
    ads = [contained(ad_of, draft.values, draft.id, raws) for draft, raws in drafts if draft is not None]
    one, other = ads if len(ads) == 2 else (None, None)
    if not isinstance(one, Ad) or not isinstance(other, Ad):
        return None
    verdict = contained(same_job, one, other)
    return None if isinstance(verdict, Failure) else verdict.same
