"""What the spiders of job platforms share: asking, counting, and never taking a failed page for an empty board.

A platform's spider names its first requests (`first`) and reads answers (`read`: bytes in, `Parsed` out). Here its
asks become requests, the pages of single postings are fetched for new and changed ones only, and whatever makes a run
less than the whole board is noted in the stats under `INCOMPLETE`, reason by reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from db.contained import Failure as Failed
from db.contained import contained
from db.known import Known, known_postings
from db.records import RawPostingRecord, Record, RejectedRecord, utc_now
from db.rejected import PARSER_FAILED
from db.session import make_engine
from scraper.answers import DETAIL, LISTING, MARKER, AnswerError, Ask, Parsed, Seen, rejection, understood
from scraper.details import asked_for, completed_detail, judged, others_on_page, why_not
from scraper.failures import note_failure
from scraper.identity import GONE_STATUS, Which, ids_in
from scraper.middlewares import CONDITIONAL, PageUnchanged
from scraper.pages.rows import decoded_json
from scraper.responses import page_record
from scraper.sources import Source

INCOMPLETE = "jobledger/incomplete"
"""Stats key: the number of reasons for which this run may not have seen the whole source; `…/<reason>` counts each."""
PARSE_ERRORS = "jobledger/parse_errors"
NOT_INSPECTED = "jobledger/not_inspected"
"""Postings whose own page was wanted and could not be read."""
INSPECTED = "jobledger/details_read"
"""Postings whose own page was read."""
ELSEWHERE = "jobledger/details_elsewhere"
"""Postings whose address leads to another ad or a list, or says that the ad is gone."""
UNCHANGED = "jobledger/details_spared"
"""Postings whose own page was not fetched, because their listing entry is as it was."""
LEFT_OUT = "jobledger/left_out"
"""Entries that the site itself marks as not public."""

MOST_LISTINGS = 2_000
"""Listing pages of one run; a board that pages further is read up to there, and the run is incomplete."""

EMPTY_PAGE = "an empty page names a next one"
"""Why a run is incomplete whose list goes on behind a page without entries."""


class BoardSpider(scrapy.Spider):
    """The base of every platform's spider."""

    name = "board"
    usual_pages = MOST_LISTINGS
    """Listing pages of one run where the entry does not say; smaller for feeds without end."""
    one_answer = False
    """Whether one answer holds the whole board: then an answer 304 says that nothing changed."""
    named_by_address = False
    """Whether the address of an ad is its identity: then an ad met on another one's page is known by its own."""
    source: Source

    def __init__(self, source: Source, *, known: Mapping[str, Known] | None = None, **arguments: Any) -> None:
        super().__init__(name=self.name, **arguments)
        self.source = source
        self.known = known
        """Known postings by id; read from the ledger when the first page of a posting might be spared."""
        self._listed: set[str] = set()
        self._siblings: set[str] = set()
        """Ids of the ads whose own pages are asked for."""
        self._details: set[tuple[str, str]] = set()
        self._total: int | None = None
        self._listings: set[str] = set()
        """Addresses of the listing pages that were asked for."""

    def first(self, source: Source) -> tuple[Ask, ...]:
        """The requests a run begins with. Raises `AnswerError` when the entry lacks what the platform needs."""
        raise NotImplementedError

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:  # noqa: ARG002 - for platforms with several kinds
        """What an answer says. Raises `AnswerError` when it cannot be read."""
        return self.read_answer(decoded_json(body), seen)

    def read_answer(self, answer: object, seen: Seen) -> Parsed:
        """The same for a platform whose answers are JSON and all of one kind."""
        raise NotImplementedError

    async def start(self) -> AsyncIterator[Any]:
        try:
            asks = list(self.first(self.source))
        except AnswerError as error:  # the entry lacks what its platform needs
            note_failure(self.crawler.stats, self.source.url or "no address", error.detail)
            raise
        for ask in asks:
            self._listings.add(page_address(ask))
            yield self.request(ask)

    def request(self, ask: Ask) -> Request:
        headers = {"Accept": "application/json, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5", **ask.headers}
        body: str | None = None
        if ask.body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(ask.body)
        return Request(
            ask.url,
            method="GET" if body is None else "POST",
            body=body,
            headers=headers,
            callback=self.parse,
            errback=self.failed,
            cb_kwargs={"ask": ask},
            meta=self._meta(ask),
            # A board's first answer is asked for in every run, two ranges of one file are two pages, and the pages of
            # two ads may lead to one: Scrapy's filter would drop the second request silently.
            dont_filter=True,
            # The pages that a listing names come before its next page, or they would all wait in memory.
            priority=0 if ask.kind == DETAIL else -1,
        )

    def _meta(self, ask: Ask) -> dict[str, Any]:
        meta: dict[str, Any] = {CONDITIONAL: True} if self.one_answer else {}
        if ask.may_be_missing:
            meta["handle_httpstatus_list"] = [404]
        elif ask.kind == DETAIL and ask.listed is not None:
            meta["handle_httpstatus_list"] = list(GONE_STATUS)
        return meta

    def parse(self, response: Response, ask: Ask) -> Iterator[Record | Request]:
        seen = Seen.of(self.source, url=page_address(ask), at=utc_now(), answered=response.url)
        if ask.kind == DETAIL and ask.listed is not None:
            yield from self._detail(response, ask, ask.listed, seen)
            return
        parsed = understood(self._read, response, ask, seen)
        if isinstance(parsed, AnswerError):
            self._count(PARSE_ERRORS)
            note_failure(self.crawler.stats, seen.url, f"could not be read: {parsed.detail}")
            yield from self._missed(ask, replace(rejection(seen, parsed.reason, parsed.detail), excerpt=parsed.excerpt))
            return
        yield page_record(response, source=seen.source, seen_at=seen.at, kind="listing", url=seen.url)
        yield from parsed.rejected
        yield from parsed.postings
        yield from self._follow(parsed, ask)
        for reason in parsed.incomplete:
            self.incomplete(reason)
        self._count(LEFT_OUT, parsed.left_out)

    def _read(self, response: Response, ask: Ask, seen: Seen) -> Parsed:
        self._refuse_moved(response, ask)
        return self.read(response.body, ask, seen)

    def _detail(self, response: Response, ask: Ask, listed: RawPostingRecord, seen: Seen) -> Iterator[Record]:
        """The page of one ad, believed only where it is that ad (`scraper.identity`)."""
        read = understood(self.read, response.body, ask, seen) if response.status not in GONE_STATUS else Parsed()
        parsed, error = (Parsed(), read) if isinstance(read, AnswerError) else (read, None)
        asked = asked_for(ask, listed, self._siblings)
        found = contained(judged, response, parsed, asked, error)
        if isinstance(found, Failed):
            self._count(PARSE_ERRORS)
            yield from self._missed(ask, rejection(seen, PARSER_FAILED, str(found)))
            return
        if found.which is not Which.GONE:  # what says that the ad is gone lacks what an ad has
            yield from parsed.rejected
        if found.postings:
            self._count(INSPECTED)
            yield page_record(response, source=seen.source, seen_at=seen.at, kind="posting", url=seen.url)
            record = completed_detail(parsed, found, ask, listed)
            title = record.title_text if listed.partial else listed.title_text
            # What the listing says stands beside the page: a run that spares the page says no less.
            yield replace(listed, title_text=title, partial=True)
            yield record
        else:
            if found.moved or found.is_gone or not parsed.rejected:
                yield why_not(found, asked, response.url, seen, parsed, error)
            yield from self._elsewhere(listed) if found.is_gone else self._not_inspected(listed)
            self._count(PARSE_ERRORS, not found.moved and not found.is_gone and not parsed.postings)
        if self.named_by_address:
            yield from others_on_page(parsed, found, asked, response.url)

    def failed(self, failure: Failure) -> Iterator[Record]:
        """A request without an answer that could be read: reported, and the run is not the whole board."""
        if isinstance(failure.value, PageUnchanged):
            return
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy sets it
        ask: Ask = request.cb_kwargs["ask"]
        seen = Seen.of(self.source, url=page_address(ask), at=utc_now())
        error = failure.value
        reason = f"http_{error.response.status}" if isinstance(error, HttpError) else "fetch_failed"
        detail = "" if isinstance(error, HttpError) else f"{type(error).__name__}: {error}"
        yield from self._missed(ask, rejection(seen, reason, f"{ask.kind} page: {detail or reason}"[:300]))

    def incomplete(self, reason: str) -> None:
        """Notes that this run may have missed open postings."""
        self._count(INCOMPLETE)
        self._count(f"{INCOMPLETE}/{reason}")

    def closed(self, reason: str) -> None:  # noqa: ARG002 - Scrapy's signature
        if self._total is not None and len(self._listed) < self._total:
            self.incomplete("fewer postings than the site counts")

    def _missed(self, ask: Ask, rejected: RejectedRecord) -> Iterator[Record]:
        """Reports an answer that did not come or could not be read."""
        yield rejected
        if ask.kind == DETAIL and ask.listed is not None:
            yield from self._not_inspected(ask.listed)
        else:
            self.incomplete(rejected.reason)

    def _elsewhere(self, listed: RawPostingRecord) -> Iterator[Record]:
        """The address of a posting leads to something else: it is open only if a list of postings says so.

        A sitemap or a link does not say that: then the posting counts as not seen in this run.
        """
        self._count(ELSEWHERE)
        if not listed.partial:
            yield replace(listed, partial=True)

    def _not_inspected(self, listed: RawPostingRecord) -> Iterator[Record]:
        """The posting is open, only its page could not be read: what is known of it must not be erased."""
        self._count(NOT_INSPECTED)
        if listed.partial:
            yield from self._sighting(listed)
        else:
            yield replace(listed, partial=True)

    def _window(self) -> int:
        """Listing pages that are read: the entry's option `pages`, or as many as any board has."""
        pages = self.source.options.get("pages", self.usual_pages)
        return pages if isinstance(pages, int) else MOST_LISTINGS

    def _follow(self, parsed: Parsed, ask: Ask) -> Iterator[Record | Request]:
        details = [one for one in parsed.asks if one.kind == DETAIL]
        listings = [one for one in parsed.asks if one.kind != DETAIL]
        if ask.kind != DETAIL:
            ids = {record.identity for record in parsed.postings}
            ids.update(one.listed.identity for one in details if one.listed is not None)
            repeats = bool(ids) and ids <= self._listed
            self._listed |= ids | {f"rejected {rejected.id}" for rejected in parsed.rejected}
            self._total = parsed.total if self._total is None else self._total
            listings = self._new_listings(listings, repeats=repeats)
        for one in details:
            if one.listed is not None:
                self._siblings.update((one.listed.identity, *ids_in([one.url])))
                if (key := (one.url, one.listed.identity)) in self._details:
                    continue
                self._details.add(key)
            if (unchanged := self._spared(one)) is not None:
                self._count(UNCHANGED)
                yield unchanged
            else:
                yield self.request(one)
        for one in listings:
            yield self.request(one)

    def _new_listings(self, listings: list[Ask], *, repeats: bool) -> list[Ask]:
        """The listing pages to ask for next. None is asked for twice, so that a list in a circle ends.

        `repeats`: the page that names them lists nothing new.
        """
        new = [ask for ask in listings if page_address(ask) not in self._listings]
        room = max(0, self._window() - len(self._listings))
        if listings and (repeats or not new):
            self.incomplete("the listing repeats itself")
            self._total, new = None, []
        elif len(new) > room:
            if self.source.complete:
                self.incomplete("the listing has more pages")
            self._total, new = None, new[:room]
        self._listings.update(page_address(ask) for ask in new)
        return new

    def _spared(self, ask: Ask) -> RawPostingRecord | None:
        """The sighting of a known posting whose listing entry is as it was; None when its page has to be fetched."""
        if ask.listed is None or ask.marker is None:
            return None
        known = self._known_postings().get(ask.listed.identity)
        if known is None or known.marker != ask.marker:
            return None
        return next(self._sighting(ask.listed), None)

    def _sighting(self, listed: RawPostingRecord) -> Iterator[RawPostingRecord]:
        """A known posting, seen again; nothing for a page of which we do not know whether it is a posting."""
        known = self._known_postings().get(listed.identity)
        if known is not None:
            yield replace(listed, title_text=known.title_text, partial=True)

    def _known_postings(self) -> Mapping[str, Known]:
        if self.known is None:
            self.known = self._known_from_ledger()
        return self.known

    def _known_from_ledger(self) -> Mapping[str, Known]:
        url = self.settings.get("JOBLEDGER_DATABASE_URL")
        if not url:
            return {}
        engine = make_engine(url)
        try:
            return known_postings(engine, self.source.name, marker=MARKER)
        finally:
            engine.dispose()

    def _refuse_moved(self, response: Response, ask: Ask) -> None:
        """A dead board often redirects to a marketing page. Raises `AnswerError` when another site answered."""
        asked, answered = urlsplit(ask.url).hostname, urlsplit(response.url).hostname
        if ask.kind == LISTING and not same_site(asked, answered):
            raise AnswerError("redirected_away", f"{asked} sent us to {answered}", response.url)

    def _count(self, key: str, by: int = 1) -> None:
        stats = self.crawler.stats
        if stats is not None and by:
            stats.inc_value(key, by)


def page_address(ask: Ask) -> str:
    """The address of an answer; one that depends on a posted body carries what it depends on as fragment."""
    if ask.body is None:
        return ask.url
    return f"{ask.url}#{hashlib.blake2b(json.dumps(ask.body, sort_keys=True).encode(), digest_size=6).hexdigest()}"


def same_site(one: str | None, other: str | None) -> bool:
    """Whether two hosts are one, or one lies below the other.

    >>> same_site("acme.bamboohr.com", "acme.bamboohr.com"), same_site("acme.breezy.hr", "breezy.hr")
    (True, False)
    >>> same_site("remoteok.com", "www.remoteok.com")
    True
    """
    if one is None or other is None:
        return False
    return one.removeprefix("www.") == other.removeprefix("www.")


def site_of(source: Source) -> str | None:
    """Scheme and host of the entry's `url`, when it has one."""
    if source.url is None:
        return None
    parts = urlsplit(source.url)
    return f"{parts.scheme}://{parts.netloc}"
