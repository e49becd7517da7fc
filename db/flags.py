"""Flags that look beyond one posting: what the cohort test compares and raises; and how many stand open.

A cohort flag depends on other postings, so no reading of one posting raises or removes it: its own job does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, delete, func, select, update

from db.bulk import one_of, rows_by_id, upsert
from db.records import RejectedRecord
from db.session import committed, reading
from db.tables import FLAG, POSTING

COHORT = "cohort_outlier"
DUPLICATE = "duplicate_in_source"


@dataclass(frozen=True, slots=True)
class CohortPay:
    """One posting's pay as the cohort test compares it."""

    id: str
    family: str | None
    level: str | None
    country: str | None
    annual_usd: float
    """Middle of its range, US dollars a year."""


@dataclass(frozen=True, slots=True)
class CohortChanges:
    raised: int = 0
    reworded: int = 0
    lifted: int = 0
    rejected: tuple[RejectedRecord, ...] = ()
    """Postings that the cohort test failed on."""


def cohort_pay(engine: Engine, *, at_most: int | None = None) -> list[CohortPay] | None:
    """The pay of every posting that counts in statistics and that a site stated, not estimated; None for too many."""
    low = func.coalesce(POSTING.c.annual_min_usd, POSTING.c.annual_max_usd)
    high = func.coalesce(POSTING.c.annual_max_usd, POSTING.c.annual_min_usd)
    columns = (POSTING.c.id, POSTING.c.family, POSTING.c.level, POSTING.c.country, low.label("low"), high.label("high"))
    statement = select(*columns).where(
        low.is_not(None), POSTING.c.excluded.is_(False), POSTING.c.salary_is_estimate.is_(False)
    )
    statement = statement.where(POSTING.c.family.is_not(None), POSTING.c.level.is_not(None))
    if at_most is not None:
        statement = statement.limit(at_most + 1)
    with reading(engine) as connection:
        rows = connection.execute(statement).all()
    if at_most is not None and len(rows) > at_most:
        return None
    return [CohortPay(row.id, row.family, row.level, row.country, float(row.low + row.high) / 2) for row in rows]


def named_rows(engine: Engine, posting_ids: Collection[str]) -> list[Row[Any]]:
    """(id, sources, url, title_text) of these postings."""
    query = select(POSTING.c.id, POSTING.c.sources, POSTING.c.url, POSTING.c.title_text).order_by(POSTING.c.id)
    with reading(engine) as connection:
        return rows_by_id(connection, query, POSTING.c.id, posting_ids)


def keep_cohort_flags(
    engine: Engine, details: Mapping[str, str], *, severity: str, rules_version: int, now: datetime
) -> CohortChanges:
    """Makes the open cohort flags those of `details` (posting id -> words); what a person decided stays as decided."""
    return _keep_flags(engine, COHORT, details, None, severity=severity, rules_version=rules_version, now=now)


def keep_duplicate_flags(
    engine: Engine, details: Mapping[str, str], among: Collection[str], *, rules_version: int, now: datetime
) -> CohortChanges:
    """The same for ads that one publisher shows twice, among the postings that were looked at."""
    return _keep_flags(engine, DUPLICATE, details, among, severity="warn", rules_version=rules_version, now=now)


def _keep_flags(
    engine: Engine,
    code: str,
    details: Mapping[str, str],
    among: Collection[str] | None,
    *,
    severity: str,
    rules_version: int,
    now: datetime,
) -> CohortChanges:
    def work(connection: Connection) -> CohortChanges:
        standing = select(FLAG).where(FLAG.c.code == code)
        if among is not None:
            standing = standing.where(one_of(connection, FLAG.c.posting_id, among))
        rows = connection.execute(standing).all()
        known: dict[str, Row[tuple[object, ...]]] = {row.posting_id: row for row in rows}
        new = [
            {
                "posting_id": posting_id,
                "code": code,
                "severity": severity,
                "state": "open",
                "detail": detail,
                "suggestion": {},
                "rules_version": rules_version,
                "raised_at": now,
                "seen_hash": "",
            }
            for posting_id, detail in sorted(details.items())
            if posting_id not in known
        ]
        upsert(connection, FLAG, new, ["posting_id", "code"])
        is_ours = (FLAG.c.posting_id == bindparam("flagged")) & (FLAG.c.code == code)
        reworded = [
            {"flagged": name, "words": details[name], "rules": rules_version}
            for name, row in known.items()
            if name in details and row.state == "open" and row.detail != details[name]
        ]
        if reworded:
            wording = update(FLAG).where(is_ours)
            connection.execute(wording.values(detail=bindparam("words"), rules_version=bindparam("rules")), reworded)
        lifted = [{"flagged": name} for name, row in known.items() if name not in details and row.state == "open"]
        if lifted:
            connection.execute(delete(FLAG).where(is_ours), lifted)
        return CohortChanges(len(new), len(reworded), len(lifted))

    return committed(engine, work)


def open_flags(engine: Engine) -> dict[str, int]:
    """How many flags of each code nobody has decided yet."""
    statement = select(FLAG.c.code, func.count().label("n")).where(FLAG.c.state == "open").group_by(FLAG.c.code)
    with reading(engine) as connection:
        return {row.code: row.n for row in connection.execute(statement)}
