"""WARC files: the answers of servers in them, one after the other, whatever stands between them.

`read_warc` is the only reader of WARC files. A record that cannot be read is a `Broken` with its place and the reason,
and reading goes on at the next record. A record is handed out only after its end was checked, so the checksum of its
gzip member is known to be right and its length is known to be its own. Memory holds one record of at most `LARGEST`
bytes.

Read are `response` records and, where they say what they hold, `resource` records of web addresses. All other types
(`request`, `metadata`, `warcinfo`, `revisit`, `conversion`, `continuation`) hold no page of their own and are passed
over.

Format: https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scraper.files.cursor import Cursor, Place
from scraper.files.members import Damage, OpenAt, Packing, next_member, recognised
from scraper.files.records import LONGEST_HEAD, MAGIC, RECORD, Broken, Entry, FaultyError, Record, begins_record

FAR: Final = 16_000_000
MOST_FAR: Final = 20
"""After so many returns over more than `FAR` bytes a file's lengths are no longer trusted: a record ends where the next
one begins. Otherwise a file of false lengths would be read again for each of its records."""
LONGEST_MARK: Final = 64
"""Bytes that `RECORD` may match."""


def read_warc(open_at: OpenAt) -> Iterator[Entry]:
    """The answers in a WARC file, plain or packed with gzip or zstd, in its order. Raises what `open_at` raises."""
    return _Reading(open_at).entries()


class _Reading:
    """One reading of one file."""

    def __init__(self, open_at: OpenAt) -> None:
        self._packing: Packing | None
        self._packing, self._open_at = recognised(open_at)
        self._cursor: Cursor | None = Cursor(self._open_at, self._packing)
        self._number = 0
        self._in_blocks = False
        """Whether a record was seen that goes on in the next member."""
        self._is_between = False
        """Whether reading stands somewhere inside a record, behind a damage."""
        self._far = 0

    def entries(self) -> Iterator[Entry]:
        place = Place(0, 0)
        while (cursor := self._cursor) is not None:
            place = cursor.place()
            record: Record | None = None
            self._number += 1
            try:
                if not (_search(cursor, 0) if self._is_between else _to_next(cursor)):
                    return
                self._is_between = False
                place = cursor.place()
                record = Record(cursor, self._offset(place), self._number, wary=self._far > MOST_FAR)
                entry = record.read()
            except FaultyError as fault:
                yield from self._after_fault(place, fault)
            except Damage as damage:
                yield from self._after_damage(damage) if record is None else self._cut(record, place, damage)
            else:
                self._in_blocks = self._in_blocks or record.crossed
                if entry is not None:
                    yield entry

    def _offset(self, place: Place) -> int:
        return place.member + (place.inside if self._packing is None else 0)

    def _broken(self, place: Place, fault: FaultyError) -> Broken:
        return Broken(self._offset(place), fault.reason, str(fault)[:300], fault.url, self._number)

    def _after_fault(self, place: Place, fault: FaultyError) -> Iterator[Broken]:
        """Names a record at `place` and goes to the next record behind its beginning."""
        reached = self._cursor.place() if self._cursor is not None else place
        self._far += max(self._offset(reached) - self._offset(place), reached.inside - place.inside) > FAR
        damage: Damage | None = None
        start = self._offset(place) if self._packing is None else place.member
        cursor = self._cursor = Cursor(self._open_at, self._packing, start)
        try:
            is_found = _search(cursor, 1 if self._packing is None else place.inside + 1)
        except Damage as error:
            damage, is_found = error, False
        if fault.reason == "truncated" and (is_found or damage is not None):
            fault = FaultyError("wrong_length", "its length reaches over the next record", fault.url)
        yield self._broken(place, fault)
        if damage is not None:
            yield from self._after_damage(damage, is_named=damage.member == place.member)
        elif not is_found:
            self._cursor = None

    def _cut(self, record: Record, place: Place, damage: Damage) -> Iterator[Broken]:
        """Names a record that began at `place` and what damaged it, which may lie in a later member."""
        self._in_blocks = self._in_blocks or record.crossed
        is_elsewhere = damage.member != place.member
        if is_elsewhere:
            detail = f"its end lies in a damaged member ({damage})"
            yield self._broken(place, FaultyError("broken_record", detail, record.url))
        yield from self._after_damage(damage, record.url, is_named=is_elsewhere and self._in_blocks)

    def _after_damage(self, damage: Damage, url: str = "", *, is_named: bool = False) -> Iterator[Broken]:
        """Names a damaged member and goes to the next one in which a record begins."""
        start = self._next_member(damage.member)
        if start is None and not self._in_blocks:
            self._in_blocks = True  # no other member begins with a record, so perhaps none has to
            start = self._next_member(damage.member)
        self._cursor = None if start is None else Cursor(self._open_at, self._packing, start)
        self._is_between = self._in_blocks
        is_end = start is None and damage.ends_at is not None
        if not is_named:
            detail = f"the file ends inside a record, at byte {damage.ends_at}" if is_end else str(damage)
            reason = "truncated" if is_end else "broken_record"
            yield Broken(damage.member, reason, detail, url, self._number)

    def _next_member(self, after: int) -> int | None:
        if self._packing is None:
            return None
        return next_member(self._open_at, self._packing, after, begins_record, any_whole=self._in_blocks)


def _to_next(cursor: Cursor) -> bool:
    """Moves over blank lines, also into the next member; False at the end of the file."""
    while True:
        data = cursor.peek(max(1, min(cursor.ready, 1_024)))
        rest = data.lstrip(b"\r\n")
        cursor.skip(len(data) - len(rest))
        if rest:
            return True
        if not data and not cursor.cross():
            return False


def _search(cursor: Cursor, skipped: int) -> bool:
    """Moves to the next record behind so many bytes; False where the file has none."""
    if skipped == 0 and begins_record(cursor.peek(len(MAGIC))):
        return True
    while skipped > 0 and (cursor.ready or cursor.fill() or cursor.cross()):
        skipped -= len(cursor.take(skipped))
    while True:
        data = cursor.peek(LONGEST_HEAD)
        if (found := RECORD.search(data)) is not None:
            cursor.skip(found.start() + 1)
            return True
        cursor.skip(max(0, len(data) - LONGEST_MARK))
        if len(data) == LONGEST_HEAD:
            continue
        following = cursor.next_member()
        if following is None:
            return False
        if begins_record(following):
            cursor.skip(cursor.ready)
            return cursor.cross()
        cursor.cross()
