"""The child process of a crawl: reads its task from stdin, runs Scrapy once, writes what came of it to a pipe."""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import threading
from collections.abc import Mapping
from datetime import date
from typing import IO, Any, Final

from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from db.session import LedgerError, open_ledger
from scraper.health import COUNTS
from scraper.settings import OWN_HOSTS, SETTINGS, user_agent
from scraper.sources import Source, SourceError
from scraper.spider_files import load_spider

PROGRESS_SECONDS: Final = 1.0
MEMORY_SLACK: Final = 4
"""Address space over resident memory: threads, mapped libraries and freed pages count as the former only."""
PARENT_GONE: Final = 70
ENTRY_FAULT: Final = "jobledger/entry_fault"
"""Stats key of a run that could not begin: its entry or its spider cannot be used."""


def main(pipe: int) -> int:
    """Runs the crawl that stdin describes; exit code 0 when it ran to an end, whatever it found."""
    task: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    memory = int(task["memory_mb"]) * 1024 * 1024 * MEMORY_SLACK
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with os.fdopen(pipe, "w", encoding="utf-8", buffering=1) as messages:
        try:
            stats = run(task, messages)
        except SourceError as error:
            _say(messages, {"error": str(error), "stats": {ENTRY_FAULT: 1}})
            return 1
        except LedgerError as error:
            _say(messages, {"error": str(error)})
            return 1
        _say(messages, {"stats": stats})
    return 0


def run(task: Mapping[str, Any], messages: IO[str]) -> dict[str, Any]:
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
    teller = threading.Thread(target=_tell, args=(crawler, messages, over), daemon=True)
    teller.start()
    process.start()
    over.set()
    teller.join()
    if running.done() and not running.cancelled() and (error := running.exception()) is not None:
        raise error
    stats: dict[str, Any] = _plain(crawler.stats.get_stats() if crawler.stats is not None else {})
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
            "CLOSESPIDER_TIMEOUT": task["timeout_seconds"],
            "MEMUSAGE_LIMIT_MB": task["memory_mb"],
            "MEMUSAGE_WARNING_MB": task["memory_mb"] * 3 // 4,
        },
        priority="cmdline",
    )
    return settings


def _tell(crawler: Crawler, messages: IO[str], over: threading.Event) -> None:
    """Tells the parent once a second how far we are; without a parent there is nobody to crawl for.

    Progress is told only when the reactor has gone round since: a spider that keeps Python busy shows by its silence.
    """
    from twisted.internet import reactor  # chosen and installed by Scrapy just now

    turned = threading.Event()
    turned.set()
    while not over.wait(PROGRESS_SECONDS):
        message: dict[str, Any] = {}
        if turned.is_set():
            turned.clear()
            reactor.callFromThread(turned.set)
            stats = crawler.stats.get_stats() if crawler.stats is not None else {}
            counts = {name: int(stats.get(f"jobledger/{name}", 0)) for name in COUNTS}
            message = {"progress": {**counts, "requests": int(stats.get("downloader/request_count", 0))}}
        try:
            _say(messages, message)
        except BrokenPipeError:
            os._exit(PARENT_GONE)  # finished batches are kept; the reactor cannot be stopped from a thread


def _say(messages: IO[str], message: Mapping[str, Any]) -> None:
    messages.write(json.dumps(message) + "\n")
    messages.flush()


def _plain(value: Any) -> Any:
    """Stats as JSON can carry them."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
