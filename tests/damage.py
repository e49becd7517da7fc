"""Ledgers that are damaged in ways that disks, copies and crashes damage files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

PAGE = 4096


def folded(path: Path) -> Path:
    """The same file with its log folded back, so that the file alone is the ledger."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def pages(path: Path) -> dict[int, str]:
    """The first page of each table and index of a SQLite file, with its name."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT rootpage, name FROM sqlite_master WHERE rootpage > 0").fetchall()
    return dict(found)


def zero(path: Path, *numbers: int) -> None:
    """Makes these pages empty, as a lost block of a disk does."""
    with path.open("r+b") as file:
        for number in numbers:
            file.seek((number - 1) * PAGE)
            file.write(bytes(PAGE))


def _header(path: Path) -> None:
    zero(path, 1)


def _data(path: Path) -> None:
    """Every table and index but the list of tables and the schema's version."""
    zero(path, *(number for number, name in pages(path).items() if "alembic" not in name))


def _truncated(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 2 // PAGE * PAGE)


def _index(path: Path) -> None:
    zero(path, *(number for number, name in pages(path).items() if name.startswith("ix_posting")))


def _search(path: Path) -> None:
    zero(path, *(number for number, name in pages(path).items() if name == "posting_fts_data"))


def _text(path: Path) -> None:
    """No database at all: another program wrote its file here."""
    path.write_bytes(b"these are notes, and they are long enough to be taken for a database\n" * 100)


KINDS: Mapping[str, Callable[[Path], None]] = {
    "header": _header,
    "data": _data,
    "truncated": _truncated,
    "index": _index,
    "search": _search,
    "text": _text,
}
UNOPENABLE = frozenset({"header", "truncated", "text"})
"""Kinds of damage that no command can open."""


def damage(path: Path, kind: str) -> str:
    """Damages the file, leaves no log that would mend it, and returns its URL."""
    KINDS[kind](folded(path))
    if kind not in UNOPENABLE:
        folded(path)
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    return f"sqlite:///{path}"
