"""Telling people when a source breaks, when its circuit opens, and when it recovers; many at a time in one message.

Whether somebody must be told is read from the conditions (`conditions.to_tell`), so an alert survives a restart; it is
ticked off only after it was delivered.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from db.runs import history
from db.source_state import SourceEntry, conditions, set_condition, source_entries
from scheduler.backlog import LEDGER, find_backlog, note_backlog
from scheduler.channels import Teller
from scheduler.conditions import to_tell, told
from scheduler.cron import next_slot
from scheduler.messages import LISTED, Known, body_of, facts_of, kind_of, title_of

HISTORY = 30
"""So many past runs say what is usual."""
TROUBLE, RECOVERED = frozenset({"broke", "rests"}), frozenset({"healed"})


def tell_all(engine: Engine, teller: Teller, now: datetime, *, base_url: str | None = None) -> int:
    """Tells everything that is due and ticks off what was delivered; returns how many sources that were.

    A ledger whose ads are not read counts as one of them, under the name `@ledger`.
    `base_url` is where people reach the service's pages, to which a message then links.
    """
    backlog = find_backlog(engine, now)
    note_backlog(engine, backlog, now)
    due = {name: what for name, condition in conditions(engine).items() if (what := to_tell(condition)) is not None}
    done = 0
    for group in (TROUBLE, RECOVERED):
        names = sorted(name for name, what in due.items() if what in group)
        if not names:
            continue
        known = _known(engine, names, now, {LEDGER: str(backlog)})
        facts = [facts_of(one, base_url) for one in known[:LISTED]]
        if teller(title_of(known), body_of(known, base_url), kind_of(known), facts):
            for name in names:
                set_condition(engine, name, partial(told, what=due[name], now=now))
            done += len(names)
    return done


def waiting(engine: Engine) -> int:
    """How many sources somebody is still to be told of."""
    return sum(to_tell(condition) is not None for condition in conditions(engine).values())


def _known(engine: Engine, names: list[str], now: datetime, figures: Mapping[str, str]) -> list[Known]:
    """What is written down of each source; of those that a message only counts, no runs.

    `figures` say by name what is wrong, in place of the general words.
    """
    known, entries = conditions(engine, names), source_entries(engine, names)
    return [
        Known(
            condition=known[name],
            address=entries[name].url,
            next_try=_next_try(known[name].probe_after, entries[name], now),
            runs=history(engine, name, HISTORY) if number < LISTED else (),
            figures=figures.get(name),
        )
        for number, name in enumerate(names)
        if name in known
    ]


def _next_try(probe: datetime | None, entry: SourceEntry, now: datetime) -> datetime | None:
    if probe is not None:
        return probe
    return next_slot(entry.schedule, now) if entry.schedule and entry.enabled else None
