"""Any site whose job pages carry schema.org JobPosting: from a sitemap, a list page, or one job page.

The entry's `url` is a sitemap (`.xml`, `.xml.gz`, an index of sitemaps) or a page. The option `pattern` is a regular
expression for the addresses of job pages; without it a sitemap's addresses count when they speak of jobs. A page is
fetched when it is new or when its `lastmod` moved; without `lastmod` each time.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from db.records import RawPostingRecord
from scraper.answers import DETAIL, AnswerError, Ask, Parsed, Seen, marker_of, rejection
from scraper.details import NOT_THIS_AD
from scraper.files.unpacking import unpacked
from scraper.pages.adaddress import names_an_ad, same_ad
from scraper.pages.addresses import canonical
from scraper.pages.jobposting import decoded_page, read_job_page
from scraper.pages.xml import local, safe_xml
from scraper.sources import Source
from scraper.spiders.board import BoardSpider, same_site

ABOUT_JOBS = re.compile(
    r"/(?:jobs?|careers?|karriere|stellen\w*|vacanc\w+|positions?|openings?|offers?|emploi\w*|offre\w*|empleo\w*"
    r"|postings?|requisition\w*|o|p|j)(?:[/-]|$)",
    re.IGNORECASE,
)
"""Addresses that speak of jobs, where the entry says no pattern."""
_HREF = re.compile(r"""<a\b[^<>]{0,500}?\bhref\s*+=\s*+(?:"([^"<>]{1,2000})"|'([^'<>]{1,2000})')""", re.IGNORECASE)
MOST_SITEMAPS = 500


class JobPagesSpider(BoardSpider):
    name = "jobpages"
    named_by_address = True

    def first(self, source: Source) -> tuple[Ask, ...]:
        if source.url is None:
            raise AnswerError("no_url", f"source {source.name!r} needs the url of a sitemap or a page")
        return (Ask(url=source.url),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:
        if ask.kind == DETAIL:
            return read_job_page(body, seen)
        pattern = self.source.options.get("pattern")
        wanted = re.compile(pattern) if isinstance(pattern, str) else None
        if looks_like_xml(body):
            return read_sitemap(unpacked(body), ask, seen, wanted)
        return read_list_page(body, seen, wanted)


def looks_like_xml(body: bytes) -> bool:
    """Whether an answer is a sitemap, packed or not; a web page is none."""
    return (
        body[:2] == b"\x1f\x8b"
        or re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|urlset|sitemapindex)", body[:200]) is not None
    )


def read_sitemap(body: bytes, ask: Ask, seen: Seen, wanted: re.Pattern[str] | None) -> Parsed:
    """The job pages that a sitemap names, or the sitemaps of an index. Raises `AnswerError` when it is neither."""
    document = safe_xml(body)
    root, broken = document.root, (document.broken,) if document.broken else ()
    entries = [{local(field).lower(): (field.text or "").strip() for field in entry} for entry in root]
    if local(root).lower() == "sitemapindex":
        maps = [address for entry in entries if (address := canonical(entry.get("loc"), seen.url))]
        too_many = ("too many sitemaps",) if len(maps) > MOST_SITEMAPS else ()
        asks = tuple(Ask(url=address) for address in dict.fromkeys(maps[:MOST_SITEMAPS]) if _on_site(address, ask.url))
        return Parsed(asks=asks, incomplete=broken + too_many)
    if local(root).lower() != "urlset":
        raise AnswerError("unknown_shape", f"<{local(root)}> is no sitemap")
    found: dict[str, str | None] = {}
    for entry in entries:
        address = canonical(entry.get("loc"), seen.url)
        if address and _on_site(address, ask.url) and (wanted or ABOUT_JOBS).search(address):
            found[address] = entry.get("lastmod") or None
    return Parsed(asks=tuple(page_ask(url, lastmod, seen) for url, lastmod in found.items()), incomplete=broken)


def page_ask(url: str, lastmod: str | None, seen: Seen) -> Ask:
    """A job page to read; of a page with a date of change we can tell whether it has to be fetched."""
    listed = RawPostingRecord(
        source=seen.source,
        title_text=urlsplit(url).path.strip("/").rsplit("/", 1)[-1] or url,
        source_id=f"{seen.id_prefix}{url}",
        page_url=seen.url,
        seen_at=seen.at,
        url=url,
        partial=True,
    )
    return Ask(
        url=url, kind=DETAIL, listed=listed, marker=marker_of({"url": url, "lastmod": lastmod}) if lastmod else None
    )


def read_list_page(body: bytes, seen: Seen, wanted: re.Pattern[str] | None) -> Parsed:
    """The postings that a page declares itself, and the job pages that it links to.

    Raises `AnswerError` for a page without postings that links to no page of its site: it is an error page or a
    challenge, not an empty list.
    """
    parsed = read_job_page(body, seen)
    answered = seen.answered or seen.url
    links = (canonical(found[1] or found[2], answered) for found in _HREF.finditer(decoded_page(body)))
    pages = dict.fromkeys(
        link for link in links if link and link not in (seen.url, answered) and _on_site(link, seen.url)
    )
    if not pages and not parsed.postings and not parsed.rejected:
        raise AnswerError("no_list", "the page holds no job and links to no page of its site")
    if names_an_ad(seen.url) and not same_ad(seen.url, answered):
        detail = f"the address leads to another page; asked for {seen.url}; answered {answered}"
        parsed += Parsed(rejected=(rejection(seen, NOT_THIS_AD, detail),))
    if wanted is None:
        return parsed
    return parsed + Parsed(asks=tuple(page_ask(url, None, seen) for url in pages if wanted.search(url)))


def _on_site(address: str, other: str) -> bool:
    one, two = urlsplit(address).hostname, urlsplit(other).hostname
    return same_site(one, two) or bool(one and two and one.split(".")[-2:] == two.split(".")[-2:])
