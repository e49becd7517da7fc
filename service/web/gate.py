"""What every request passes on its way in and out: the rate limit, HEAD as GET without a body, the safety headers."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.problems import problem

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
"""No inline script or style, no frame, nothing from elsewhere: scraped text has nothing to work with."""
STATIC = "/static/"


@dataclass(slots=True)
class RateLimit:
    """So many requests a minute and address, as a bucket that refills; at most `ADDRESSES` are remembered."""

    per_minute: int
    buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    ADDRESSES = 10_000

    def wait(self, address: str, now: float) -> float:
        """Seconds to wait before the next request of this address; 0 when it may come now.

        >>> limit = RateLimit(2)
        >>> [limit.wait("a", 0.0), limit.wait("a", 0.0), limit.wait("a", 0.0), limit.wait("b", 0.0)]
        [0.0, 0.0, 30.0, 0.0]
        """
        left, at = self.buckets.pop(address, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - at) * self.per_minute / 60)
        allowed = left >= 1
        self.buckets[address] = (left - 1 if allowed else left, now)
        while len(self.buckets) > self.ADDRESSES:
            self.buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) * 60 / self.per_minute


class Gate:
    """The outermost layer. Plain ASGI, so that exports stream through it."""

    def __init__(self, app: ASGIApp, limit: RateLimit | None) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        bodiless = scope["method"] == "HEAD"

        async def outward(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] += [pair for pair in _ENCODED if pair[0] not in present]
            elif bodiless and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        wait = self._wait(scope)
        if wait:
            refused = problem(
                429,
                f"more than {self.limit.per_minute if self.limit else 0} requests a minute",
                headers={"Retry-After": str(int(wait) + 1)},
            )
            await refused(scope, receive, outward)
            return
        await self.app({**scope, "method": "GET"} if bodiless else scope, receive, outward)

    def _wait(self, scope: Scope) -> float:
        if self.limit is None or scope["path"].startswith(STATIC):
            return 0.0
        client = scope.get("client")
        return self.limit.wait(client[0] if client else "", time.monotonic())


_ENCODED = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
