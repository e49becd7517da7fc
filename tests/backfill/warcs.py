"""WARC files made by hand, and the rows that a backfill made of them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.warc_pages import record

AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
JOB = """<html><head><script type="application/ld+json">{"@context": "https://schema.org", "@type": "JobPosting",
"title": "%s", "hiringOrganization": {"@type": "Organization", "name": "Acme"}, "jobLocation": {"@type": "Place",
"address": {"addressLocality": "Berlin", "addressCountry": "DE"}}, "baseSalary": {"@type": "MonetaryAmount",
"currency": "EUR", "value": {"minValue": 70000, "maxValue": 90000, "unitText": "YEAR"}},
"description": "Write to jane@acme.example"}</script></head><body><h1>%s</h1></body></html>"""
ARTICLE = """<html><body><h1>Data Analyst vs. Data Engineer</h1><p>5 min read · Dec. 6, 2023</p><h2>Tasks</h2>
<p>Both of them work with data, and each does so in a way of its own, every single day.</p>
<h3>Featured Job</h3><p>Senior Data Engineer</p><p>@ Acme | Berlin, Germany</p>
<p>Full Time Senior-level / Expert EUR 70K - 90K</p></body></html>"""
NOTHING = "<html><body><h1>Recipes</h1><p>Stir the soup for a minute, and read the rest tomorrow.</p></body></html>"


def job(title: str = "Data Engineer") -> bytes:
    return (JOB % (title, title)).encode()


def member(url: str, body: bytes, **how: Any) -> bytes:
    """One packed record."""
    return gzip.compress(record(url, AT, body, **how), 1, mtime=0)


def rows(out: Path, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """The rows of all partitions of a table, in the order of partitions and rows."""
    files = sorted(str(file) for file in (out / table).glob("*.parquet"))
    if not files:
        return []
    with duckdb.connect(config={"threads": 1}) as connection:
        return connection.read_parquet(files).project(columns).fetchall()


def partitions(out: Path) -> dict[str, bytes]:
    """Every visible partition, by its path, with its bytes."""
    return {str(file.relative_to(out)): file.read_bytes() for file in sorted(out.glob("*/*.parquet"))}
