"""Keeping what was published: records in, rows out, nothing lost and nothing twice.

One call of `keep` is one transaction: whole or absent. Every write is an upsert on a key made of what the thing is, so
a repeated page, a killed process or a second run changes nothing but the time last seen. An unchanged raw posting costs
one comparison of hashes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, bindparam, case, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db.keys import content_hash, key
from db.models import Article, ArticleSection, Page, Posting, PostingChange, RawPosting, Rejected, Sighting
from db.records import (
    ArticleRecord,
    PageRecord,
    RawPostingRecord,
    Record,
    RejectedRecord,
)
from db.session import writing

RAW: Table = RawPosting.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
PAGE: Table = Page.__table__  # type: ignore[attr-defined]
SIGHTING: Table = Sighting.__table__  # type: ignore[attr-defined]
ARTICLE: Table = Article.__table__  # type: ignore[attr-defined]
SECTION: Table = ArticleSection.__table__  # type: ignore[attr-defined]
REJECTED: Table = Rejected.__table__  # type: ignore[attr-defined]
POSTING: Table = Posting.__table__  # type: ignore[attr-defined]
CHANGE: Table = PostingChange.__table__  # type: ignore[attr-defined]

PUBLISHED = tuple(
    name
    for name in (column.name for column in RAW.c)
    if name in {f.name for f in fields(RawPostingRecord)} and name not in {"source", "source_id"}
)
"""The columns that hold what a site published."""


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
    with writing(engine) as connection:
        pages = _keep_pages(connection, [r for r in records if isinstance(r, PageRecord)])
        articles = _keep_articles(connection, [r for r in records if isinstance(r, ArticleRecord)])
        rejected = _keep_rejected(connection, [r for r in records if isinstance(r, RejectedRecord)])
        postings = _keep_raw_postings(connection, [r for r in records if isinstance(r, RawPostingRecord)], seen)
    return KeepCounts(pages=pages, articles=articles, rejected=rejected) + postings


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    *,
    keep_old: Sequence[str] = (),
    earliest: Sequence[str] = (),
    latest: Sequence[str] = (),
) -> None:
    """Inserts rows, or replaces those whose `keys` exist.

    Columns in `keep_old` keep their first value, those in `earliest` and `latest` the smaller and the greater one. One
    statement executed many times: the fastest portable form short of COPY.
    """
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    new = statement.excluded
    changes: dict[str, Any] = {}
    for name in rows[0]:
        column = table.c[name]
        if name in keys or name in keep_old:
            continue
        if name in earliest:
            changes[name] = case((new[name] < column, new[name]), else_=column)
        elif name in latest:
            changes[name] = case((new[name] > column, new[name]), else_=column)
        else:
            changes[name] = new[name]
    if changes:
        connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changes), list(rows))
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=list(keys)), list(rows))


def _last_of_each(rows: Iterable[Mapping[str, Any]], *keys: str) -> list[Mapping[str, Any]]:
    """One row a key, the last; in order of key, so that two writers lock rows in the same order."""
    unique = {tuple(row[name] for name in keys): row for row in rows}
    return [unique[identity] for identity in sorted(unique)]


def _keep_pages(connection: Connection, records: Sequence[PageRecord]) -> int:
    rows = [
        {
            "id": r.id,
            "source": r.source,
            "url": r.url,
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
    upsert(connection, PAGE, _last_of_each(rows, "id"), ["id"], earliest=["first_seen"], latest=["last_seen"])
    return len(records)


def _keep_unread_pages(connection: Connection, records: Sequence[RawPostingRecord]) -> None:
    """Pages that are only known by their address: a sighting on a page never stands without it."""
    rows = [
        {
            "id": key("page", r.source, r.page_url),
            "source": r.source,
            "url": r.page_url,
            "kind": "page",
            "content_hash": "",
            "first_seen": r.seen_at,
            "last_seen": r.seen_at,
        }
        for r in records
    ]
    upsert(connection, PAGE, _last_of_each(rows, "id"), ["id"], keep_old=list(rows[0]))


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
        connection.execute(delete(SECTION).where(SECTION.c.article_id.in_([r.id for r in changed])))
        sections = [
            {
                "article_id": r.id,
                "position": section.position,
                "heading": section.heading,
                "subheading": section.subheading,
                "text": section.text,
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
        "url": r.url,
        "title": r.title,
        "subtitle": r.subtitle,
        "read_minutes": r.read_minutes,
        "published_on": r.published_on,
        "roles": [],
        "salary_insight_links": list(r.salary_insight_links),
        "content_hash": r.content_hash,
        "first_seen": r.seen_at,
        "last_seen": r.seen_at,
        "rules_version": 0,
    }


def _keep_rejected(connection: Connection, records: Sequence[RejectedRecord]) -> int:
    rows = [
        {
            "id": r.id,
            "source": r.source,
            "url": r.url,
            "reason": r.reason,
            "detail": r.detail,
            "excerpt": r.excerpt,
            "first_seen": r.seen_at,
            "last_seen": r.seen_at,
        }
        for r in records
    ]
    upsert(connection, REJECTED, _last_of_each(rows, "id"), ["id"], earliest=["first_seen"], latest=["last_seen"])
    return len(records)


def _keep_raw_postings(connection: Connection, records: Sequence[RawPostingRecord], counted: set[str]) -> KeepCounts:
    if not records:
        return KeepCounts()
    by_id: dict[str, list[RawPostingRecord]] = {}
    for record in records:
        by_id.setdefault(record.id, []).append(record)
    hashes = {
        row.id: row
        for row in rows_by_id(connection, select(RAW.c.id, RAW.c.content_hash, RAW.c.closed_at), RAW.c.id, by_id)
    }
    folded = {id_: _fold(group) for id_, group in by_id.items()}
    suspects = [
        id_
        for id_, row in folded.items()
        if id_ in hashes and (row["partial"] or hashes[id_].content_hash != row["content_hash"])
    ]
    stored = {row.id: row._mapping for row in rows_by_id(connection, select(RAW), RAW.c.id, suspects)}
    new, updated, unchanged = [], [], []
    for id_ in sorted(folded):
        row = folded[id_]
        if row.pop("partial") and id_ in stored:
            row = _filled(stored[id_], row)
        if id_ not in hashes:
            new.append(row)
        elif row["content_hash"] != hashes[id_].content_hash:
            updated.append(row)
        else:
            unchanged.append(row)
    upsert(
        connection,
        RAW,
        new + updated,
        ["id"],
        keep_old=["source", "source_id"],
        earliest=["first_seen"],
        latest=["last_seen"],
    )
    connection_changes = [change for row in updated for change in _changes(stored[row["id"]], row)]
    upsert(connection, CHANGE, _last_of_each(connection_changes, "id"), ["id"])
    _touch(connection, RAW, {row["id"]: row["last_seen"] for row in unchanged})
    _reopen(connection, [row["id"] for row in unchanged if hashes[row["id"]].closed_at is not None])
    _touch_postings(connection, {row["id"]: row["last_seen"] for row in unchanged})
    _keep_sightings(connection, records)
    fresh = [{row["id"] for row in rows} - counted for rows in (new, updated, unchanged)]
    counted.update(*fresh)
    return KeepCounts(0, 0, len(records), sum(map(len, fresh)), *map(len, fresh))


def _fold(group: Sequence[RawPostingRecord]) -> dict[str, Any]:
    """One row from what one batch says of one ad: the last whole record, gaps filled from the partial ones."""
    whole = [r for r in group if not r.partial]
    base = _raw_row(whole[-1] if whole else group[0])
    for record in group:
        if record.partial:
            base = _filled(base, _raw_row(record)) | {"partial": base["partial"]}
    base["first_seen"] = min(r.seen_at for r in group)
    base["last_seen"] = max(r.seen_at for r in group)
    return base


def _raw_row(record: RawPostingRecord) -> dict[str, Any]:
    published = record.published_fields
    return {
        "id": record.id,
        "source": record.source,
        "source_id": record.identity,
        **{name: published[name] for name in PUBLISHED},
        "content_hash": content_hash(published),
        "first_seen": record.seen_at,
        "last_seen": record.seen_at,
        "closed_at": None,
        "missed": 0,
        "missed_at": None,
        "rules_version": 0,
        "partial": record.partial,
    }


def _filled(whole: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """`whole` with its gaps filled from `part`; what it states stays."""
    row = {name: part[name] for name in part if name != "partial"}
    for name in PUBLISHED:
        stated = whole[name]
        row[name] = stated if stated not in (None, [], {}, False) else part[name]
    row["content_hash"] = content_hash({name: row[name] for name in PUBLISHED})
    return row


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    posting_id = old["posting_id"] or old["id"]
    return [
        {
            "id": key(
                "change", posting_id, name, old["content_hash"], new["content_hash"], new["last_seen"].isoformat()
            ),
            "posting_id": posting_id,
            "field": name,
            "old": _as_text(old[name]),
            "new": _as_text(new[name]),
            "cause": "site",
            "at": new["last_seen"],
        }
        for name in PUBLISHED
        if old[name] != new[name]
    ]


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


def _keep_sightings(connection: Connection, records: Sequence[RawPostingRecord]) -> None:
    _keep_unread_pages(connection, records)
    rows = [
        {
            "raw_posting_id": r.id,
            "page_id": key("page", r.source, r.page_url),
            "first_seen": r.seen_at,
            "last_seen": r.seen_at,
        }
        for r in records
    ]
    upsert(
        connection,
        SIGHTING,
        _last_of_each(rows, "raw_posting_id", "page_id"),
        ["raw_posting_id", "page_id"],
        earliest=["first_seen"],
        latest=["last_seen"],
    )


def _touch(connection: Connection, table: Table, seen: Mapping[str, datetime]) -> None:
    """Widens the time in which rows were seen."""
    if not seen:
        return
    moment, column = bindparam("moment", type_=table.c.last_seen.type), table.c
    values: dict[str, Any] = {
        "last_seen": case((moment > column.last_seen, moment), else_=column.last_seen),
        "first_seen": case((moment < column.first_seen, moment), else_=column.first_seen),
    }
    if table is RAW:
        values["missed"] = 0
        values["missed_at"] = None
        # The day first seen decides the exchange rate, so an earlier sighting has to be read again.
        values["rules_version"] = case((moment < column.first_seen, 0), else_=column.rules_version)
    statement = update(table).where(table.c.id == bindparam("row_id")).values(values)
    connection.execute(statement, [{"row_id": id_, "moment": seen[id_]} for id_ in sorted(seen)])


def _reopen(connection: Connection, ids: Sequence[str]) -> None:
    """What is seen again is open again; the aggregator then says so in the posting and its history."""
    if ids:
        connection.execute(
            update(RAW).where(RAW.c.id == bindparam("row_id")).values(closed_at=None, rules_version=0),
            [{"row_id": id_} for id_ in ids],
        )


def _touch_postings(connection: Connection, seen: Mapping[str, datetime]) -> None:
    if not seen:
        return
    moment = bindparam("moment", type_=POSTING.c.last_seen.type)
    owner = select(RAW.c.posting_id).where(RAW.c.id == bindparam("row_id")).scalar_subquery()
    connection.execute(
        update(POSTING).where(POSTING.c.id == owner, POSTING.c.last_seen < moment).values(last_seen=moment),
        [{"row_id": id_, "moment": seen[id_]} for id_ in sorted(seen)],
    )


IN_CHUNK = 2_000
"""Ids in one IN list; SQLite takes 32,766 variables, PostgreSQL 65,535."""


def rows_by_id(connection: Connection, query: Any, column: Any, ids: Iterable[str | None]) -> list[Any]:
    """The rows of `query` whose `column` is one of `ids`, however many those are."""
    wanted = sorted({id_ for id_ in ids if id_ is not None})
    return [
        row
        for start in range(0, len(wanted), IN_CHUNK)
        for row in connection.execute(query.where(column.in_(wanted[start : start + IN_CHUNK])))
    ]


def count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
