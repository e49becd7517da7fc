"""The answers in a WARC file, one after the other, whatever stands between them.

A record that cannot be read is a `Broken` with its offset and the reason, and reading goes on at the next record:
behind a damaged gzip member at the next member, in unpacked files at the next `WARC/1.` line. Memory holds one record.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from scraper.backfill.inputs import Input, opened
from scraper.pages.warc import LONGEST
from scraper.pages.words import found
from scraper.spiders.archives import HTML, XML

CHUNK: Final = 1 << 20
"""Bytes read at once while looking for the next record."""
RESPONSE: Final = 4
"""FastWARC's number of the record type; held by a test."""
OVERLAP: Final = 8_192
"""Bytes of one chunk looked at again with the next, because a record may begin between them."""
GZIP: Final = b"\x1f\x8b\x08"
_HEAD: Final = re.compile(rb"\n(?=WARC/1\.\d\r?\n)")
_HEAD_INSIDE: Final = re.compile(rb"\r\n\r\nWARC/1\.\d\r\nWARC-")
HEAD_BYTES: Final = 16
"""So many bytes of a gzip member tell whether a record begins in it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer 200 of a type that may hold a job, decoded."""

    offset: int
    """Where its record begins in the file, in bytes; in a gzip file its member."""
    url: str
    at: datetime
    content_type: str
    body: bytes
    truncated: bool
    first: datetime | None = None
    """When the page was first archived, where that is known from elsewhere."""
    breaks_off: bool = False
    """The record ends before the length that it declares, so what follows it in the file was taken for a part of it."""


@dataclass(frozen=True, slots=True)
class Other:
    """An answer that is not looked into: another status, a picture."""

    offset: int


@dataclass(frozen=True, slots=True)
class Dull:
    """A page that surely holds nothing."""

    offset: int
    size: int
    """Bytes, unpacked."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be read."""

    offset: int
    reason: str
    """broken_record, broken_http, broken_body, wrong_length."""
    detail: str
    url: str = ""


Entry = Answer | Other | Dull | Broken
IsDull = Callable[[bytes], bool]
"""Whether a whole page in HTML surely holds nothing, told from its bytes."""


def each_record(source: Input, is_dull: IsDull = lambda _page: False) -> Iterator[Entry]:
    """The entries of a file in its order. Raises `InputError` when the file itself cannot be read."""
    walk = _Walk(is_dull)
    while walk.start is not None:
        try:
            with opened(source, walk.start) as stream:
                yield from walk.through(stream)
        except _RecordError as error:
            broken = walk.stumbled(str(error))
            if broken is not None:
                yield broken
        if walk.again:
            walk.start = walk.last or 0
        else:
            walk.start = None if walk.ended else next_start(source, walk.start if walk.last is None else walk.last)
    if walk.pending is not None:
        yield walk.pending


class _Walk:
    """Where reading stands in a file with damages.

    At first only answers are looked at, which is fast. After a first error all records are, because the offset of the
    last good one then tells which one is damaged: itself, or the one behind it, which the next attempt shows.
    """

    def __init__(self, is_dull: IsDull) -> None:
        self._is_dull = is_dull
        self.start: int | None = 0
        self.every_type = False
        self.again = self.ended = False
        self.handed_out = -1
        """Offset of the newest answer that was handed out."""
        self.last: int | None = None
        self.pending: Broken | None = None
        self._count = 0

    def through(self, stream: Any) -> Iterator[Entry]:
        """The entries from `start` up to the end, or to a record behind which the next one must be searched."""
        self.last, self._count, self.again = None, 0, False
        for record in _records(stream, self.every_type):
            self.last = int(record.stream_pos)
            self._count += 1
            if self._count == 2 and self.pending is not None:
                yield self.pending  # what stands at `start` is sound, so the damage lay before it
                self.pending = None
            if self.last <= self.handed_out and self._count == 1:
                continue
            if (entry := _entry(record, self.last, self._is_dull)) is None:
                continue
            self.handed_out = self.last
            yield entry
            if _misleads(entry):
                self.pending, self.every_type = None, True
                return
        self.ended = True

    def stumbled(self, why: str) -> Broken | None:
        """Notes an error; returns the damaged record where it is certain which one that is."""
        detail = f"no record can be read here ({why})"[:200]
        if not self.every_type:
            self.every_type = self.again = True
            return None
        if self._count == 0 and self.start is not None:
            self.pending = None
            return Broken(self.start, "broken_record", detail)
        self.pending = Broken(self.last or 0, "broken_record", f"what follows is no record ({why})"[:200])
        return None


def _misleads(entry: Entry) -> bool:
    """Whether the end of a record is not where it says, so that the next one has to be searched."""
    if isinstance(entry, Broken):
        return entry.reason in ("broken_record", "wrong_length")
    return isinstance(entry, Answer) and entry.breaks_off


class _RecordError(Exception):
    """The reader of records gave up on what stands here."""


def _records(stream: Any, every_type: bool) -> Iterator[Any]:
    """FastWARC's records; whatever it raises, or panics with, is a `_RecordError`."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    kinds = WarcRecordType.any_type if every_type else WarcRecordType.response
    try:
        records = ArchiveIterator(stream, record_types=kinds, parse_http=True, auto_decode="none")
    except (OSError, ValueError) as error:
        raise _RecordError(str(error)) from error
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except (OSError, ValueError, EOFError) as error:
            raise _RecordError(str(error)) from error
        except BaseException as error:
            if type(error).__name__ == "PanicException":  # of its Rust part; no class that could be imported
                raise _RecordError("the reader panicked") from error
            raise
        yield record


def _entry(record: Any, offset: int, is_dull: IsDull) -> Entry | None:
    if not record.record_type & RESPONSE:
        return None
    http = record.http_headers
    status = http.status_code if http is not None else None
    if status is None:
        return Broken(offset, "broken_http", "the record holds no answer of a server", _url(record))
    if status != 200:
        return Other(offset)
    kind = (http.get("Content-Type") or "").partition(";")[0].strip().lower()
    if not (kind in HTML or kind in XML or kind.endswith("json")):
        return Other(offset)
    return _answer(record, http, offset, kind, is_dull)


def _url(record: Any) -> str:
    return (record.headers.get("WARC-Target-URI") or "").strip("<>")


def _answer(record: Any, http: Any, offset: int, kind: str, is_dull: IsDull) -> Entry:
    declared = record.content_length
    try:
        body = record.reader.read(LONGEST + 1)
    except (OSError, ValueError, EOFError) as error:
        return Broken(offset, "broken_record", f"breaks off ({error})"[:200], _url(record))
    if found(body, b"\nWARC/1.") and (inside := _HEAD_INSIDE.search(body)) is not None:
        detail = f"its length reaches over the next record, which begins {inside.start()} bytes into the answer"
        return Broken(offset, "wrong_length", detail, _url(record))
    transfer = (http.get("Transfer-Encoding") or "").lower()
    content = (http.get("Content-Encoding") or "").lower()
    breaks_off = len(body) < min(declared, LONGEST)
    truncated = len(body) > LONGEST or breaks_off or "WARC-Truncated" in record.headers
    length = http.get("Content-Length") or ""
    if not (transfer or content) and length[:18].isdecimal() and len(body) < int(length[:18]):
        truncated = True
    if transfer or content:
        try:
            body, is_whole = decoded(body, transfer, content)
        except (OSError, ValueError, EOFError, zlib.error) as error:
            detail = f"cannot be unpacked as {transfer} {content} ({error})"[:200]
            return Broken(offset, "broken_body", detail, _url(record))
        truncated = truncated or len(body) > LONGEST or not is_whole
    if not truncated and kind in HTML and is_dull(body):
        return Dull(offset, len(body))
    url, at = _url(record), record.record_date
    if not url or at is None:
        return Broken(offset, "broken_record", "no address" if not url else "no time of capture", url)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Answer(offset, url, at, kind, body[:LONGEST], truncated, breaks_off=breaks_off)


def decoded(body: bytes, transfer: str, content: str) -> tuple[bytes, bool]:
    """The body without its encodings, at most one byte more than `LONGEST`, and whether its end was reached.

    Many archives undo an encoding and leave its header: what does not begin as encoded is taken as it stands. Raises
    OSError, ValueError or zlib.error for what begins well and breaks before anything came out, and for unknown ones.
    """
    is_whole = True
    if "chunked" in transfer and re.match(rb"[0-9a-fA-F]{1,8}[ \t]*(?:;[^\r\n]*)?\r?\n", body):
        from fastwarc.stream_io import ChunkedReader

        body = ChunkedReader(io.BytesIO(body)).read(LONGEST + 1)
    for name in reversed([part.strip() for part in content.split(",") if part.strip()]):
        if name in ("gzip", "x-gzip"):
            body, is_whole = _inflated(body, 31) if body.startswith(b"\x1f\x8b") else (body, is_whole)
        elif name == "deflate":
            is_plain = body.lstrip().startswith(b"<")
            body, is_whole = (body, is_whole) if is_plain else _inflated(body, 15 if body[:1] == b"\x78" else -15)
        elif name in ("br", "zstd"):
            body = _unpacked(body, name) if not body.lstrip().startswith((b"<", b"{")) else body
        elif name != "identity":
            raise ValueError(f"unknown encoding {name[:40]!r}")
    return body, is_whole


def _inflated(body: bytes, bits: int) -> tuple[bytes, bool]:
    """Bounded, so that a bomb costs no more than a large page."""
    unpacker = zlib.decompressobj(bits)
    return unpacker.decompress(body, LONGEST + 1), unpacker.eof


def _unpacked(body: bytes, name: str) -> bytes:
    from fastwarc.stream_io import BrotliReader, ZstdReader

    reader = BrotliReader if name == "br" else ZstdReader
    return bytes(reader(io.BytesIO(body)).read(LONGEST + 1))


def next_start(source: Input, after: int) -> int | None:
    """Where the next record begins behind the offset `after`; None when none does."""
    with opened(source, 0) as stream:
        is_packed = stream.read(2) == GZIP[:2]
    position = after + 1
    with opened(source, position) as stream:
        held = b""
        while chunk := stream.read(CHUNK):
            held += chunk
            start = _packed_start(held) if is_packed else _plain_start(held)
            if start is not None:
                return position + start
            position += max(0, len(held) - OVERLAP)
            held = held[-OVERLAP:]
    return None


def _plain_start(data: bytes) -> int | None:
    line = _HEAD.search(data)
    return None if line is None else line.end()


def _packed_start(data: bytes) -> int | None:
    """The first gzip member in which a record begins; a row of bytes that only looks like one is passed over."""
    start = data.find(GZIP)
    while start >= 0:
        try:
            begin = zlib.decompressobj(31).decompress(data[start : start + OVERLAP // 2], HEAD_BYTES)
        except zlib.error:
            begin = b""
        if begin.startswith(b"WARC/1."):
            return start
        start = data.find(GZIP, start + 1)
    return None
