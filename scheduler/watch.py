"""The sources file, read again when it changes: a broken one keeps the old timetable and says why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from scraper.sources import PACKAGED, Source, SourceError, load_sources

logger = logging.getLogger(__name__)


class WatchedSources:
    """The entries of a sources file as last read without error; `error` says what is wrong with it now, if anything."""

    def __init__(self, path: Path | None, load: Callable[[Path | None], tuple[Source, ...]] = load_sources) -> None:
        """Reads the file; raises `SourceError` when it cannot be used: there is no older timetable to keep."""
        self.path, self._load = path, load
        self.error: str | None = None
        self._content = self._read()
        self.sources = load(path)

    def _read(self) -> bytes | None:
        try:
            return (self.path or PACKAGED).read_bytes()
        except OSError:
            return None

    def refresh(self) -> bool:
        """Reads the file again if its content differs; whether there is a new timetable to follow."""
        content = self._read()
        if content == self._content:
            return False
        self._content = content
        try:
            self.sources = self._load(self.path)
        except SourceError as error:
            self.error = str(error)
            logger.error("the sources file cannot be used, the old timetable stays: %s", error)
            return False
        self.error = None
        logger.info("sources read again: %d entries", len(self.sources))
        return True
