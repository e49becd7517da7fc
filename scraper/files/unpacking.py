"""Packed content that is read as a whole, and packed lines that are read one by one, both within a bound."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from db.files import LARGEST, in_words
from scraper.files.members import Damage, OpenAt, packing_of, pieces, recognised
from scraper.pages.rows import AnswerError

OTHER_PACKINGS: Final = ((b"PK\x03\x04", "ZIP"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"7z\xbc\xaf", "7z"))
"""First bytes of packings that are not read."""


def unpacked(body: bytes) -> bytes:
    """The body, unpacked where it is packed with gzip or zstd, whatever its name says.

    Raises `AnswerError`: `broken_gzip` for what cannot be unpacked to its end, `too_large` for what grows beyond
    `LARGEST`, `packed` for other packings and for what is packed twice.
    """
    packing = packing_of(body)
    if packing is None:
        _require_plain(body, "is packed as")
        return body
    parts, size = [], 0
    try:
        for _, data in pieces(lambda offset: io.BytesIO(body[offset:]), packing):
            parts.append(data)
            size += len(data)
            if size > LARGEST:
                raise AnswerError("too_large", f"unpacks to more than {in_words(LARGEST)}")
    except Damage as damage:
        raise AnswerError("broken_gzip", f"cannot be unpacked ({damage})") from damage
    content = b"".join(parts)
    if (inner := packing_of(content)) is not None:
        raise AnswerError("packed", f"is packed twice ({packing.name}, {inner.name}): unpack it once")
    _require_plain(content, "holds")
    return content


def _require_plain(body: bytes, verb: str) -> None:
    for magic, name in OTHER_PACKINGS:
        if body.startswith(magic):
            raise AnswerError("packed", f"{verb} {name}: unpack it and name what is inside")


def lines(open_at: OpenAt) -> Iterator[bytes | None]:
    """The lines of a file, plain or packed; None for one of more than `LARGEST` bytes. Raises `Damage`."""
    packing, opened = recognised(open_at)
    held: list[bytes] = []
    size = 0
    for _, data in pieces(opened, packing):
        first, *rest = data.split(b"\n")
        size += len(first)
        if size <= LARGEST:
            held.append(first)
        else:
            held.clear()
        if not rest:
            continue
        yield b"".join(held) if size <= LARGEST else None
        yield from rest[:-1]
        held, size = [rest[-1]], len(rest[-1])
    if size:
        yield b"".join(held) if size <= LARGEST else None
