"""The sources file, read again when it changes: a broken one keeps the old timetable and says why, once.

A change counts when two looks in a row find the same content: a file that is just being written is no new timetable.
An entry whose spider is absent or broken keeps its own old version, if it had one; every other entry is followed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from scraper.sources import PACKAGED, Source, SourceError, decoded_sources, read_sources_file
from scraper.spider_files import spider_fault

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at the disk found."""

    content: bytes | None
    error: str
    """Why there is no content."""
    spiders: tuple[tuple[str, int, int], ...]
    """Name, time of change and size of each file in the folder of own spiders."""


class WatchedSources:
    """The entries of a sources file as last read without error; `error` says what is wrong with it now, if anything."""

    def __init__(self, path: Path | None, spiders: Path | None = None) -> None:
        """Reads the file; raises `SourceError` when it cannot be used: there is no older timetable to keep."""
        self.path, self.spiders = path or PACKAGED, spiders
        self.error: str | None = None
        self.sources: tuple[Source, ...] = ()
        self._seen = self._changing = self._look()
        self.sources = self._followed(self._seen)

    def refresh(self, *, at_once: bool = False) -> bool:
        """Looks at the file; whether there is a new timetable to follow. `at_once`: its writer calls it whole."""
        look = self._look()
        if look == self._seen:
            self._changing = look
            return False
        if look != self._changing and not at_once:
            self._changing = look
            return False
        self._seen = self._changing = look
        try:
            self.sources = self._followed(look)
        except SourceError as error:
            self.error = str(error)
            logger.error("the sources file cannot be used, the old timetable stays: %s", error)
            return False
        logger.info("sources read again: %d entries", len(self.sources))
        return True

    def _look(self) -> _Look:
        try:
            return _Look(read_sources_file(self.path), "", _files(self.spiders))
        except SourceError as error:
            return _Look(None, error.reason, _files(self.spiders))

    def _followed(self, look: _Look) -> tuple[Source, ...]:
        """The entries to follow, and in `error` what is wrong with single ones. Raises `SourceError`."""
        if look.content is None:
            raise SourceError(str(self.path), reason=look.error)
        before = {source.name: source for source in self.sources}
        found, faults = [], []
        for source in decoded_sources(look.content, self.path, spiders=self.spiders):
            fault = spider_fault(source) if source.enabled else None
            if fault is not None:
                faults.append(f"{source.name}: {fault}")
                kept = "the old timetable stays for it" if source.name in before else "its runs fail until it is mended"
                logger.error("source %s cannot be used, %s: %s", source.name, kept, fault)
            found.append(before.get(source.name, source) if fault is not None else source)
        self.error = "; ".join(faults) or None
        return tuple(found)


def _files(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    if folder is None:
        return ()
    found = []
    try:
        for file in folder.glob("*.py"):
            state = file.stat()
            found.append((file.name, state.st_mtime_ns, state.st_size))
    except OSError:  # a file that is just being replaced, a folder that is away: the next look sees
        return ()
    return tuple(sorted(found))
