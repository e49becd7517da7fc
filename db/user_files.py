"""Files that a user writes for us: sources, settings, reference tables. One place reads them, whatever they hold.

Every failure is a `UserFileError` that names the file, the line where it is known, and the reason. A file may hold
anything: these functions raise nothing else. Devices, pipes and files beyond the bound are refused unread, so that a
path can neither block nor fill the program that reads it.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from db.files import FileRefused, read_bytes

LARGEST_TOML: Final = 4 << 20
"""Bytes of a TOML file: some 12,000 sources."""
LARGEST_TABLE: Final = 128 << 20
DEEPEST: Final = 20
"""Levels of tables and lists in a TOML file; our own files have three."""
INTEGERS: Final = range(-(2**63), 2**63)
"""What TOML 1.0 promises of whole numbers: 64 bits."""
_LONG_KEY = re.compile(
    rf"""
    (?:^|[\[{{,])                                                # where a key can begin
    (?:
      [ \t]*+ (?:[\w-]++ | "[^"\n]*+" | '[^'\n]*+') [ \t]*+ \.   # one part of a dotted key
    ){{{DEEPEST}}}
    """,
    re.VERBOSE | re.MULTILINE | re.ASCII,
)
"""tomllib's memory grows with the square of a key's parts."""
_LONG_NUMBER = re.compile(r"(?<![0-9_])[0-9][0-9_]{4000}")


class UserFileError(ValueError):
    """A file of the user's cannot be used: says which, where in it, and why."""

    def __init__(self, path: Path, reason: str, *, line: int | None = None) -> None:
        self.path, self.reason, self.line = path, reason, line
        super().__init__(f"{path}{'' if line is None else f', line {line}'}: {reason}")


def read_user_bytes(path: Path, *, largest: int = LARGEST_TABLE) -> bytes:
    """The bytes of an ordinary file. Raises `UserFileError` for anything else."""
    try:
        return read_bytes(path, largest)
    except FileNotFoundError as error:
        raise UserFileError(path, "there is no such file") from error
    except FileRefused as error:
        raise UserFileError(path, str(error)) from error
    except (OSError, ValueError) as error:  # a ValueError for a name with a NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise UserFileError(path, f"cannot be read ({reason})") from error


def read_user_toml(path: Path) -> dict[str, Any]:
    """The document of a TOML file. Raises `UserFileError`."""
    return parse_user_toml(read_user_bytes(path, largest=LARGEST_TOML), path)


def parse_user_toml(content: bytes, path: Path) -> dict[str, Any]:
    """The document in the bytes of `path`: tables, lists, texts, numbers of 64 bits, dates. Raises `UserFileError`."""
    text = _text(content, path)
    if (key := _LONG_KEY.search(text)) is not None:
        line = text.count("\n", 0, key.start()) + 1
        raise UserFileError(path, f"a key has more than {DEEPEST} dotted parts", line=line)
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise UserFileError(path, "is nested too deeply", line=_deepest_line(text)) from error
    except MemoryError as error:
        raise UserFileError(path, "needs more memory than there is") from error
    except ValueError as error:
        if (long := _LONG_NUMBER.search(text)) is not None and not isinstance(error, tomllib.TOMLDecodeError):
            line = text.count("\n", 0, long.start()) + 1
            raise UserFileError(path, "holds a number of more than 4,000 digits", line=line) from error
        raise UserFileError(path, f"is no TOML: {error}") from error
    _require_plain(document, path)
    return document


def read_user_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their line numbers; every value is a text, an absent one is empty.

    Raises `UserFileError` when the file is no CSV or lacks one of `columns`.
    """
    rows = csv.DictReader(io.StringIO(_text(read_user_bytes(path), path), newline=""), restval="")
    try:
        if not set(columns) <= set(rows.fieldnames or ()):
            raise UserFileError(path, f"lacks columns: it needs {', '.join(columns)}")
        for row in rows:
            yield rows.line_num, {name: row[name] for name in columns}
    except csv.Error as error:
        raise UserFileError(path, f"is no CSV: {error}", line=rows.line_num + 1) from error


def _text(content: bytes, path: Path) -> str:
    """The text of a file: UTF-8, with or without a byte order mark."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserFileError(path, f"is no text in UTF-8: {error.reason}", line=line) from error


def _deepest_line(text: str) -> int:
    """The line on which brackets reach their greatest depth; those inside of texts count too, so it is a hint."""
    depth = deepest = 0
    line = found = 1
    for sign in text:
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        elif sign == "\n":
            line += 1
        if depth > deepest:
            deepest, found = depth, line
    return found


def _require_plain(document: dict[str, Any], path: Path) -> None:
    """Raises `UserFileError` for values that TOML can write and no reader of ours can handle."""
    left: list[tuple[str, Any, int]] = [(key, value, 1) for key, value in document.items()]
    while left:
        key, value, depth = left.pop()
        shown = key if len(key) <= 80 else f"{key[:79]}…"
        if depth > DEEPEST:
            raise UserFileError(path, f"{shown!r} is nested too deeply, more than {DEEPEST} levels")
        if isinstance(value, dict):
            left += [(f"{key}.{name}"[:200], part, depth + 1) for name, part in value.items()]
        elif isinstance(value, list):
            left += [(key, part, depth + 1) for part in value]
        elif isinstance(value, int) and value not in INTEGERS:
            raise UserFileError(path, f"{shown!r} is a number of more than 64 bits")
        elif isinstance(value, str) and "\x00" in value:
            raise UserFileError(path, f"{shown!r} holds a NUL character")
