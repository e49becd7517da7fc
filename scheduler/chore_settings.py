"""What the scheduler's own jobs must be told: which of them are wanted, where to read and to write, whom to tell."""

from __future__ import annotations

from dataclasses import dataclass

from scraper.rates import ECB


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoreSettings:
    """Settings of the chores."""

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
    report_command: str | None = None
    """The function ("module:function") that writes a report when called with the words of a command line; given by the
    caller of the scheduler, which may not import it."""
    alerts: tuple[str, ...] = ()
    """Apprise addresses that hear of a new report."""
