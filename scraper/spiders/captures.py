"""Reads captured pages from files: nothing is downloaded, the records go down the same road as a crawl's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import scrapy

from db.files import printable
from db.records import Record, RejectedRecord, utc_now
from scraper.captures import find_files, open_capture, read_capture, unreadable
from scraper.files.finding import Skipped
from scraper.sources import Source

MOST_NOTES = 100
CUT = ("truncated", "changed")
"""Reasons that concern a whole file: the summary names it."""


class CapturesSpider(scrapy.Spider):
    """Yields the records of the files and folders in `paths`."""

    name = "captures"

    def __init__(self, source: Source, *, paths: Sequence[str] = (), **arguments: Any) -> None:
        super().__init__(name=self.name, **arguments)
        self.source = source
        self.paths = tuple(paths)

    async def start(self) -> AsyncIterator[Record]:
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
