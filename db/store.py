"""Keeping what was published: records in, rows out, nothing lost and nothing twice.

One call of `keep` is one transaction: whole or absent. Every write is an upsert on a key made of what the thing is, so
a repeated page, a killed process or a second run changes nothing but the time last seen. An unchanged raw posting costs
one comparison of hashes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, bindparam, case, delete, insert, select, update

from db.bulk import last_of_each, one_of, rows_by_id, update_rows, upsert
from db.raw_postings import keep_raw_postings
from db.records import ArticleRecord, PageRecord, RawPostingRecord, Record, RejectedRecord, storable
from db.rejected import keep_rejected, resolve_pages
from db.session import committed
from db.tables import ARTICLE, PAGE, SECTION


@dataclass(frozen=True, slots=True)
class KeepCounts:
    """What one or several calls of `keep` did. Distinct raw postings: `new + updated + unchanged = raw_postings`."""

    pages: int = 0
    articles: int = 0
    sightings: int = 0
    raw_postings: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    def __add__(self, other: KeepCounts) -> KeepCounts:
        return KeepCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def keep(engine: Engine, records: Sequence[Record], *, counted: set[str] | None = None) -> KeepCounts:
    """Writes a batch of records; a few hundred to a few thousand are a good size.

    `counted` holds the ids of raw postings already counted in this run and is added to, so that a job seen on many
    pages counts once. Returns what this call did.
    """
    if not records:
        return KeepCounts()
    seen = counted if counted is not None else set()
    counts, fresh = committed(engine, lambda connection: _keep(connection, records, seen))
    seen |= fresh
    return counts


def _keep(connection: Connection, records: Sequence[Record], seen: Set[str]) -> tuple[KeepCounts, frozenset[str]]:
    """What was done, and the raw postings that it counted."""
    pages = _keep_pages(connection, [r for r in records if isinstance(r, PageRecord)])
    articles = _keep_articles(connection, [r for r in records if isinstance(r, ArticleRecord)])
    raw, failed, sightings = keep_raw_postings(connection, [r for r in records if isinstance(r, RawPostingRecord)])
    rejected = keep_rejected(connection, [*(r for r in records if isinstance(r, RejectedRecord)), *failed])
    new, updated, unchanged = (ids - seen for ids in (raw.new, raw.updated, raw.unchanged))
    counts = KeepCounts(
        pages=pages,
        articles=articles,
        sightings=sightings,
        raw_postings=len(new) + len(updated) + len(unchanged),
        new=len(new),
        updated=len(updated),
        unchanged=len(unchanged),
        rejected=rejected,
    )
    return counts, new | updated | unchanged


def _keep_pages(connection: Connection, records: Sequence[PageRecord]) -> int:
    rows = [
        {
            "id": r.id,
            "source": r.source,
            "url": storable(r.url),
            "kind": r.kind,
            "status": r.status,
            "content_hash": r.content_hash,
            "etag": r.etag,
            "last_modified": r.last_modified,
            "first_seen": r.seen_at,
            "last_seen": r.seen_at,
            "body": zlib.compress(r.body, 6) if r.body is not None else None,
        }
        for r in records
    ]
    upsert(connection, PAGE, last_of_each(rows, "id"), ["id"], earliest=["first_seen"], latest=["last_seen"])
    resolve_pages(connection, records)
    return len(records)


def _keep_articles(connection: Connection, records: Sequence[ArticleRecord]) -> int:
    latest = {r.id: r for r in records}
    known = {
        row.id: row.content_hash
        for row in rows_by_id(connection, select(ARTICLE.c.id, ARTICLE.c.content_hash), ARTICLE.c.id, latest)
    }
    changed = [latest[id_] for id_ in sorted(latest) if known.get(id_) != latest[id_].content_hash]
    upsert(
        connection, ARTICLE, [_article_row(r) for r in changed], ["id"], earliest=["first_seen"], latest=["last_seen"]
    )
    if changed:
        connection.execute(delete(SECTION).where(one_of(connection, SECTION.c.article_id, [r.id for r in changed])))
        sections = [
            {
                "article_id": r.id,
                "position": section.position,
                "heading": storable(section.heading),
                "subheading": storable(section.subheading),
                "text": storable(section.text),
            }
            for r in changed
            for section in r.sections
        ]
        if sections:
            connection.execute(insert(SECTION), sections)
    _touch(connection, ARTICLE, {id_: r.seen_at for id_, r in latest.items() if known.get(id_) == r.content_hash})
    return len(records)


def _article_row(r: ArticleRecord) -> dict[str, Any]:
    return {
        "id": r.id,
        "source": r.source,
        "url": storable(r.url),
        "title": storable(r.title),
        "subtitle": storable(r.subtitle),
        "read_minutes": r.read_minutes,
        "published_on": r.published_on,
        "roles": [],
        "salary_insight_links": list(r.salary_insight_links),
        "content_hash": r.content_hash,
        "first_seen": r.seen_at,
        "last_seen": r.seen_at,
        "rules_version": 0,
    }


def _touch(connection: Connection, table: Table, seen: Mapping[str, datetime]) -> None:
    """Widens the time in which rows were seen."""
    moment, column = bindparam("moment", type_=table.c.last_seen.type), table.c
    values = {
        "last_seen": case((moment > column.last_seen, moment), else_=column.last_seen),
        "first_seen": case((moment < column.first_seen, moment), else_=column.first_seen),
    }
    statement = update(table).where(table.c.id == bindparam("row_id")).values(values)
    update_rows(connection, statement, [{"row_id": id_, "moment": seen[id_]} for id_ in sorted(seen)])
