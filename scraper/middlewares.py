"""Manners between us and a site: Retry-After is honoured, an unchanged page costs a 304, a challenge is not evaded."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from scraper.failures import FIRST_ADDRESS, LONGEST_ADDRESS, exception_words, note_failure, status_words

logger = logging.getLogger(__name__)

CONDITIONAL: Final = "conditional"
"""Key of a request's meta: true where the page may be left unread when it is unchanged, because nothing else follows
from it that this run would miss."""
page_unchanged: Final = object()
"""Scrapy signal: a page is as it was when last read; `url` says which."""


class PageUnchanged(IgnoreRequest):
    """The site answered 304: everything on this page is as it was."""


class ConditionalRequests:
    """Asks with the ETag and Last-Modified of the last reading (RFC 9110, 13.1), where the spider marks a request."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.validators: Mapping[str, tuple[str | None, str | None]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ConditionalRequests:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if request.meta.get("redirect_urls"):
            # What is known of the address asked for says nothing about the page that it leads to.
            for name in ("If-None-Match", "If-Modified-Since"):
                request.headers.pop(name, None)
            return
        if not request.meta.get(CONDITIONAL):
            return
        known: Mapping[str, tuple[str | None, str | None]] = getattr(self.crawler.spider, "validators", {})
        etag, modified = known.get(request.url, (None, None))
        if etag:
            request.headers.setdefault("If-None-Match", etag)
        if modified:
            request.headers.setdefault("If-Modified-Since", modified)

    def process_response(self, request: Request, response: Response) -> Response:
        """Raises `PageUnchanged` for a 304 that we asked for: one behind a redirect is about another page."""
        if response.status != 304 or not request.meta.get(CONDITIONAL) or request.meta.get("redirect_urls"):
            return response
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value("jobledger/unchanged_pages")
        self.crawler.signals.send_catch_log(signal=page_unchanged, url=request.url)
        raise PageUnchanged(request.url)


CHALLENGE: Final = re.compile(
    rb"""
      <title>\s*(?:Just\ a\ moment|Attention\ Required!\ \|\ Cloudflare|Access\ (?:to\ this\ page\ has\ been\ )?denied
        |Pardon\ Our\ Interruption|Robot\ or\ human\?|Are\ you\ a\ robot
        |Security\ (?:Check|Verification)|One\ moment,\ please)
    | /cdn-cgi/challenge-platform/ (?:(?!/cdn-cgi/challenge-platform/).){0,4000}? (?:cf_chl|_cf_chl_opt)
    | _Incapsula_Resource\?  | captcha-delivery\.com | \bpx-captcha\b | awsWafCookieDomainList | /_sec/cp_challenge/
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
"""What pages say that ask whether a visitor is human: Cloudflare, Imperva, DataDome, HUMAN, AWS WAF, Akamai."""
CHALLENGE_HINTS: Final = (
    b"just a moment",
    b"attention required",
    b"denied",
    b"pardon our",
    b"robot",
    b"<title>security",
    b"one moment",
    b"cdn-cgi/challenge",
    b"_incapsula_",
    b"captcha",
    b"awswafcookie",
    b"/_sec/cp_",
)
"""Words without which no page is a challenge: looking for them costs microseconds, the expression a third of a page."""
CHALLENGE_BYTES: Final = 60_000
"""Such pages are short; a long page that mentions a captcha is an ordinary one with a form."""


class ChallengeError(IgnoreRequest):
    """The site asked whether we are human. We do not pretend to be."""


class Challenges:
    """Counts pages that ask whether we are human, and hands them to nobody: they are no empty board."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Challenges:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """Raises `ChallengeError` for such a page."""
        if response.headers.get("cf-mitigated") != b"challenge" and not is_challenge(response):
            return response
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value("jobledger/challenges")
        note_failure(self.crawler.stats, request.url, "the page asks whether we are human")
        raise ChallengeError(f"{request.url}: answered {response.status} with a page that asks whether we are human")


def is_challenge(response: Response) -> bool:
    """Whether a page asks whether its visitor is human."""
    if b"html" not in (response.headers.get("Content-Type") or b"").lower() or len(response.body) > CHALLENGE_BYTES:
        return False
    small = response.body.lower()
    return any(hint in small for hint in CHALLENGE_HINTS) and CHALLENGE.search(response.body) is not None


class FinalAnswers:
    """Counts how requests ended for good, after all retries: what runs are judged by.

    Outermost of all, so it sees what the spider sees. A status that the request itself expects is no failure, nor is a
    missing robots.txt.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FinalAnswers:
        made = cls(crawler)
        crawler.signals.connect(made.parser_broke, signal=signals.spider_error)
        return made

    def process_request(self, request: Request) -> None:
        stats = self.crawler.stats
        if stats is not None and stats.get_value(FIRST_ADDRESS) is None and urlsplit(request.url).path != "/robots.txt":
            stats.set_value(FIRST_ADDRESS, request.url[:LONGEST_ADDRESS])

    def process_response(self, request: Request, response: Response) -> Response:
        if urlsplit(request.url).path != "/robots.txt" and not 300 <= response.status < 400:
            self._count("jobledger/answers")
            if response.status >= 400 and response.status not in request.meta.get("handle_httpstatus_list", ()):
                self._count(f"jobledger/failed_answers/{response.status}")
                note_failure(self.crawler.stats, request.url, status_words(response.status))
            elif response.status == 200 and not response.body.strip():
                self._count("jobledger/empty_answers")
                note_failure(self.crawler.stats, request.url, "the answer has no content")
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        if urlsplit(request.url).path == "/robots.txt":
            return
        if not isinstance(exception, IgnoreRequest):
            self._count(f"jobledger/no_answers/{type(exception).__name__}")
        note_failure(self.crawler.stats, request.url, exception_words(exception))

    def parser_broke(self, failure: Failure, response: Response) -> None:
        """Scrapy's signal that a callback raised."""
        error = failure.value
        note_failure(self.crawler.stats, response.url, f"our parser broke: {type(error).__name__}: {error}")

    def _count(self, key: str) -> None:
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value(key)


class RetryAfter:
    """Waits as long as a 429 or 503 says before anything else is asked of that host.

    Scrapy retries at once. A wait beyond the cap is not sat out and not cut short either: the page is given up for this
    run, which is then not complete.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.cap = crawler.settings.getfloat("JOBLEDGER_RETRY_AFTER_CAP_SECONDS")
        self.until: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryAfter:
        return cls(crawler)

    def process_request(self, request: Request) -> Coroutine[Any, Any, None] | None:
        return self._wait(request) if self.until else None

    async def _wait(self, request: Request) -> None:
        while (wait := self.until.get(_host(request), 0.0) - monotonic()) > 0:
            await asyncio.sleep(wait)

    def process_response(self, request: Request, response: Response) -> Response:
        header = response.headers.get("Retry-After")
        if response.status not in {429, 503} or header is None:
            return response
        seconds = wait_seconds(header.decode("latin-1"), datetime.now(UTC))
        if seconds is None:
            return response
        self._count("jobledger/retry_after")
        if seconds > self.cap:
            self._count("jobledger/retry_after_beyond_cap")
            logger.warning("%s asks for %.0f seconds of patience: left for the next run", request.url, seconds)
            request.meta["dont_retry"] = True
            return response
        host = _host(request)
        self.until[host] = max(self.until.get(host, 0.0), monotonic() + seconds)
        self._hold_slot(request, seconds)
        return response

    def _hold_slot(self, request: Request, seconds: float) -> None:
        """Holds back what already waits in the host's slot: Scrapy measures its delay from `lastseen`."""
        engine = self.crawler.engine
        slot = engine.downloader.slots.get(str(request.meta.get("download_slot"))) if engine else None
        if slot is not None:
            slot.lastseen = max(slot.lastseen, monotonic() + seconds)

    def _count(self, key: str) -> None:
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value(key)


def wait_seconds(header: str, now: datetime) -> float | None:
    """The wait that a Retry-After header asks for: seconds or a date (RFC 9110, 10.2.3). None where it is neither.

    >>> wait_seconds("120", datetime(2026, 1, 1, tzinfo=UTC))
    120.0
    >>> wait_seconds("Thu, 01 Jan 2026 00:00:30 GMT", datetime(2026, 1, 1, tzinfo=UTC))
    30.0
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _host(request: Request) -> str:
    return urlsplit(request.url).netloc
