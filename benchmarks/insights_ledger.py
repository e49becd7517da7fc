"""A made-up ledger for the benchmarks of figures: postings in the real table, written straight into SQLite.

Twenty thousand employers of unequal size, sixty roles, six levels, twenty countries; 55 % state pay, 2 % are excluded
by a flag. Descriptions are short: their length slows every reader of the table alike.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from db.session import open_ledger

EMPLOYERS = 20_000
LEVELS = ("internship", "entry", "mid", "senior", "lead", "manager")
COUNTRIES = (
    "US",
    "DE",
    "GB",
    "FR",
    "IN",
    "CA",
    "NL",
    "ES",
    "PL",
    "AU",
    "IE",
    "SE",
    "CH",
    "AT",
    "IT",
    "PT",
    "BR",
    "MX",
    "SG",
    "JP",
)
ROLES = tuple(f"Role Number {i}" for i in range(60))
FILLED = {
    "role_confidence": 1.0,
    "employment_types": '["full_time"]',
    "countries": "[]",
    "remote_scope": "[]",
    "salary_is_estimate": 0,
    "pay_tiers": "[]",
    "sources": '["bench"]',
    "period": "year",
    "description_text": "a short description of the job " * 6,
    "first_seen": "2026-01-01 00:00:00.000000",
    "last_seen": "2026-05-01 00:00:00.000000",
    "block": "",
    "content_hash": "h",
    "rules_version": 1,
}


_LETTERS = str.maketrans("0189", "abcd")


def posting_id(number: int) -> str:
    """A key as the ledger's own look: small letters and the digits 2 to 7."""
    return f"posting{number:09d}".translate(_LETTERS)


def write_ledger(path: Path, postings: int, *, seed: int = 7) -> None:
    """A new ledger of so many postings at `path`."""
    open_ledger(f"sqlite:///{path}").dispose()
    with sqlite3.connect(path) as store:
        store.execute("PRAGMA synchronous = OFF")
        store.executemany(
            "INSERT INTO company (id, name) VALUES (?, ?)",
            ((f"comp{i:012d}", f"Company {i}") for i in range(EMPLOYERS)),
        )
        columns = list(store.execute("PRAGMA table_info(posting)"))
        empty = {name: 0 if required and kind != "TEXT" else None for _, name, kind, required, *_ in columns}
        marks = ", ".join("?" * len(columns))
        rows = (tuple((empty | FILLED | row).values()) for row in _postings(postings, seed))
        store.executemany(f"INSERT INTO posting VALUES ({marks})", rows)
        store.executemany(
            "INSERT INTO posting_flag (posting_id, code, severity, state, detail, suggestion, rules_version, raised_at,"
            " seen_hash) VALUES (?, 'placeholder', 'exclude', 'open', 'd', '{}', 1, '2026-01-01 00:00:00', '')",
            ((posting_id(i),) for i in range(0, postings, 50)),
        )
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def _postings(number: int, seed: int) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    role, level = rng.integers(0, len(ROLES), number), rng.integers(0, len(LEVELS), number)
    country, employer = rng.integers(0, len(COUNTRIES), number), (EMPLOYERS * rng.random(number) ** 2).astype(int)
    middle = np.exp(rng.normal(11.4, 0.35, number) + 0.1 * level)
    paid = rng.random(number) < 0.55
    for i in range(number):
        low, high = (int(middle[i] * share // 500) * 50_000 if paid[i] else None for share in (0.88, 1.12))
        yield {
            "id": posting_id(i),
            "title": ROLES[role[i]],
            "title_text": ROLES[role[i]],
            "role": ROLES[role[i]],
            "family": f"Family {role[i] % 8}",
            "level": LEVELS[level[i]],
            "company_id": f"comp{employer[i]:012d}",
            "company": f"Company {employer[i]}",
            "country": COUNTRIES[country[i]],
            "salary_text": "x" if paid[i] else None,
            "currency": "USD" if paid[i] else None,
            **dict.fromkeys(("salary_min", "annual_min", "annual_min_usd"), low),
            **dict.fromkeys(("salary_max", "annual_max", "annual_max_usd"), high),
            "excluded": int(i % 50 == 0),
            "posted_on": f"2026-{1 + i % 10:02d}-10",
        }
