"""A page that a site calls unchanged: what stood on it is seen again, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from db.records import PageRecord, RawPostingRecord
from db.revisits import see_page_again, validators
from db.store import keep

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "https://x.example/jobs"


def reading(at: datetime, *ids: str, etag: str | None = '"1"') -> list[PageRecord | RawPostingRecord]:
    page = PageRecord(source="x", url=URL, content_hash=",".join(ids), seen_at=at, etag=etag)
    return [page, *(RawPostingRecord(source="x", title_text=i, source_id=i, page_url=URL, seen_at=at) for i in ids)]


def seen(store: Engine) -> dict[str, str]:
    with store.connect() as connection:
        rows = connection.execute(text("SELECT source_id, last_seen FROM raw_posting"))
        return {row[0]: str(row[1])[:10] for row in rows}


def test_what_stood_on_the_page_is_seen_again_and_what_had_gone_is_not(store: Engine) -> None:
    keep(store, reading(FIRST, "a", "b"))
    keep(store, reading(FIRST + DAY, "b", "c"))
    counts = see_page_again(store, "x", URL, FIRST + 2 * DAY, counted=set())
    assert (counts.pages, counts.sightings, counts.unchanged, counts.new) == (1, 2, 2, 0)
    assert seen(store) == {"a": "2026-01-01", "b": "2026-01-03", "c": "2026-01-03"}


def test_seeing_a_page_again_twice_is_seeing_it_once(store: Engine) -> None:
    keep(store, reading(FIRST, "a"))
    counted: set[str] = set()
    first = see_page_again(store, "x", URL, FIRST + DAY, counted=counted)
    second = see_page_again(store, "x", URL, FIRST + DAY, counted=counted)
    assert (first.unchanged, second.unchanged, second.sightings) == (1, 0, 1)


def test_a_closed_ad_that_is_seen_again_is_open_again(store: Engine) -> None:
    keep(store, reading(FIRST, "a"))
    with store.begin() as connection:
        connection.execute(text("UPDATE raw_posting SET closed_at = last_seen, missed = 2, rules_version = 7"))
    see_page_again(store, "x", URL, FIRST + DAY, counted=set())
    with store.connect() as connection:
        row = connection.execute(text("SELECT closed_at, missed, rules_version FROM raw_posting")).one()
    assert tuple(row) == (None, 0, 0)


def test_a_page_never_read_changes_nothing(store: Engine) -> None:
    assert see_page_again(store, "x", URL, FIRST, counted=set()).pages == 0


def test_validators_of_one_source(store: Engine) -> None:
    keep(store, reading(FIRST, "a"))
    keep(store, [PageRecord(source="x", url="https://x.example/2", content_hash="", seen_at=FIRST)])
    keep(store, [PageRecord(source="y", url="https://y.example/", content_hash="", seen_at=FIRST, etag='"2"')])
    assert validators(store, "x") == {URL: ('"1"', None)}
