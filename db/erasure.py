"""Erasing: what an advertiser wants gone, and what was kept only for a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, or_, select, update

from db.alone import alone
from db.bulk import one_of, rows_by_id
from db.decisions import audit
from db.keys import folded, key
from db.session import writing
from db.tables import (
    ARTICLE,
    CHANGE,
    CLAIM,
    COMPANY,
    FLAG,
    MERGE,
    PAGE,
    POSTING,
    RAW,
    REJECTED,
    SECTION,
    SIGHTING,
    TOLD,
)
from db.words import forget_words


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows went. `pages` lost their stored body, or went with their ads."""

    raw_postings: int = 0
    postings: int = 0
    articles: int = 0
    pages: int = 0
    rejected: int = 0


def forget_url(engine: Engine, url: str, *, who: str, now: datetime) -> Erased:
    """Erases every ad, article, page and rejected page that was published at this address, and all made of them."""
    address = url.rstrip("/")
    either = (address, f"{address}/")
    with alone(engine), writing(engine) as connection:
        _erase_for_good(connection)
        # An ad that merely stands on the page (a list) is another advertiser's business unless it links there.
        own = select(PAGE.c.id).where(PAGE.c.url.in_(either), PAGE.c.kind == "posting")
        shown = select(SIGHTING.c.raw_posting_id).where(SIGHTING.c.page_id.in_(own))
        raw = select(RAW.c.id).where(or_(RAW.c.url.in_(either), RAW.c.id.in_(shown)))
        erased = _erase_ads(connection, list(connection.execute(raw).scalars()))
        articles = list(connection.execute(select(ARTICLE.c.id).where(ARTICLE.c.url.in_(either))).scalars())
        _erase_articles(connection, articles)
        bodies = connection.execute(
            update(PAGE).where(PAGE.c.url.in_(either), PAGE.c.body.is_not(None)).values(body=None)
        ).rowcount
        rejected = connection.execute(delete(REJECTED).where(REJECTED.c.url.in_(either))).rowcount
        made = Erased(erased.raw_postings, erased.postings, len(articles), erased.pages + bodies, rejected)
        _note(connection, "url", address, made, who, now)
    return made


def forget_company(engine: Engine, name: str, company_id: str | None, *, who: str, now: datetime) -> Erased:
    """Erases every ad of an employer: those published under this name, and those read as `company_id`."""
    with alone(engine), writing(engine) as connection:
        _erase_for_good(connection)
        owners = select(POSTING.c.id).where(POSTING.c.company_id == company_id)
        read_as = list(connection.execute(select(RAW.c.id).where(RAW.c.posting_id.in_(owners))).scalars())
        names = connection.execute(select(RAW.c.company_text).distinct().where(RAW.c.company_text.is_not(None)))
        spelt = [text for text in names.scalars() if folded(text) == folded(name)]
        named = [row.id for row in rows_by_id(connection, select(RAW.c.id), RAW.c.company_text, spelt)]
        made = _erase_ads(connection, {*read_as, *named})
        _note(connection, "company", folded(name), made, who, now)
    return made


def _erase_for_good(connection: Connection) -> None:
    """What SQLite deletes is overwritten with zeros in the file."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def _erase_ads(connection: Connection, raw_ids: Collection[str]) -> Erased:
    """Raw postings with everything that hangs on them; a posting that others describe too is read anew from those."""
    query = select(RAW.c.id, RAW.c.posting_id)
    owners = {row.posting_id for row in rows_by_id(connection, query, RAW.c.id, raw_ids) if row.posting_id}
    pages = {
        row.page_id for row in rows_by_id(connection, select(SIGHTING.c.page_id), SIGHTING.c.raw_posting_id, raw_ids)
    }
    connection.execute(delete(SIGHTING).where(one_of(connection, SIGHTING.c.raw_posting_id, raw_ids)))
    connection.execute(delete(RAW).where(one_of(connection, RAW.c.id, raw_ids)))
    connection.execute(delete(REJECTED).where(one_of(connection, REJECTED.c.subject, raw_ids)))
    left = {row.posting_id for row in rows_by_id(connection, select(RAW.c.posting_id), RAW.c.posting_id, owners)}
    connection.execute(update(RAW).where(one_of(connection, RAW.c.posting_id, left)).values(rules_version=0))
    gone = owners - left
    for column in (FLAG.c.posting_id, TOLD.c.posting_id, MERGE.c.posting_id, MERGE.c.other_id):
        connection.execute(delete(column.table).where(one_of(connection, column, {*gone, *raw_ids})))
    # The history of a posting that stays may quote what went.
    connection.execute(delete(CHANGE).where(one_of(connection, CHANGE.c.posting_id, {*owners, *raw_ids})))
    connection.execute(delete(POSTING).where(one_of(connection, POSTING.c.id, gone)))
    forget_words(connection)
    employers = select(POSTING.c.company_id).where(POSTING.c.company_id.is_not(None))
    connection.execute(delete(COMPANY).where(COMPANY.c.id.not_in(employers)))
    emptied = _erase_pages(connection, pages)
    return Erased(raw_postings=len(raw_ids), postings=len(gone), pages=emptied)


def forget_old_words(engine: Engine) -> None:
    """Takes out of the search index what postings said before they were read anew."""
    with writing(engine) as connection:
        _erase_for_good(connection)
        forget_words(connection)


def _erase_pages(connection: Connection, page_ids: Collection[str]) -> int:
    """Pages on which nothing else stands go; of the others the stored body, which still shows the ad."""
    still = {row.page_id for row in rows_by_id(connection, select(SIGHTING.c.page_id), SIGHTING.c.page_id, page_ids)}
    article_pages = {
        row.id for row in rows_by_id(connection, select(PAGE.c.id).where(PAGE.c.kind == "article"), PAGE.c.id, page_ids)
    }
    kept = still | article_pages
    connection.execute(update(PAGE).where(one_of(connection, PAGE.c.id, kept)).values(body=None))
    connection.execute(delete(PAGE).where(one_of(connection, PAGE.c.id, set(page_ids) - kept)))
    return len(page_ids)


def _erase_articles(connection: Connection, article_ids: Collection[str]) -> None:
    for column in (SECTION.c.article_id, CLAIM.c.article_id, REJECTED.c.subject, ARTICLE.c.id):
        connection.execute(delete(column.table).where(one_of(connection, column, article_ids)))


def _note(connection: Connection, kind: str, subject: str, made: Erased, who: str, now: datetime) -> None:
    """The audit says that something was erased and when, and a key of what, but not what."""
    detail = f"{made.raw_postings} ads, {made.postings} postings, {made.articles} articles, {made.pages} pages"
    audit(connection, who=who, action=f"forget {kind}", subject=key(subject), detail=detail, now=now)


def forget_bodies(engine: Engine, before: datetime) -> int:
    """Erases the stored bodies of pages last seen before a moment, and the excerpts of rejected ones; returns how many.

    What was read in them stays: the ledger needs a page's body only to read it again with a mended parser.
    """
    with writing(engine) as connection:
        _erase_for_good(connection)
        old = (PAGE.c.last_seen < before) & PAGE.c.body.is_not(None)
        pages = connection.execute(update(PAGE).where(old).values(body=None)).rowcount
        stale = (REJECTED.c.last_seen < before) & (func.length(REJECTED.c.excerpt) > 0)
        return pages + connection.execute(update(REJECTED).where(stale).values(excerpt="")).rowcount
