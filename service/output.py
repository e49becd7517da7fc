"""Writing rows out: table, JSON, JSON Lines, CSV, Parquet. Data goes to stdout or a file, everything else to stderr.

Scraped text is hostile: tables print it without markup, CSV cells that a spreadsheet would run as a formula are quoted.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from db.queries import as_json
from service.settings import UsageError, WorkFailed

FORMATS = ("table", "json", "jsonl", "csv", "parquet")
Row = Mapping[str, Any]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def require_format(name: str, allowed: Sequence[str] = FORMATS) -> str:
    if name not in allowed:
        raise UsageError(f"--format {name!r} does not exist; choose from: {', '.join(allowed)}")
    return name


def format_of(path: Path, allowed: Sequence[str]) -> str:
    """The format that a file's name asks for."""
    ending = path.suffix.removeprefix(".").lower()
    if ending not in allowed:
        raise UsageError(f"{path}: the name must end in {', '.join('.' + name for name in allowed)}")
    return ending


def write_rows(
    rows: Iterable[Row], kind: str, *, columns: Sequence[str], output: Path | None, raw_csv: bool = False
) -> int:
    """Writes rows in a format other than table; returns how many. Streams: memory stays flat."""
    if kind == "parquet":
        return _write_parquet(rows, columns, output)
    with _opened(output) as out:
        if kind == "json":
            return _write_json(rows, out)
        if kind == "jsonl":
            return _write_lines(rows, out)
        return _write_csv(rows, columns, out, raw_csv)


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    """Stdout, or a file that appears only when it is whole."""
    if output is None:
        yield sys.stdout
        return
    partial = output.with_name(output.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as out:
            yield out
        partial.replace(output)
    except OSError as error:
        raise WorkFailed(f"cannot write {output}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def write_text(text: str | bytes, output: Path | None) -> None:
    """One finished document, to stdout or a file."""
    if isinstance(text, bytes):
        if output is None:
            sys.stdout.buffer.write(text)
            return
        try:
            output.write_bytes(text)
        except OSError as error:
            raise WorkFailed(f"cannot write {output}: {error.strerror or error}") from error
        return
    with _opened(output) as out:
        out.write(text if text.endswith("\n") else text + "\n")


def _write_json(rows: Iterable[Row], out: IO[str]) -> int:
    number = 0
    out.write("[")
    for number, row in enumerate(rows, 1):
        out.write(("," if number > 1 else "") + "\n  " + json.dumps(as_json(row), ensure_ascii=False))
    out.write("\n]\n" if number else "]\n")
    return number


def _write_lines(rows: Iterable[Row], out: IO[str]) -> int:
    number = 0
    for row in rows:
        number += 1
        out.write(json.dumps(as_json(row), ensure_ascii=False) + "\n")
    return number


def _write_csv(rows: Iterable[Row], columns: Sequence[str], out: IO[str], raw: bool) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    number = 0
    for row in rows:
        number += 1
        writer.writerow([csv_cell(row.get(name), raw=raw) for name in columns])
    return number


def csv_cell(value: Any, *, raw: bool = False) -> str:
    """One cell: lists joined by "; ", objects as JSON; a text that starts like a formula gets an apostrophe in front.

    >>> csv_cell("=1+1"), csv_cell("=1+1", raw=True), csv_cell(-5), csv_cell(["a", "b"]), csv_cell(None)
    ("'=1+1", '=1+1', '-5', 'a; b', '')
    """
    value = as_json(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        text = "; ".join(
            part if isinstance(part, str) else part.get("code") or json.dumps(part, ensure_ascii=False)
            for part in value
        )
    elif isinstance(value, dict):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value)
    return "'" + text if not raw and text.startswith(FORMULA_STARTS) else text


def _write_parquet(rows: Iterable[Row], columns: Sequence[str], output: Path | None) -> int:
    if output is None:
        raise UsageError("--format parquet is binary: give --output FILE.parquet")
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise WorkFailed("Parquet needs DuckDB: pip install duckdb") from error
    with tempfile.TemporaryDirectory(dir=output.parent if output.parent.is_dir() else None) as folder:
        lines = Path(folder) / "rows.jsonl"
        with lines.open("w", encoding="utf-8") as out:
            number = _write_lines(({name: row.get(name) for name in columns} for row in rows), out)
        finished = Path(folder) / "rows.parquet"
        with duckdb.connect() as connection:
            types = {name: _parquet_type(name) for name in columns}
            relation = connection.read_json(str(lines), format="newline_delimited", columns=types)
            relation.write_parquet(str(finished))
        try:
            finished.replace(output)
        except OSError as error:
            raise WorkFailed(f"cannot write {output}: {error.strerror or error}") from error
    return number


AMOUNTS = frozenset({"salary_min", "salary_max", "annual_min", "annual_max", "annual_min_usd", "annual_max_usd"})
LISTS = frozenset({"employment_types", "countries", "remote_scope", "sources"})
OTHER_TYPES = {
    "fx_rate": "DOUBLE",
    "sightings": "BIGINT",
    "reopened": "BIGINT",
    "reposted": "BIGINT",
    "reposted_days": "BIGINT",
    "evergreen": "BOOLEAN",
    "salary_is_estimate": "BOOLEAN",
    "first_seen": "TIMESTAMPTZ",
    "last_seen": "TIMESTAMPTZ",
    "closed_at": "TIMESTAMPTZ",
    "posted_on": "DATE",
    "valid_through": "DATE",
    "fx_date": "DATE",
    "flags": "STRUCT(code VARCHAR, severity VARCHAR, state VARCHAR, detail VARCHAR)[]",
}


def _parquet_type(column: str) -> str:
    if column in AMOUNTS:
        return "DECIMAL(18, 2)"
    return "VARCHAR[]" if column in LISTS else OTHER_TYPES.get(column, "VARCHAR")


def print_table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Row], *, footer: str = "") -> None:
    """A table on stdout: `columns` are (key, heading). Numbers stand right, scraped text is printed as it is."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    table = Table(title=Text(title), title_justify="left", header_style="bold", expand=False)
    for key, heading in columns:
        numeric = any(isinstance(as_json(row.get(key)), int | float) for row in rows)
        table.add_column(Text(heading), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(row.get(key))) for key, _ in columns))
    console.print(table)
    if footer:
        console.print(Text(footer))


def shown(value: Any) -> str:
    """A value as people read it.

    >>> shown(["full_time", "contract"]), shown(120000), shown(None), shown(0.5)
    ('full_time, contract', '120,000', '–', '0.5')
    """
    value = as_json(value)
    if value is None or value in ("", []):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 100 else f"{value:g}"
    if isinstance(value, list):
        return ", ".join(part["code"] if isinstance(part, dict) and "code" in part else str(part) for part in value)
    return visible(str(value))


def visible(text: str) -> str:
    """Text without the control characters that would drive a terminal.

    >>> visible("a\\x1b[31mb\\rc")
    'a [31mb c'
    """
    return "".join(c if c.isprintable() else " " for c in text)


def to_stderr(message: str) -> None:
    print(visible(message), file=sys.stderr)  # noqa: T201 - the one place that speaks to people


def as_csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    out = io.StringIO()
    _write_csv(rows, columns, out, raw=False)
    return out.getvalue()
