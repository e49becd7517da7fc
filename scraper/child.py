"""The child process of a crawl: runs Scrapy once and tells the parent what came of it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from typing import Any, Final

from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from db.session import LedgerError, open_ledger
from processes.parent import say
from scraper.closing import plain
from scraper.health import COUNTS
from scraper.settings import OWN_HOSTS, SETTINGS, user_agent
from scraper.sources import Source, SourceError
from scraper.spider_files import load_spider

PROGRESS_SECONDS: Final = 1.0
ENTRY_FAULT: Final = "jobledger/entry_fault"
"""Stats key of a run that could not begin: its entry or its spider cannot be used."""


def main(task: Mapping[str, Any]) -> int:
    """Runs the crawl that `task` describes; exit code 0 when it came to an end, whatever it found."""
    try:
        stats = run(task)
    except SourceError as error:
        say({"error": str(error), "stats": {ENTRY_FAULT: 1}})
        return 1
    except LedgerError as error:
        say({"error": str(error)})
        return 1
    say({"stats": stats})
    return 0


def run(task: Mapping[str, Any]) -> dict[str, Any]:
    """One crawl; returns Scrapy's stats with ours among them, fit for JSON."""
    given = task["source"]
    source = Source(**{**given, "allow_hosts": tuple(given["allow_hosts"])})
    open_ledger(task["database_url"]).dispose()  # a ledger that cannot be opened is said before anything is fetched
    process = AsyncCrawlerProcess(settings_for(source, task))
    # Scrapy makes a debug record for every page and item and drops it in the handler; it need not be made.
    logging.getLogger("scrapy").setLevel(SETTINGS["LOG_LEVEL"])
    for chatter in ("scrapy.middleware", "scrapy.crawler", "scrapy.addons", "scrapy.utils.log"):
        logging.getLogger(chatter).setLevel(logging.WARNING)  # the end of the log is for what happened
    crawler = process.create_crawler(load_spider(source.spider, task["spider_modules"], source.own_spiders))
    running = process.crawl(crawler, source=source, paths=tuple(task["paths"]))
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(crawler, over), daemon=True)
    teller.start()
    process.start()
    over.set()
    teller.join()
    if running.done() and not running.cancelled() and (error := running.exception()) is not None:
        raise error
    stats: dict[str, Any] = plain(crawler.stats.get_stats() if crawler.stats is not None else {})
    return stats


def settings_for(source: Source, task: Mapping[str, Any]) -> Settings:
    """Our settings, with what this task and source add: where to keep, how long, how much, which hosts."""
    settings = Settings()
    settings.setdict(SETTINGS, priority="project")
    if source.allow_hosts:
        settings.setdict(OWN_HOSTS, priority="project")
    if contact := os.environ.get("JOBLEDGER_CONTACT"):
        settings.set("USER_AGENT", user_agent(contact), priority="project")
    settings.setdict(
        {
            "JOBLEDGER_DATABASE_URL": task["database_url"],
            "JOBLEDGER_LIMIT": task["limit"],
            "JOBLEDGER_ALLOW_HOSTS": source.allow_hosts,
            "JOBLEDGER_CLOSING_SECONDS": task.get("closing_seconds", 0),
            "CLOSESPIDER_TIMEOUT": task["timeout_seconds"],
            "MEMUSAGE_LIMIT_MB": task["memory_mb"],
            "MEMUSAGE_WARNING_MB": task["memory_mb"] * 3 // 4,
        },
        priority="cmdline",
    )
    return settings


def _tell(crawler: Crawler, over: threading.Event) -> None:
    """Tells the parent once a second how far we are.

    Only when the reactor has gone round since: a spider that keeps Python busy shows by its silence.
    """
    from twisted.internet import reactor  # chosen and installed by Scrapy just now

    turned = threading.Event()
    turned.set()
    while not over.wait(PROGRESS_SECONDS):
        if turned.is_set():
            turned.clear()
            reactor.callFromThread(turned.set)
            stats = crawler.stats.get_stats() if crawler.stats is not None else {}
            counts = {name: int(stats.get(f"jobledger/{name}", 0)) for name in COUNTS}
            say({"progress": {**counts, "requests": int(stats.get("downloader/request_count", 0))}})
