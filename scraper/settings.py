"""Scrapy's settings for every crawl: how we behave and what we refuse. Each line is held by a test.

Scrapy's own defaults are those of a library: robots.txt ignored, certificates unverified, a gigabyte a page, a control
server on. A default that is right already is repeated here where manners or safety depend on it.
"""

from __future__ import annotations

from typing import Any, Final

from scraper import __version__

CONTACT: Final = "https://github.com/jobledger/jobledger#contact"
"""Where a site's owner finds us, unless whoever runs the program gives an address of his own: JOBLEDGER_CONTACT."""
AGENT: Final = "jobledger"


def user_agent(contact: str = CONTACT) -> str:
    """Who asks and where to complain: what stands in every request.

    >>> user_agent("mailto:crawl@example.org").split(" ", 1)[1]
    '(+mailto:crawl@example.org)'
    """
    return f"{AGENT}/{__version__} (+{''.join(contact.split())})"


SETTINGS: Final[dict[str, Any]] = {
    # Who we are, and what a site allows us.
    "BOT_NAME": AGENT,
    "USER_AGENT": user_agent(),
    "ROBOTSTXT_OBEY": True,
    "ROBOTSTXT_USER_AGENT": AGENT,
    # How fast: one or two requests at a time a host, slower where the host is slow.
    "CONCURRENT_REQUESTS": 8,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 2,
    "CONCURRENT_ITEMS": 1,  # Scrapy starts so many tasks for every page; our pipeline never waits, so one is enough
    "DOWNLOAD_DELAY": 0.5,
    "AUTOTHROTTLE_ENABLED": True,
    "AUTOTHROTTLE_START_DELAY": 0.5,
    "AUTOTHROTTLE_MAX_DELAY": 30.0,
    "AUTOTHROTTLE_TARGET_CONCURRENCY": 1.0,
    "RETRY_ENABLED": True,
    "RETRY_TIMES": 3,
    "RETRY_HTTP_CODES": [408, 429, 500, 502, 503, 504, 522, 524],
    "JOBLEDGER_RETRY_AFTER_CAP_SECONDS": 120.0,
    # How much: a page, a run, a depth.
    "DOWNLOAD_TIMEOUT": 45,
    "DOWNLOAD_MAXSIZE": 64 * 1024 * 1024,
    "DOWNLOAD_WARNSIZE": 16 * 1024 * 1024,
    "DOWNLOAD_FAIL_ON_DATALOSS": True,
    "URLLENGTH_LIMIT": 2083,
    "DEPTH_LIMIT": 2_500,
    "REDIRECT_ENABLED": True,
    "REDIRECT_MAX_TIMES": 5,
    "METAREFRESH_ENABLED": False,
    "CLOSESPIDER_ERRORCOUNT": 50,
    "CLOSESPIDER_TIMEOUT": 6 * 3600,
    "CLOSESPIDER_TIMEOUT_NO_ITEM": 1800,
    "MEMUSAGE_ENABLED": True,
    "MEMUSAGE_LIMIT_MB": 1024,
    "MEMUSAGE_WARNING_MB": 768,
    "MEMUSAGE_CHECK_INTERVAL_SECONDS": 5,
    # What we refuse: plain-text protocols, files, unverified peers, private addresses, doors into this process.
    "DOWNLOAD_HANDLERS": {"data": None, "file": None, "ftp": None, "s3": None},
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "DOWNLOAD_TLS_MIN_VERSION": "TLSv1.2",
    "TWISTED_DNS_RESOLVER": "scraper.safety.GuardedResolver",
    "JOBLEDGER_ALLOW_HOSTS": (),
    "JOBLEDGER_CLOSING_SECONDS": 0,  # 0: never cut off; only a child process of `scraper.crawl` may be
    "HTTPPROXY_ENABLED": False,  # behind a proxy we could not see which address is connected to
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "COOKIES_ENABLED": False,
    "REFERRER_POLICY": "no-referrer",
    "HTTPCACHE_ENABLED": False,
    "DOWNLOADER_MIDDLEWARES": {
        "scraper.middlewares.FinalAnswers": 10,
        "scraper.turns.HostTurns": 20,
        "scraper.middlewares.ConditionalRequests": 540,
        "scraper.middlewares.Challenges": 545,
        "scraper.middlewares.RetryAfter": 560,
        "scraper.safety.AddressGuard": 950,
    },
    "ITEM_PIPELINES": {"scraper.pipelines.StorePipeline": 500},
    "EXTENSIONS": {
        "scrapy.extensions.feedexport.FeedExporter": None,
        "scrapy.extensions.memusage.MemoryUsage": None,
        "scrapy.extensions.telnet.TelnetConsole": None,
        "scrapy.extensions.remote_control.RemoteControl": None,
        "scraper.closing.Closing": 10,
        "scraper.memory.CrawlMemory": 20,
    },
    # How it runs.
    "SPIDER_MODULES": [],  # a crawl imports the one spider it needs, so that a broken one stops nobody else
    "LOG_LEVEL": "INFO",
    "LOGSTATS_INTERVAL": 60.0,
    "LOG_VERSIONS": [],
    "LOG_INSTALL_ROOT_HANDLER": True,
    "STATS_DUMP": False,
    "WARN_ON_GENERATOR_RETURN_VALUE": False,  # it parses the source of callbacks while we crawl; a linter can do that
}
"""Literal, so that a reader sees at one glance what a site will see of us."""

OWN_HOSTS: Final[dict[str, Any]] = {
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "DOWNLOAD_DELAY": 0,
    "AUTOTHROTTLE_ENABLED": False,
}
"""For sources that allow private hosts by name: those are the reader's own, and need no pauses."""
