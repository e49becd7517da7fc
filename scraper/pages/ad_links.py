"""Which links of a careers page lead to its ads: many links of one shape, at addresses that speak of jobs."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from scrapy import Selector

from scraper.pages.addresses import canonical
from scraper.pages.jobposting import decoded_page

MOST_LINKS = 5_000
NO_AD = re.compile(
    r"""
    \.(?:css|js|png|jpe?g|gif|svg|ico|pdf|zip|xml|rss)$   # a file
    | /(?:login|log-in|sign-?in|register|privacy|imprint|impressum|datenschutz|terms|cookies?|contact|kontakt|about
        |search|alerts?|faq|feed|rss|share)(?:[/.-]|$)    # a page that every site has
    """,
    re.VERBOSE | re.IGNORECASE,
)
ABOUT_JOBS = re.compile(
    r"""
    (?:^|[/_.?&=-])
    (?:jobs?|job-?ads?|careers?|karriere|stellen\w*|vacanc\w+|vacature\w*|positions?|openings?|roles?|offers?|emplois?|offres?
    |empleos?|vagas?|lavor\w+|praca|postings?|requisitions?)
    (?:[/_.?&=-]|$)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Words for jobs in an address."""

NEXT = re.compile(r"(?:^|&)(?:page|pg|p|offset|start|from|sort|lang)=", re.IGNORECASE)
"""Queries that ask for another part, or another order, of the same list."""


@dataclass(frozen=True, slots=True)
class AdLinks:
    """Links of one shape."""

    pattern: str
    """A regular expression that their addresses match."""
    selector: str
    """A CSS selector that the links match."""
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Link:
    address: str
    href: str
    """As it stands on the page."""


def ad_links(html: bytes, url: str) -> AdLinks | None:
    """The links that most probably lead to ads; None where none look like it.

    >>> found = ad_links(b'<a href="/jobs/1-nurse">a</a><a href="/jobs/2-cook">b</a><a href="/about">c</a>', "https://a.b/")
    >>> found.pattern, found.selector, len(found.addresses)
    ('^https?://[^/]+/jobs/[^/?#]+/?$', 'a[href^="/jobs/"]', 2)
    """
    groups: dict[str, list[_Link]] = {}
    for link in _links(html, url):
        for shape in _shapes(link.address):
            groups.setdefault(shape, []).append(link)
    ranked = sorted(groups, key=lambda shape: (_rank(shape, groups[shape]), shape), reverse=True)
    best = next((shape for shape in ranked if _is_likely(shape, groups[shape])), None)
    if best is None:
        return None
    return AdLinks(best, _selector(groups[best]), tuple(link.address for link in groups[best]))


def has_more_pages(html: bytes) -> bool:
    """Whether a list says that it goes on elsewhere."""
    page = Selector(text=decoded_page(html) or "<html></html>")
    return bool(
        page.css('a[rel~="next"], link[rel~="next"], a[href*="page=2"], a[href*="/page/2"], a[href*="offset="]')
    )


def _links(html: bytes, url: str) -> Iterator[_Link]:
    """Every link to another page of the same site, once."""
    host, own, known = urlsplit(url).netloc, canonical(url), set()
    for href in Selector(text=decoded_page(html) or "<html></html>").css("a::attr(href)").getall()[:MOST_LINKS]:
        address = canonical(href, url)
        if address is None or address in known or address == own or urlsplit(address).netloc != host.lower():
            continue
        known.add(address)
        parts = urlsplit(address)
        is_ad = parts.path.strip("/") + parts.query and not NO_AD.search(parts.path) and not NEXT.search(parts.query)
        if is_ad:
            yield _Link(address, href.strip())


def _shapes(address: str) -> Iterator[str]:
    """Patterns that an address matches: its last part is any, its last two parts are, its query's number is."""
    parts = urlsplit(address)
    path = [re.escape(part) for part in parts.path.strip("/").split("/") if part]
    numbered = [name for name, value in parse_qsl(parts.query) if re.search(r"\d", value)]
    if numbered:
        yield f"^https?://[^/]+/{'/'.join(path)}/?\\?(?:.*&)?{re.escape(numbered[0])}="
        return
    for free in (1, 2):
        if len(path) >= free:
            fixed = "".join(f"/{part}" for part in path[:-free])
            yield f"^https?://[^/]+{fixed}{'/[^/?#]+' * free}/?$"


def _rank(shape: str, links: list[_Link]) -> tuple[bool, int, int]:
    """Shapes that speak of jobs first, then those of many links, then those that leave little open."""
    return _speaks_of_jobs(shape, links), len(links), -shape.count("[^/?#]+")


def _speaks_of_jobs(shape: str, links: list[_Link]) -> bool:
    """Whether the fixed part says so, or nearly every link in its free part."""
    fixed = shape.removeprefix("^https?://[^/]+").replace("[^/?#]+", "").replace("\\", "")
    if ABOUT_JOBS.search(fixed):
        return True
    return sum(ABOUT_JOBS.search(urlsplit(link.address).path) is not None for link in links) > 0.8 * len(links)


def _is_likely(shape: str, links: list[_Link]) -> bool:
    return _speaks_of_jobs(shape, links) or len(links) >= 5


def _selector(links: Iterable[_Link]) -> str:
    """The links by how their addresses begin on the page."""
    hrefs = [link.href for link in links]
    start = os.path.commonprefix(hrefs) if len(hrefs) > 1 else hrefs[0]  # noqa: RUF071 - `job-` is a good start too
    start = start[: start.rfind("/") + 1] or start
    return "a" if start in {"", "/"} or re.search(r'["\\\s]', start) else f'a[href^="{start}"]'
