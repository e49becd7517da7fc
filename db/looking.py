"""One thing of the ledger with everything that is known of it, and short lists of what there is."""

from __future__ import annotations

import zlib
from typing import Any

from sqlalchemy import Connection, Engine, Select, case, func, or_, select

from db.bulk import rows_by_id
from db.decisions import RULES
from db.filters import Filters
from db.queries import find_postings
from db.session import Ledger, reading
from db.tables import ARTICLE, CHANGE, MERGE, PAGE, POSTING, RAW, SECTION, SIGHTING

PUBLISHED_SHOWN = (
    "id",
    "source",
    "source_id",
    "url",
    "title_text",
    "company_text",
    "location_text",
    "workplace_text",
    "employment_text",
    "level_text",
    "salary_text",
    "pay",
    "pay_is_estimate",
    "department_text",
    "requisition_text",
    "posted_on",
    "updated_on",
    "valid_through",
    "first_seen",
    "last_seen",
    "closed_at",
    "rules_version",
)
"""What is shown of a raw posting: all that was published but the description, which stands with the posting."""


def find_posting(ledger: Ledger, posting_id: str) -> dict[str, Any] | None:
    """A posting with its raw postings, sightings, history and merges; None where there is no such id."""
    with reading(ledger) as connection:
        row = connection.execute(select(POSTING.c.description_text).where(POSTING.c.id == posting_id)).first()
        if row is None:
            return None
        more = {
            "description_text": row.description_text,
            "raw_postings": _rows(
                connection, select(*(RAW.c[name] for name in PUBLISHED_SHOWN)).where(RAW.c.posting_id == posting_id)
            ),
            "seen_on": _rows(
                connection,
                select(PAGE.c.url, PAGE.c.kind, RAW.c.source, SIGHTING.c.first_seen, SIGHTING.c.last_seen)
                .join(SIGHTING, SIGHTING.c.page_id == PAGE.c.id)
                .join(RAW, RAW.c.id == SIGHTING.c.raw_posting_id)
                .where(RAW.c.posting_id == posting_id)
                .order_by(SIGHTING.c.first_seen, PAGE.c.url),
            ),
            "changes": _rows(
                connection, select(CHANGE).where(CHANGE.c.posting_id == posting_id).order_by(CHANGE.c.at, CHANGE.c.id)
            ),
            "merges": _rows(
                connection,
                select(MERGE).where(or_(MERGE.c.posting_id == posting_id, MERGE.c.other_id == posting_id)),
            ),
        }
        (found,), _ = find_postings(connection, Filters(ids=(posting_id,)), sort="id", limit=1)
    return found | more


def find_page_body(engine: Engine, source: str, *, url: str | None = None) -> bytes | None:
    """The page last read of a source, or the one at `url`, as it was served; None where none is kept."""
    query = (
        select(PAGE.c.body).where(PAGE.c.source == source, PAGE.c.body.is_not(None)).order_by(PAGE.c.last_seen.desc())
    )
    if url is not None:
        query = query.where(PAGE.c.url == url)
    with reading(engine) as connection:
        body = connection.execute(query.limit(1)).scalar()
    return zlib.decompress(body) if body is not None else None


def find_article(ledger: Ledger, article_id: str) -> dict[str, Any] | None:
    """An article with its sections as published; None where there is no such id."""
    with reading(ledger) as connection:
        row = connection.execute(select(ARTICLE).where(ARTICLE.c.id == article_id)).first()
        if row is None:
            return None
        sections = select(SECTION).where(SECTION.c.article_id == article_id).order_by(SECTION.c.position)
        hidden = {"content_hash", "rules_version"}
        article = {name: value for name, value in row._mapping.items() if name not in hidden}
        return article | {"sections": _rows(connection, sections)}


def merges_in_words(ledger: Ledger, *, limit: int = 50) -> list[dict[str, Any]]:
    """Merges with the ads that founded both postings, so that a person can judge: undecided and newest first."""
    undecided = case((MERGE.c.decided_by == RULES, 0), else_=1)
    query = select(MERGE).order_by(undecided, MERGE.c.at.desc(), MERGE.c.id).limit(limit)
    with reading(ledger) as connection:
        merges = connection.execute(query).all()
        ids = {id_ for merge in merges for id_ in (merge.posting_id, merge.other_id)}
        published = select(*(RAW.c[name] for name in (*PUBLISHED_SHOWN, "description_text")))
        ads = {row.id: dict(row._mapping) for row in rows_by_id(connection, published, RAW.c.id, ids)}
    names = ("posting_id", "other_id", "state", "score", "why", "decided_by", "at")
    return [
        {name: merge._mapping[name] for name in names}
        | {"stays": ads.get(merge.posting_id), "goes": ads.get(merge.other_id)}
        for merge in merges
    ]


def companies_query(filters: Filters, *, starting: str = "", limit: int = 50) -> Select[Any]:
    """Employers by number of postings, with how many state pay."""
    stated = func.count().filter(or_(POSTING.c.salary_min.is_not(None), POSTING.c.salary_max.is_not(None)))
    query = (
        select(
            POSTING.c.company_id.label("id"),
            func.min(POSTING.c.company).label("name"),
            func.count().label("postings"),
            stated.label("with_pay"),
        )
        .where(POSTING.c.company_id.is_not(None), *filters.conditions())
        .group_by(POSTING.c.company_id)
        .order_by(func.count().desc(), POSTING.c.company_id)
        .limit(limit)
    )
    return query.where(POSTING.c.company.istartswith(starting, autoescape=True)) if starting else query


def list_companies(
    ledger: Ledger, *, starting: str = "", filters: Filters | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """The answer to `companies_query`."""
    with reading(ledger) as connection:
        return _rows(connection, companies_query(filters or Filters(), starting=starting, limit=limit))


def roles_query() -> Select[Any]:
    """Roles that postings have, by number of postings."""
    return (
        select(POSTING.c.role, POSTING.c.family, POSTING.c.soc, func.count().label("postings"))
        .where(POSTING.c.role.is_not(None))
        .group_by(POSTING.c.role, POSTING.c.family, POSTING.c.soc)
        .order_by(func.count().desc(), POSTING.c.role)
    )


def list_roles(ledger: Ledger) -> list[dict[str, Any]]:
    """The answer to `roles_query`."""
    with reading(ledger) as connection:
        return _rows(connection, roles_query())


def _rows(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(query)]
