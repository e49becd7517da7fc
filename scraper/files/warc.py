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

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from db.files import LARGEST, in_words
from scraper.files.bodies import BodyError, decoded
from scraper.files.cursor import Cursor, Place
from scraper.files.members import Damage, OpenAt, Packing, next_member, recognised

HTML: Final = ("text/html", "application/xhtml+xml", "")
XML: Final = ("application/xml", "text/xml", "application/rss+xml", "application/atom+xml")
VERSIONS: Final = ("0.17", "0.18", "1.0", "1.1")
LONGEST_HEAD: Final = 65_536
"""Bytes of the fields of a record, and of the head of an answer."""
FAR: Final = 16_000_000
MOST_FAR: Final = 20
"""After so many returns over more than `FAR` bytes a file's lengths are no longer trusted: a record ends where the next
one begins. Otherwise a file of false lengths would be read again for each of its records."""

_MAGIC: Final = b"WARC/"
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
_STATUS: Final = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)")
_RECORD: Final = re.compile(rb"\nWARC/\d\.\d{1,2}\r?\n[A-Za-z-]{3,40}:")
"""Where a record begins inside other bytes."""
LONGEST_MARK: Final = 64
"""Bytes that `_RECORD` may match."""


@dataclass(frozen=True, slots=True)
class Archived:
    """One answer 200 of a type that may hold a job, as archived, without its encodings."""

    url: str
    at: datetime
    status: int
    content_type: str
    body: bytes
    truncated: bool = False
    """The archive kept only a part of the body."""
    offset: int = 0
    """Where its record begins in the file, in bytes; in a packed file its member."""
    number: int = 0
    """Which record of the file it is, from 1 on."""
    first: datetime | None = None
    """When the page was first archived, where that is known from elsewhere."""


@dataclass(frozen=True, slots=True)
class Other:
    """An answer that is not looked into: another status, a picture."""

    offset: int
    number: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be read."""

    offset: int
    reason: str
    """broken_record, broken_http, broken_body, wrong_length, too_large, truncated."""
    detail: str
    url: str = ""
    number: int = 0


Entry = Archived | Other | Broken


class _FaultyError(Exception):
    """The record's beginning or end is not where it should be, so the next record has to be searched."""

    def __init__(self, reason: str, detail: str, url: str = "") -> None:
        super().__init__(detail)
        self.reason, self.url = reason, url


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
        self._far = 0

    def entries(self) -> Iterator[Entry]:
        place = Place(0, 0)
        while (cursor := self._cursor) is not None:
            place = cursor.place()
            record: _Record | None = None
            self._number += 1
            try:
                if not _to_next(cursor):
                    return
                place = cursor.place()
                record = _Record(cursor, self._offset(place), self._number, wary=self._far > MOST_FAR)
                entry = record.read()
                self._in_blocks = self._in_blocks or record.crossed
            except _FaultyError as fault:
                yield from self._after_fault(place, fault)
            except Damage as damage:
                if record is not None and damage.member != place.member:
                    yield self._broken(
                        place, _FaultyError("broken_record", "its end lies in a damaged member", record.url)
                    )
                yield from self._after_damage(damage, "" if record is None else record.url)
            else:
                if entry is not None:
                    yield entry

    def _offset(self, place: Place) -> int:
        return place.member + (place.inside if self._packing is None else 0)

    def _broken(self, place: Place, fault: _FaultyError) -> Broken:
        return Broken(self._offset(place), fault.reason, str(fault)[:300], fault.url, self._number)

    def _after_fault(self, place: Place, fault: _FaultyError) -> Iterator[Broken]:
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
            fault = _FaultyError("wrong_length", "its length reaches over the next record", fault.url)
        yield self._broken(place, fault)
        if damage is not None:
            yield from self._after_damage(damage, "", is_named=damage.member == place.member)
        elif not is_found:
            self._cursor = None

    def _after_damage(self, damage: Damage, url: str, *, is_named: bool = False) -> Iterator[Broken]:
        """Names a damaged member and goes to the next one in which a record begins."""
        start = None
        if self._packing is not None:
            start = next_member(self._open_at, self._packing, damage.member, _begins, any_whole=self._in_blocks)
        self._cursor = None if start is None else Cursor(self._open_at, self._packing, start)
        is_end = start is None and damage.ends_at is not None
        if not is_named:
            detail = f"the file ends inside a record, at byte {damage.ends_at}" if is_end else str(damage)
            reason = "truncated" if is_end else "broken_record"
            yield Broken(damage.member, reason, detail, url, self._number)


def _begins(data: bytes) -> bool:
    return data.startswith(_MAGIC)


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
    while skipped > 0 and (cursor.ready or cursor.fill() or cursor.cross()):
        skipped -= len(cursor.take(skipped))
    while True:
        data = cursor.peek(LONGEST_HEAD)
        if (found := _RECORD.search(data)) is not None:
            cursor.skip(found.start() + 1)
            return True
        cursor.skip(max(0, len(data) - LONGEST_MARK))
        if len(data) == LONGEST_HEAD:
            continue
        following = cursor.next_member()
        if following is None:
            return False
        if _begins(following):
            cursor.skip(cursor.ready)
            return cursor.cross()
        cursor.cross()


class _Record:
    """The record at a cursor, read to its end."""

    def __init__(self, cursor: Cursor, offset: int, number: int, *, wary: bool) -> None:
        self._cursor, self._offset, self._number, self._wary = cursor, offset, number, wary
        self.url = ""
        self.crossed = False
        """Whether it goes on in another member."""
        self._left = 0
        """Bytes of its block that are still to be read."""

    def read(self) -> Entry | None:
        """The entry, None for a type that is not read. Raises `_FaultyError` and `Damage`."""
        version, fields = self._head()
        self.url = fields.get("warc-target-uri", "").strip("<> ")
        declared = fields.get("content-length", "")
        if not (declared.isascii() and declared.isdigit() and len(declared) <= 15):
            raise _FaultyError("broken_record", f"no length that can be read ({declared[:40]!r})", self.url)
        self._left = int(declared)
        entry = self._entry(version, fields)
        while self._left and self._read(1 << 20):
            pass
        if self._left:
            self._breaks_off(f"declares {declared} bytes, {int(declared) - self._left} are there")
        self._require_end(declared)
        return entry

    def _breaks_off(self, detail: str) -> None:
        if self._cursor.ready or self._cursor.next_member() is not None:
            raise _FaultyError("wrong_length", detail, self.url)
        place = self._cursor.place()
        end = f", at byte {place.member + place.inside}" if self._offset == 0 or place.inside else ""
        raise _FaultyError("truncated", f"the file ends inside a record{end}: it {detail}", self.url)

    def _head(self) -> tuple[str, dict[str, str]]:
        """The version, and the fields by their names in lower case."""
        while True:
            if not _MAGIC.startswith(self._cursor.peek(len(_MAGIC))):
                raise _FaultyError("broken_record", "no record begins here")
            if (blank := self._cursor.ahead(_BLANK, LONGEST_HEAD)) is not None:
                head = self._cursor.take(blank[1])
                return _fields(head[: blank[0]])
            if self._cursor.ready >= LONGEST_HEAD:
                raise _FaultyError("broken_record", f"its head has more than {LONGEST_HEAD:,} bytes")
            if self._cursor.fill():
                continue
            following = self._cursor.next_member()
            if following is None:
                self._cursor.skip(self._cursor.ready)
                self._breaks_off("has no whole head")
            if following is not None and _begins(following):
                raise _FaultyError("broken_record", "its head breaks off")
            self.crossed = self._cursor.cross()

    def _read(self, count: int) -> bytes:
        """The next bytes of the block, as many as wanted where it has them."""
        parts: list[bytes] = []
        wanted = min(count, self._left)
        while wanted and self._more():
            data = self._cursor.peek(min(wanted, self._cursor.ready))
            if self._wary and _RECORD.search(data) is not None:
                break
            self._cursor.skip(len(data))
            parts.append(data)
            wanted -= len(data)
            self._left -= len(data)
        return b"".join(parts)

    def _more(self) -> bool:
        """Whether the block goes on; at the end of a member it does where no record begins behind it."""
        cursor = self._cursor
        while not cursor.ready and not cursor.fill():
            following = cursor.next_member()
            if following is None or _begins(following):
                return False
            self.crossed = cursor.cross()
        return True

    def _require_end(self, declared: str) -> None:
        """Two line ends, then another record or nothing; archives that leave out line ends are read too."""
        tail = self._cursor.peek(4 + len(_MAGIC))
        following = tail.removeprefix(b"\r").removeprefix(b"\n").removeprefix(b"\r").removeprefix(b"\n")
        if not _MAGIC.startswith(following[: len(_MAGIC)]) and not tail.startswith(b"\r\n\r\n"):
            raise _FaultyError("wrong_length", f"it goes on behind the {declared} bytes that it declares", self.url)

    def _entry(self, version: str, fields: Mapping[str, str]) -> Entry | None:
        kind = fields.get("warc-type", "").lower()
        if version not in VERSIONS:
            return self._broken("broken_record", f"version {version!r} is not known; known are {', '.join(VERSIONS)}")
        if not kind:
            return self._broken("broken_record", "it does not say its type")
        media_type = _media_type(fields.get("content-type", ""))
        if kind == "response" and media_type in ("application/http", ""):
            return self._answer(fields)
        if kind == "resource" and media_type and self.url.startswith(("http://", "https://")):
            return self._archived(fields, media_type, b"", {}) if _may_hold_job(media_type) else self._other()
        return self._other() if kind == "response" else None

    def _answer(self, fields: Mapping[str, str]) -> Entry:
        start = self._read(LONGEST_HEAD)
        status = _STATUS.match(start)
        blank = _BLANK.search(start)
        if status is None or (blank is None and self._left):
            return self._broken("broken_http", "the record holds no answer of a server")
        http = _fields(start[: blank.start() if blank else len(start)])[1]
        kind = _media_type(http.get("content-type", ""))
        if status[1] != b"200" or not _may_hold_job(kind):
            return self._other()
        return self._archived(fields, kind, start[blank.end() :] if blank else b"", http)

    def _archived(self, fields: Mapping[str, str], kind: str, start: bytes, http: Mapping[str, str]) -> Entry:
        size = len(start) + self._left
        if size > LARGEST:
            return self._too_large(in_words(size))
        body = start + self._read(self._left)
        transfer, content = (http.get(name, "").lower() for name in ("transfer-encoding", "content-encoding"))
        length = http.get("content-length", "")
        is_cut = "warc-truncated" in fields or "warc-segment-number" in fields
        if transfer or content:
            try:
                body, is_whole = decoded(body, transfer, content)
            except BodyError as error:
                return self._broken("broken_body", str(error))
            is_cut = is_cut or not is_whole
            if len(body) > LARGEST:
                return self._too_large(f"unpacks to more than {in_words(LARGEST)}")
        elif length.isascii() and length.isdigit() and len(body) < int(length[:15]):
            is_cut = True
        at = _moment(fields.get("warc-date", ""))
        if not self.url or at is None:
            return self._broken("broken_record", "no time of capture" if self.url else "no address")
        return Archived(self.url, at, 200, kind, body, is_cut, self._offset, self._number)

    def _other(self) -> Other:
        return Other(self._offset, self._number)

    def _too_large(self, size: str) -> Broken:
        return self._broken("too_large", f"{size}; an answer of more than {in_words(LARGEST)} is not read")

    def _broken(self, reason: str, detail: str) -> Broken:
        return Broken(self._offset, reason, detail[:300], self.url, self._number)


def _fields(head: bytes) -> tuple[str, dict[str, str]]:
    """The first line's version, and the fields below it; a line after white space continues the one before."""
    if b"\n " in head or b"\n\t" in head:
        head = _FOLD.sub(b" ", head)
    first, *lines = head.decode("utf-8", "replace").split("\n")
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return first.strip().removeprefix("WARC/"), fields


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _may_hold_job(media_type: str) -> bool:
    return media_type in HTML or media_type in XML or media_type.endswith("json")


def _moment(text: str) -> datetime | None:
    """The time of a capture.

    >>> _moment("2024-05-06T07:08:09Z"), _moment("yesterday")
    (datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc), None)
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
