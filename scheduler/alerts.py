"""Telling people: once when a source breaks, once when it is well again, many at a time in one message.

Whether somebody must be told is read from the conditions (`conditions.to_tell`), so an alert survives a restart; it is
ticked off only after it was delivered. Delivery is by Apprise (e-mail, webhook, Slack and a hundred others), an extra:
`pip install 'jobledger[alerts]'`. Without addresses the log is told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Protocol

from sqlalchemy import Engine

from db.source_state import Condition, conditions, set_condition
from scheduler.ailments import BY_CODE
from scheduler.backlog import LEDGER, find_backlog, note_backlog
from scheduler.conditions import to_tell, told

logger = logging.getLogger(__name__)

LISTED = 20
"""So many sources a message names; the rest it counts."""


class AlertError(Exception):
    """Alerts cannot be sent as configured: says why and what to do."""


class Teller(Protocol):
    def __call__(self, title: str, body: str) -> bool:
        """Delivers one message; False when nobody got it."""


def tell_log(title: str, body: str) -> bool:
    """Writes the message to the log: the teller of those who gave no addresses."""
    logger.warning("%s: %s", title, body.replace("\n", " | "))
    return True


@contextmanager
def _silent(name: str) -> Iterator[None]:
    theirs = logging.getLogger(name)
    before = theirs.disabled
    theirs.disabled = True
    try:
        yield
    finally:
        theirs.disabled = before


def make_teller(urls: Sequence[str]) -> Teller:
    """A teller for Apprise addresses; raises `AlertError` where Apprise is absent or knows no such address."""
    if not urls:
        return tell_log
    try:
        import apprise
    except ModuleNotFoundError as error:
        raise AlertError("alerts need Apprise: pip install 'jobledger[alerts]'") from error
    channels = apprise.Apprise()
    for position, url in enumerate(urls, 1):
        with _silent("apprise"):  # it would log the address, which holds tokens
            known = channels.add(url)
        if not known:
            scheme = url.partition("://")[0][:20]
            raise AlertError(f"alert address number {position} ({scheme}://…) is none that Apprise can use")

    def tell(title: str, body: str) -> bool:
        return bool(channels.notify(title=title, body=body)) and tell_log(title, body)

    return tell


def tell_all(engine: Engine, teller: Teller, now: datetime) -> int:
    """Tells everything that is due and ticks off what was delivered; returns how many sources that were.

    A ledger whose ads are not read counts as one of them, under the name `@ledger`.
    """
    backlog = find_backlog(engine, now)
    note_backlog(engine, backlog, now)
    known = conditions(engine).values()
    figures = {LEDGER: str(backlog)}
    done = 0
    for what, title in TITLES.items():
        due = sorted((c for c in known if to_tell(c) == what), key=lambda condition: condition.name)
        if due and teller(title.format(names=_names(due)), body(due, what, figures)):
            for condition in due:
                set_condition(engine, condition.name, partial(told, what=what, now=now))
            done += len(due)
    return done


TITLES = {"broke": "jobledger: trouble with {names}", "healed": "jobledger: well again: {names}"}


def body(due: Sequence[Condition], what: str, figures: Mapping[str, str] = MappingProxyType({})) -> str:
    """The lines of a message, one a source: what, since when, what to do; `figures` in place of the general words."""
    lines = [_line(condition, what, figures.get(condition.name)) for condition in due[:LISTED]]
    more = len(due) - LISTED
    return "\n".join([*lines, *([f"… and {more} more: see `jobledger sources list`"] if more > 0 else [])])


def _line(condition: Condition, what: str, figures: str | None) -> str:
    if what == "healed" or condition.ailment is None:
        return f"{condition.name}: healthy again"
    ailment = BY_CODE[condition.ailment]
    since = f" since {condition.ailment_since:%Y-%m-%d %H:%M} UTC" if condition.ailment_since else ""
    failures = f", {condition.failures} failed runs in a row" if condition.failures else ""
    return f"{condition.name}: {ailment.code}{since}{failures}: {figures or f'{ailment.means}. {ailment.remedy}'}."


def _names(due: Sequence[Condition]) -> str:
    shown = ", ".join(condition.name for condition in due[:3])
    return shown if len(due) <= 3 else f"{shown} and {len(due) - 3} more"
