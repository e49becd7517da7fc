"""One record of a WARC file: its head, the answer of a server in it, and whether it ends where it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from db.files import LARGEST, in_words
from scraper.files.bodies import BodyError, decoded
from scraper.files.cursor import Cursor

HTML: Final = ("text/html", "application/xhtml+xml", "")
XML: Final = ("application/xml", "text/xml", "application/rss+xml", "application/atom+xml")
VERSIONS: Final = ("0.17", "0.18", "1.0", "1.1")
LONGEST_HEAD: Final = 65_536
"""Bytes of the fields of a record, and of the head of an answer."""
MAGIC: Final = b"WARC/"
RECORD: Final = re.compile(rb"\nWARC/\d\.\d{1,2}\r?\n[A-Za-z-]{3,40}:")
"""Where a record begins inside other bytes."""

_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
_STATUS: Final = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)")


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


class FaultyError(Exception):
    """The record's beginning or end is not where it should be, so the next record has to be searched."""

    def __init__(self, reason: str, detail: str, url: str = "") -> None:
        super().__init__(detail)
        self.reason, self.url = reason, url


def begins_record(data: bytes) -> bool:
    """Whether a member that starts so starts with a record."""
    return data.startswith(MAGIC)


class Record:
    """The record at a cursor, read to its end."""

    def __init__(self, cursor: Cursor, offset: int, number: int, *, wary: bool) -> None:
        self._cursor, self._offset, self._number, self._wary = cursor, offset, number, wary
        self.url = ""
        self.crossed = False
        """Whether it goes on in another member."""
        self._left = 0
        """Bytes of its block that are still to be read."""

    def read(self) -> Entry | None:
        """The entry, None for a type that is not read. Raises `FaultyError` and `Damage`."""
        version, fields = self._head()
        self.url = fields.get("warc-target-uri", "").strip("<> ")
        declared = fields.get("content-length", "")
        if not (declared.isascii() and declared.isdigit() and len(declared) <= 15):
            raise FaultyError("broken_record", f"no length that can be read ({declared[:40]!r})", self.url)
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
            raise FaultyError("wrong_length", detail, self.url)
        place = self._cursor.place()
        end = f", at byte {place.member + place.inside}" if self._offset == 0 or place.inside else ""
        raise FaultyError("truncated", f"the file ends inside a record{end}: it {detail}", self.url)

    def _head(self) -> tuple[str, dict[str, str]]:
        """The version, and the fields by their names in lower case."""
        while True:
            if not MAGIC.startswith(self._cursor.peek(len(MAGIC))):
                raise FaultyError("broken_record", "no record begins here")
            if (blank := self._cursor.ahead(_BLANK, LONGEST_HEAD)) is not None:
                head = self._cursor.take(blank[1])
                return _fields(head[: blank[0]])
            if self._cursor.ready >= LONGEST_HEAD:
                raise FaultyError("broken_record", f"its head has more than {LONGEST_HEAD:,} bytes")
            if self._cursor.fill():
                continue
            following = self._cursor.next_member()
            if following is None:
                self._cursor.skip(self._cursor.ready)
                self._breaks_off("has no whole head")
            if following is not None and begins_record(following):
                raise FaultyError("broken_record", "its head breaks off")
            self.crossed = self._cursor.cross()

    def _read(self, count: int) -> bytes:
        """The next bytes of the block, as many as wanted where it has them."""
        parts: list[bytes] = []
        wanted = min(count, self._left)
        while wanted and self._more():
            data = self._cursor.peek(min(wanted, self._cursor.ready))
            if self._wary and RECORD.search(data) is not None:
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
            if following is None or begins_record(following):
                return False
            self.crossed = cursor.cross()
        return True

    def _require_end(self, declared: str) -> None:
        """Two line ends, then another record or nothing; archives that leave out line ends are read too."""
        tail = self._cursor.peek(4 + len(MAGIC))
        following = tail.removeprefix(b"\r").removeprefix(b"\n").removeprefix(b"\r").removeprefix(b"\n")
        if not MAGIC.startswith(following[: len(MAGIC)]) and not tail.startswith(b"\r\n\r\n"):
            raise FaultyError("wrong_length", f"it goes on behind the {declared} bytes that it declares", self.url)

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
