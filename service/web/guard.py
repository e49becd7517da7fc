"""Who may do what, and what a browser may do with an answer.

Reading needs nothing. Writing needs a token (`Authorization: Bearer …`) or a session cookie that a token was exchanged
for; with a cookie, a form also carries a token against forgery. Tokens are kept as scrypt hashes in the configuration
file (`jobledger token NAME` makes one), never as they are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.responses import Response

from service.web.problems import Problem, problem

COOKIE = "jobledger_session"
SESSION_SECONDS = 12 * 3600

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
"""No inline script or style, no frame, nothing from elsewhere: scraped text has nothing to work with."""


def hash_token(token: str, *, salt: bytes | None = None) -> str:
    """What the configuration keeps of a token: scrypt, with its salt.

    >>> matches("open sesame", hash_token("open sesame")), matches("guess", hash_token("open sesame"))
    (True, False)
    """
    made = salt or secrets.token_bytes(16)
    digest = hashlib.scrypt(token.encode(), salt=made, n=2**14, r=8, p=1)
    return "scrypt$" + "$".join(base64.b64encode(part).decode() for part in (made, digest))


def matches(token: str, kept: str) -> bool:
    scheme, _, rest = kept.partition("$")
    salt, _, _digest = rest.partition("$")
    if scheme != "scrypt" or not salt:
        return False
    return hmac.compare_digest(hash_token(token, salt=base64.b64decode(salt)), kept)


@dataclass(slots=True)
class Keys:
    """The tokens of the configuration and the key that signs sessions; a restart ends all sessions."""

    tokens: Mapping[str, str]
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    known: dict[str, str] = field(default_factory=dict)
    """Names of tokens that were checked before, by a keyed digest: scrypt is slow on purpose."""

    def name_of(self, token: str) -> str | None:
        """Whose token this is; None for nobody's."""
        seen = hmac.new(self.secret, token.encode(), "sha256").hexdigest()
        if seen not in self.known:
            name = next((name for name, kept in self.tokens.items() if matches(token, kept)), None)
            if name is None:
                return None
            self.known[seen] = name
        return self.known[seen]

    def session(self, name: str, now: float | None = None) -> str:
        until = int((now or time.time()) + SESSION_SECONDS)
        return f"{until}.{name}.{self._sign(f'{until}.{name}')}"

    def name_in(self, session: str | None) -> str | None:
        """Whose session this is, while it lasts."""
        until, _, rest = (session or "").partition(".")
        name, _, signature = rest.rpartition(".")
        if not until.isdigit() or not hmac.compare_digest(self._sign(f"{until}.{name}"), signature):
            return None
        return name if int(until) > time.time() else None

    def form_token(self, session: str) -> str:
        """What a form of this session must carry: no other site can know it."""
        return self._sign(f"form {session}")

    def _sign(self, text: str) -> str:
        return hmac.new(self.secret, text.encode(), "sha256").hexdigest()


def writer(request: Request) -> str | None:
    """Who is logged in, by token or session; None for a reader."""
    keys: Keys = request.app.state.keys
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return keys.name_of(token)
    return keys.name_in(request.cookies.get(COOKIE))


def require_writer(request: Request, form_token: str | None = None) -> str:
    """Who may change data; an error else. A cookie alone is not enough: the form's token must come with it."""
    keys: Keys = request.app.state.keys
    name = writer(request)
    if name is None:
        raise Problem(401, "changing data needs a token: Authorization: Bearer …")
    session = request.cookies.get(COOKIE)
    if not request.headers.get("authorization") and session is not None:
        given = form_token or request.headers.get("x-csrf-token", "")
        if not hmac.compare_digest(keys.form_token(session), given):
            raise Problem(403, "the form has expired: load the page again")
    return name


@dataclass(slots=True)
class RateLimit:
    """So many requests a minute and address, as a bucket that refills; at most `ADDRESSES` are remembered."""

    per_minute: int
    buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    ADDRESSES = 10_000

    def wait(self, address: str, now: float) -> float:
        """Seconds to wait before the next request of this address; 0 when it may come now."""
        left, at = self.buckets.pop(address, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - at) * self.per_minute / 60)
        allowed = left >= 1
        self.buckets[address] = (left - 1 if allowed else left, now)
        while len(self.buckets) > self.ADDRESSES:
            self.buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) * 60 / self.per_minute


Next = Callable[[Request], Awaitable[Response]]


async def with_headers(request: Request, following: Next) -> Response:
    """Adds the safety headers to every answer."""
    response = await following(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def limited(request: Request, following: Next) -> Response:
    """Holds each address to its rate; static files are free."""
    limit: RateLimit | None = request.app.state.rate_limit
    if limit is not None and not request.url.path.startswith("/static/"):
        seconds = limit.wait(request.client.host if request.client else "", time.monotonic())
        if seconds:
            return problem(
                429, f"more than {limit.per_minute} requests a minute", headers={"Retry-After": str(int(seconds) + 1)}
            )
    return await following(request)
