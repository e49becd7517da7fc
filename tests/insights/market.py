"""Made-up postings for the tests of figures: in a ledger, or as rows in memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
from sqlmodel import Session

from db.models import Article, ArticleClaim, Company, Posting, PostingFlag, RawPosting
from db.session import open_ledger, session_scope
from insights.rows import Rows, rows_from

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SPRING = datetime(2026, 3, 10, 8, tzinfo=UTC)


def posting(number: int, **changes: Any) -> Posting:
    """One posting with pay: 60 to 80 thousand euros a year, for a senior data engineer in Germany."""
    company = changes.pop("company", f"Employer {number}")
    said: dict[str, Any] = {
        "id": f"posting-{number:05d}",
        "title": "Data Engineer",
        "title_text": "Data Engineer (m/w/d)",
        "role": "Data Engineer",
        "family": "Data Engineering",
        "soc": "15-1243",
        "level": "senior",
        "employment_types": ["full_time"],
        "company_id": company.lower().replace(" ", "-") if company else None,
        "company": company,
        "city": "Berlin",
        "country": "DE",
        "remote": "hybrid",
        "salary_text": "60.000 - 80.000 EUR",
        "salary_min": Decimal(60_000),
        "salary_max": Decimal(80_000),
        "currency": "EUR",
        "period": "year",
        "sources": ["acme-board"],
        "posted_on": date(2026, 3, 2),
        "first_seen": SPRING,
        "last_seen": NOW,
        "content_hash": "h",
        "rules_version": 3,
    }
    said |= changes
    said.setdefault("annual_min", said["salary_min"])
    said.setdefault("annual_max", said["salary_max"])
    if said["currency"] is not None:
        rate = {"EUR": Decimal("1.10"), "GBP": Decimal("1.25"), "USD": Decimal(1)}.get(said["currency"])
        for end in ("min", "max"):
            amount = said[f"annual_{end}"]
            said.setdefault(f"annual_{end}_usd", amount * rate if amount is not None and rate is not None else None)
        said.setdefault("fx_rate", float(rate) if rate is not None else None)
        said.setdefault("fx_date", date(2026, 3, 2))
    return Posting(**said)


def unpaid(number: int, **changes: Any) -> Posting:
    """A posting that states no pay."""
    none = {"salary_text": None, "salary_min": None, "salary_max": None, "currency": None, "period": None}
    return posting(number, **(none | changes))


def flag(of: Posting, code: str, severity: str = "exclude", state: str = "open") -> PostingFlag:
    return PostingFlag(
        posting_id=of.id,
        code=code,
        severity=severity,
        state=state,
        detail="seen in a test",
        rules_version=3,
        raised_at=SPRING,
    )


def fill(url: str, postings: Iterable[Posting], others: Iterable[Any] = ()) -> str:
    """Writes the postings, their employers and whatever else into the ledger; returns its URL."""
    engine = open_ledger(url)
    made = list(postings)
    employers = {p.company_id: p.company for p in made if p.company_id is not None}
    with session_scope(engine, write=True) as session:
        add(session, [Company(id=id, name=name or "") for id, name in sorted(employers.items())])
        add(session, made)
        add(session, list(others))
    engine.dispose()
    return url


def add(session: Session, rows: list[Any]) -> None:
    for row in rows:
        session.add(row)
    session.flush()


def raw_posting(number: int, rules_version: int) -> RawPosting:
    return RawPosting(
        id=f"raw-{number}",
        source="acme-board",
        source_id=str(number),
        title_text="Data Engineer",
        content_hash="h",
        first_seen=SPRING,
        last_seen=NOW,
        rules_version=rules_version,
    )


def article(number: int = 1, title: str = "Data Engineer vs. Data Analyst") -> Article:
    return Article(
        id=f"article-{number}",
        source="career-site",
        url=f"https://careers.example/{number}",
        title=title,
        content_hash="h",
        first_seen=SPRING,
        last_seen=NOW,
    )


def claim(number: int, **changes: Any) -> ArticleClaim:
    said: dict[str, Any] = {
        "id": f"claim-{number}",
        "article_id": "article-1",
        "kind": "salary",
        "role": "Data Engineer",
        "amount": Decimal(75_000),
        "currency": "EUR",
        "period": "year",
        "country": "DE",
        "source": "Payscope",
        "text": "A data engineer earns 75,000 euros on average, says Payscope.",
    }
    return ArticleClaim(**said | changes)


Record = tuple[Any, ...]
BY = ("role", "level", "country")


def record(
    low: float | None = 60_000,
    high: float | None = 80_000,
    *,
    place: tuple[str | None, ...] = ("Data Engineer", "senior", "DE"),
    currency: str | None = "EUR",
    company: str | None = "acme",
    estimate: bool = False,
    excluded: bool = False,
) -> Record:
    """One row in the order of `rows_from`, amounts in units."""
    stated = low is not None or high is not None
    marks = int(stated) + 2 * estimate + 4 * excluded
    ends = [None if end is None else round(end * 100) for end in (low, high)]
    return (*place, currency if stated else None, company, *ends, marks)


def rows_of(records: Iterable[Record], by: tuple[str, ...] = BY) -> Rows:
    return rows_from(list(records), by)


def random_market(seed: int, n: int, *, roles: int = 3, levels: int = 3, countries: int = 2) -> list[Record]:
    """A market with employers of unequal size, open ends, missing pay, estimates, excluded rows and two currencies."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        place = (f"role {rng.integers(roles)}", f"level {rng.integers(levels)}", f"C{rng.integers(countries)}")
        middle = float(np.exp(rng.normal(11, 0.4)))
        low, high = round(middle * 0.9, 2), round(middle * 1.1, 2)
        shape = rng.random()
        made.append(
            record(
                None if shape < 0.25 or 0.9 < shape < 0.95 else low,
                None if shape < 0.25 or shape > 0.95 else high,
                place=place,
                currency="EUR" if rng.random() < 0.7 else "USD",
                company=None if rng.random() < 0.05 else f"employer {int(12 * rng.random() ** 2)}",
                estimate=bool(rng.random() < 0.1),
                excluded=bool(rng.random() < 0.05),
            )
        )
    return made
