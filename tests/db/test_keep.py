"""Keeping what was published: once, whole, with its history, in any order; on both stores."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from db import tables
from db.models import Article, ArticleSection, Page, PostingChange, RawPosting, Rejected, Sighting
from db.records import (
    ArticleRecord,
    ArticleSectionRecord,
    PageRecord,
    PublishedPay,
    RawPostingRecord,
    Record,
    RejectedRecord,
)
from db.session import make_engine, writing
from db.store import KeepCounts, keep
from db.tables import RAW
from tests.db.records import DAY, HOUR, NOON, ad, rows

PAGE = PageRecord(source="acme-board", url="https://board.example/jobs", content_hash="aa", seen_at=NOON, body=b"<p>")
ARTICLE = ArticleRecord(
    source="captures",
    url="data-analyst-vs-data-engineer",
    title="Data Analyst vs. Data Engineer",
    seen_at=NOON,
    sections=(ArticleSectionRecord(position=0, heading="Pay", subheading=None, text="Analysts earn $80,000."),),
)
REJECTED = RejectedRecord(source="captures", url="x.txt", reason="empty", detail="the file is empty", seen_at=NOON)


def one(engine: Engine, number: int = 1) -> dict[str, Any]:
    return next(row for row in rows(engine, RawPosting) if row["source_id"] == f"ad-{number}")


def published(engine: Engine, *names: str, number: int = 1) -> tuple[Any, ...]:
    row = one(engine, number)
    return tuple(row[name] for name in names)


class TestOnce:
    def test_every_kind_of_record_becomes_rows(self, store: Engine) -> None:
        assert keep(store, [PAGE, ARTICLE, REJECTED, ad(1), ad(2)]) == KeepCounts(
            pages=1, articles=1, sightings=2, raw_postings=2, new=2, rejected=1
        )
        assert [len(rows(store, table)) for table in (Page, Article, ArticleSection, Rejected, Sighting)] == [
            1,
            1,
            1,
            1,
            2,
        ]
        assert one(store)["payload"] == {"team": "Data", "remote": None}

    def test_nothing_is_kept_of_nothing(self, store: Engine) -> None:
        assert keep(store, []) == KeepCounts()

    def test_the_same_again_changes_only_the_time(self, store: Engine) -> None:
        keep(store, [PAGE, ARTICLE, REJECTED, ad(1), ad(2)])
        before = {table: rows(store, table) for table in (RawPosting, Sighting, Article, ArticleSection, PostingChange)}
        later = [ad(1, seen_at=NOON + DAY), ad(2, seen_at=NOON + DAY)]
        assert keep(store, later) == KeepCounts(sightings=2, raw_postings=2, unchanged=2)
        after = {table: rows(store, table) for table in before}
        for table in before:
            for old, new in zip(before[table], after[table], strict=True):
                assert {n: v for n, v in new.items() if n != "last_seen"} == {
                    n: v for n, v in old.items() if n != "last_seen"
                }
        assert {row["last_seen"] for row in after[RawPosting]} == {NOON + DAY}

    def test_many_rows_take_the_bulk_road_and_read_the_same(self, store: Engine) -> None:
        many = [
            ad(n, pay=(PublishedPay(min="1", max="2", currency="EUR"),), posted_on=date(2026, 1, 2)) for n in range(700)
        ]
        assert keep(store, many).new == 700
        assert keep(store, many).unchanged == 700
        assert keep(store, [ad(n) for n in range(700)]).updated == 700
        assert len(rows(store, RawPosting)) == 700

    def test_a_job_on_many_pages_counts_once_a_run(self, store: Engine) -> None:
        counted: set[str] = set()
        first = keep(store, [ad(1), ad(1, page_url="https://board.example/2")], counted=counted)
        second = keep(store, [ad(1, page_url="https://board.example/3")], counted=counted)
        assert first + second == KeepCounts(sightings=3, raw_postings=1, new=1)
        assert len(rows(store, Sighting)) == 3

    def test_without_an_id_title_company_and_place_identify(self, store: Engine) -> None:
        card = {"source_id": None, "url": None}
        keep(store, [ad(1, **card), ad(1, **card, salary_text="€90,000", seen_at=NOON + DAY)])
        keep(store, [ad(1, **card, location_text="Munich")])
        assert len(rows(store, RawPosting)) == 2

    def test_a_sighting_never_stands_without_its_page(self, store: Engine) -> None:
        keep(store, [ad(1)])
        assert [page["url"] for page in rows(store, Page)] == ["https://board.example/jobs"]
        keep(store, [PAGE])
        assert [page["content_hash"] for page in rows(store, Page)] == ["aa"]
        keep(store, [ad(2)])
        assert [page["content_hash"] for page in rows(store, Page)] == ["aa"]


class TestChanges:
    def test_a_changed_field_is_kept_with_old_new_and_time(self, store: Engine) -> None:
        keep(store, [ad(1)])
        assert keep(store, [ad(1, salary_text="€70,000", seen_at=NOON + DAY)]).updated == 1
        (change,) = rows(store, PostingChange)
        assert (change["field"], change["old"], change["new"], change["cause"], change["at"]) == (
            "salary_text",
            "€60,000 - €80,000 a year",
            "€70,000",
            "site",
            NOON + DAY,
        )
        assert one(store)["rules_version"] == 0

    def test_a_field_that_the_site_takes_away_goes(self, store: Engine) -> None:
        keep(store, [ad(1)])
        keep(store, [ad(1, salary_text=None, seen_at=NOON + DAY)])
        assert published(store, "salary_text") == (None,)

    def test_two_pages_that_disagree_settle(self, store: Engine) -> None:
        """Each page says again what it said before: reading both again must not turn the value to and fro."""
        pages = [
            ad(1, salary_text="€50,000", page_url="https://board.example/a"),
            ad(1, salary_text="€55,000", page_url="https://board.example/b", seen_at=NOON + HOUR),
        ]
        for record in pages:
            keep(store, [record])
        for day in (1, 2, 3):
            for record in pages:
                later = RawPostingRecord(**{**_fields(record), "seen_at": record.seen_at + day * DAY})
                assert keep(store, [later]).unchanged == 1
        assert published(store, "salary_text") == ("€55,000",)
        assert len(rows(store, PostingChange)) == 1

    def test_an_older_capture_fills_gaps_and_overrides_nothing(self, store: Engine) -> None:
        keep(store, [ad(1, salary_text="€70,000", level_text=None)])
        keep(store, [ad(1, salary_text="€10", level_text="Senior", seen_at=NOON - DAY, page_url="https://old.example")])
        assert published(store, "salary_text", "level_text", "first_seen", "last_seen") == (
            "€70,000",
            "Senior",
            NOON - DAY,
            NOON,
        )


CARD: dict[str, Any] = {
    "partial": True,
    "salary_text": "€1",
    "description_text": None,
    "page_url": "https://board.example/list",
}


CARD: dict[str, Any] = {
    "partial": True,
    "salary_text": "€1",
    "description_text": None,
    "page_url": "https://board.example/list",
}


class TestListEntries:
    @pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
    def test_an_entry_fills_gaps_in_any_order(self, store: Engine, order: tuple[int, ...]) -> None:
        said = [
            ad(1, salary_text=None, level_text="Senior"),
            ad(1, **CARD, level_text="Junior"),
            ad(1, **CARD | {"page_url": "https://board.example/list2"}, department_text="Data"),
        ]
        for position in order:
            keep(store, [said[position]])
        assert published(store, "salary_text", "level_text", "department_text", "description_text") == (
            "€1",
            "Senior",
            "Data",
            "You build pipelines.",
        )

    def test_an_entry_alone_is_a_posting(self, store: Engine) -> None:
        assert keep(store, [ad(1, **CARD)]).new == 1
        assert published(store, "salary_text", "description_text") == ("€1", None)

    def test_what_only_the_list_states_follows_the_list(self, store: Engine) -> None:
        keep(store, [ad(1, salary_text=None), ad(1, **CARD)])
        keep(store, [ad(1, **CARD | {"salary_text": "€2"}, seen_at=NOON + DAY)])
        assert published(store, "salary_text") == ("€2",)

    def test_the_ad_read_again_keeps_what_the_list_stated(self, store: Engine) -> None:
        keep(store, [ad(1, salary_text=None), ad(1, **CARD, valid_through=date(2026, 5, 1))])
        keep(store, [ad(1, salary_text=None, title_text="Data Engineer (m/f/d)", seen_at=NOON + DAY)])
        assert published(store, "salary_text", "valid_through", "title_text") == (
            "€1",
            date(2026, 5, 1),
            "Data Engineer (m/f/d)",
        )


class TestSeenAgain:
    def close(self, store: Engine, at: datetime) -> None:
        with writing(store) as connection:
            connection.execute(update(RAW).values(closed_at=at, missed=2, missed_at=at, rules_version=7))

    def test_what_is_seen_after_it_closed_is_open_again_and_read_again(self, store: Engine) -> None:
        keep(store, [ad(1)])
        self.close(store, NOON + DAY)
        keep(store, [ad(1, seen_at=NOON + 3 * DAY)])
        assert published(store, "closed_at", "missed", "missed_at", "rules_version") == (None, 0, None, 0)

    @pytest.mark.parametrize("salary", ["€60,000 - €80,000 a year", "€1"], ids=["unchanged", "changed"])
    def test_a_capture_from_before_it_closed_opens_nothing(self, store: Engine, salary: str) -> None:
        keep(store, [ad(1)])
        self.close(store, NOON + DAY)
        keep(store, [ad(1, salary_text=salary, seen_at=NOON + HOUR)])
        assert published(store, "closed_at") == (NOON + DAY,)

    def test_seeing_again_forgets_misses_without_reading_again(self, store: Engine) -> None:
        keep(store, [ad(1)])
        with writing(store) as connection:
            connection.execute(update(RAW).values(missed=1, missed_at=NOON + DAY, rules_version=7))
        keep(store, [ad(1, seen_at=NOON + 2 * DAY)])
        assert published(store, "missed", "missed_at", "rules_version") == (0, None, 7)

    def test_an_earlier_sighting_is_read_again(self, store: Engine) -> None:
        keep(store, [ad(1)])
        self.close(store, NOON)
        keep(store, [ad(1, seen_at=NOON - DAY)])
        assert published(store, "first_seen", "rules_version") == (NOON - DAY, 0)


class TestHostile:
    def test_text_that_no_store_takes_is_replaced(self, store: Engine) -> None:
        keep(
            store,
            [
                ad(
                    1,
                    title_text="Data\x00 Engineer",
                    payload={"a\x00": ["\ud83d", float("nan"), {"b": date(2026, 1, 2)}]},
                ),
                RejectedRecord(
                    source="s", url="u\x00", reason="binary", detail="\udcff", excerpt="\x00\x01", seen_at=NOON
                ),
            ],
        )
        assert published(store, "title_text", "payload") == (
            "Data\ufffd Engineer",
            {"a\ufffd": ["\ufffd", "nan", {"b": "2026-01-02"}]},
        )
        keep(store, [ad(1, title_text="Data\x00 Engineer", source_id="ad-1")])
        assert len(rows(store, RawPosting)) == 1

    def test_the_whole_batch_or_nothing(self, store: Engine) -> None:
        broken = ad(2)
        object.__setattr__(broken, "posted_on", "no date at all")
        with pytest.raises(Exception, match=r"(?i)date|type"):
            keep(store, [ad(1), broken, PAGE, REJECTED])
        assert not any(rows(store, table) for table in (RawPosting, Page, Rejected, Sighting))
        assert keep(store, [ad(1)]).new == 1


class TestArticles:
    def test_an_article_read_again_is_not_normalised_again(self, store: Engine) -> None:
        keep(store, [ARTICLE])
        with writing(store) as connection:
            connection.execute(update(tables.ARTICLE).values(rules_version=3))
        keep(store, [ArticleRecord(**{**_fields(ARTICLE), "seen_at": NOON + DAY})])
        (row,) = rows(store, Article)
        assert (row["rules_version"], row["first_seen"], row["last_seen"]) == (3, NOON, NOON + DAY)

    def test_changed_sections_replace_the_old_ones(self, store: Engine) -> None:
        keep(store, [ARTICLE])
        section = ArticleSectionRecord(position=0, heading="Pay", subheading=None, text="Analysts earn $90,000.")
        keep(store, [ArticleRecord(**{**_fields(ARTICLE), "sections": (section,), "seen_at": NOON + DAY})])
        assert [row["text"] for row in rows(store, ArticleSection)] == ["Analysts earn $90,000."]
        assert [row["rules_version"] for row in rows(store, Article)] == [0]


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


said = st.builds(
    lambda number, salary, page, hours, partial: ad(
        number,
        salary_text=salary,
        page_url=f"https://board.example/{page}",
        seen_at=NOON + hours * HOUR,
        partial=partial,
    ),
    st.integers(1, 3),
    st.sampled_from([None, "€1", "€2"]),
    st.integers(1, 2),
    st.integers(0, 3),
    st.booleans(),
)


@given(st.lists(said, min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_keeping_twice_is_keeping_once(tmp_path: Path, sqlite_template: Path, said: list[Record]) -> None:
    shutil.copy(sqlite_template, tmp_path / "ledger.db")
    engine = make_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    keep(engine, said)
    before = {table: rows(engine, table) for table in (RawPosting, Sighting, Page, PostingChange)}
    keep(engine, said)
    assert {table: rows(engine, table) for table in before} == before
    engine.dispose()


def test_the_rows_are_the_same_whatever_the_batches(ledger: Engine, sqlite_template: Path, tmp_path: Path) -> None:
    records = [ad(n, seen_at=NOON + n * HOUR) for n in range(40)] + [ad(n, seen_at=NOON + 2 * DAY) for n in range(20)]
    shutil.copy(sqlite_template, tmp_path / "other.db")
    other = make_engine(f"sqlite:///{tmp_path / 'other.db'}")
    keep(ledger, records)
    for record in records:
        keep(other, [record])
    for table in (RawPosting, Sighting, Page, PostingChange):
        assert rows(ledger, table) == rows(other, table)
    other.dispose()
