"""Web addresses as published, made canonical: the same page has one address whatever campaign led to it."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

TRACKING = re.compile(r"utm_\w+|gh_src|lever-(?:source|origin)|ashby_src|fbclid|gclid|mc_[ce]id|trk|trackingid|_ga", re.I)
"""Query fields that say where a reader came from, not which page it is."""


def canonical(address: str | None, base: str | None = None) -> str | None:
    """An address with http or https, without fragment and tracking fields; None for anything else.

    >>> canonical("/o/nurse?utm_source=x&id=3#apply", "https://Example.com/jobs")
    'https://example.com/o/nurse?id=3'
    >>> canonical("javascript:alert(1)") is None
    True
    """
    text = (address or "").strip()
    if not text or any(ord(sign) < 0x21 for sign in text):
        text = re.sub(r"[\t\r\n]", "", text).replace(" ", "%20")
        if not text:
            return None
    try:
        parts = urlsplit(urljoin(base, text) if base else text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or parts.username:
        return None
    query = parts.query
    if query and TRACKING.search(query):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([pair for pair in pairs if not TRACKING.fullmatch(pair[0])])
    if ":" in host:
        host = f"[{host}]"
    standard = port is None or (parts.scheme, port) in (("http", 80), ("https", 443))
    return urlunsplit((parts.scheme, host if standard else f"{host}:{port}", parts.path, query, ""))
