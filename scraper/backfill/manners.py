"""Asking one archive many times, as its owner wishes: one request at a time, slowly, within robots.txt."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final
from urllib.parse import urljoin, urlsplit

from protego import Protego

from db.files import LARGEST
from scraper.backfill.inputs import InputError, fetch
from scraper.settings import AGENT

SECONDS_BETWEEN: Final = 2.0
"""Between two requests to one host; robots.txt may ask for more."""
BUSY: Final = frozenset({429, 500, 502, 503, 504})
TRIES: Final = 4
LONGEST_WAIT: Final = 120.0
ROBOTS_BYTES: Final = 500_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, as far as it was read."""

    status: int
    content_type: str
    body: bytes


@dataclass(slots=True)
class Manners:
    """One patient client; not for use by two threads."""

    allow_hosts: tuple[str, ...] = ()
    seconds_between: float = SECONDS_BETWEEN
    _asked: dict[str, float] = field(default_factory=dict)
    _robots: dict[str, Protego] = field(default_factory=dict)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """The answer to a request, asked again after a pause where the server is busy.

        Raises `InputError` where robots.txt forbids it, nobody answers, or the server stays busy.
        """
        host = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        robots = self._rules(host)
        if not robots.can_fetch(url, AGENT):
            raise InputError(f"{url}: robots.txt forbids it")
        pause = max(self.seconds_between, float(robots.crawl_delay(AGENT) or 0) if self.seconds_between else 0.0)
        for attempt in range(1, TRIES + 1):
            self._wait(host, pause)
            answer, wish = self._ask(url, dict(headers or {}))
            if answer.status not in BUSY:
                return answer
            if attempt < TRIES and self.seconds_between:
                time.sleep(min(LONGEST_WAIT, wish or pause * 2**attempt))
        raise InputError(f"{url}: answered {answer.status} {TRIES} times")

    def _ask(self, url: str, headers: dict[str, str], most: int = LARGEST + 1) -> tuple[Fetched, float]:
        """An answer, and how many seconds the server wants us to wait."""
        response = fetch(url, headers, self.allow_hosts)
        try:
            body = response.read(most)
        except (OSError, HTTPException) as error:
            raise InputError(f"{url}: the connection broke ({error or type(error).__name__})") from error
        finally:
            response.close()
        wish = response.headers.get("Retry-After", "")
        kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        return Fetched(response.status, kind, body), float(wish) if wish.isdecimal() else 0.0

    def _rules(self, host: str) -> Protego:
        """What robots.txt says; a server without one allows everything, one that fails nothing."""
        if host not in self._robots:
            answer, _ = self._ask(urljoin(host, "/robots.txt"), {}, ROBOTS_BYTES)
            if answer.status >= 500:
                raise InputError(f"{host}/robots.txt: answered {answer.status}, so nothing may be asked")
            text = answer.body.decode("utf-8", "replace") if answer.status == 200 else ""
            self._robots[host] = Protego.parse(text)
        return self._robots[host]

    def _wait(self, host: str, pause: float) -> None:
        left = self._asked.get(host, float("-inf")) + pause - time.monotonic()
        if left > 0:
            time.sleep(left)
        self._asked[host] = time.monotonic()
