"""What pay buys: amounts in international dollars, by the purchasing power of the country's currency.

The factors come from a file that the user names (the World Bank publishes them as PA.NUS.PPP); none are built in,
because they age. CSV with the columns country (ISO 3166-1), currency (ISO 4217), factor (units of the currency that
buy what one US dollar buys in the United States) and year.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from db.user_files import UserFileError, read_user_table
from insights.model import InsightError
from insights.rows import Rows

INTERNATIONAL = "Int$"
COLUMNS = ("country", "currency", "factor", "year")
SMALLEST, LARGEST = 1e-6, 1e9
"""Bounds far beyond every factor that the World Bank publishes."""
Factors = Mapping[tuple[str, str], float]


def read_factors(path: Path) -> dict[tuple[str, str], float]:
    """(country, currency) -> factor; of several years the newest. Raises `InsightError`, naming the line."""
    newest: dict[tuple[str, str], tuple[int, float]] = {}
    try:
        for line, row in read_user_table(path, COLUMNS):
            place = (row["country"].strip().upper(), row["currency"].strip().upper())
            year, factor = _numbers(path, line, row)
            if place not in newest or year > newest[place][0]:
                newest[place] = (year, factor)
    except UserFileError as error:
        raise InsightError(f"purchasing powers cannot be read: {error}") from error
    return {place: factor for place, (_, factor) in newest.items()}


def _numbers(path: Path, number: int, row: Mapping[str, str]) -> tuple[int, float]:
    try:
        year, factor = int(row["year"]), float(row["factor"])
    except ValueError as error:
        raise InsightError(f"{path}, line {number}: year and factor must be numbers") from error
    if not SMALLEST <= factor <= LARGEST:  # false for NaN too
        raise InsightError(f"{path}, line {number}: a factor of {factor} is no purchasing power")
    return year, factor


def to_international(rows: Rows, factors: Factors) -> None:
    """Turns the pay of `rows`, read with the dimension country in their own currencies, into international dollars.

    A posting in a country without a factor for its currency (pay in another country's money) is in no figure: its
    currency becomes "", and the report counts it as not comparable.
    """
    if "country" not in rows.dimensions:
        raise InsightError("purchasing power needs the rows' countries")
    cursor = rows.connection.cursor()
    try:
        cursor.execute("CREATE OR REPLACE TEMP TABLE factor (country VARCHAR, currency VARCHAR, factor DOUBLE)")
        if factors:
            cursor.executemany("INSERT INTO factor VALUES (?, ?, ?)", [(*place, f) for place, f in factors.items()])
        cursor.execute(
            """CREATE TABLE worth AS SELECT id, factor FROM place LEFT JOIN factor
               ON place.country = factor.country AND place.currency = factor.currency"""
        )
        cursor.execute(
            """UPDATE paid SET low = (low / factor)::BIGINT, high = (high / factor)::BIGINT
               FROM worth WHERE paid.id = worth.id AND factor IS NOT NULL"""
        )
        cursor.execute(
            "UPDATE place SET currency = CASE WHEN factor IS NULL THEN '' ELSE ? END FROM worth"
            " WHERE place.id = worth.id",
            [INTERNATIONAL],
        )
    finally:
        cursor.close()
