"""Pages that a site calls unchanged (304): with what to ask, and how they and what stood on them are seen again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, select, update

from db.bulk import one_of
from db.keys import key
from db.rejected import PARSER_FAILED, STANDING
from db.session import reading, writing
from db.store import KeepCounts
from db.tables import ARTICLE, PAGE, POSTING, RAW, REJECTED, SIGHTING


def validators(engine: Engine, source: str) -> Mapping[str, tuple[str | None, str | None]]:
    """ETag and Last-Modified of the pages of a source as last read, by URL; pages with neither are left out.

    So are pages on which a parser failed: they are fetched and read again until it succeeds.
    """
    failed = select(REJECTED.c.url).where(REJECTED.c.source == source, REJECTED.c.reason == PARSER_FAILED, STANDING)
    query = select(PAGE.c.url, PAGE.c.etag, PAGE.c.last_modified).where(
        PAGE.c.source == source,
        (PAGE.c.etag.is_not(None)) | (PAGE.c.last_modified.is_not(None)),
        PAGE.c.url.not_in(failed),
    )
    with reading(engine) as connection:
        return {url: (etag, modified) for url, etag, modified in connection.execute(query)}


def see_page_again(engine: Engine, source: str, url: str, seen_at: datetime, *, counted: set[str]) -> KeepCounts:
    """Everything that stood on a page when it was last read is seen again, as it was; closed ads are open again.

    What stood there earlier and had gone by then stays gone. `counted` is as in `db.store.keep`.
    """
    page_id = key("page", source, url)
    with writing(engine) as connection:
        read_at = connection.execute(select(PAGE.c.last_seen).where(PAGE.c.id == page_id)).scalar()
        if read_at is None:
            return KeepCounts()
        ids = [
            row[0]
            for row in connection.execute(
                select(SIGHTING.c.raw_posting_id).where(SIGHTING.c.page_id == page_id, SIGHTING.c.last_seen >= read_at)
            )
        ]
        later = {"last_seen": seen_at}
        connection.execute(update(PAGE).where(PAGE.c.id == page_id, PAGE.c.last_seen < seen_at).values(later))
        connection.execute(
            update(ARTICLE)
            .where(ARTICLE.c.source == source, ARTICLE.c.url == url, ARTICLE.c.last_seen < seen_at)
            .values(later)
        )
        if ids:
            on_page = SIGHTING.c.raw_posting_id.in_(ids)
            connection.execute(update(SIGHTING).where(SIGHTING.c.page_id == page_id, on_page).values(later))
            ours = one_of(connection, RAW.c.id, ids)
            closed = RAW.c.closed_at.is_not(None)
            connection.execute(update(RAW).where(ours, closed).values(closed_at=None, rules_version=0))
            seen = {**later, "missed": 0, "missed_at": None}
            connection.execute(update(RAW).where(ours, RAW.c.last_seen < seen_at).values(seen))
            owners = select(RAW.c.posting_id).where(ours)
            connection.execute(
                update(POSTING).where(POSTING.c.id.in_(owners), POSTING.c.last_seen < seen_at).values(later)
            )
    fresh = set(ids) - counted
    counted.update(fresh)
    return KeepCounts(pages=1, sightings=len(ids), raw_postings=len(fresh), unchanged=len(fresh))
