"""Reads captured pages from files: nothing is downloaded, the records go down the same road as a crawl's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import scrapy
from scrapy import Request
from scrapy.http import Response

from db.files import printable
from db.records import Record, RejectedRecord, utc_now
from scraper.captures import find_files, open_capture, read_capture, unreadable
from scraper.closing import Closing
from scraper.files.finding import Skipped
from scraper.sources import Source

MOST_NOTES = 100
CUT = ("truncated", "changed")
"""Reasons that concern a whole file: the summary names it."""
NO_PAGE = "captures"
"""The scheme of the one address that is asked for."""


class NothingDownloaded:
    """Downloader middleware: answers the one request itself."""

    def process_request(self, request: Request) -> Response:
        return Response(request.url, request=request)


class CapturesSpider(scrapy.Spider):
    """Yields the records of the files and folders in `paths`."""

    name = "captures"
    custom_settings: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # Scrapy declares no ClassVar
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "DOWNLOADER_MIDDLEWARES": {"scraper.spiders.captures.NothingDownloaded": 1},
    }

    def __init__(self, source: Source, *, paths: Sequence[str] = (), **arguments: Any) -> None:
        super().__init__(name=self.name, **arguments)
        self.source = source
        self.paths = tuple(paths)

    async def start(self) -> AsyncIterator[Request]:
        # Scrapy takes the records of a response one by one, as fast as they are kept, and waits for them when it
        # closes. It does neither for records that come from here.
        yield Request(f"{NO_PAGE}://files", callback=self.read, dont_filter=True)

    def read(self, _response: Response) -> Iterator[Record]:
        """The records of all files, until the crawl closes."""
        closing = self.crawler.get_extension(Closing)
        for record in self._records():
            if closing is not None and closing.reason is not None:
                return
            yield record

    def _records(self) -> Iterator[Record]:
        seen_at = utc_now()
        for path in find_files(self.paths):
            if isinstance(path, Skipped):
                if path.failed:
                    yield unreadable(Path(path.path), OSError(0, path.reason), seen_at=seen_at, source=self.source.name)
                else:
                    self._count("jobledger/files_skipped")
                    self._note(f"skipped {printable(path.path)}: {path.reason}")
                continue
            self._count("jobledger/files")
            capture = open_capture(path, seen_at=seen_at, source=self.source.name)
            if isinstance(capture, RejectedRecord):
                yield capture
                continue
            with capture.file:
                for record in read_capture(capture):
                    if isinstance(record, RejectedRecord) and record.reason in CUT:
                        self._note(record.detail)
                    yield record

    def _note(self, line: str) -> None:
        """A line for whoever asked for this reading; the first hundred are shown."""
        if self.crawler.stats is not None:
            notes = self.crawler.stats.get_value("jobledger/notes", [])
            self.crawler.stats.set_value("jobledger/notes", [*notes, line][:MOST_NOTES])

    def _count(self, key: str) -> None:
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value(key)
