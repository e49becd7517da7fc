"""Bodies of archived answers with their transfer and content encodings undone, each within a bound.

Many archives undo an encoding and keep the header that declares it. A body that does not begin as its encoding does, or
that cannot be unpacked and reads as text, is taken as it stands.
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

import brotli  # type: ignore[import-untyped]

from db.files import LARGEST
from scraper.files.members import ERRORS, zstd

_CHUNK_HEAD: Final = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class BodyError(ValueError):
    """A body cannot be unpacked: one line."""


def decoded(body: bytes, transfer: str, content: str) -> tuple[bytes, bool]:
    """The body without its encodings, at most one byte more than `LARGEST`, and whether its end was reached.

    Raises `BodyError` for what begins well and breaks, and for unknown encodings.
    """
    is_whole = True
    if "chunked" in transfer:
        body, is_whole = _without_chunks(body)
    for name in reversed([part.strip() for part in content.split(",") if part.strip()]):
        body, part_is_whole = _unpacked(body, name)
        is_whole = is_whole and part_is_whole
    return body, is_whole


def _without_chunks(body: bytes) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    position, length = 0, 0
    while (head := _CHUNK_HEAD.match(body, position)) is not None:
        size = int(head[1], 16)
        if size == 0:
            return b"".join(parts), True
        end = head.end() + size
        if not parts and not b"\r\n".startswith(body[end : end + 2]) and not body.startswith(b"\n", end):
            return body, True  # a plain body that begins with a number
        parts.append(body[head.end() : end])
        length += size
        position = end + (2 if body.startswith(b"\r\n", end) else 1)
    return (b"".join(parts), False) if parts else (body, True)


def _unpacked(body: bytes, name: str) -> tuple[bytes, bool]:
    if name == "identity":
        return body, True
    if (unpack := _UNPACK.get(name)) is None:
        raise BodyError(f"unknown encoding {name[:40]!r}")
    try:
        unpacked, is_whole = unpack(body)
    except (*ERRORS, zlib.error, brotli.error) as error:
        if _is_text(body):
            return body, True
        raise BodyError(f"cannot be unpacked as {name} ({error})"[:200]) from error
    if not is_whole and _is_text(body):
        return body, True
    return unpacked, is_whole


def _gunzipped(body: bytes) -> tuple[bytes, bool]:
    return _inflated(body, 31) if body.startswith(b"\x1f\x8b") else (body, True)


def _inflated(body: bytes, bits: int) -> tuple[bytes, bool]:
    """A row of members, as browsers read it."""
    parts: list[bytes] = []
    room, is_whole = LARGEST + 1, True
    while room > 0:
        unpacker = zlib.decompressobj(bits)
        parts.append(unpacker.decompress(body, room))
        room -= len(parts[-1])
        is_whole = unpacker.eof
        body = unpacker.unused_data
        if not body.startswith(b"\x1f\x8b"):
            break
    return b"".join(parts), is_whole


def _deflated(body: bytes) -> tuple[bytes, bool]:
    """With zlib's head, as the standard wants it, or without, as some servers send it."""
    try:
        return _inflated(body, 15)
    except zlib.error:
        return _inflated(body, -15)


def _unbrotlied(body: bytes) -> tuple[bytes, bool]:
    unpacker: Any = brotli.Decompressor()
    found = unpacker.process(body, output_buffer_limit=LARGEST + 1)
    return found[: LARGEST + 1], bool(unpacker.is_finished())


def _unzstd(body: bytes) -> tuple[bytes, bool]:
    if not body.startswith(b"\x28\xb5\x2f\xfd"):
        return body, True
    unpacker = zstd.ZstdDecompressor()
    return unpacker.decompress(body, LARGEST + 1), unpacker.eof


_UNPACK: Final = {
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "deflate": _deflated,
    "br": _unbrotlied,
    "zstd": _unzstd,
}


def _is_text(body: bytes) -> bool:
    """Whether a body reads as text: no bytes that text does not have, near its beginning."""
    start = body[:2_000]
    return bool(start) and _CONTROL.search(start) is None and start.decode("utf-8", "replace").count("\ufffd") <= 2
