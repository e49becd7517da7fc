"""What goes into the ledger: cleaned, batched, counted; and a ledger that fails ends the run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from scrapy.exceptions import DropItem
from scrapy.signalmanager import SignalManager
from scrapy.statscollectors import MemoryStatsCollector
from sqlalchemy import Engine, text

from db.records import PageRecord, PublishedPay, RawPostingRecord, RejectedRecord, utc_now
from db.session import LedgerError
from scraper import pipelines
from scraper.pipelines import StorePipeline, cleaned


def posting(number: int = 1, **fields: Any) -> RawPostingRecord:
    values = {"source": "x", "title_text": f"Job {number}", "page_url": "https://x.example/", "seen_at": utc_now()}
    return RawPostingRecord(**{**values, "source_id": str(number), **fields})


def pipeline(url: str, limit: int | None = None) -> Any:
    crawler: Any = SimpleNamespace(
        settings={"JOBLEDGER_DATABASE_URL": url, "JOBLEDGER_LIMIT": limit},
        signals=SignalManager(),
        spider=None,
        engine=None,
    )
    crawler.stats = MemoryStatsCollector(SimpleNamespace(settings=SimpleNamespace(getbool=lambda _: False)))
    made = StorePipeline(crawler)
    made.open_spider()
    return made


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


PERSONAL = {
    "mail": ("Write to jane.doe@example.com today", "jane.doe"),
    "telephone": ("Call (415) 555-0100 today", "555-0100"),
}


@pytest.mark.parametrize(("words", "secret"), PERSONAL.values(), ids=PERSONAL)
def test_personal_data_is_kept_nowhere(words: str, secret: str, ledger: Engine, database_url: str) -> None:
    pipe = pipeline(database_url)
    pipe.process_item(posting(description_text=words, payload={"deep": [{"contact": words}]}))
    pipe.process_item(RejectedRecord(source="x", url="y", reason="z", detail=words, seen_at=utc_now(), excerpt=words))
    pipe.flush()
    with ledger.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM raw_posting")).all())
        kept += str(connection.execute(text("SELECT * FROM rejected")).all())
    assert secret not in kept
    assert "removed]" in kept


def test_what_is_clean_stays_the_same_object() -> None:
    record = posting(url="https://x.example/1", pay=(PublishedPay(min="1"),))
    assert cleaned(record) is record


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x.example", "x"])
def test_an_address_that_is_no_web_page_is_no_link(url: str) -> None:
    made = cleaned(posting(url=url, payload={"a": 1}))
    assert made.url is None
    assert made.payload == {"a": 1, "url": url}


def test_records_are_kept_in_batches_and_at_the_end(
    ledger: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "BATCH", 3)
    pipe = pipeline(database_url)
    for number in range(7):
        pipe.process_item(posting(number))
    assert count(ledger, "raw_posting") == 6
    pipe.flush()
    assert count(ledger, "raw_posting") == 7
    assert pipe.crawler.stats.get_value("jobledger/new") == 7


def test_a_slow_crawl_keeps_what_it_has(ledger: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "BATCH_SECONDS", 0)
    pipe = pipeline(database_url)
    pipe.process_item(posting())
    assert count(ledger, "raw_posting") == 1


def test_what_is_no_record_is_dropped_and_counted(database_url: str) -> None:
    pipe = pipeline(database_url)
    with pytest.raises(DropItem):
        pipe.process_item({"title": "x"})
    assert pipe.crawler.stats.get_value("jobledger/no_record") == 1


def test_a_limit_drops_what_comes_after(ledger: Engine, database_url: str) -> None:
    pipe = pipeline(database_url, limit=2)
    for number in range(2):
        pipe.process_item(posting(number))
    with pytest.raises(DropItem):
        pipe.process_item(posting(2))
    pipe.process_item(PageRecord(source="x", url="y", content_hash="0", seen_at=utc_now()))
    pipe.flush()
    assert (count(ledger, "raw_posting"), count(ledger, "page")) == (2, 2)


def test_a_ledger_that_fails_is_said_and_nothing_is_half_written(
    ledger: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise LedgerError("the disk is full")

    pipe = pipeline(database_url)
    pipe.process_item(posting())
    monkeypatch.setattr(pipelines, "keep", fails)
    pipe.flush()
    assert pipe.crawler.stats.get_value("jobledger/store_error") == "the disk is full"
    assert count(ledger, "raw_posting") == 0
    with pytest.raises(DropItem):
        pipe.process_item(posting(2))


def test_coverage_counts_whole_postings_only(database_url: str) -> None:
    pipe = pipeline(database_url)
    pipe.process_item(posting(1, salary_text="USD 1", description_text="x"))
    pipe.process_item(posting(2, partial=True))
    stats = pipe.crawler.stats
    assert stats.get_value("jobledger/postings_read") == 1
    assert (stats.get_value("jobledger/field/pay"), stats.get_value("jobledger/field/description_text")) == (1, 1)
