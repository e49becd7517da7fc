"""How one scheduler process runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from scheduler.chore_settings import ChoreSettings
from scheduler.jobs import Crawl
from scheduler.timetable import JOBS, Job


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerSettings:
    """How one scheduler process runs."""

    database_url: str
    sources_path: Path | None = None
    """None = the packaged sources file."""
    spiders: Path | None = None
    """The folder of the user's own spiders; None = none."""
    base_url: str | None = None
    """Where people reach the service's pages; alerts link to them."""
    log_format: str = "text"
    log_level: int = logging.INFO
    http_host: str = "127.0.0.1"
    http_port: int | None = None
    """Where `/healthz`, `/readyz` and `/metrics` are served; None = nowhere, 0 = any free port."""
    holder: str | None = None
    """Who we are to other schedulers; None = this host and process."""
    lease_seconds: float = 40.0
    """A leader that has not renewed for so long is replaced; a takeover takes this and one round at most."""
    away_seconds: float = 15.0
    """While the ledger is away it is asked so often whether it is back."""
    busy_seconds: float = 5.0
    """A locked SQLite file is waited for four times as long before it counts as away."""
    workers: int = 4
    """Crawls at the same time."""
    chore_workers: int = 2
    stop_seconds: float = 60.0
    """How long a stop waits for what runs before it cuts it short."""
    alerts: tuple[str, ...] = ()
    """Who is told: file:PATH, webhook:URL, or addresses of Apprise."""
    chores: ChoreSettings = field(default_factory=ChoreSettings)
    jobs: tuple[Job, ...] = JOBS
    """The scheduler's own jobs; those that `chores` lacks something for are left out."""
    clock: Callable[[], datetime] = utc_now
    crawl: Crawl | None = None
    """Stands in for `scraper.crawl.crawl`."""
