"""A crawl in its child process: whatever the child does, the parent gets a result with a reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from db.session import make_engine
from scraper.crawl import CrawlResult, crawl
from scraper.files.spooling import spooled
from scraper.site import demo_source, serve, write_captures
from scraper.site.content import jobs
from scraper.sources import Source, captures_source

FAULTY = ("tests.scraper.faulty",)
SEEDS = Path(__file__).parent / "captures"


def run(spider: str, url: str, **arguments: Any) -> CrawlResult:
    source = Source(name="faulty", spider=spider)
    return crawl(source, database_url=url, spider_modules=FAULTY, **{"timeout_seconds": 60, **arguments})


@pytest.fixture(autouse=True)
def _find_our_spiders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def rows(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


FAULTS: Mapping[str, str] = {
    "quits": "the crawl process ended without a result",
    "broken": "the crawl process ended with exit code 1: RuntimeError: this module is broken",
    "no_such_spider": "no spider of this name",
    "raises": "",
}


@pytest.mark.parametrize("spider", FAULTS)
def test_a_child_that_fails_is_a_failed_run_with_a_reason(spider: str, database_url: str) -> None:
    result = run(spider, database_url)
    assert (result.verdict, result.complete) == ("failed", False)
    assert result.reasons
    assert FAULTS[spider] in " ".join(result.reasons)


def test_a_killed_child_keeps_its_finished_batches(ledger: Engine, database_url: str) -> None:
    result = run("dies", database_url)
    assert result.verdict == "failed"
    assert "killed by SIGKILL" in result.reasons[0]
    assert rows(ledger, "SELECT count(*) FROM raw_posting") == [(1000,)]


def test_a_child_that_hangs_is_ended(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scraper.crawl.GRACE_SECONDS", 0.5)
    result = run("hangs", database_url, timeout_seconds=3)
    assert result.reasons == ("the crawl process took longer than 3 seconds and was ended",)


def test_a_spider_that_keeps_python_busy_is_ended_long_before_its_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scraper.crawl.SILENT_SECONDS", 5.0)
    result = run("hangs", database_url)
    assert result.reasons == ("the crawl process hung: it kept Python busy for 5 seconds and was ended",)


def test_a_child_that_takes_all_memory_is_ended(database_url: str) -> None:
    result = run("hog", database_url, memory_mb=256)
    assert result.verdict == "failed"


def test_only_the_end_of_a_long_log_is_kept(database_url: str) -> None:
    result = run("shouts", database_url)
    assert result.verdict == "healthy"
    assert len(result.log_tail) <= 16_384
    assert "line 19999 " in result.log_tail
    assert "line 1 " not in result.log_tail


def test_a_ledger_that_cannot_be_opened_is_a_failed_run(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is no database, and long enough to be sure of it" * 40)
    result = run("shouts", f"sqlite:///{tmp_path / 'x.db'}")
    assert result.verdict == "failed"
    assert "cannot be opened" in result.reasons[0]


def ingest(paths: list[str], url: str) -> CrawlResult:
    return crawl(captures_source(), database_url=url, paths=paths)


def test_captures_twice_are_captures_once_and_what_cannot_be_read_stops_nothing(
    ledger: Engine, database_url: str
) -> None:
    first, second = (ingest([str(SEEDS)], database_url) for _ in range(2))
    assert [(run.verdict, run.reasons) for run in (first, second)] == [("healthy", ())] * 2, second.log_tail
    assert first.new == first.raw_postings > 0
    assert (second.new, second.updated, second.unchanged) == (0, 0, first.new)
    assert any("README.txt" in note for note in first.notes)
    kept = dict(rows(ledger, "SELECT reason, count(*) FROM rejected GROUP BY reason"))
    assert kept == {"binary": 1, "empty": 1, "not_an_article": 1, "missing_field": 1}
    assert (first.rejected, first.articles) == (4, 6)
    assert rows(ledger, "SELECT count(*) FROM posting_change") == [(0,)]


def test_nothing_to_read_is_a_failed_run(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "folder").mkdir()
    assert ingest([str(tmp_path / "folder")], database_url).reasons == ("there was nothing to read",)


def test_standard_input_becomes_a_file_named_by_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = (SEEDS / "glued.txt").open("rb")

    monkeypatch.setattr("sys.stdin", Stdin)
    with Stdin.buffer, spooled(["-", "x"]) as (file, other):
        assert (Path(file).name, other) == ("stdin.txt", "x")
        assert Path(file).read_bytes() == (SEEDS / "glued.txt").read_bytes()
    assert not Path(file).exists()


def test_the_sample_site_is_crawled_whole_and_an_unchanged_page_costs_a_304(ledger: Engine, database_url: str) -> None:
    told: list[Mapping[str, int]] = []
    with serve() as base:
        first = crawl(demo_source(base), database_url=database_url, progress=told.append)
        second = crawl(demo_source(base), database_url=database_url, history=())
    for run in (first, second):
        assert (run.verdict, run.reasons, run.complete) == ("healthy", (), True), run.log_tail
    assert first.articles == 16
    assert first.new == first.raw_postings >= 88
    assert first.rejected == 0
    assert json.dumps(first.stats)
    assert all(set(counts) >= {"pages", "raw_postings", "requests"} for counts in told)
    assert (second.new, second.updated, second.unchanged) == (0, 0, first.new)
    assert (second.pages, second.sightings) == (first.pages, first.sightings)
    assert second.stats["downloader/response_status_count/304"] == sum(bool(job.page) for job in jobs())
    assert rows(ledger, "SELECT count(*) FROM posting_change") == [(0,)]
    assert rows(
        ledger, "SELECT count(*) FROM raw_posting WHERE posted_on IS NOT NULL AND source_id NOT LIKE 'job:%'"
    ) == [(0,)]


def test_a_limit_ends_the_run_and_it_is_not_complete(database_url: str) -> None:
    with serve() as base:
        result = crawl(demo_source(base), database_url=database_url, limit=5)
    assert result.sightings == 5
    assert not result.complete
    assert result.verdict == "healthy"


def test_the_sample_captures_are_the_same_jobs_in_any_order(tmp_path: Path, sqlite_template: Path) -> None:
    files = [str(file) for file in write_captures(tmp_path / "captures")]
    tables = []
    for name, order in (("one", files), ("two", files[::-1])):
        shutil.copy(sqlite_template, tmp_path / f"{name}.db")
        url = f"sqlite:///{tmp_path / name}.db"
        result = ingest(order, url)
        assert result.rejected == 0
        engine = make_engine(url)
        query = "SELECT id, source_id, title_text, salary_text, content_hash FROM raw_posting ORDER BY id"
        tables.append(rows(engine, query))
        engine.dispose()
    assert tables[0] == tables[1]
    assert len(tables[0]) == 88
