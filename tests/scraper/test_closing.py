"""A crawl that closes ends, whatever the reason and whatever is still under way, and its verdict says why."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from db.session import open_ledger
from processes.child import _running
from scraper.closing import plain
from scraper.crawl import CrawlResult, crawl
from scraper.health import CUT_OFF, judge
from scraper.sources import Source, captures_source
from tests.ledger import OF_RUNS, differences, held

FAULTY = ("tests.scraper.faulty",)
JOBLEDGER = str(Path(sys.executable).parent / "jobledger")
FILE_BYTES = 4_000_000
ROWS = 1_500
MANY = 20_000


def row(number: int) -> str:
    text = f"We look for someone who does thing number {number}. " * 60
    job = {"title": f"Data Engineer {number}", "company": f"Acme {number % 50}", "url": f"https://x.example/{number}"}
    return json.dumps({**job, "location": "Berlin, Germany", "description": text}) + "\n"


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More records than two batches, in one file; more bytes than `FILE_BYTES`."""
    folder = tmp_path_factory.mktemp("captures")
    (folder / "jobs.jsonl").write_text("".join(row(number) for number in range(ROWS)), "utf-8")
    return folder


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose reading takes much longer than any of these tests waits for."""
    file = tmp_path_factory.mktemp("endless") / "jobs.jsonl"
    with file.open("w", encoding="utf-8") as out:
        out.writelines(row(number) for number in range(MANY))
    return file


def count(url: str) -> int:
    engine: Engine = open_ledger(url)
    with engine.connect() as connection:
        found = int(connection.execute(text("SELECT count(*) FROM raw_posting")).scalar_one())
    engine.dispose()
    return found


def content(url: str) -> dict[str, list[Any]]:
    return held(url, moments=False, without=OF_RUNS)


def ingest(url: str, path: Path, **arguments: Any) -> subprocess.CompletedProcess[str]:
    command = [JOBLEDGER, "--db", url, "ingest", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **arguments)


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))


def expect_one_line(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("jobledger: the ledger could not be written: ")


def test_a_ledger_that_cannot_grow_ends_an_ingest_and_the_rerun_repairs_it(captures: Path, tmp_path: Path) -> None:
    full, whole = (f"sqlite:///{tmp_path / name}.db" for name in ("full", "whole"))
    expect_one_line(ingest(full, captures, preexec_fn=small_files))
    assert 0 < count(full) < ROWS
    for url in (full, whole):
        assert ingest(url, captures).returncode == 0
    assert differences(content(whole), content(full)) == {}


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "jobledger-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk needs the right to mount one: run as root to run this test")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_an_ingest_of_real_boards(shared_data: Path, tmp_path: Path) -> None:
    boards = shared_data / "data" / "boards"
    if not boards.is_dir():
        pytest.skip(f"no captured boards at {boards}")
    repaired, whole = (f"sqlite:///{tmp_path / name}.db" for name in ("repaired", "whole"))
    with small_disk(tmp_path / "disk"):
        expect_one_line(ingest(f"sqlite:///{tmp_path / 'disk' / 'ledger.db'}", boards))
        for file in (tmp_path / "disk").iterdir():
            (tmp_path / file.name.replace("ledger", "repaired")).write_bytes(file.read_bytes())
    for url in (repaired, whole):
        assert ingest(url, boards).returncode == 0
    assert differences(content(whole), content(repaired)) == {}


def test_its_time_ends_it(endless: Path, database_url: str) -> None:
    result = crawl(captures_source(), database_url=database_url, paths=[str(endless)], timeout_seconds=2)
    expect(result, "failed", "the crawl ran out of time before it had seen everything")
    assert count(database_url) < MANY


def test_its_memory_ends_it(endless: Path, database_url: str) -> None:
    result = crawl(captures_source(), database_url=database_url, paths=[str(endless)], memory_mb=64)
    expect(result, "failed", "the crawl used more memory than it may")
    assert count(database_url) < MANY


def test_its_limit_ends_it(endless: Path, database_url: str) -> None:
    result = crawl(captures_source(), database_url=database_url, paths=[str(endless)], limit=700)
    expect(result, "healthy", "ended at the limit of postings that was asked for", cut_short=False)
    assert (count(database_url), result.complete) == (700, False)


@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_ends_it(times: int, endless: Path, database_url: str) -> None:
    """Once it closes in good order, twice at once; either way with a reason."""
    begun = threading.Event()
    results: list[CrawlResult] = []

    def read() -> None:
        results.append(
            crawl(
                captures_source(),
                database_url=database_url,
                paths=[str(endless)],
                progress=lambda counts: begun.set() if counts["raw_postings"] else None,
            )
        )

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(120)
    (process,) = _running.values()
    for _ in range(times):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    thread.join(120)
    assert results[0].verdict == "failed"
    assert results[0].cut_short
    assert "interrupted" in results[0].reasons[0] or "ended unexpectedly" in results[0].reasons[0]
    assert 0 < count(database_url) < MANY


def expect(result: CrawlResult, verdict: str, words: str, *, cut_short: bool = True) -> None:
    assert (result.verdict, result.cut_short) == (verdict, cut_short), result.log_tail
    assert words in "; ".join(result.reasons)
    assert CUT_OFF not in result.stats


def run(spider: str, url: str, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> CrawlResult:
    monkeypatch.setattr("scraper.crawl.CLOSING_SECONDS", 2.0)
    return crawl(Source(name="faulty", spider=spider), database_url=url, spider_modules=FAULTY, **arguments)


def test_what_never_ends_is_cut_off_and_what_is_held_is_kept(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run("waits", database_url, monkeypatch, limit=5)
    assert (result.verdict, result.complete) == ("suspect", False), result.log_tail
    assert result.reasons[0] == "the crawl did not close within 2 seconds and was cut off"
    assert result.stats["finish_reason"] == "limit_reached"
    assert count(database_url) == result.new == 5


def test_time_up_while_a_request_never_ends(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("waits", database_url, monkeypatch, timeout_seconds=3)
    assert result.verdict == "failed"
    assert result.reasons == (
        "the crawl ran out of time before it had seen everything",
        "the crawl did not close within 2 seconds and was cut off",
    )
    assert count(database_url) == 10


def test_records_without_a_request_do_not_keep_it_open(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spider of somebody else may yield them from `start()`, for which Scrapy waits for ever."""
    result = run("pours", database_url, monkeypatch, limit=5)
    assert result.verdict in {"healthy", "suspect"}, result.reasons
    assert count(database_url) == 5


def test_the_reason_of_the_ledger_is_said_once() -> None:
    stats = {"finish_reason": "store_failed", "jobledger/store_error": "disk full", "jobledger/pages": 1}
    assert judge(stats, Source(name="x", spider="captures")).reasons == ("the ledger could not be written: disk full",)


def test_stats_are_fit_for_json() -> None:
    assert (
        json.dumps(plain({"a": (1, None), "b": {"c": {2}}, "d": Path("x")}))
        == '{"a": [1, null], "b": {"c": [2]}, "d": "x"}'
    )
