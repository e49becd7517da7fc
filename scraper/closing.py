"""The end of a crawl takes a bounded time, whatever is still under way.

Scrapy closes a spider when all its requests and records are done. It waits for ever when one of them never is: a record
that a spider yields from `start()` is counted, but Scrapy does not look again whether it may close when that record is
done (scrapy.core.scraper, `start_itemproc_async`, as of 2.19).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.utils.asyncio import CallLaterResult, call_later

from processes.parent import say
from scraper.health import CUT_OFF

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
cutting_off: Final = object()
"""Scrapy signal: the process ends now; what is held must be kept."""


class Closing:
    """Scrapy extension: knows when the crawl begins to close, and cuts it off when that takes too long.

    Seconds count only while the reactor turns: a slow last write to the ledger is not cut off.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.reason: str | None = None
        """Why the crawl closes; None as long as it goes on."""
        self._ticks_left = self._ticks = int(crawler.settings.getfloat("JOBLEDGER_CLOSING_SECONDS") / TICK_SECONDS)
        self._timer: CallLaterResult | None = None
        crawler.signals.connect(self._hook, signal=signals.spider_opened)
        crawler.signals.connect(self._over, signal=signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Closing:
        return cls(crawler)

    def _hook(self) -> None:
        """Scrapy has no signal for the beginning of the end, so its one way in is wrapped."""
        engine = self.crawler.engine
        close = engine.close_spider_async

        async def close_spider_async(*, reason: str = "cancelled") -> None:
            self._begin(reason)
            await close(reason=reason)

        engine.close_spider_async = close_spider_async  # type: ignore[method-assign]  # see above

    def _begin(self, reason: str) -> None:
        if self.reason is None:
            self.reason = reason
            if self._ticks:
                self._timer = call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._ticks_left -= 1
        if self._ticks_left > 0:
            self._timer = call_later(TICK_SECONDS, self._tick)
        else:
            self._cut_off()

    def _over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _cut_off(self) -> None:
        """Keeps what is held, tells the parent what was counted, and ends the process."""
        seconds = round(self._ticks * TICK_SECONDS)
        logger.error("the crawl did not close within %d seconds (%s): cut off", seconds, self.reason)
        self.crawler.signals.send_catch_log(signal=cutting_off)
        stats = {"finish_reason": self.reason, **plain(self.crawler.stats.get_stats()), CUT_OFF: seconds}
        say({"stats": stats})
        os._exit(0)


def plain(value: Any) -> Any:
    """Stats as JSON can carry them."""
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
