"""Rows into Parquet partitions that appear only when all of a file's rows are there.

    OUT/postings/<key>-0000.parquet     finished
    OUT/postings/.<key>-0000.partial    being written; a later attempt on the same file writes over it
    OUT/_done/<key>.json                the manifest: written last, so what it names is whole
    OUT/_work/<key>.*                   rows not yet packed, and where a worker stands

Rows keep the order in which they came and a partition its size, so the same file gives the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from scheduler.backfill_rows import TABLES, line_of

ROWS: Final = 5_000
"""Rows of a partition; fewer where they are long."""
BYTES: Final = 64_000_000
"""Bytes of unpacked rows after which a partition ends."""
MEMORY: Final = "512MB"
"""What DuckDB may take while it packs a partition."""
DONE: Final = "_done"
WORK: Final = "_work"


class Partitions:
    """The partitions of one input file."""

    def __init__(self, out: Path, key: str, rows: int = ROWS) -> None:
        self._out, self._key, self._rows = out, key, rows
        for name in (*TABLES, DONE, WORK):
            (out / name).mkdir(parents=True, exist_ok=True)
        self._spools = {name: _Spool(out / WORK / f"{key}.{name}.jsonl") for name in TABLES}
        self._written: list[tuple[Path, Path]] = []
        """(being written, finished)"""
        self.counts = dict.fromkeys(TABLES, 0)

    def add(self, table: str, row: Mapping[str, Any]) -> None:
        spool = self._spools[table]
        spool.add(line_of(row))
        self.counts[table] += 1
        if spool.rows >= self._rows or spool.bytes >= BYTES:
            self._pack(table)

    def finish(self) -> list[str]:
        """Makes the partitions visible and returns their paths below the folder. What an earlier reading left goes."""
        for table in TABLES:
            if self._spools[table].rows:
                self._pack(table)
        kept = {finished for _, finished in self._written}
        for table in TABLES:
            for old in (self._out / table).glob(f"{self._key}-*.parquet"):
                if old not in kept:
                    old.unlink()
        for partial, finished in self._written:
            partial.replace(finished)
        self.close()
        return [str(finished.relative_to(self._out)) for _, finished in self._written]

    def close(self) -> None:
        """Takes away what is not finished."""
        for spool in self._spools.values():
            spool.close()
        for partial, _ in self._written:
            partial.unlink(missing_ok=True)

    def _pack(self, table: str) -> None:
        import duckdb

        number = sum(finished.parent.name == table for _, finished in self._written)
        finished = self._out / table / f"{self._key}-{number:04}.parquet"
        partial = finished.with_name(f".{self._key}-{number:04}.partial")
        spool = self._spools[table]
        lines = spool.full()
        try:
            with duckdb.connect(config={"threads": 1, "memory_limit": MEMORY}) as connection:
                rows = connection.read_json(
                    str(lines),
                    format="newline_delimited",
                    columns=dict(TABLES[table]),
                    maximum_object_size=2 * BYTES,
                )
                rows.write_parquet(str(partial), compression="zstd")
        except duckdb.Error as error:
            partial.unlink(missing_ok=True)
            raise OSError(f"cannot write {finished}: {error}"[:500]) from error
        self._written.append((partial, finished))
        spool.clear()


class _Spool:
    """Rows waiting to be packed, on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.rows = self.bytes = 0

    def add(self, line: bytes) -> None:
        if self._file is None:
            self._file = self._path.open("wb")
        self._file.write(line)
        self.rows += 1
        self.bytes += len(line)

    def full(self) -> Path:
        if self._file is not None:
            self._file.flush()
        return self._path

    def clear(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
        self.rows = self.bytes = 0

    def close(self) -> None:
        self.clear()
        self._path.unlink(missing_ok=True)


def write_manifest(out: Path, key: str, manifest: Mapping[str, Any]) -> None:
    """Writes a manifest whole or not at all."""
    target = out / DONE / f"{key}.json"
    partial = target.with_name(f".{key}.partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)


def read_manifest(out: Path, key: str) -> dict[str, Any] | None:
    """The manifest of a file; None where it was never read to its end, or the manifest is no JSON object."""
    return _manifest(out / DONE / f"{key}.json")


def manifests(out: Path) -> list[dict[str, Any]]:
    """All manifests of a folder."""
    return [found for path in sorted((out / DONE).glob("*.json")) if (found := _manifest(path)) is not None]


def forget(out: Path, key: str) -> None:
    """Takes the manifest away before the file is read again, so that no manifest names what is being replaced."""
    (out / DONE / f"{key}.json").unlink(missing_ok=True)


def _manifest(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None
