"""Packed and plain files as unpacked bytes, piece by piece, with the place in the file where each piece comes from.

A gzip file is a row of members, a zstd file a row of frames; both are called members here. A plain file is one member.
Memory holds one chunk and one piece, whatever a member unpacks to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final, NamedTuple

from isal import igzip_lib

from scraper.pages.words import find

if sys.version_info >= (3, 14):
    from compression import zstd as zstd
else:
    from backports import zstd as zstd

CHUNK: Final = 65_536
"""Bytes read from the file at once."""
PIECE: Final = 1 << 20
"""Bytes unpacked at once."""
SEARCHED: Final = 1 << 20
"""Bytes read at once while looking for the next member."""
OVERLAP: Final = 8_192
"""Bytes of one chunk looked at again with the next one, because a member may begin between them."""
LARGEST_BLOCK: Final = 1 << 17
"""Packed bytes of a member of a file that is packed in blocks of equal size; such programs use up to 64 KB."""

OpenAt = Callable[[int], Any]
"""Opens the file at an offset in bytes: something with `read(count)` and `close()`."""


class Packing(NamedTuple):
    """How members are packed."""

    name: str
    magic: bytes
    """The first bytes of each member."""
    unpacker: Callable[[], Any]


PACKINGS: Final = (
    Packing("gzip", b"\x1f\x8b\x08", lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)),
    Packing("zstd", b"\x28\xb5\x2f\xfd", zstd.ZstdDecompressor),
)
ERRORS: Final[tuple[type[Exception], ...]] = (
    igzip_lib.error,  # type: ignore[assignment]  # its stub calls the class an instance
    zstd.ZstdError,
    EOFError,
    ValueError,
)
"""What unpackers raise on damaged data."""


class Damage(Exception):
    """A member that cannot be unpacked further; the message says why."""

    def __init__(self, member: int, why: str, *, ends_at: int | None = None) -> None:
        super().__init__(why)
        self.member = member
        """Where the member begins in the file."""
        self.ends_at = ends_at
        """The size of the file, when the file ends inside the member."""


class _Begun:
    """A stream whose first bytes were read already."""

    def __init__(self, start: bytes, stream: Any) -> None:
        self._start, self._stream = start, stream

    def read(self, count: int) -> bytes:
        start, self._start = self._start, b""
        return start + bytes(self._stream.read(count - len(start)))

    def close(self) -> None:
        self._stream.close()


def recognised(open_at: OpenAt) -> tuple[Packing | None, OpenAt]:
    """How a file is packed, by its first bytes (None for a plain file), and how to open it: not twice at the start."""
    stream = open_at(0)
    start = stream.read(4)
    begun: list[Any] = [_Begun(start, stream)]

    def opened(offset: int) -> Any:
        return begun.pop() if offset == 0 and begun else open_at(offset)

    return packing_of(start), opened


def packing_of(start: bytes) -> Packing | None:
    """How a file that begins so is packed; None for a plain file."""
    return next((packing for packing in PACKINGS if start.startswith(packing.magic[:2])), None)


def pieces(open_at: OpenAt, packing: Packing | None, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """(where the member begins, unpacked bytes) from the member at `start` on; empty bytes end a member.

    Raises `Damage` where the file cannot be unpacked.
    """
    with closing(open_at(start)) as stream:
        if packing is None:
            while data := stream.read(CHUNK):
                yield start, data
            return
        held, member = b"", start
        while True:
            held, member = _at_member(stream, held, member, packing)
            if not held:
                return
            unpacker, taken = packing.unpacker(), 0
            while not unpacker.eof:
                data = b""
                if unpacker.needs_input:
                    data, held = held or stream.read(CHUNK), b""
                    taken += len(data)
                    if not data:
                        raise Damage(member, f"the file ends inside a {packing.name} member", ends_at=member + taken)
                try:
                    unpacked = unpacker.decompress(data, PIECE)
                except ERRORS as error:
                    raise Damage(member, f"damaged {packing.name} data ({error})") from error
                if unpacked:
                    yield member, unpacked
            held = unpacker.unused_data
            yield member, b""
            member += taken - len(held)


def _at_member(stream: Any, held: bytes, position: int, packing: Packing) -> tuple[bytes, int]:
    """The bytes from the next member on and its offset; no bytes at the end of the file. Zeros between are passed."""
    while True:
        held = held or stream.read(CHUNK)
        if not held:
            return b"", position
        rest = held.lstrip(b"\0")
        position += len(held) - len(rest)
        held = rest
        if held:
            break
    while len(held) < len(packing.magic) and (more := stream.read(CHUNK)):
        held += more
    if held.startswith(packing.magic):
        return held, position
    if packing.magic.startswith(held):
        why = f"the file ends inside a {packing.name} member"
        raise Damage(position, why, ends_at=position + len(held))
    raise Damage(position, f"no {packing.name} member begins here")


def next_member(
    open_at: OpenAt, packing: Packing, after: int, begins: Callable[[bytes], bool], *, any_whole: bool = False
) -> int | None:
    """Where the next member behind the offset `after` begins whose first unpacked bytes satisfy `begins`.

    With `any_whole`, a member of a block packer serves too, whatever it holds, when it unpacks without an error.
    """
    position = after + 1
    with closing(open_at(position)) as stream:
        held = b""
        while chunk := stream.read(SEARCHED):
            held += chunk
            start = find(held, packing.magic)
            while start >= 0:
                beginning = held[start : start + (LARGEST_BLOCK if any_whole else OVERLAP // 2)]
                if begins(_first_bytes(packing, beginning)) or (any_whole and _is_whole(packing, beginning)):
                    return position + start
                start = find(held, packing.magic, start + 1)
            kept = min(len(held), LARGEST_BLOCK if any_whole else OVERLAP)
            position += len(held) - kept
            held = held[len(held) - kept :]
    return None


def _first_bytes(packing: Packing, data: bytes) -> bytes:
    try:
        return bytes(packing.unpacker().decompress(data, 16))
    except ERRORS:
        return b""


def _is_whole(packing: Packing, data: bytes) -> bool:
    unpacker = packing.unpacker()
    try:
        unpacker.decompress(data, PIECE)
    except ERRORS:
        return False
    return bool(unpacker.eof)
