"""The platforms that we read: how an address betrays them, what they yield, what they ask of readers.

`recognise` names the platform and board behind any careers address, or behind a page that embeds a board. The table
(`scraper.platform_table`) is also the source of `docs/sources.md`, which `python -m scraper.platforms docs` prints.
"""

from __future__ import annotations

import html as entities
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from scraper.platform_table import PLATFORMS, Platform

__all__ = ["PLATFORMS", "Platform", "Recognised", "documentation", "platform_of", "recognise"]

_NO_TENANT = """
    www app api apps help support blog status docs developers developer static assets cdn go info resources marketing
    login auth account accounts secure my embed widget images img media hire partners community learn get
"""
NO_TENANT = frozenset(_NO_TENANT.split())
"""Subdomains that belong to the platform itself, not to an employer."""
NO_BOARD = frozenset({"api", "embed", "j", "static", "assets", "_next", "favicon.ico", "robots.txt", "sitemap.xml"})
"""The same for the first part of a path."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A platform and the board on it."""

    platform: Platform
    token: str | None = None
    url: str | None = None
    """The address that an entry needs beside or instead of the token."""
    options: Mapping[str, object] = field(default_factory=dict)
    found_in: str = "address"
    """address, or page when a page embeds or links the board."""


def platform_of(spider: str) -> Platform:
    """The platform of a spider. Raises `KeyError` for a spider that reads none."""
    return {platform.spider: platform for platform in PLATFORMS}[spider]


def recognise(url: str, html: bytes | str | None = None) -> Recognised | None:
    """The platform behind a careers address, else behind the page found there; None when we know neither.

    >>> found = recognise("https://jobs.lever.co/acme/0f3a2b1c")
    >>> found.platform.title, found.token
    ('Lever', 'acme')
    >>> recognise("https://acme.example/jobs", '<script src="https://boards.greenhouse.io/embed/job_board/js?for=acme">').token
    'acme'
    """
    if (found := _of_address(url)) is not None:
        return found
    if html is None:
        return None
    page = html if isinstance(html, str) else html.decode("utf-8", "replace")
    return _of_page(url, page)


def _of_address(url: str) -> Recognised | None:
    try:
        parts = urlsplit(url if "//" in url else f"https://{url}")
        host = parts.hostname or ""
    except ValueError:
        return None
    text = f"{host}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    for platform in PLATFORMS:
        for pattern in platform.patterns:
            match = re.match(pattern, text)
            if match is not None and (found := _recognised(platform, match, url)) is not None:
                return found
    return None


def _recognised(platform: Platform, match: re.Match[str], url: str) -> Recognised | None:
    groups = match.groupdict()
    token = unquote(groups["token"]) if groups.get("token") else None
    if token is not None and not re.search(r"\w", token):
        return None
    if token is not None and token.lower() in (NO_TENANT if match.start("token") == 0 else NO_BOARD):
        return None
    if platform.spider == "workday":
        host = match.group().split("/")[0]
        path = f"recruiting/{token}/{groups['site']}" if "myworkdaysite" in host else groups["site"]
        return Recognised(platform, token, f"https://{host}/{path}")
    if platform.spider == "personio" and groups.get("tld") == "com":
        return Recognised(platform, token, f"https://{token}.jobs.personio.com")
    if platform.spider == "lever" and groups.get("eu"):
        return Recognised(platform, token, options={"api": "https://api.eu.lever.co"})
    if platform.spider in ("weworkremotely", "archives"):
        return Recognised(platform, url=url if platform.spider == "archives" or url.endswith(".rss") else None)
    return Recognised(platform, token)


_ADDRESS = re.compile(r"""(?:https?:)?//([\w.-]+(?:/[^\s"'<>\\)]*)?)""", re.IGNORECASE)
_FEED = re.compile(r"<link\b[^<>]{0,400}application/(?:rss|atom)\+xml[^<>]{0,400}>", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_JOB_POSTING = re.compile(r"job\W{0,12}posting\b", re.IGNORECASE)


def _of_page(url: str, page: str) -> Recognised | None:
    """The board that a page speaks of most often; else its own schema.org postings or its feed."""
    page = entities.unescape(page[:3_000_000]).replace("\\/", "/").replace("\\u002F", "/")
    found: dict[tuple[str, str], Recognised] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for address in _ADDRESS.findall(page):
        board = _of_address("https://" + address.rstrip(".,;:!)"))
        if board is not None and board.token is not None:
            key = (board.platform.spider, board.token.lower())
            found.setdefault(key, board)
            counts[key] += 1
    if counts:
        board = found[max(counts, key=lambda key: counts[key])]
        return Recognised(board.platform, board.token, board.url, board.options, "page")
    if _JOB_POSTING.search(page):
        return Recognised(platform_of("jobpages"), url=url, found_in="page")
    if (feed := _FEED.search(page)) and (link := _HREF.search(feed.group())):
        from urllib.parse import urljoin

        return Recognised(platform_of("feed"), url=urljoin(url, link[1]), found_in="page")
    return None


def documentation() -> str:
    """`docs/sources.md`: each platform with what it yields."""
    lines = [
        "# Sources",
        "",
        "Generated by `python -m scraper.platforms docs`. What a platform does not publish is not there: nothing is "
        "guessed. *Whole* says whether one run sees every open posting, so that a missing one may be closed.",
        "",
        "| platform | spider | pay | dates | description | remote | whole | terms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in PLATFORMS:
        cells = (one.title, f"`{one.spider}`", one.pay, one.dates, one.description, one.remote)
        lines.append("| " + " | ".join((*cells, "yes" if one.whole else "no", one.terms)) + " |")
    lines += [
        "",
        "The articles site (`articles`) and saved files (`captures`) are read too: see `add-a-source.md`.",
        "",
        "An entry of `sources.toml` for a board on one of these platforms:",
        "",
        "```toml",
        "[[source]]",
        'name = "acme"',
        'spider = "greenhouse"',
        'token = "acme"',
        'schedule = "15 6 * * *"',
        "min_items = 1",
        'terms = "public job board API, documented, no key"',
        "```",
        "",
        "`jobledger sources new https://boards.greenhouse.io/acme` writes it.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["docs"]:
        sys.exit("usage: python -m scraper.platforms docs")
    sys.stdout.write(documentation())
