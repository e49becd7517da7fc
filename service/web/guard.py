"""Who may do what.

Reading needs nothing. Writing needs a token (`Authorization: Bearer …`) or a session cookie that a token was exchanged
for; with a cookie, a form also carries a token against forgery. Tokens are kept as scrypt hashes in the configuration
file (`jobledger token NAME` makes one), never as they are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request

from service.settings import UsageError
from service.web.problems import Problem

COOKIE = "jobledger_session"
SESSION_SECONDS = 12 * 3600
TOKEN_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""What a token may be called: the name stands in the audit rows and in the session cookie."""
HASH = re.compile(r"scrypt\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{86}==")


def hash_token(token: str, *, salt: bytes | None = None) -> str:
    """What the configuration keeps of a token: scrypt, with its salt.

    >>> matches("open sesame", hash_token("open sesame")), matches("guess", hash_token("open sesame"))
    (True, False)
    """
    made = salt or secrets.token_bytes(16)
    digest = hashlib.scrypt(token.encode(), salt=made, n=2**14, r=8, p=1)
    return "scrypt$" + "$".join(base64.b64encode(part).decode() for part in (made, digest))


def matches(token: str, kept: str) -> bool:
    if not HASH.fullmatch(kept):
        return False
    salt = kept.split("$")[1]
    return hmac.compare_digest(hash_token(token, salt=base64.b64decode(salt)), kept)


@dataclass(slots=True)
class Keys:
    """The tokens of the configuration and the key that signs sessions; a restart ends all sessions."""

    tokens: Mapping[str, str]
    secret: bytes
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
        if not re.fullmatch(r"[0-9]{1,12}", until) or not same(self._sign(f"{until}.{name}"), signature):
            return None
        return name if int(until) > time.time() else None

    def form_token(self, session: str) -> str:
        """What a form of this session must carry: no other site can know it."""
        return self._sign(f"form {session}")

    def _sign(self, text: str) -> str:
        return hmac.new(self.secret, text.encode(), "sha256").hexdigest()


def same(first: str, second: str) -> bool:
    """Whether two texts are equal, in a time that tells nothing; a header may hold any character."""
    return hmac.compare_digest(first.encode("utf-8", "replace"), second.encode("utf-8", "replace"))


def require_good_tokens(tokens: Mapping[str, str]) -> None:
    """Raises `UsageError` for a token of the configuration that could never be used."""
    for name, kept in tokens.items():
        if not TOKEN_NAME.fullmatch(name):
            raise UsageError(f"the token name {name!r} may hold letters, digits, - and _ only")
        if not isinstance(kept, str) or not HASH.fullmatch(kept):
            raise UsageError(f"the token {name!r} is no hash: `jobledger token {name}` makes one")


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
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Problem(403, "another site sent this form")
    name = writer(request)
    if name is None:
        raise Problem(401, "changing data needs a token: Authorization: Bearer …")
    session = request.cookies.get(COOKIE)
    if not request.headers.get("authorization") and session is not None:
        given = form_token or request.headers.get("x-csrf-token", "")
        if not same(keys.form_token(session), given):
            raise Problem(403, "the form has expired: load the page again")
    return name
