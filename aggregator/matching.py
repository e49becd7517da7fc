"""Finding the postings that are one job, and looking again at the merges that older rules made.

The rules are `aggregator.dedupe`; here they meet the ledger. Each batch of blocks is one transaction, and a posting is
marked as examined in the transaction that merges it: a killed process repeats a batch, and never half of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine

from aggregator.composing import compose
from aggregator.dedupe import MATCH_VERSION, Ad, Publisher, groups_of, listed_twice, same_job
from aggregator.normalise.money import Rates
from aggregator.normalise.salary import Salary
from aggregator.quality import Candidate, judge
from aggregator.reading import read
from db import flags, merges
from db.merges import Merge
from db.postings import PostingDraft, siblings
from db.session import reading

AT_ONCE = 2_000
"""Postings that are looked at in one transaction."""


def match(engine: Engine, *, now: datetime) -> int:
    """Merges the postings that are one job; returns how many went into another one."""
    merged = 0
    while True:
        with reading(engine) as connection:
            waiting = merges.unmatched(connection, MATCH_VERSION, AT_ONCE)
            if not waiting:
                return merged
            crowded = merges.crowded_blocks(connection, {row.block for row in waiting if row.block})
            rows = merges.postings_of(connection, crowded)
            raw = merges.publishers_of(connection, [row.id for row in rows])
            apart = merges.kept_apart(connection, [row.id for row in raw])
        ads = _ads(rows, raw)
        found = _merges(ads, _by_posting(apart, raw))
        gone = {merge.other for merge in found}
        twice = {later: first for block in ads.values() for later, first in listed_twice(block).items()}
        flags.keep_duplicate_flags(
            engine,
            {later: _in_words(first) for later, first in twice.items() if later not in gone},
            [row.id for row in rows],
            rules_version=MATCH_VERSION,
            now=now,
        )
        # Marked are those that were waiting: what joins a block meanwhile looks at all of it in its own turn.
        examined = [row.id for row in waiting]
        merged += merges.keep_matches(engine, found, examined, version=MATCH_VERSION, now=now)


def _in_words(first: str) -> str:
    return next(f.detail for f in judge(Candidate(Salary(None), duplicate_of=first)) if f.code == flags.DUPLICATE)


def _ads(rows: Sequence[Any], raw: Sequence[Any]) -> dict[str, list[Ad]]:
    """The ads of each block."""
    shown: dict[str, list[Any]] = {}
    for one in raw:
        shown.setdefault(one.posting_id, []).append(one)
    ads: dict[str, list[Ad]] = {}
    for row in rows:
        ads.setdefault(row.block, []).append(ad_of(row._mapping, row.id, shown.get(row.id, [])))
    return ads


def _by_posting(apart: Iterable[frozenset[str]], raw: Sequence[Any]) -> set[frozenset[str]]:
    """Pairs of founding ids as pairs of the postings that they are part of today."""
    owner = {row.id: row.posting_id for row in raw}
    return {frozenset(owner.get(id_, id_) for id_ in pair) for pair in apart}


def _merges(ads: Mapping[str, Sequence[Ad]], apart: set[frozenset[str]]) -> list[Merge]:
    return [
        Merge(first.id, ad.id, verdict.score, verdict.why)
        for block in sorted(ads)
        if len(ads[block]) > 1
        for (first, _), *rest in groups_of(ads[block], apart)
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
        publishers=frozenset(Publisher(row.source, urlsplit(row.url or "").netloc) for row in shown),
        first_seen=values["first_seen"],
        last_seen=values["last_seen"],
    )


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
        (sound if _still_one(mine, theirs, rates) else stale).append(row.id)
    merges.confirm_merges(engine, sound, MATCH_VERSION)
    return merges.undo_stale_merges(engine, stale, now=now) if stale else 0


def _still_one(mine: Sequence[Any], theirs: Sequence[Any], rates: Rates) -> bool:
    if not mine or not theirs:
        return True
    drafts: list[tuple[PostingDraft, Sequence[Any]]] = [
        (compose(raws[0].id, [read(raw) for raw in raws], rates), raws) for raws in (mine, theirs)
    ]
    one, other = (ad_of(draft.values, draft.id, raws) for draft, raws in drafts)
    return same_job(one, other).same
