"""Each line of the settings, asserted: manners and safety must not change by accident."""

from __future__ import annotations

import re

import pytest
from scrapy.settings import Settings
from scrapy.utils.misc import load_object

from scraper.child import settings_for
from scraper.settings import OWN_HOSTS, SETTINGS
from scraper.sources import Source

WANTED: dict[str, object] = {
    "BOT_NAME": "jobledger",
    "ROBOTSTXT_OBEY": True,
    "ROBOTSTXT_USER_AGENT": "jobledger",
    "CONCURRENT_REQUESTS": 8,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 2,
    "CONCURRENT_ITEMS": 1,
    "DOWNLOAD_DELAY": 0.5,
    "AUTOTHROTTLE_ENABLED": True,
    "AUTOTHROTTLE_START_DELAY": 0.5,
    "AUTOTHROTTLE_MAX_DELAY": 30.0,
    "AUTOTHROTTLE_TARGET_CONCURRENCY": 1.0,
    "RETRY_ENABLED": True,
    "RETRY_TIMES": 3,
    "RETRY_HTTP_CODES": [408, 429, 500, 502, 503, 504, 522, 524],
    "JOBLEDGER_RETRY_AFTER_CAP_SECONDS": 120.0,
    "DOWNLOAD_TIMEOUT": 45,
    "DOWNLOAD_MAXSIZE": 64 * 1024 * 1024,
    "DOWNLOAD_WARNSIZE": 16 * 1024 * 1024,
    "DOWNLOAD_FAIL_ON_DATALOSS": True,
    "URLLENGTH_LIMIT": 2083,
    "DEPTH_LIMIT": 2500,
    "REDIRECT_ENABLED": True,
    "REDIRECT_MAX_TIMES": 5,
    "METAREFRESH_ENABLED": False,
    "CLOSESPIDER_ERRORCOUNT": 50,
    "CLOSESPIDER_TIMEOUT": 21_600,
    "CLOSESPIDER_TIMEOUT_NO_ITEM": 1800,
    "MEMUSAGE_ENABLED": True,
    "MEMUSAGE_LIMIT_MB": 1024,
    "MEMUSAGE_WARNING_MB": 768,
    "MEMUSAGE_CHECK_INTERVAL_SECONDS": 5,
    "DOWNLOAD_HANDLERS": {"data": None, "file": None, "ftp": None, "s3": None},
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "DOWNLOAD_TLS_MIN_VERSION": "TLSv1.2",
    "TWISTED_DNS_RESOLVER": "scraper.safety.GuardedResolver",
    "JOBLEDGER_ALLOW_HOSTS": (),
    "JOBLEDGER_CLOSING_SECONDS": 0,
    "HTTPPROXY_ENABLED": False,
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
    "SPIDER_MODULES": [],
    "LOG_LEVEL": "INFO",
    "LOGSTATS_INTERVAL": 60.0,
    "LOG_VERSIONS": [],
    "LOG_INSTALL_ROOT_HANDLER": True,
    "STATS_DUMP": False,
    "WARN_ON_GENERATOR_RETURN_VALUE": False,
}


@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_setting_is_as_decided(name: str) -> None:
    assert SETTINGS[name] == WANTED[name]


def test_no_setting_goes_unasserted() -> None:
    assert set(SETTINGS) == {*WANTED, "USER_AGENT"}


@pytest.mark.parametrize("name", [name for name in SETTINGS if not name.startswith("JOBLEDGER_")])
def test_scrapy_knows_the_setting(name: str) -> None:
    assert name in Settings(), "a misspelt setting does nothing"


def test_the_user_agent_says_who_we_are_and_where_to_complain() -> None:
    assert re.fullmatch(r"jobledger/\d+\.\d+\.\d+ \(\+https://\S+\)", SETTINGS["USER_AGENT"])


@pytest.mark.parametrize(
    "path", [*SETTINGS["DOWNLOADER_MIDDLEWARES"], *SETTINGS["ITEM_PIPELINES"], SETTINGS["TWISTED_DNS_RESOLVER"]]
)
def test_what_the_settings_name_exists(path: str) -> None:
    assert load_object(path)


def test_no_more_than_two_requests_at_a_time_a_public_host() -> None:
    task = {"database_url": "sqlite://", "limit": None, "timeout_seconds": 60, "memory_mb": 512}
    public = settings_for(Source(name="x", spider="captures"), task)
    assert public.getint("CONCURRENT_REQUESTS_PER_DOMAIN") <= 2
    assert public.getbool("AUTOTHROTTLE_ENABLED")
    own = settings_for(Source(name="x", spider="captures", allow_hosts=("127.0.0.1",)), task)
    assert {name: own[name] for name in OWN_HOSTS} == OWN_HOSTS
    assert own.getbool("ROBOTSTXT_OBEY")
    assert (own.getint("MEMUSAGE_LIMIT_MB"), own.getfloat("CLOSESPIDER_TIMEOUT")) == (512, 60.0)


def test_whoever_runs_the_program_can_say_where_he_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from scraper.child import settings_for
    from scraper.sources import captures_source

    task = {"database_url": "sqlite://", "limit": None, "timeout_seconds": 60, "memory_mb": 500}
    monkeypatch.setenv("JOBLEDGER_CONTACT", "mailto:crawl@example.org")
    agent = settings_for(captures_source(), task).get("USER_AGENT")
    assert agent.startswith("jobledger/")
    assert agent.endswith("(+mailto:crawl@example.org)")
