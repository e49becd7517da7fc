"""Questions to the ledger; nothing here writes. Answers are plain rows, ready for JSON.

Paging is by cursor: the sort value and the id of the last row, so rows that arrive meanwhile neither repeat nor hide
one.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, func, literal, or_, select

from db.bulk import count, rows_by_id
from db.errors import LedgerDamaged
from db.evergreen import is_evergreen
from db.filters import FilterError, Filters
from db.rejected import count_rejected
from db.session import Ledger, reading
from db.tables import (
    ARTICLE,
    CHANGE,
    CLAIM,
    FLAG,
    MERGE,
    PAGE,
    POSTING,
    RAW,
    REJECTED,
    RUN,
    SIGHTING,
    SOURCE,
)

POSTING_KEYS = (
    "id",
    "title",
    "title_text",
    "role",
    "family",
    "soc",
    "level",
    "level_text",
    "title_level",
    "employment_types",
    "company",
    "location_text",
    "city",
    "region",
    "country",
    "countries",
    "remote",
    "remote_scope",
    "salary_text",
    "salary_min",
    "salary_max",
    "currency",
    "period",
    "salary_open",
    "salary_is_estimate",
    "annual_min",
    "annual_max",
    "annual_min_usd",
    "annual_max_usd",
    "fx_rate",
    "fx_date",
    "url",
    "sources",
    "first_seen",
    "last_seen",
    "posted_on",
    "valid_through",
    "closed_at",
    "reopened",
    "reposted",
    "reposted_days",
    "evergreen",
    "sightings",
    "flags",
)
"""The keys of one posting as every way out gives it; null where unknown."""

SHOWN = [POSTING.c[name] for name in POSTING_KEYS if name in POSTING.c]

SORTS: Mapping[str, ColumnElement[Any]] = {
    "first_seen": POSTING.c.first_seen,
    "last_seen": POSTING.c.last_seen,
    "posted_on": func.coalesce(POSTING.c.posted_on, literal(date.min)),
    "title": func.lower(POSTING.c.title),
    "company": func.lower(func.coalesce(POSTING.c.company, "")),
    "salary": func.coalesce(
        POSTING.c.annual_max_usd, POSTING.c.annual_min_usd, literal(Decimal(-1), POSTING.c.annual_max_usd.type)
    ),
    "id": POSTING.c.id,
}
"""What postings can be sorted by; a leading "-" turns the order round."""

DEFAULT_SORT = "-first_seen"
AT_ONCE = 1_000
"""Rows read at once when everything is asked for."""


def find_postings(
    ledger: Ledger, filters: Filters, *, sort: str = DEFAULT_SORT, limit: int = 50, after: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of postings and the cursor of the next one, None at the end."""
    name, down = _sort(sort)
    order = SORTS[name]
    query = select(POSTING.c.id, order.label("sort_value")).where(*filters.conditions())
    if after is not None:
        query = query.where(_after(order, down, after, sort))
    query = query.order_by(order.desc() if down else order, POSTING.c.id.desc() if down else POSTING.c.id)
    with reading(ledger) as connection:
        rows = connection.execute(query.limit(limit + 1)).all()
        shown = rows[:limit]
        # The rows themselves only now: sorting them all would move whole descriptions about.
        whole = {
            row.id: row._mapping for row in rows_by_id(connection, select(*SHOWN), POSTING.c.id, [r.id for r in shown])
        }
        lost = [row.id for row in shown if row.id not in whole]
        if lost:  # both were read from one view: an index names a row that another one does not know
            damage = LookupError(f"the posting {lost[0]} stands in one index and not in another")
            raise LedgerDamaged(connection.engine.url.render_as_string(hide_password=True), damage)
        found = _with_flags_and_sightings(connection, [whole[row.id] for row in shown])
    more = len(rows) > limit and limit > 0
    return found, _cursor(sort, shown[-1].sort_value, shown[-1].id) if more else None


def each_posting(
    ledger: Ledger, filters: Filters, *, sort: str = DEFAULT_SORT, limit: int | None = None, after: str | None = None
) -> Iterator[dict[str, Any]]:
    """Every posting that the filters select, read page by page: memory stays flat.

    Of a view that is open (`db.session.reading`) all pages show one commit. Of the ledger itself each page shows what
    it holds by then: whoever reads slowly then holds no old state of the ledger back.
    """
    left = limit
    while left is None or left > 0:
        rows, after = find_postings(ledger, filters, sort=sort, limit=min(AT_ONCE, left or AT_ONCE), after=after)
        yield from rows
        if left is not None:
            left -= len(rows)
        if after is None:
            return


def count_postings(ledger: Ledger, filters: Filters) -> int:
    with reading(ledger) as connection:
        return connection.execute(select(func.count()).select_from(POSTING).where(*filters.conditions())).scalar_one()


def posting_ids_starting(engine: Engine, start: str) -> list[str]:
    """Ids that begin so: people copy the first letters."""
    with reading(engine) as connection:
        query = select(POSTING.c.id).where(POSTING.c.id.startswith(start, autoescape=True)).limit(3)
        return list(connection.execute(query).scalars())


def _with_flags_and_sightings(connection: Connection, rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    ids = [row["id"] for row in rows]
    flags: dict[str, list[dict[str, Any]]] = {}
    for row in rows_by_id(connection, select(FLAG).order_by(FLAG.c.posting_id, FLAG.c.code), FLAG.c.posting_id, ids):
        flag = {"id": f"{row.posting_id}:{row.code}"}
        flag |= {name: row._mapping[name] for name in ("code", "severity", "state", "detail", "suggestion", "why")}
        flags.setdefault(row.posting_id, []).append(flag)
    query = select(RAW.c.posting_id, func.count().label("pages")).join(SIGHTING, SIGHTING.c.raw_posting_id == RAW.c.id)
    sightings = {
        r.posting_id: r.pages for r in rows_by_id(connection, query.group_by(RAW.c.posting_id), RAW.c.posting_id, ids)
    }
    found = []
    for row in rows:
        derived = {
            "flags": flags.get(row["id"], []),
            "sightings": sightings.get(row["id"], 0),
            "evergreen": is_evergreen(row),
        }
        found.append({name: derived[name] if name in derived else row[name] for name in POSTING_KEYS})
    return found


def _sort(sort: str) -> tuple[str, bool]:
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise FilterError(
            f"--sort {sort!r} does not exist; choose from: {', '.join(SORTS)} (a leading - for descending)"
        )
    return name, sort.startswith("-")


def _cursor(sort: str, value: Any, id_: str) -> str:
    text = json.dumps([sort, as_json(value), id_], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(order: ColumnElement[Any], down: bool, cursor: str, sort: str) -> ColumnElement[bool]:
    made_for, value, id_ = _read_cursor(cursor)
    if made_for != sort:
        raise FilterError(f"--after was made for --sort {made_for}, not for {sort}: start again without it")
    bound = literal(value, order.type)
    if down:
        return or_(order < bound, and_(order == bound, POSTING.c.id < id_))
    return or_(order > bound, and_(order == bound, POSTING.c.id > id_))


def _read_cursor(cursor: str) -> tuple[str, Any, str]:
    """The sort, the sort value and the id that a cursor holds; `FilterError` for what we never wrote."""
    try:
        made_for, value, id_ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(made_for, str) or not isinstance(id_, str):
            raise TypeError("a cursor holds texts")
        name = made_for.removeprefix("-")
        if name in {"first_seen", "last_seen"}:
            value = datetime.fromisoformat(value)
            if value.tzinfo is None:
                raise ValueError("a moment has a zone")
        elif name == "posted_on":
            value = date.fromisoformat(value)
        elif name == "salary":
            value = Decimal(str(value))
            if not value.is_finite() or abs(value) >= Decimal(10) ** 14:
                raise ValueError("an amount has bounds")
        elif not isinstance(value, str) or "\0" in value + id_:
            raise TypeError("words are texts")
        (value if isinstance(value, str) else "").encode()
        id_.encode()
    except (ValueError, TypeError, ArithmeticError, RecursionError, binascii.Error) as error:
        raise FilterError(f"--after {cursor!r} is no cursor: use the one that the page before gave") from error
    return made_for, value, id_


def as_json(value: Any) -> Any:
    """A value as JSON holds it: exact amounts as numbers, times in ISO 8601.

    >>> as_json(Decimal("21.75")), as_json(Decimal("100000")), as_json(date(2026, 1, 31))
    (21.75, 100000, '2026-01-31')
    """
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: as_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    return value


def list_flags(
    ledger: Ledger, *, state: str | None = None, code: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Doubtful values with the posting they are in; open ones first, then by code."""
    query = select(FLAG, POSTING.c.title, POSTING.c.company, POSTING.c.salary_text, POSTING.c.country).join(
        POSTING, POSTING.c.id == FLAG.c.posting_id
    )
    if state is not None:
        query = query.where(FLAG.c.state == state)
    if code is not None:
        query = query.where(FLAG.c.code == code)
    query = query.order_by(FLAG.c.severity, FLAG.c.code, FLAG.c.posting_id).limit(limit)
    with reading(ledger) as connection:
        rows = connection.execute(query).all()
    names = (
        "code",
        "severity",
        "state",
        "title",
        "company",
        "country",
        "salary_text",
        "detail",
        "suggestion",
        "why",
        "raised_at",
        "decided_at",
        "decided_by",
    )
    return [{"id": f"{r.posting_id}:{r.code}"} | {name: r._mapping[name] for name in names} for r in rows]


def list_runs(
    ledger: Ledger, *, source: str | None = None, limit: int | None = 50, jobs: bool = True
) -> list[dict[str, Any]]:
    """Past and present runs, newest first; without `jobs` none of the scheduler's own, unless `source` names one."""
    query = select(RUN).order_by(RUN.c.scheduled_for.desc(), RUN.c.id.desc()).limit(limit)
    if source is not None:
        query = query.where(RUN.c.source == source)
    elif not jobs:
        query = query.where(~RUN.c.source.startswith("@"))
    with reading(ledger) as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def list_sources(ledger: Ledger) -> list[dict[str, Any]]:
    """Every source that is configured or ever gave something, with its condition and its last run.

    `raw_postings` counts its advertisements, `rejected` what of it could not be read.
    """
    names = [column for column in SOURCE.c if column.name not in {"scheduled_since", "alerted_at", "alerted_circuit"}]
    last = select(RUN.c.source, func.max(RUN.c.id).label("id")).where(RUN.c.state == "finished").group_by(RUN.c.source)
    newest = last.subquery()
    with reading(ledger) as connection:
        known = {
            row.name: dict(row._mapping)
            for row in connection.execute(select(*names))
            if not row.name.startswith("@")  # the scheduler's own jobs
        }
        counted = select(RAW.c.source, func.count().label("postings")).group_by(RAW.c.source)
        raw = {row.source: row.postings for row in connection.execute(counted)}
        rejected = count_rejected(connection)
        worked = set(
            connection.execute(
                select(RUN.c.source).where(RUN.c.verdict.in_(("healthy", "suspect"))).distinct()
            ).scalars()
        )
        runs = {
            row.source: {"verdict": row.verdict, "finished_at": row.finished_at, "reasons": row.reasons}
            for row in connection.execute(select(RUN).join(newest, newest.c.id == RUN.c.id))
            if not row.source.startswith("@")  # the scheduler's own jobs
        }
    blank = {column.name: None for column in names}
    return [
        blank
        | known.get(name, {"name": name})
        | {"last_run": runs.get(name), "raw_postings": raw.get(name, 0), "rejected": rejected.get(name, 0)}
        | {"never_worked": name in runs and name not in worked}
        for name in sorted({*known, *raw, *runs})
    ]


def known_sources(engine: Engine) -> list[str]:
    """Names of every source that ever gave a posting."""
    with reading(engine) as connection:
        return list(connection.execute(select(RAW.c.source).distinct().order_by(RAW.c.source)).scalars())


STATS: Mapping[str, Table] = {
    "sources": SOURCE,
    "runs": RUN,
    "pages": PAGE,
    "raw_postings": RAW,
    "sightings": SIGHTING,
    "postings": POSTING,
    "flags": FLAG,
    "changes": CHANGE,
    "merges": MERGE,
    "articles": ARTICLE,
    "claims": CLAIM,
    "rejected": REJECTED,
}


def table_counts(engine: Engine) -> dict[str, int]:
    """Rows of each table, by its plain name; raises `LedgerDamaged` where a table cannot be read to its end."""
    with reading(engine) as connection:
        return {name: count(connection, table, whole=True) for name, table in STATS.items()}


def seen_since(engine: Engine, source: str, since: datetime) -> tuple[int, int]:
    """Postings of a source seen since a moment, and how many of them a flag keeps out of statistics."""
    owners = select(RAW.c.posting_id).where(RAW.c.source == source, RAW.c.last_seen >= since)
    query = select(func.count(), func.count().filter(POSTING.c.excluded.is_(True))).where(POSTING.c.id.in_(owners))
    with reading(engine) as connection:
        postings, flagged = connection.execute(query.select_from(POSTING)).one()
    return postings, flagged
