"""One reader a host: while one crawl reads a host, every other one waits, on whatever machine it runs.

Boards of one platform share a host, and politeness (`scraper.settings`) is counted within one process only. So a crawl
takes a lease on each host that it asks, before the first request, and keeps it until it ends. The lease is a row of
the ledger, in the name of the very process that reads: when that dies its lease is void at once for others on its
machine, and within half a minute for those elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from typing import Any, Final
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db.holder import is_dead, this_holder
from db.lease import acquire, find_lease, release, renew
from db.session import make_engine

logger = logging.getLogger(__name__)

LEASE_SECONDS: Final = 30.0
RENEW_SECONDS: Final = 5.0
ASK_SECONDS: Final = 0.5
"""So often a host that another crawl reads is asked for."""
PATIENCE_SECONDS: Final = 1_200.0
"""So long it is waited for; then the request fails, and the run with it says why."""
LOST: Final = 71
"""Exit code of a crawl that lost its lease: reading on would be reading beside another."""


class HostBusy(IgnoreRequest):
    """Another crawl reads this host, and did not end while we waited."""


def lease_of(url: str) -> str:
    """The name of the lease on the host of an address.

    >>> lease_of("https://Boards-API.greenhouse.io/v1/boards/acme/jobs")
    'host:boards-api.greenhouse.io'
    """
    return f"host:{urlsplit(url).netloc.rpartition('@')[2].lower()}"


class HostTurns:
    """Downloader middleware: lets a request through once its host is ours."""

    def __init__(self, database_url: str, patience: float = PATIENCE_SECONDS) -> None:
        self.engine: Engine = make_engine(database_url)
        self.holder = this_holder("crawl")
        self.patience = patience
        self.held: set[str] = set()
        self._one_by_one = asyncio.Lock()
        self._over = threading.Event()
        self._keeper: threading.Thread | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> HostTurns:
        url = crawler.settings.get("JOBLEDGER_DATABASE_URL")
        if not url:
            raise NotConfigured("no ledger, so nobody to take turns with")
        made = cls(url)
        crawler.signals.connect(made.give_up, signal=signals.spider_closed)
        return made

    async def process_request(self, request: Request) -> None:
        """Raises `HostBusy` when the host does not become free."""
        name = lease_of(request.url)
        if name in self.held:
            return
        async with self._one_by_one:
            until = time.monotonic() + self.patience
            while name not in self.held:
                if await asyncio.to_thread(self._take, name):
                    self.held.add(name)
                    self._keep()
                elif time.monotonic() > until:
                    raise HostBusy(f"another crawl has been reading {name[5:]} for {self.patience:.0f} s")
                else:
                    await asyncio.sleep(ASK_SECONDS)

    def _take(self, name: str) -> bool:
        if acquire(self.engine, name, self.holder, LEASE_SECONDS):
            return True
        other = find_lease(self.engine, name)
        if other is not None and is_dead(other.holder):
            release(self.engine, name, other.holder)
        return False

    def _keep(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._renew, name="host-turns", daemon=True)
            self._keeper.start()

    def _renew(self) -> None:
        """Prolongs the leases; ends this process when one is lost, for then another one may be reading the host."""
        kept = time.monotonic()
        while not self._over.wait(RENEW_SECONDS):
            try:
                lost = [name for name in sorted(self.held) if not renew(self.engine, name, self.holder, LEASE_SECONDS)]
            except DBAPIError as error:
                if time.monotonic() - kept < LEASE_SECONDS - RENEW_SECONDS:
                    continue
                lost = [f"every host, for the ledger is away: {error.orig or error}"]
            if lost and not self._over.is_set():
                logger.error("the turn is lost to read %s", ", ".join(lost))
                os._exit(LOST)
            kept = time.monotonic()

    def give_up(self, **_: Any) -> None:
        """Frees the hosts; what cannot be freed now runs out by itself."""
        self._over.set()
        if self._keeper is not None:
            self._keeper.join()
        try:
            for name in sorted(self.held):
                release(self.engine, name, self.holder)
        except DBAPIError as error:
            logger.warning("hosts could not be given up, their leases run out: %s", error.orig or error)
        self.engine.dispose()
