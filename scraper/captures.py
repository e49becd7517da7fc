"""Captured pages: files to records, without a network, down the same road as a crawl.

A capture's page is named after its bytes and its file name (`capture:5d41402abc4b:article.txt`), so the same file is
the same page wherever it lies and in whatever order it is read. What a file is, its ending says (`READERS`).
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path, PurePath
from typing import BinaryIO, Final
from urllib.parse import urljoin

from db.records import (
    ArticleRecord,
    ArticleSectionRecord,
    PageRecord,
    RawPostingRecord,
    Record,
    RejectedRecord,
)
from scraper.limits import LONGEST_ARTICLE, TooCostlyError, limited, too_large
from scraper.pages.article import Article, read_article
from scraper.pages.blocks import html_blocks, text_blocks
from scraper.pages.decoding import UnreadableError, decode
from scraper.pages.jobcards import JobCard, job_id, read_cards, read_job
from scraper.sources import Source, captures_source

SOURCE: Final = "captures"

NO_PAGES: Final = ("expected.json", "README*", "LICENSE*", "CHANGELOG*", "*.md", ".*", "*~", "__pycache__", "Thumbs.db")
"""Names of files and folders that lie among captures and are none: skipped, and said so."""

LARGEST_CAPTURE: Final = 64 * 1024 * 1024
"""Bytes of one page or answer; archives are read piece by piece and may be larger."""
CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Capture:
    """One captured file, opened."""

    name: str
    """The file's name without its folders."""
    file: BinaryIO
    size: int
    digest: str
    """BLAKE2b of the bytes, hexadecimal."""
    seen_at: datetime
    source: str = SOURCE

    @property
    def url(self) -> str:
        return f"capture:{self.digest[:12]}:{self.name}"

    def data(self) -> bytes:
        self.file.seek(0)
        return self.file.read()

    def page(self, kind: str) -> PageRecord:
        return PageRecord(source=self.source, url=self.url, content_hash=self.digest, seen_at=self.seen_at, kind=kind)

    def rejected(self, reason: str, detail: str, excerpt: str = "") -> RejectedRecord:
        return RejectedRecord(
            source=self.source,
            url=self.url,
            reason=reason,
            detail=f"{self.name}: {detail}",
            seen_at=self.seen_at,
            excerpt=excerpt[:500],
        )


Reader = Callable[[Capture], Iterable[Record]]

READERS: Final = {
    ".txt": "scraper.captures:read_text",
    ".text": "scraper.captures:read_text",
    ".html": "scraper.captures:read_html",
    ".htm": "scraper.captures:read_html",
    ".xhtml": "scraper.captures:read_html",
    ".json": "scraper.captured_answers:read_json",
    ".jsonld": "scraper.captured_answers:read_json",
    ".json.gz": "scraper.captured_answers:read_json",
    ".jsonl": "scraper.captured_answers:read_jsonl",
    ".ndjson": "scraper.captured_answers:read_jsonl",
    ".jsonl.gz": "scraper.captured_answers:read_jsonl",
    ".xml": "scraper.captured_answers:read_xml",
    ".rss": "scraper.captured_answers:read_xml",
    ".atom": "scraper.captured_answers:read_xml",
    ".xml.gz": "scraper.captured_answers:read_xml",
    ".warc": "scraper.captured_answers:read_archive",
    ".warc.gz": "scraper.captured_answers:read_archive",
}
"""What reads a file, by its ending: `module:function`, imported when first needed."""


def read_capture(capture: Capture) -> Iterator[Record]:
    """The records of one captured file; a `RejectedRecord` when it cannot be read or is nothing that we know."""
    if (reader := reader_of(capture.name)) is None:
        endings = ", ".join(sorted(READERS))
        yield capture.rejected("unknown_kind", f"no reader for this kind of file; known are {endings}")
        return
    if capture.size == 0:
        yield capture.rejected("empty", "the file holds nothing")
        return
    try:
        yield from reader(capture)
    except UnreadableError as error:
        yield capture.rejected(error.reason, str(error))
    except TooCostlyError as error:
        yield capture.rejected(error.reason, error.detail)


def reader_of(name: str) -> Reader | None:
    """The reader for a file name: its longest ending counts, so that `.warc.gz` goes before `.gz`."""
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    for start in range(len(suffixes)):
        if found := READERS.get("".join(suffixes[start:])):
            module, function = found.split(":")
            reader: Reader = getattr(import_module(module), function)
            return reader
    return None


@limited
def read_text(capture: Capture) -> Iterator[Record]:
    """The article in a text capture."""
    text = decode(_limited(capture))
    if (article := read_article(text_blocks(text))) is not None:
        yield from article_records(capture, article)
    else:
        yield not_an_article(capture, text)


_JSON_LD: Final = re.compile(rb"JobPosting", re.IGNORECASE)


@limited
def read_html(capture: Capture) -> Iterator[Record]:
    """What a saved HTML page holds: job ads in schema.org markup, a page of the articles site, or an article.

    What a page declares and cannot be read is reported, whatever else it holds.
    """
    data = _limited(capture)
    text = decode(data)
    declared = list(_job_postings(capture, data)) if _JSON_LD.search(data) else []
    if any(isinstance(record, RawPostingRecord) for record in declared):
        yield capture.page("posting")
    else:
        found = list(_shown(capture, text))
        yield from found or ([] if declared else [not_an_article(capture, text)])
    yield from declared


def _shown(capture: Capture, text: str) -> Iterator[Record]:
    """What a page shows without declaring it: a job, an article or job cards."""
    source = captures_source()
    if why := too_large(len(text), LONGEST_ARTICLE):
        yield capture.rejected("too_large", why)
    elif (job := read_job(text)) is not None:
        yield capture.page("posting")
        yield posting_of_card(job, source=source, page_url=capture.url, seen_at=capture.seen_at, partial=False)
    elif (article := read_article(html_blocks(text))) is not None:
        yield from article_records(capture, article)
    elif cards := read_cards(text):
        yield capture.page("listing")
        for card in cards:
            yield posting_of_card(card, source=source, page_url=capture.url, seen_at=capture.seen_at, partial=True)


def _job_postings(capture: Capture, data: bytes) -> Iterator[Record]:
    """The job ads that a page declares in schema.org markup, and what of them could not be read."""
    from scraper.answers import Seen
    from scraper.pages.jobposting import read_job_page

    parsed = read_job_page(data, Seen(source=capture.source, url=capture.url, at=capture.seen_at))
    yield from parsed.postings
    yield from parsed.rejected


def not_an_article(capture: Capture, text: str) -> RejectedRecord:
    return capture.rejected("not_an_article", "no title with article, and no job", " ".join(text[:2000].split()))


def article_records(capture: Capture, article: Article) -> Iterator[Record]:
    """Page, article and postings of a captured article."""
    yield capture.page("article" if article.title else "listing")
    yield from records_of(
        article, source=capture.source, url=capture.url, seen_at=capture.seen_at, has_own_url=False, where=capture.name
    )


def records_of(
    article: Article, *, source: str, url: str, seen_at: datetime, has_own_url: bool, where: str
) -> Iterator[Record]:
    """The records of a parsed article; `where` names it in what is rejected."""
    if article.title is not None:
        yield ArticleRecord(
            source=source,
            url=url,
            title=article.title,
            seen_at=seen_at,
            subtitle=article.subtitle,
            read_minutes=article.read_minutes,
            published_on=article.published_on,
            has_own_url=has_own_url,
            sections=tuple(
                ArticleSectionRecord(
                    position=position, heading=section.heading, subheading=section.subheading, text=section.text
                )
                for position, section in enumerate(article.sections)
            ),
            salary_insight_links=article.salary_insight_links,
        )
    for job in article.jobs:
        if job.title is None or not job.complete:
            missing = "title" if job.title is None else "company line"
            named = " ".join(str(part) for part in (job.title, job.company, job.place) if part)
            yield RejectedRecord(
                source=source,
                url=url,
                reason="missing_field",
                detail=f"{where}: featured job without {missing}: {named}",
                seen_at=seen_at,
                excerpt=" | ".join(part or "" for part in (job.employment_text, job.level_text, job.salary_text)),
            )
            continue
        number = job_id(job.link) if job.link else None
        address = urljoin(url, job.link) if job.link and url.startswith("http") else None
        yield RawPostingRecord(
            source=source,
            title_text=job.title,
            page_url=url,
            seen_at=seen_at,
            source_id=f"job:{number}" if number else None,
            partial=number is not None,  # its own page says more
            url=address,
            company_text=job.company,
            location_text=job.place,
            employment_text=job.employment_text,
            level_text=job.level_text,
            salary_text=job.salary_text,
        )


def posting_of_card(
    card: JobCard, *, source: Source, page_url: str, seen_at: datetime, partial: bool
) -> RawPostingRecord:
    """The posting that a card or job page of the articles site shows; `partial` for a card."""
    return RawPostingRecord(
        source=source.name,
        source_id=f"job:{card.id}" if card.id else None,
        title_text=card.title,
        page_url=page_url,
        seen_at=seen_at,
        url=card.url,
        company_text=card.company,
        location_text=card.place,
        workplace_text=card.workplace,
        employment_text=card.employment,
        level_text=card.level,
        salary_text=card.salary,
        pay_is_estimate=card.is_estimate,
        description_text=card.description,
        country_hint=source.country,
        currency_hint=source.currency,
        language=source.language,
        partial=partial,
        payload=card.payload,
    )


def _limited(capture: Capture) -> bytes:
    if capture.size > LARGEST_CAPTURE:
        size, most = capture.size // 1_000_000, LARGEST_CAPTURE // 1_000_000
        raise UnreadableError("too_large", f"{size} MB; a page of more than {most} MB is not read")
    return capture.data()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A path that is no capture, and why."""

    path: str
    reason: str


def find_files(paths: Sequence[str]) -> Iterator[Path | Skipped]:
    """The files below `paths`, folders walked in sorted order, each file once; and what is skipped by its name.

    A path that does not exist is handed on, so that reading it reports it.
    """
    seen: set[Path] = set()
    for given in paths:
        path = Path(given)
        for one in _walk(path) if path.is_dir() else (_skipped(path) if _is_no_page(path) else path,):
            if isinstance(one, Skipped):
                yield one
            elif (real := one.resolve()) not in seen:
                seen.add(real)
                yield one


def _walk(folder: Path) -> Iterator[Path | Skipped]:
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if _is_no_page(path):
            yield _skipped(path)
        elif path.is_dir():
            if not path.is_symlink():  # a link to a folder above would never end
                yield from _walk(path)
        else:
            yield path


def _is_no_page(path: Path) -> bool:
    return any(fnmatch.fnmatchcase(path.name, pattern) for pattern in NO_PAGES)


def _skipped(path: Path) -> Skipped:
    return Skipped(str(path), "its name says that it is no page")


def open_capture(path: Path, *, seen_at: datetime, source: str = SOURCE) -> Capture | RejectedRecord:
    """A file ready for reading, or the record that says why it cannot be read."""
    try:
        file = path.open("rb")
        digest = hashlib.blake2b(digest_size=16)
        size = 0
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    except OSError as error:
        detail = f"{path}: {error.strerror or error}"
        return RejectedRecord(
            source=source, url=f"capture::{path.name}", reason="unreadable", detail=detail, seen_at=seen_at
        )
    return Capture(path.name, file, size, digest.hexdigest(), seen_at, source)
