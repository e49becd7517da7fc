"""Web addresses as published, made canonical: the same page has one address whatever campaign led to it."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urljoin, urlsplit, urlunsplit

TRACKING = re.compile(
    r"utm_\w+|gh_src|lever-(?:source|origin)|ashby_src|fbclid|gclid|mc_[ce]id|trk|trackingid|_ga", re.I
)
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


def split_address(address: str | None) -> SplitResult:
    """The parts of an address as a page states it; of one that cannot be split every part is empty.

    >>> split_address("https://x.example/o/1").path, split_address("http://[x").path
    ('/o/1', '')
    """
    try:
        return urlsplit(address or "")
    except ValueError:
        return urlsplit("")


def absolute(base: str, address: str | None) -> str | None:
    """The address that a page means where it stands at `base`; None for one that cannot be read.

    >>> absolute("https://x.example/jobs/", "1"), absolute("https://x.example/jobs/", "http://[x")
    ('https://x.example/jobs/1', None)
    """
    try:
        return urljoin(base, (address or "").strip())
    except ValueError:
        return None


def handle_in(address: str | None, host: str) -> str | None:
    """The first part of a path on `host` or below it: how a job platform calls the employer.

    >>> handle_in("https://jobs.lever.co/acme/0f3a", "lever.co"), handle_in("https://acme.example/jobs", "lever.co")
    ('acme', None)
    """
    own = canonical(address)
    if own is None:
        return None
    parts = urlsplit(own)
    name = parts.hostname or ""
    if name != host and not name.endswith("." + host):
        return None
    return unquote(parts.path.strip("/").split("/")[0]) or None
