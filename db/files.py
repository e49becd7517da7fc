"""Files that a user names: opened only when they are regular files, and read only up to a bound.

A named pipe would block for ever, a device may never end, a sparse file of a few bytes unpacks to terabytes. Whatever
reads a file that somebody named opens it here.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from pathlib import Path
from typing import BinaryIO, Final

LARGEST: Final = 64_000_000
"""Bytes of one page, answer or table that is read into memory. The largest answers of job boards known to us, whole
boards with every description, have 20 to 40 MB; the crawl process may use 1 GB, and parsed JSON takes about four times
its text."""
LARGEST_PAGE: Final = 4_000_000
"""Bytes of a page, HTML or text, that is read block by block: its tree takes a hundred times as much memory. No page of
an ad or article is larger. What a larger page declares as schema.org JobPosting in JSON-LD is read all the same."""
LARGEST_HOLE: Final = 1_000_000_000
"""Bytes in a row that a sparse file may leave out."""
MOST_PARTS: Final = 10_000
"""Parts of a sparse file that are looked at."""

_KINDS: Final = (
    (stat.S_ISDIR, "is a folder"),
    (stat.S_ISFIFO, "is a named pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)


class FileRefused(OSError):
    """A file that is not read; `reason` is a short code, the message one line without the file's name."""

    def __init__(self, reason: str, line: str) -> None:
        super().__init__(errno.EINVAL, line)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.strerror)


def open_file(path: str | Path) -> BinaryIO:
    """A regular file, opened for reading without ever blocking.

    Raises `FileRefused` (`not_a_file`) for folders, pipes, sockets and devices, also behind links, `FileRefused`
    (`sparse`) for a file that is mostly holes, and `OSError` for what cannot be opened.
    """
    _require_regular(Path(path).stat())  # opening a device can do something by itself, so look first
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        _require_regular(status)  # another file may have taken the name meanwhile
        _require_content(descriptor, status.st_size)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next((words for is_kind, words in _KINDS if is_kind(status.st_mode)), "is no regular file")
        raise FileRefused("not_a_file", f"{kind}; only regular files are read: save its content as a file")


def _require_content(descriptor: int, size: int) -> None:
    """Raises `FileRefused` for a hole in the file that would take long to read and hold nothing."""
    position = 0
    for _ in range(MOST_PARTS if size > LARGEST_HOLE else 0):
        hole = os.lseek(descriptor, position, os.SEEK_HOLE)
        if hole >= size:
            break
        try:
            position = os.lseek(descriptor, hole, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # no data behind the hole
                raise
            position = size
        if position - hole > LARGEST_HOLE:
            raise FileRefused(
                "sparse", f"has a hole of {in_words(position - hole)} at byte {hole}: it was never written"
            )
        if position >= size:
            break
    os.lseek(descriptor, 0, os.SEEK_SET)


class FilePart:
    """A stream of the bytes that a file had when it was opened: one that grows meanwhile still ends."""

    def __init__(self, file: BinaryIO, size: int, offset: int = 0, *, owns: bool = False) -> None:
        self._file, self._size, self._at, self._owns = file, size, offset, owns

    def read(self, count: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        data = os.pread(self._file.fileno(), left if count < 0 else min(count, left), self._at)
        self._at += len(data)
        return data

    def close(self) -> None:
        """Closes the file where it belongs to this stream."""
        if self._owns:
            self._file.close()


def read_bytes(path: str | Path, most: int = LARGEST) -> bytes:
    """The content of a regular file of at most `most` bytes.

    Raises `FileRefused` (`not_a_file`, `too_large`) and `OSError`.
    """
    with open_file(path) as file:
        require_size(os.fstat(file.fileno()).st_size, most)
        data = file.read(most + 1) or b""  # None where a file of /proc has nothing to say now
    require_size(len(data), most)
    return data


def read_text(path: str | Path, most: int = LARGEST) -> str:
    """The same as text in UTF-8. Raises `UnicodeDecodeError` too."""
    return read_bytes(path, most).decode("utf-8")


def require_size(size: int, most: int = LARGEST) -> None:
    """Raises `FileRefused` (`too_large`) for more bytes than are read."""
    if size > most:
        raise FileRefused("too_large", f"{in_words(size)}; at most {in_words(most)} are read")


def in_words(size: int) -> str:
    """A number of bytes for people.

    >>> in_words(64_000_000), in_words(1_234)
    ('64 MB', '1,234 bytes')
    """
    return f"{size // 1_000_000:,} MB" if size >= 10_000_000 else f"{size:,} bytes"


def printable(name: str) -> str:
    r"""A file's name on one line: bytes that are no UTF-8 and characters that steer a terminal become escapes.

    >>> printable("Stelle Köln.html"), printable("a\x1b[2J\n.html"), printable("\udcff.txt")
    ('Stelle Köln.html', 'a\\x1b[2J\\n.html', '\\xff.txt')
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(char.encode("unicode_escape").decode("ascii") if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in _TURNS


_TURNS: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
