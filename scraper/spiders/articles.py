"""A career site: index pages, articles, the jobs featured in them, and the jobs' own pages.

    index (pages)  ->  article  ->  featured jobs  ->  job page
                   ->  job cards                   ->  job page

A featured job or a card shows part of a job; its own page shows more. Both carry the number in the job's address, so
they are one posting. A card is `partial`: it fills gaps of what the page says and never overrides it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import scrapy
from scrapy.http import HtmlResponse, Request, Response, TextResponse
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from db.contained import Failure as Failed
from db.records import Record, RejectedRecord, utc_now
from scraper.answers import AnswerError, Parsed, Seen, understood
from scraper.captures import card_record, posting_of_card, records_of
from scraper.details import GONE, NOT_THIS_AD
from scraper.failures import note_failure
from scraper.identity import GONE_STATUS, Asked, Found, Said, Says, Which, judge
from scraper.limits import LONGEST_ARTICLE, LONGEST_TREE, too_large
from scraper.middlewares import CONDITIONAL, PageUnchanged
from scraper.pages.addresses import absolute, split_address
from scraper.pages.article import Article, read_article
from scraper.pages.blocks import html_blocks, text_blocks
from scraper.pages.declared import page_addresses, with_text
from scraper.pages.decoding import UnreadableError, decode
from scraper.pages.jobcards import JobCard, job_id, read_cards, read_job
from scraper.pages.jobposting import read_job_page
from scraper.responses import page_record
from scraper.sources import Source, SourceError
from scraper.spiders.board import ELSEWHERE, INSPECTED, NOT_INSPECTED

ARTICLE_PATH: Final = r"/insights/[^/?#]+?(?:/|\.txt)?$"
"""Addresses of articles on the site that the captures come from; the option `article_path` says otherwise."""
MOST_INDEX_PAGES: Final = 1_000
_NEXT: Final = re.compile(
    r"""<(?:a|link)\b(?=[^<>]*+>)[^<>]*?\brel=["']?next\b[^<>]*+>|<button\b(?=[^<>]*+>)[^<>]*?\bhx-(?:get|post)=[^<>]*+>""",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"""\b(?:href|hx-get|hx-post)=["']([^"']+)["']""", re.IGNORECASE)
_LINK: Final = re.compile(r"""<a\b[^<>]*?\bhref=["']([^"'#]+)""", re.IGNORECASE)
_PAGE_NUMBER: Final = re.compile(r"[?&]page=\d+|/page/\d+")


class ArticlesSpider(scrapy.Spider):
    """Reads a career site from its index on; `url` of the entry is the index."""

    name = "articles"

    def __init__(self, source: Source, **arguments: Any) -> None:
        super().__init__(name=self.name, **arguments)
        if source.url is None:
            raise SourceError(source.name, key="url", reason="is missing", remedy="give the address of the index page")
        self.source = source
        self.index = source.url
        self.host = urlsplit(source.url).netloc
        self.article_path = re.compile(str(source.options.get("article_path", ARTICLE_PATH)))
        self.index_pages = 0
        self.indexed: set[str] = set()
        """What the index pages so far list."""
        self.asked_jobs: set[str] = set()

    async def start(self) -> AsyncIterator[Request]:
        yield Request(self.index, callback=self.parse_index, errback=self.failed_index, dont_filter=True)

    def parse_index(self, response: Response) -> Iterator[Record | Request]:
        """Articles, job cards and the next page of an index page."""
        self.index_pages += 1
        found = understood(self._index_page, response)
        if isinstance(found, AnswerError):
            self._incomplete("an index page cannot be read")
            self._count("jobledger/parse_errors")
            yield self._rejected(response.url, found.reason, f"the index page cannot be read: {found.detail}")
            return
        page, cards, articles = found
        seen_at = utc_now()
        yield page_record(response, source=self.source.name, seen_at=seen_at, kind="listing")
        listed = {*articles, *(card.url or card.title if isinstance(card, JobCard) else str(card) for card in cards)}
        is_old = self.index_pages > 1 and listed <= self.indexed
        self.indexed |= listed
        if not listed:
            self._incomplete("an index page lists nothing")
            yield self._rejected(response.url, "empty_index", "the index page links to no article and no job")
        for number, card in enumerate(cards, 1):
            yield from self._card(card, number, response.url, seen_at)
        for address in articles:
            yield self._request(address, self.parse_article)
        yield from self._next(page, response, repeats=is_old)

    def parse_article(self, response: Response) -> Iterator[Record | Request]:
        """An article, its featured jobs, and the pages of those that have one."""
        read = understood(self._article_page, response)
        if isinstance(read, AnswerError):
            self._count("jobledger/parse_errors")
            yield self._rejected(response.url, read.reason, read.detail, read.excerpt)
            return
        article, others = read
        seen_at = utc_now()
        yield page_record(response, source=self.source.name, seen_at=seen_at, kind="article")
        where = urlsplit(response.url).path
        yield from records_of(
            article, source=self.source.name, url=response.url, seen_at=seen_at, has_own_url=True, where=where
        )
        for job in article.jobs:
            if job.link and (address := absolute(response.url, job.link)):
                yield from self._job_request(address, job.title)
        for address in others:
            yield self._request(address, self.parse_article)

    def parse_job(self, response: Response, number: str, title: str) -> Iterator[Record]:
        """A job's own page: schema.org where it has it, else the site's markup."""
        address = (response.meta.get("redirect_urls") or [response.url])[0]
        seen_at = utc_now()
        page = self._text(response)
        parsed = understood(self._postings, response, page, seen_at) if page is not None else Parsed()
        if isinstance(parsed, AnswerError):
            yield self._rejected(address, parsed.reason, parsed.detail)
            parsed = Parsed()
        yield from parsed.rejected
        found = judge(
            Asked(addresses=(address,), ids=(number,)),
            with_text(parsed.says or Says(), page or ""),
            final=response.url,
            status=response.status,
        )
        if not found.postings:
            yield self._not_this_job(found, address, response, title, page or "")
            return
        self._count(INSPECTED)
        yield page_record(response, source=self.source.name, seen_at=seen_at, kind="posting", url=address)
        record = parsed.postings[found.postings[0]]
        yield replace(record, source_id=f"job:{number}", url=record.url or address, page_url=address)

    def _not_this_job(self, found: Found, address: str, response: Response, title: str, page: str) -> RejectedRecord:
        """Why the page is not that of the job; its card stands as it is."""
        self._count(ELSEWHERE if found.is_gone else NOT_INSPECTED)
        if found.which is Which.GONE:
            return self._rejected(address, GONE, f"the page of the job {title!r} is gone: {found.why}")
        if found.moved or found.which is Which.OTHER:
            return self._rejected(address, NOT_THIS_AD, f"{title!r}: {found.why}; answered {response.url}", page)
        return self._rejected(address, "no_job", f"the page of the job {title!r} holds none: {found.why}", page)

    def failed_index(self, failure: Failure) -> Iterator[Record]:
        yield from self._failed(failure)
        self._incomplete("an index page could not be fetched")

    def failed_page(self, failure: Failure) -> Iterator[Record]:
        if not isinstance(failure.value, PageUnchanged):
            yield from self._failed(failure)
            self._count("jobledger/not_inspected")

    def _failed(self, failure: Failure) -> Iterator[Record]:
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy sets it
        error = failure.value
        if isinstance(error, HttpError):
            yield self._rejected(request.url, f"http_{error.response.status}", f"answered {error.response.status}")
        else:
            yield self._rejected(request.url, "fetch_failed", f"{type(error).__name__}: {error}"[:300])

    def _read_article(self, response: Response, page: str) -> Article:
        """Raises `AnswerError` where the page is none."""
        if why := too_large(len(page), LONGEST_ARTICLE):
            raise AnswerError("too_large", why)
        is_html = isinstance(response, HtmlResponse) or "<" in page[:200]
        article = read_article(html_blocks(page) if is_html else text_blocks(page))
        if article is None:
            raise AnswerError("not_an_article", "no title with article or featured job", page)
        return article

    def _index_page(self, response: Response) -> tuple[str, list[JobCard | Failed], list[str]]:
        """The text, the job cards and the articles of an index page. Raises `AnswerError`."""
        page = self._required_text(response, "unreadable")
        return page, read_cards(page, response.url), self._articles(page, response.url)

    def _article_page(self, response: Response) -> tuple[Article, list[str]]:
        """An article, and the articles that its page links to. Raises `AnswerError`."""
        page = self._required_text(response, "not_an_article")
        return self._read_article(response, page), self._articles(page, response.url)

    def _articles(self, page: str, base: str) -> list[str]:
        """The articles of this site that a page links to, each once, in order."""
        found = dict.fromkeys(absolute(base, address) for address in _LINK.findall(page))
        return [
            address
            for address in found
            if address
            and split_address(address).netloc == self.host
            and self.article_path.search(split_address(address).path)
        ]

    def _card(self, card: JobCard | Failed, number: int, url: str, seen_at: datetime) -> Iterator[Record | Request]:
        yield card_record(card, number, source=self.source, page_url=url, seen_at=seen_at)
        if isinstance(card, JobCard) and card.url is not None:
            yield from self._job_request(card.url, card.title)

    def _job_request(self, address: str, title: str | None) -> Iterator[Request]:
        """The page of a job on this site. Nothing else hangs on it, so it may be left unread when it is unchanged."""
        number = job_id(address)
        if number is not None and title is not None and split_address(address).netloc == self.host:
            arguments = {"number": number, "title": title}
            meta = {CONDITIONAL: True, "handle_httpstatus_list": list(GONE_STATUS)}
            if address not in self.asked_jobs:
                self.asked_jobs.add(address)
                # Two jobs may lead to one page: Scrapy's filter would drop the second request silently.
                yield self._request(address, self.parse_job, cb_kwargs=arguments, meta=meta, dont_filter=True)

    def _postings(self, response: Response, page: str, seen_at: datetime) -> Parsed:
        """What a job's page declares; of a page that declares nothing, the job in the site's own markup."""
        parsed = read_job_page(response.body, Seen.of(self.source, url=response.url, at=seen_at))
        if parsed.postings or (job := read_job(page, response.url)) is None:
            return parsed
        # What is left of a closed job's page has no description, and must not erase the one that was read before.
        record = posting_of_card(
            job, source=self.source, page_url=response.url, seen_at=seen_at, partial=job.description is None
        )
        said = Said(title=record.title_text, is_bare=job.description is None)
        return replace(parsed, postings=(record,), says=Says((said,), page_addresses(page, response.url)))

    def _next(self, page: str, response: Response, *, repeats: bool) -> Iterator[Request]:
        """The next index page: a link that says so, or the newest site's "Load more" button.

        `repeats`: this page lists nothing that pages before it do not list, so the next one is not asked for.
        """
        for element in _NEXT.finditer(page):
            found = _ADDRESS.search(element.group())
            if found is None or (element.group().startswith("<button") and not _PAGE_NUMBER.search(found[1])):
                continue
            if repeats or self.index_pages >= MOST_INDEX_PAGES:
                self._incomplete("the index repeats itself" if repeats else "the index has too many pages")
                return
            if (address := absolute(response.url, found[1])) is None:
                continue
            # After the pages that this one names, or a long index would have them all wait in memory.
            yield Request(address, callback=self.parse_index, errback=self.failed_index, priority=-1)
            return

    def _request(self, address: str, callback: Any, **arguments: Any) -> Request:
        return Request(address, callback=callback, errback=self.failed_page, **arguments)

    def _required_text(self, response: Response, reason: str) -> str:
        """Raises `AnswerError` where a page is no text, for that reason, or too long for a tree."""
        if (page := self._text(response)) is None:
            raise AnswerError(reason, "the page is no text")
        if why := too_large(len(page), LONGEST_TREE):
            raise AnswerError("too_large", why)
        return page

    def _text(self, response: Response) -> str | None:
        if isinstance(response, TextResponse) and response.encoding.lower() not in {"utf-8", "ascii", "cp1252"}:
            return str(response.text)
        try:
            return decode(response.body)
        except UnreadableError:
            return None

    def _rejected(self, url: str, reason: str, detail: str, excerpt: str = "") -> RejectedRecord:
        if reason != "gone":
            note_failure(self.crawler.stats, url, detail)
        return RejectedRecord(
            source=self.source.name,
            url=url,
            reason=reason,
            detail=f"{url}: {detail}",
            seen_at=utc_now(),
            excerpt=" ".join(excerpt.split())[:500],
        )

    def _incomplete(self, reason: str) -> None:
        self._count("jobledger/incomplete")
        self._count(f"jobledger/incomplete/{reason}")

    def _count(self, key: str) -> None:
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value(key)
