"""What the scheduler's own jobs must be told: which of them are wanted, where to read and to write, whom to tell."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from scraper.rates import ECB


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoreSettings:
    """Settings of the chores; they travel to the child process through its pipe, for `alerts` hold passwords."""

    rates_url: str | None = ECB
    """The folder of the exchange rates' files; None = rates are not fetched."""
    report_folder: str | None = None
    """Where weekly reports are written; None = none are."""
    report_weeks: int = 1
    """So many weeks, up to the last whole one, does a report look at."""
    report_options: tuple[str, ...] = ()
    """What else the report is asked for: filters and groups, as on the command line."""
    reports_kept: int = 26
    """So many weeks' files stay in the folder."""
    report_command: tuple[str, ...] = ()
    """The program that writes a report; given by whoever starts the scheduler, which may not import it."""
    alerts: tuple[str, ...] = ()
    """Apprise addresses that hear of a new report."""

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def chore_settings(text: str) -> ChoreSettings:
    """The settings out of `as_json`.

    >>> chore_settings(ChoreSettings(alerts=("json://x",)).as_json()).alerts
    ('json://x',)
    """
    given: dict[str, Any] = json.loads(text)
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = tuple(value)
    return ChoreSettings(**given)
