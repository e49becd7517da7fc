"""Articles as the aggregator reads them, and the claims it found in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from db.bulk import rows_by_id
from db.keys import key
from db.session import Ledger, reading, writing
from db.tables import ARTICLE, CLAIM, SECTION


@dataclass(frozen=True, slots=True)
class StoredSection:
    heading: str | None
    subheading: str | None
    text: str


@dataclass(frozen=True, slots=True)
class StoredArticle:
    id: str
    source: str
    url: str
    title: str
    content_hash: str
    sections: tuple[StoredSection, ...]


@dataclass(frozen=True, slots=True)
class ArticleReading:
    """What the rules read in an article: the roles it compares and the figures it claims."""

    id: str
    content_hash: str
    roles: tuple[str, ...]
    claims: tuple[Mapping[str, Any], ...]
    """Columns of `article_claim` but for its ids."""


def pending(connection: Connection, rules_version: int) -> list[StoredArticle]:
    rows = connection.execute(
        select(ARTICLE).where(ARTICLE.c.rules_version != rules_version).order_by(ARTICLE.c.id)
    ).all()
    sections: dict[str, list[StoredSection]] = {}
    query = select(SECTION).order_by(SECTION.c.article_id, SECTION.c.position)
    for row in rows_by_id(connection, query, SECTION.c.article_id, [r.id for r in rows]):
        sections.setdefault(row.article_id, []).append(StoredSection(row.heading, row.subheading, row.text))
    return [StoredArticle(r.id, r.source, r.url, r.title, r.content_hash, tuple(sections.get(r.id, ()))) for r in rows]


def mark_all_pending(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(update(ARTICLE).values(rules_version=0))


def keep_readings(engine: Engine, readings: Sequence[ArticleReading], *, rules_version: int) -> int:
    """Replaces the claims of these articles in one transaction; returns how many articles."""
    if not readings:
        return 0
    claims = {
        row["id"]: row
        for r in readings
        for row in (
            {"id": key("claim", r.id, str(claim["kind"]), str(claim["text"])), "article_id": r.id, **claim}
            for claim in r.claims
        )
    }
    with writing(engine) as connection:
        connection.execute(delete(CLAIM).where(CLAIM.c.article_id.in_([r.id for r in readings])))
        if claims:
            connection.execute(insert(CLAIM), [claims[id_] for id_ in sorted(claims)])
        connection.execute(
            update(ARTICLE)
            .where(ARTICLE.c.id == bindparam("article"), ARTICLE.c.content_hash == bindparam("read_hash"))
            .values(roles=bindparam("found"), rules_version=rules_version),
            [{"article": r.id, "read_hash": r.content_hash, "found": list(r.roles)} for r in readings],
        )
    return len(readings)


def list_articles(ledger: Ledger, *, claims: bool = False) -> list[dict[str, Any]]:
    """All articles, newest first, each with its claims where asked."""
    with reading(ledger) as connection:
        rows = connection.execute(
            select(ARTICLE).order_by(ARTICLE.c.published_on.desc().nulls_last(), ARTICLE.c.title, ARTICLE.c.id)
        ).all()
        stated = connection.execute(select(CLAIM).order_by(CLAIM.c.article_id, CLAIM.c.kind, CLAIM.c.id)).all()
    by_article: dict[str, list[dict[str, Any]]] = {}
    for claim in stated:
        by_article.setdefault(claim.article_id, []).append(dict(claim._mapping))
    hidden = {"content_hash", "rules_version"}
    return [
        {name: value for name, value in row._mapping.items() if name not in hidden}
        | (_claims_by_kind(by_article.get(row.id, [])) if claims else {})
        for row in rows
    ]


SALARY_CLAIM = ("role", "about", "amount", "currency", "period", "country", "source", "text")
GROWTH_CLAIM = ("role", "about", "percent", "since", "until", "source", "text")


def _claims_by_kind(claims: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {
        "salary_claims": [{n: c[n] for n in SALARY_CLAIM} for c in claims if c["kind"] == "salary"],
        "growth_claims": [{n: c[n] for n in GROWTH_CLAIM} for c in claims if c["kind"] == "growth"],
    }
