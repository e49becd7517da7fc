"""Saved searches told when they are due: into a file, or to people through Apprise.

Channels: `file:PATH` appends one JSON object a posting; `webhook:URL` and an Apprise address (`mailto://…`, `slack://…`)
get one message; `feed` is told nothing, its reader asks for the feed of the search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from db.queries import as_json
from db.searches import Search, claim_new, reclaim_unsure, saved_searches, settle
from scheduler.channels import FILE, AlertError, append_lines, file_of, make_teller
from scheduler.cron import next_slot

LISTED = 30
"""So many postings a message names; the rest it counts."""
FEED = "feed"


def check_channel(channel: str) -> None:
    """Raises `AlertError` for a channel that could never be told."""
    if channel == FEED:
        return
    make_teller([channel])


def is_due(search: Search, now: datetime) -> bool:
    """Whether a slot of its schedule has passed since it was last looked at."""
    slot = next_slot(search.schedule, search.last_told_at or search.created_at)
    return slot is not None and slot <= now


def tell_searches(engine: Engine, now: datetime, *, only: str | None = None) -> Mapping[str, int]:
    """Tells every due search what is new, or the one named, due or not; returns how many postings each was told.

    Raises `AlertError` at the end when some channel failed; the others were told.
    """
    told: dict[str, int] = {}
    failures: list[str] = []
    for search in saved_searches(engine):
        if search.name != only if only is not None else not is_due(search, now):
            continue
        rows = claim_new(engine, search, now)
        ids = [str(row["id"]) for row in rows]
        try:
            delivered = not rows or _deliver(search, rows)
        except (OSError, AlertError) as error:
            delivered = False
            failures.append(f"{search.name}: {error}")
        settle(engine, search, ids, delivered=delivered)
        if not delivered and not failures:
            failures.append(f"{search.name}: nobody was reached")
        told[search.name] = len(rows) if delivered else 0
    if failures:
        raise AlertError("; ".join(failures))
    return told


TELLING = timedelta(minutes=10)
"""So long a claim may be under way: younger ones are no business of a person yet."""


def tell_again(engine: Engine, search: Search, now: datetime, *, wait: timedelta = TELLING) -> int:
    """Tells what a teller that died may or may not have told, once more; returns how many postings.

    Raises `AlertError` when the channel fails: they stay unsure.
    """
    told = 0
    while rows := reclaim_unsure(engine, search, now - wait, now):
        try:
            delivered = _deliver(search, rows)
        except (OSError, AlertError) as error:
            raise AlertError(f"{search.name}: {error}") from error
        if not delivered:
            raise AlertError(f"{search.name}: nobody was reached")
        settle(engine, search, [str(row["id"]) for row in rows], delivered=True)
        told += len(rows)
    return told


def _deliver(search: Search, rows: Sequence[Mapping[str, Any]]) -> bool:
    if search.channel == FEED:
        return True
    if search.channel.startswith(FILE):
        append_lines(file_of(search.channel), [{"search": search.name} | as_json(row) for row in rows])
        return True
    facts = [as_json(row) for row in rows[:LISTED]]
    return make_teller([search.channel])(f"jobledger: {len(rows)} new for {search.name}", message(rows), "info", facts)


def message(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line a posting: title, employer, place, pay as stated, address."""
    lines = []
    for row in rows[:LISTED]:
        said = (row["title"], row["company"], row["location_text"], row["salary_text"], row["url"])
        lines.append(" | ".join(" ".join(str(part).split()) for part in said if part))
    more = len(rows) - LISTED
    return "\n".join([*lines, *([f"… and {more} more"] if more > 0 else [])])
