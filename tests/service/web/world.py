"""A small ledger for the tests of the service, made down the real road: ads in, postings, flags and articles out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from aggregator.pipeline import aggregate
from db.store import keep
from tests.db.records import NOON, ad

TOKEN = "correct horse battery staple"

JOBS: tuple[tuple[str, str, str, str], ...] = (
    ("Senior Data Engineer", "Acme GmbH", "Berlin, Germany", "€80,000 - €95,000 a year"),
    ("Data Engineer", "Borealis AB", "Stockholm, Sweden", "SEK 600,000 - 720,000 a year"),
    ("Data Engineer", "Cirrus Inc", "Austin, TX, United States", "$110,000 - $130,000 a year"),
    ("Lead Data Engineer", "Dune Ltd", "London, United Kingdom", "£85,000 - £105,000 a year"),
    ("Data Scientist", "Ember SAS", "Paris, France", ""),
    ("Senior Data Scientist", "Fjord AS", "Oslo, Norway", "NOK 900,000 - 1,100,000 a year"),
    ("Data Analyst", "Grove Inc", "Remote, United States", "$45 - $55 an hour"),
    ("Junior Data Analyst", "Harbor BV", "Amsterdam, Netherlands", "€42,000 a year"),
    ("Machine Learning Engineer", "Iris Inc", "Boston, MA, United States", "$1,111,111 a year"),
)
"""Title, employer, place, pay; the last pay is a placeholder that a flag excludes."""


def fill(engine: Engine, *more: dict[str, Any]) -> None:
    """Keeps the jobs above, and more that are given as changes of an ad, and reads them."""
    records = [
        ad(
            number,
            title_text=title,
            company_text=company,
            location_text=place,
            salary_text=pay or None,
            url=f"https://board.example/jobs/{number}",
            description_text=f"{title} at {company}: you build what others rely on.",
            seen_at=NOON + timedelta(minutes=number),
        )
        for number, (title, company, place, pay) in enumerate(JOBS, 1)
    ]
    records += [ad(100 + i, **{"company_text": f"Extra {i} Ltd", **changes}) for i, changes in enumerate(more)]
    keep(engine, records)
    aggregate(engine, now=NOON)
