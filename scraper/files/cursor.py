"""A place in the unpacked bytes of a file, moved forward by whoever reads records.

Reading stays inside a member unless it is asked to go on behind its end: what stands there may be damaged, and that
must not cost the record before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scraper.files.members import OpenAt, Packing, pieces

ENOUGH: Final = 5
"""First bytes of a member that tell what begins there: `WARC/`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something begins in a file."""

    member: int
    """Offset of its member in the file; of a plain file, where reading of it began."""
    inside: int
    """Unpacked bytes from there."""


@dataclass(frozen=True, slots=True)
class _Next:
    member: int
    data: bytes
    """Its first bytes."""
    ended: bool


class Cursor:
    """Raises `Damage` from whatever reads on, where the file cannot be unpacked."""

    def __init__(self, open_at: OpenAt, packing: Packing | None, start: int = 0) -> None:
        self._pieces: Iterator[tuple[int, bytes]] = pieces(open_at, packing, start)
        self._data, self._at = b"", 0
        self._base = 0
        """Unpacked bytes before `_data`."""
        self._marks: list[tuple[int, int]] = [(0, start)]
        """(unpacked bytes before a member, its offset) of the members in `_data`."""
        self._next: _Next | None = None
        """The next member, once it was asked for."""
        self._member_ended = False
        self._file_ended = False

    def place(self) -> Place:
        position = self._base + self._at
        before, member = next(mark for mark in reversed(self._marks) if mark[0] <= position)
        return Place(member, position - before)

    @property
    def ready(self) -> int:
        """How many bytes can be read without asking the file."""
        return len(self._data) - self._at

    def fill(self) -> bool:
        """Reads on inside this member; False at its end."""
        if self._member_ended or self._file_ended:
            return False
        _, data = next(self._pieces, (0, None))
        self._file_ended, self._member_ended = data is None, not data
        if not data:
            return False
        self._append(data)
        return True

    def next_member(self) -> bytes | None:
        """The first bytes of the next member, at the end of this one; None where the file has no more."""
        while self._next is None or not (self._next.ended or len(self._next.data) >= ENOUGH):
            member, data = next(self._pieces, (0, None))
            if data is None:
                self._file_ended = True
                break
            begun = self._next.data if self._next else b""
            self._next = _Next(member, begun + data, ended=not data)
        return None if self._next is None else self._next.data

    def cross(self) -> bool:
        """Takes the next member's bytes behind those of this one; False where the file has no more."""
        if self.next_member() is None or self._next is None:
            return False
        following, self._next = self._next, None
        self._member_ended = following.ended
        self._marks.append((self._base + len(self._data), following.member))
        self._append(following.data)
        return True

    def _append(self, data: bytes) -> None:
        if self._at:
            self._base += self._at
            self._data, self._at = self._data[self._at :], 0
            passed = sum(before <= self._base for before, _ in self._marks)
            self._marks = self._marks[max(0, passed - 1) :]
        self._data = self._data + data if self._data else data

    def peek(self, count: int) -> bytes:
        """The next bytes, fewer at the end of the member."""
        while self.ready < count and self.fill():
            pass
        return self._data[self._at : self._at + count]

    def ahead(self, pattern: re.Pattern[bytes], most: int) -> tuple[int, int] | None:
        """How far ahead a pattern begins and ends in the bytes that are ready, of which `most` are looked at."""
        found = pattern.search(self._data, self._at, min(len(self._data), self._at + most))
        return None if found is None else (found.start() - self._at, found.end() - self._at)

    def skip(self, count: int) -> None:
        """Moves over bytes that are ready."""
        self._at += count

    def take(self, count: int) -> bytes:
        """The next bytes that are ready, at most `count`."""
        data = self._data[self._at : self._at + count]
        self._at += len(data)
        return data
