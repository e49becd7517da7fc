"""The weekly salary report: written into a folder by the very command that a person would type, and told of.

Reports are made by parts of the program that the scheduler may not import. It runs the command line in a process of its
own, whose function it is given (`ChoreSettings.report_command`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from processes.child import run_child
from scheduler.channels import make_teller
from scheduler.chore_settings import ChoreSettings

FORMATS = ("html", "json")
NAME = re.compile(r"salaries-(\d{4}-W\d{2})\.(?:html|json)")
"""Only files of such names are ever deleted."""
SECONDS = 1200.0


class ReportError(Exception):
    """The weekly report could not be written: says which and why."""


def last_week(now: datetime) -> tuple[str, date]:
    """The ISO week that ended last, as it stands in file names, and its Sunday.

    >>> from datetime import UTC
    >>> last_week(datetime(2027, 1, 4, 5, 30, tzinfo=UTC))
    ('2026-W53', datetime.date(2027, 1, 3))
    """
    sunday = now.date() - timedelta(days=now.isoweekday())
    year, week, _ = sunday.isocalendar()
    return f"{year}-W{week:02}", sunday


def write_weekly_report(database_url: str, now: datetime, settings: ChoreSettings) -> Mapping[str, Any]:
    """Writes last week's report as HTML and JSON, whole or not at all; forgets the oldest; tells who hears alerts.

    The same week again replaces its files. Raises `ReportError`, and `AlertError` when nobody could be told.
    """
    if settings.report_folder is None:
        return {}
    folder = Path(settings.report_folder)
    week, sunday = last_week(now)
    since = sunday - timedelta(days=7 * settings.report_weeks - 1)
    period = ("--since", since.isoformat(), "--until", sunday.isoformat())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # One report in all formats: made one after the other they could show two states of the ledger.
        written = {folder / f".{os.getpid()}-{name}": folder / name for name in _names(week)}
        outputs = [word for partial in written for word in ("--output", str(partial))]
        try:
            _report(database_url, settings, (*period, *outputs))
            for partial, path in written.items():
                partial.replace(path)
        finally:
            for partial in written:
                partial.unlink(missing_ok=True)
        forgotten = _forget(folder, settings.reports_kept)
    except OSError as error:
        raise ReportError(f"{folder} cannot be written: {error.strerror or error}") from error
    if settings.alerts:
        files = "\n".join(str(folder / name) for name in _names(week))
        body = f"Postings of {since} to {sunday}:\n{files}"
        if not make_teller(settings.alerts)(f"jobledger: salary report of {week}", body):
            raise ReportError(f"{week} is written, but nobody could be told")
    return {"week": week, "since": str(since), "until": str(sunday), "forgotten": forgotten}


def _names(week: str) -> list[str]:
    return [f"salaries-{week}.{kind}" for kind in FORMATS]


def _report(database_url: str, settings: ChoreSettings, options: tuple[str, ...]) -> None:
    if settings.report_command is None:
        raise ReportError("nothing writes reports: the scheduler was started without a report command")
    words = ["--db", database_url, "report", *settings.report_options, *options]
    ended = run_child(settings.report_command, words, seconds=SECONDS)
    if ended.failure is not None:
        raise ReportError(f"its process {ended.failure}")


def _forget(folder: Path, kept: int) -> int:
    """Deletes the files of all but the newest weeks; returns how many."""
    files = [(found[1], path) for path in folder.iterdir() if (found := NAME.fullmatch(path.name))]
    weeks = sorted({week for week, _ in files}, reverse=True)
    old = [path for week, path in files if week in weeks[max(kept, 1) :]]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
