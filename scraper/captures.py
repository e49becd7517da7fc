"""Captured pages: files to records, without a network, down the same road as a crawl.

A capture's page is named after its bytes and its file name (`capture:5d41402abc4b:article.txt`), so the same file is
the same page wherever it lies and in whatever order it is read. What a file is, its ending says (`READERS`).
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path, PurePath
from typing import BinaryIO, Final

from db.contained import Failure, contained, each_contained
from db.files import (
    LARGEST,
    LARGEST_PAGE,
    FilePart,
    FileRefused,
    in_words,
    open_file,
    printable,
    require_size,
)
from db.records import (
    ArticleRecord,
    ArticleSectionRecord,
    PageRecord,
    RawPostingRecord,
    Record,
    RejectedRecord,
)
from db.rejected import PARSER_FAILED
from scraper.files.finding import Skipped, files_below, is_folder, real_path
from scraper.files.unpacking import unpacked
from scraper.pages.addresses import absolute
from scraper.pages.article import Article, read_article
from scraper.pages.blocks import html_blocks, text_blocks
from scraper.pages.decoding import UnreadableError, decode
from scraper.pages.featured import FeaturedJob
from scraper.pages.jobcards import JobCard, job_id, read_cards, read_job
from scraper.pages.rows import AnswerError
from scraper.sources import Source, captures_source

SOURCE: Final = "captures"

NO_PAGES: Final = ("expected.json", "README*", "LICENSE*", "CHANGELOG*", "*.md", ".*", "*~", "__pycache__", "Thumbs.db")
"""Names of files and folders that lie among captures and are none: skipped, and said so."""

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

    def data(self, most: int = LARGEST) -> bytes:
        """The whole content, unpacked where it is packed. Raises `UnreadableError` for more than `most` bytes."""
        try:
            require_size(self.size)
            content = unpacked(FilePart(self.file, self.size).read())
            require_size(len(content), most)
        except FileRefused as error:
            raise UnreadableError(error.reason, str(error)) from error
        except AnswerError as error:
            raise UnreadableError(error.reason, error.detail) from error
        return content

    def open_at(self, offset: int) -> FilePart:
        """A stream of the content from this byte on, for files of any size."""
        return FilePart(self.file, self.size, offset)

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
    ".jsonl": "scraper.captured_answers:read_jsonl",
    ".ndjson": "scraper.captured_answers:read_jsonl",
    ".xml": "scraper.captured_answers:read_xml",
    ".rss": "scraper.captured_answers:read_xml",
    ".atom": "scraper.captured_answers:read_xml",
    ".warc": "scraper.captured_answers:read_archive",
}
"""What reads a file, by its ending: `module:function`, imported when first needed. Packed ones too, as `.json.gz`."""
PIECE_BY_PIECE: Final = (".jsonl", ".ndjson", ".warc")
"""Endings of files of any size: they are read line by line or record by record."""
PACKED: Final = (".gz", ".zst")


def read_capture(capture: Capture) -> Iterator[Record]:
    """The records of one captured file; a `RejectedRecord` when it cannot be read or is nothing that we know."""
    if (reader := reader_of(capture.name)) is None:
        endings = ", ".join(sorted(READERS))
        yield capture.rejected("unknown_kind", f"no reader for this kind of file; known are {endings}, and these + .gz")
        return
    if capture.size == 0:
        yield capture.rejected("empty", "the file holds nothing")
        return
    for record in each_contained(_read(capture, reader)):
        yield capture.rejected(PARSER_FAILED, str(record)) if isinstance(record, Failure) else record


def _read(capture: Capture, reader: Reader) -> Iterator[Record]:
    try:
        yield from reader(capture)
    except UnreadableError as error:
        yield capture.rejected(error.reason, str(error))
    except OSError as error:
        yield capture.rejected("unreadable", f"reading it failed ({error.strerror or error})")
    size = os.fstat(capture.file.fileno()).st_size
    if size != capture.size:
        detail = f"had {capture.size:,} bytes at first and {size:,} when it was read; read again when it is complete"
        yield capture.rejected("changed", detail)


def reader_of(name: str) -> Reader | None:
    """The reader for a file name, by its ending; one that says how the file is packed is not looked at."""
    if (found := READERS.get(ending_of(name))) is None:
        return None
    module, function = found.split(":")
    reader: Reader = getattr(import_module(module), function)
    return reader


def ending_of(name: str) -> str:
    """
    >>> ending_of("a.b.HTML"), ending_of("a.jsonl.gz"), ending_of("README")
    ('.html', '.jsonl', '')
    """
    path = PurePath(name)
    return (PurePath(path.stem) if path.suffix.lower() in PACKED else path).suffix.lower()


def read_text(capture: Capture) -> Iterator[Record]:
    """The article in a text capture."""
    text = decode(capture.data(LARGEST_PAGE))
    if (article := read_article(text_blocks(text))) is not None:
        yield from article_records(capture, article)
    else:
        yield not_an_article(capture, text)


_JSON_LD: Final = re.compile(rb"JobPosting", re.IGNORECASE)


def read_html(capture: Capture) -> Iterator[Record]:
    """What a saved HTML page holds: job ads in schema.org markup, a page of the articles site, or an article.

    What a page declares and cannot be read is reported, whatever else it holds.
    """
    data = capture.data()
    text = decode(data)
    declared = list(_job_postings(capture, data)) if _JSON_LD.search(data) else []
    if any(isinstance(record, RawPostingRecord) for record in declared):
        yield capture.page("posting")
    elif len(data) > LARGEST_PAGE:
        detail = f"{in_words(len(data))}; of a page of more than {in_words(LARGEST_PAGE)} only what it declares is read"
        yield capture.rejected("too_large", detail)
    else:
        found = list(_shown(capture, text))
        yield from found or ([] if declared else [not_an_article(capture, text)])
    yield from declared


def _shown(capture: Capture, text: str) -> Iterator[Record]:
    """What a page shows without declaring it: a job, an article or job cards."""
    source = captures_source()
    if (job := read_job(text)) is not None:
        yield capture.page("posting")
        yield posting_of_card(job, source=source, page_url=capture.url, seen_at=capture.seen_at, partial=False)
    elif (article := read_article(html_blocks(text))) is not None:
        yield from article_records(capture, article)
    elif cards := read_cards(text):
        yield capture.page("listing")
        for number, card in enumerate(cards, 1):
            yield card_record(card, number, source=source, page_url=capture.url, seen_at=capture.seen_at)


def _job_postings(capture: Capture, data: bytes) -> Iterator[Record]:
    """The job ads that a page declares in schema.org markup, and what of them could not be read."""
    from scraper.answers import Seen
    from scraper.pages.jobposting import read_job_page

    parsed = contained(read_job_page, data, Seen(source=capture.source, url=capture.url, at=capture.seen_at))
    if isinstance(parsed, Failure):
        yield capture.rejected(PARSER_FAILED, str(parsed))
        return
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
    for number, job in enumerate(article.jobs, 1):
        record = contained(_featured, job, source=source, url=url, seen_at=seen_at, where=where)
        if isinstance(record, Failure):
            detail = f"{where}: {record}; featured job {number}"
            record = RejectedRecord(source=source, url=url, reason=PARSER_FAILED, detail=detail, seen_at=seen_at)
        yield record


def _featured(
    job: FeaturedJob, *, source: str, url: str, seen_at: datetime, where: str
) -> RawPostingRecord | RejectedRecord:
    """The posting that an article features."""
    if job.title is None or not job.complete:
        missing = "title" if job.title is None else "company line"
        named = " ".join(str(part) for part in (job.title, job.company, job.place) if part)
        return RejectedRecord(
            source=source,
            url=url,
            reason="missing_field",
            detail=f"{where}: featured job without {missing}: {named}",
            seen_at=seen_at,
            excerpt=" | ".join(part or "" for part in (job.employment_text, job.level_text, job.salary_text)),
        )
    number = job_id(job.link) if job.link else None
    address = absolute(url, job.link) if job.link and url.startswith("http") else None
    return RawPostingRecord(
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


def card_record(
    card: JobCard | Failure, number: int, *, source: Source, page_url: str, seen_at: datetime
) -> RawPostingRecord | RejectedRecord:
    """A card of a list as a posting, or as what could not be read."""
    made: RawPostingRecord | Failure
    if isinstance(card, Failure):
        made = card
    else:
        made = contained(posting_of_card, card, source=source, page_url=page_url, seen_at=seen_at, partial=True)
    if isinstance(made, RawPostingRecord):
        return made
    detail = f"{page_url}: {made}; job card {number}"
    return RejectedRecord(source=source.name, url=page_url, reason=PARSER_FAILED, detail=detail, seen_at=seen_at)


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


def find_files(paths: Sequence[str]) -> Iterator[Path | Skipped]:
    """The files below `paths`, folders walked in sorted order, each file once; and what is passed over.

    A path that does not exist is handed on, so that reading it reports it.
    """
    seen: set[str] = set()
    for given in paths:
        path = Path(given)
        if is_folder(path):
            found: Iterable[Path | Skipped] = files_below(path, _named_as_no_page)
        else:
            found = (path if (why := _named_as_no_page(path)) is None else Skipped(str(path), why),)
        for one in found:
            if isinstance(one, Skipped):
                yield one
            elif (real := real_path(one)) not in seen:
                seen.add(real)
                yield one


def _named_as_no_page(path: Path) -> str | None:
    is_other = any(fnmatch.fnmatchcase(path.name, pattern) for pattern in NO_PAGES)
    return "its name says that it is no page" if is_other else None


def open_capture(path: Path, *, seen_at: datetime, source: str = SOURCE) -> Capture | RejectedRecord:
    """A file ready for reading, or the record that says why it cannot be read.

    What the file has now is read; what is written behind it meanwhile is not.
    """
    try:
        file = open_file(path)
    except OSError as error:
        return unreadable(path, error, seen_at=seen_at, source=source)
    try:
        size, digest = os.fstat(file.fileno()).st_size, hashlib.blake2b(digest_size=16)
        ending = ending_of(path.name)
        if ending in READERS and ending not in PIECE_BY_PIECE:
            require_size(size)
        content = FilePart(file, size if ending in READERS else 0)
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    except OSError as error:
        file.close()
        return unreadable(path, error, seen_at=seen_at, source=source)
    return Capture(printable(path.name), file, size, digest.hexdigest(), seen_at, source)


def unreadable(path: Path, error: OSError, *, seen_at: datetime, source: str = SOURCE) -> RejectedRecord:
    """The record of a path that cannot be read."""
    return RejectedRecord(
        source=source,
        url=f"capture::{printable(path.name)}",
        reason=error.reason if isinstance(error, FileRefused) else "unreadable",
        detail=f"{printable(str(path))}: {error.strerror or error}",
        seen_at=seen_at,
    )
