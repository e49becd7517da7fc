"""Pages out of the public web archives: Wayback and Common Crawl, looked up by an address pattern.

    url = "https://ai-jobs.net/insights/"        # what to look for
    options.archive = "wayback" | "commoncrawl"
    options.match = "prefix"                     # exact, prefix, host or domain
    options.from, options.to = "2022", "2024"    # capture times
    options.crawls = ["CC-MAIN-2023-06"]         # Common Crawl only; without it the newest crawl
    options.limit = 1000                         # pages at most

The index names the captures; each page is read from its newest one and seen at the times of its first and last capture.
Wayback hands out original bytes under `id_`; Common Crawl a gzip member of a WARC file by range. Both ask for patience:
the index server of Common Crawl is one weak machine, Wayback takes 30 look-ups a minute. An archive never shows a whole
board: such an entry needs `complete = false`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlencode

from scrapy.http import Request, Response

from db.contained import Failure, each_contained
from db.files import LARGEST, LARGEST_PAGE, in_words
from db.keys import bytes_hash
from db.records import ArticleRecord, PageRecord, RawPostingRecord, Record, RejectedRecord
from db.rejected import PARSER_FAILED
from scraper.answers import DETAIL, AnswerError, Ask, Parsed, Seen, api_of, rejection
from scraper.backfill.likely import is_article_page, may_hold_article
from scraper.captured_answers import parse_answer, parse_document, recognise_answer
from scraper.details import NOT_THIS_AD
from scraper.files.records import HTML, XML, Archived, Broken, Entry
from scraper.files.warc import read_warc
from scraper.limits import TooCostlyError, page_limit
from scraper.pages.adaddress import same_ad
from scraper.pages.jobposting import read_job_page
from scraper.pages.rows import decoded_json
from scraper.pages.xml import safe_xml
from scraper.responses import media_type
from scraper.sources import Source
from scraper.spiders.board import BoardSpider

WAYBACK = "https://web.archive.org"
INDEX = "https://index.commoncrawl.org"
DATA = "https://data.commoncrawl.org"
REPLAYED = re.compile(r"/web/(?P<time>\d{14})(?:[a-z]{2}_)?/(?P<page>.+)", re.DOTALL)
"""The address of a capture at Wayback."""
ROWS = 5_000
"""Captures that one look-up answers."""


MOST_BARREN = 3
"""Pages of an index in a row that name no new capture, after which the index is left."""
MOST_LOOK_UPS = 2_000


class IndexPages:
    """The pages of an archive's index that were read, so that one that goes in a circle is left."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._pages = {fingerprint([])}
        self._barren = 0

    def why_last(self, content: str, following: str | None) -> str | None:
        """Why the page after this one is not asked for; None when it is, or when there is none.

        `content` is the page's `fingerprint`, `following` the key of the next page.
        """
        self._barren = self._barren + 1 if content in self._pages else 0
        self._pages.add(content)
        if following is None:
            return None
        if following in self._keys:
            return f"the index repeats its key {following[:80]!r}: what it has named so far is kept"
        self._keys.add(following)
        if self._barren >= MOST_BARREN:
            return f"the index names no new capture on {MOST_BARREN} pages in a row: what it has named so far is kept"
        if len(self._keys) >= MOST_LOOK_UPS:
            return f"the index has more than {MOST_LOOK_UPS:,} pages of captures: narrow the pattern"
        return None


def fingerprint(captures: list[dict[str, str]]) -> str:
    """What a page of an index names, in whatever order; all empty pages are the same."""
    names = {f"{capture.get('timestamp')} {capture.get('original')}" for capture in captures}
    return bytes_hash("\n".join(sorted(names)).encode("utf-8", "replace"))


class ArchivesSpider(BoardSpider):
    name = "archives"
    custom_settings: dict[str, Any] | None = {  # noqa: RUF012 - as Scrapy declares it
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 2.0,
        "AUTOTHROTTLE_START_DELAY": 2.0,
    }

    def __init__(self, source: Source, **arguments: Any) -> None:
        super().__init__(source, **arguments)
        self._asked = 0
        self._index = IndexPages()

    def first(self, source: Source) -> tuple[Ask, ...]:
        if source.url is None:
            raise AnswerError("no_url", f"source {source.name!r} needs the url to look for")
        if source.options.get("archive", "wayback") == "wayback":
            return (wayback_lookup(source, None),)
        crawls = source.options.get("crawls")
        if isinstance(crawls, list | tuple) and crawls:
            return tuple(crawl_lookup(source, str(crawl)) for crawl in crawls)
        return (Ask(url=f"{api_of(source, INDEX)}/collinfo.json", state={"step": "crawls"}),)

    def read(self, body: bytes, ask: Ask, seen: Seen) -> Parsed:  # noqa: ARG002 - look-ups hold no postings
        step = ask.state.get("step")
        if step == "crawls":
            return Parsed(asks=(crawl_lookup(self.source, newest_crawl(decoded_json(body))),))
        captures, resume = wayback_captures(body) if step == "wayback" else (crawl_captures(body), None)
        asks = [self._page(ask_) for ask_ in capture_asks(captures, self.source, step == "wayback")]
        chosen = tuple(one for one in asks if one is not None)
        if resume is None or len(chosen) < len(asks):
            return Parsed(asks=chosen)
        if (why := self._index.why_last(fingerprint(captures), resume)) is not None:
            return Parsed(asks=chosen, incomplete=(why,))
        return Parsed(asks=(*chosen, wayback_lookup(self.source, resume)))

    def _page(self, ask: Ask) -> Ask | None:
        """The ask, until the entry's limit of pages is reached."""
        limit = self.source.options.get("limit", 1_000)
        self._asked += 1
        return ask if not isinstance(limit, int) or self._asked <= limit else None

    def parse(self, response: Response, ask: Ask) -> Iterator[Record | Request]:
        """A page of an archive; look-ups are read as any listing."""
        if ask.kind != DETAIL:
            yield from super().parse(response, ask)
            return
        seen = Seen.of(self.source, url=ask.state["original"], at=ask.state["at"])
        for entry in archived_in(response.body, ask, media_type(response), answered=response.url):
            records = entry_records(entry, seen.source, ask.url, seen.at)
            yield from with_first_sighting(records, ask.state["first"], of=ask.state["original"])


def wayback_lookup(source: Source, resume: str | None) -> Ask:
    query = [
        ("url", source.url or ""),
        ("matchType", str(source.options.get("match", "prefix"))),
        ("output", "json"),
        ("fl", "urlkey,timestamp,original,mimetype,statuscode,digest,length"),
        ("filter", "statuscode:200"),
        ("collapse", "digest"),
        ("showResumeKey", "true"),
        ("limit", str(ROWS)),
        *_times(source.options),
    ]
    if resume:
        query.append(("resumeKey", resume))
    return Ask(url=f"{api_of(source, WAYBACK)}/cdx/search/cdx?{urlencode(query)}", state={"step": "wayback"})


def crawl_lookup(source: Source, crawl: str) -> Ask:
    query = [
        ("url", source.url or ""),
        ("matchType", str(source.options.get("match", "prefix"))),
        ("output", "json"),
        ("filter", "=status:200"),
        *_times(source.options),
    ]
    url = f"{api_of(source, INDEX)}/{crawl}-index?{urlencode(query)}"
    return Ask(url=url, state={"step": "commoncrawl"}, may_be_missing=True)


def _times(options: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, str(options[name])) for name in ("from", "to") if name in options]


def newest_crawl(answer: object) -> str:
    """The newest crawl of the list of crawls, which comes newest first. Raises `AnswerError` when it names none."""
    for entry in answer if isinstance(answer, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            return str(entry["id"])
    raise AnswerError("unknown_shape", "the list of crawls names none", str(answer)[:200])


def wayback_captures(body: bytes) -> tuple[list[dict[str, str]], str | None]:
    """The captures of a Wayback look-up, and the key to go on with: rows under a header, an empty row, the key."""
    rows = decoded_json(body)
    if not isinstance(rows, list):
        raise AnswerError("unknown_shape", "a look-up answers a list", str(rows)[:200])
    if not rows:
        return [], None
    if not all(isinstance(row, list) for row in rows):
        raise AnswerError("unknown_shape", "each row of a look-up is a list", str(rows)[:200])
    resume = None
    if len(rows) >= 2 and rows[-2] == [] and rows[-1]:
        resume = str(rows[-1][0])
        rows = rows[:-2]
    header = [str(name) for name in rows[0]] if rows else []
    captures = [dict(zip(header, map(str, row), strict=False)) for row in rows[1:]]
    return captures, resume


def crawl_captures(body: bytes) -> list[dict[str, str]]:
    """The captures of a Common Crawl look-up: one object a line, all values text; no captures is a message."""
    captures = []
    for line in body.splitlines():
        try:
            entry = json.loads(line) if line.strip() else None
        except ValueError as error:
            excerpt = line[:200].decode("utf-8", "replace")
            raise AnswerError("broken_json", "a line of the look-up is no JSON", excerpt) from error
        if isinstance(entry, dict) and "filename" in entry:
            captures.append({str(name): str(value) for name, value in entry.items()})
    return captures


def capture_asks(captures: list[dict[str, str]], source: Source, is_wayback: bool) -> Iterator[Ask]:
    """One request a page, for its newest capture that may hold postings or an article."""
    first: dict[str, datetime] = {}
    newest: dict[str, dict[str, str]] = {}
    for capture in captures:
        at = moment(capture.get("timestamp", ""))
        name = capture.get("urlkey") or capture.get("original") or capture.get("url") or ""
        mime = capture.get("mimetype") or capture.get("mime") or ""
        if at is None or capture.get("statuscode", capture.get("status")) not in ("200", None):
            continue
        if mime not in (*HTML, *XML, "application/json", "unk", "warc/revisit"):
            continue
        first[name] = min(at, first.get(name, at))
        if name not in newest or capture["timestamp"] >= newest[name]["timestamp"]:
            newest[name] = capture
    for name, capture in newest.items():
        state = {"at": moment(capture["timestamp"]), "first": first[name]}
        ask = wayback_page(capture, source) if is_wayback else crawl_page(capture, source)
        if ask is not None:
            yield replace(ask, state={**state, **ask.state})


def wayback_page(capture: Mapping[str, str], source: Source) -> Ask | None:
    original = capture.get("original")
    if not original:
        return None
    url = f"{api_of(source, WAYBACK)}/web/{capture['timestamp']}id_/{original}"
    return Ask(url=url, kind=DETAIL, state={"original": original, "mime": capture.get("mimetype", "")})


def crawl_page(capture: Mapping[str, str], source: Source) -> Ask | None:
    try:
        start, length = int(capture["offset"]), int(capture["length"])
    except (KeyError, ValueError):
        return None
    data = source.options.get("data")
    url = f"{data if isinstance(data, str) else DATA}/{capture['filename']}"
    headers = {"Range": f"bytes={start}-{start + length - 1}", "Accept-Encoding": "identity"}
    # The range is part of what is asked for; as a fragment it keeps two pages of one file apart.
    state = {"original": capture.get("url", ""), "warc": True}
    return Ask(url=f"{url}#{start}", kind=DETAIL, headers=headers, state=state)


def moment(timestamp: str) -> datetime | None:
    """The time of a capture, `20230205101112`.

    >>> moment("20230205101112").isoformat(), moment("2023")
    ('2023-02-05T10:11:12+00:00', None)
    """
    try:
        return datetime.strptime(timestamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def archived_in(body: bytes, ask: Ask, content_type: str, *, answered: str) -> Iterator[Entry]:
    """The archived page in an archive's answer: the bytes themselves, or a record of a WARC file.

    Wayback answers with the capture nearest in time, and follows redirects that it archived: the address that answered
    names the page and the time. Another page than the one that was looked up is `Broken`.
    """
    original, at = ask.state["original"], ask.state["at"]
    if ask.state.get("warc"):
        entries = list(read_warc(lambda offset: io.BytesIO(body[offset:])))
        yield from entries or [Broken(0, "no_answers", "the archive's answer holds no answer of a server", original)]
        return
    if len(body) > LARGEST:
        yield Broken(0, "too_large", f"an answer of more than {in_words(LARGEST)} is not read", original)
        return
    if replayed := REPLAYED.search(answered):
        at = moment(replayed["time"]) or at
        page = re.sub(r"\A(https?):/+", r"\1://", unquote(replayed["page"]))
        if not same_ad(original if "://" in original else f"http://{original}", page):
            yield Broken(0, NOT_THIS_AD, f"asked for {original}; the archive answered with {page}"[:600], original)
            return
    yield Archived(original, at, 200, ask.state["mime"] or content_type, body)


def entry_records(entry: Entry, source: str, file: str, seen_at: datetime) -> Iterator[Record]:
    """The records of an entry of an archive file; `seen_at` is for what bears no time of its own."""
    if isinstance(entry, Broken):
        yield broken_record(entry, source, file, seen_at)
    elif isinstance(entry, Archived):
        yield from archived_records(entry, source)


def broken_record(broken: Broken, source: str, file: str, seen_at: datetime) -> RejectedRecord:
    """What is kept of a record that cannot be read: its address or else its place, and the reason."""
    return RejectedRecord(
        source=source,
        url=broken.url or f"{file}:{broken.offset}",
        reason=broken.reason,
        detail=f"{file}, record at byte {broken.offset}: {broken.detail}",
        seen_at=seen_at,
    )


def archived_records(
    archived: Archived, source: str, is_article: Callable[[bytes], bool] = is_article_page
) -> Iterator[Record]:
    """Page, postings and articles of an archived page, seen when it was archived.

    A page that holds neither is no failure: an archive holds all of a site. `is_article` tells quickly whether a page
    is worth reading as an article.
    """
    if archived.status != 200 or not archived.body.strip():
        return
    digest = bytes_hash(archived.body)
    seen = Seen(source=source, url=archived.url, at=archived.at)
    try:
        with page_limit():
            records = list(_contained_content(archived, source, is_article))
    except TooCostlyError as error:
        records = [rejection(seen, error.reason, error.detail)]
    if archived.truncated:
        records.append(rejection(seen, "cut_off", "the archived page is not whole"))
    if records:
        kind = "article" if any(isinstance(record, ArticleRecord) for record in records) else "page"
        yield PageRecord(
            source=source, url=archived.url, content_hash=digest, seen_at=archived.at, kind=kind, status=archived.status
        )
        yield from records


def _contained_content(archived: Archived, source: str, is_article: Callable[[bytes], bool]) -> Iterator[Record]:
    for record in each_contained(_content(archived, source, is_article)):
        if isinstance(record, Failure):
            seen = Seen(source=source, url=archived.url, at=archived.at)
            yield rejection(seen, PARSER_FAILED, str(record))
        else:
            yield record


def _content(archived: Archived, source: str, is_article: Callable[[bytes], bool]) -> Iterator[Record]:
    seen = Seen(source=source, url=archived.url, at=archived.at, served=archived.at)
    try:
        if archived.content_type.endswith("json"):
            answer = decoded_json(archived.body)
            platform = recognise_answer(answer)
            parsed = parse_answer(platform, answer, seen) if platform else Parsed()
        elif archived.content_type in XML:
            parsed = parse_document(safe_xml(archived.body), seen)[1]
        elif archived.content_type in HTML:
            parsed = read_job_page(archived.body, seen)
        else:
            return
    except AnswerError as error:
        yield replace(rejection(seen, error.reason, error.detail), excerpt=error.excerpt)
        return
    yield from parsed.postings
    yield from parsed.rejected
    if parsed.postings or archived.content_type not in HTML:
        return
    if len(archived.body) <= LARGEST_PAGE:
        yield from _article(archived, source) if is_article(archived.body) else ()
    elif may_hold_article(archived.body, archived.body.lower()):
        detail = (
            f"{in_words(len(archived.body))}; a page of more than {in_words(LARGEST_PAGE)} is not read as an article"
        )
        yield rejection(seen, "too_large", detail)


def _article(archived: Archived, source: str) -> Iterator[Record]:
    from scraper.captures import records_of
    from scraper.pages.article import read_article
    from scraper.pages.blocks import html_blocks
    from scraper.pages.decoding import UnreadableError, decode

    try:
        article = read_article(html_blocks(decode(archived.body)))
    except UnreadableError:
        return
    if article is not None:
        where = archived.url
        yield from records_of(article, source=source, url=where, seen_at=archived.at, has_own_url=True, where=where)


def with_first_sighting(records: Iterator[Record], first: datetime, *, of: str) -> Iterator[Record]:
    """The records; the ad whose own page `of` is was open since the page's first capture, and is seen then too.

    Of other ads on the page, on a list or beside an article, the first capture says nothing.
    """
    for record in records:
        is_own = isinstance(record, RawPostingRecord) and same_ad(of, record.url or record.page_url)
        if isinstance(record, RawPostingRecord) and is_own and first < record.seen_at:
            yield replace(record, seen_at=first, partial=True)
        yield record
