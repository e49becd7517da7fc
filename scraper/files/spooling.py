"""Standard input as a file: the process that reads captures has a standard input of its own."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from db.files import LARGEST, FileRefused, in_words
from scraper.files.members import Damage, packing_of, pieces

STDIN: Final = "-"
MOST_SPOOLED: Final = 2_000_000_000
"""Bytes of standard input that is read line by line or record by record; they are kept in the temporary folder."""
BEGINNING: Final = 65_536
"""Bytes that tell what standard input is."""
CHUNK: Final = 1 << 20


@contextmanager
def spooled(paths: Sequence[str], stdin: BinaryIO | None = None, most: int = MOST_SPOOLED) -> Iterator[Sequence[str]]:
    """The paths, with standard input (`-`) as a file named by its kind.

    A page that is too large ends behind the bound, where its reader rejects it. Raises `FileRefused` for a longer
    stream, `OSError` when it cannot be kept.
    """
    if STDIN not in paths:
        yield paths
        return
    source = sys.stdin.buffer if stdin is None else stdin
    with tempfile.TemporaryDirectory(prefix="jobledger-") as folder:
        beginning = source.read(BEGINNING)
        ending = kind_of(beginning)
        is_page = not ending.startswith((".jsonl", ".warc"))
        file = Path(folder) / f"stdin{ending}"
        _copy(source, beginning, file, LARGEST + 1 if is_page else most, cuts=is_page)
        yield [str(file) if path == STDIN else path for path in paths]


def _copy(source: BinaryIO, beginning: bytes, file: Path, most: int, *, cuts: bool) -> None:
    size = len(beginning)
    with file.open("wb") as out:
        out.write(beginning)
        while size < most and (chunk := source.read(min(CHUNK, most - size))):
            out.write(chunk)
            size += len(chunk)
    if not cuts and source.read(1):
        line = f"standard input has more than {in_words(most)}: save it as a file and name that"
        raise FileRefused("too_large", line)


def kind_of(beginning: bytes) -> str:
    """What standard input is, by how it begins.

    >>> kind_of(b' {"jobs": []}'), kind_of(b"<!doctype html><p>"), kind_of(b"A vs. B"), kind_of(b"WARC/1.0")
    ('.json', '.html', '.txt', '.warc')
    >>> import gzip
    >>> kind_of(gzip.compress(b"WARC/1.0")), kind_of(gzip.compress(b'{"a": 1}'))
    ('.warc.gz', '.json.gz')
    """
    if (packing := packing_of(beginning)) is not None:
        try:
            _, content = next(pieces(lambda offset: io.BytesIO(beginning[offset:]), packing), (0, b""))
        except Damage:
            content = b"WARC/"
        return _ending_of_plain(content) + (".gz" if packing.name == "gzip" else ".zst")
    return _ending_of_plain(beginning)


def _ending_of_plain(beginning: bytes) -> str:
    start = beginning[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"{", b"[")):
        lines = [line for line in beginning[:BEGINNING].splitlines() if line.strip()]
        return ".jsonl" if len(lines) > 1 and all(line.lstrip().startswith(b'{"') for line in lines[:2]) else ".json"
    if start.startswith(b"WARC/"):
        return ".warc"
    if start.startswith(b"<?xml"):
        return ".xml"
    return ".html" if start.startswith(b"<") else ".txt"
