"""One JSON object posted to an address that the operator configured: bounded in time, tries and reach.

The host may be private, because the operator named it; link-local addresses (the metadata services of clouds),
multicast and reserved ones are refused, after the name was looked up. Redirects are not followed, and a proxy of the
environment is not used. Errors name the host only, because the rest of such addresses is often a secret.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

SECONDS: Final = 10.0
"""For one try: connecting, sending, and the answer's head."""
PAUSES: Final = (1.0, 4.0)
"""Before the second and the third try."""
FORBIDDEN: Final = frozenset({"link-local", "multicast", "unspecified", "reserved", "no address"})
TRY_AGAIN: Final = frozenset({408, 425, 429, *range(500, 600)})


class WebhookError(Exception):
    """A message could not be posted: names the host and the reason."""


def require_webhook(url: str) -> SplitResult:
    """The parts of an address that can be posted to. Raises `WebhookError` for any other."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError as error:
        raise WebhookError(f"is no web address ({error})") from error
    if not is_good or not url.isascii() or any(sign <= " " or sign == "\x7f" for sign in url):
        raise WebhookError("needs an address with http:// or https://, without a password and without blanks")
    return parts


def post_json(url: str, message: Mapping[str, Any]) -> None:
    """Posts one object. Raises `WebhookError` when no try succeeded."""
    parts = require_webhook(url)
    body = json.dumps(message, ensure_ascii=False, default=str).encode("utf-8", "replace")
    for pause in (*PAUSES, None):
        try:
            status = _post(parts, body)
            if 200 <= status < 300:
                return
            why = f"answered {status}" + (" (redirects are not followed)" if 300 <= status < 400 else "")
            may_pass = status in TRY_AGAIN
        except (OSError, http.client.HTTPException) as error:
            why, may_pass = f"{type(error).__name__}: {error}", not isinstance(error, _RefusedError)
        if pause is None or not may_pass:
            raise WebhookError(f"{parts.hostname}: {why}")
        time.sleep(pause)


def _post(parts: SplitResult, body: bytes) -> int:
    host, is_secure = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(http.client.HTTPConnection(host, port, timeout=SECONDS)) as connection:
        connection.sock = _connected(host, port)
        if is_secure:
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
        connection.request("POST", target, body, {"Content-Type": "application/json", "User-Agent": "jobledger"})
        return connection.getresponse().status


class _RefusedError(OSError):
    """The host's addresses are none that messages are sent to."""


def _connected(host: str, port: int) -> socket.socket:
    """A connection to the first address of the host that may be used and answers."""
    from scraper.safety import refusal  # brings Twisted, which nobody without a webhook needs

    failure: OSError = _RefusedError("it has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if (why := refusal(str(address[0]))) in FORBIDDEN:
            failure = _RefusedError(f"{address[0]} is {why}")
            continue
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(SECONDS)
            made.connect(address)
        except OSError as error:
            made.close()
            failure = error
        else:
            return made
    raise failure
