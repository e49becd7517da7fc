"""`ingest`, the spider of archives and `backfill` read the same records out of the same file, damaged or not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from db.records import RawPostingRecord, Record, RejectedRecord
from scheduler.backfill_file import backfill_file
from scraper.answers import DETAIL, Ask
from scraper.captures import open_capture, read_capture
from scraper.sources import Source
from scraper.spiders.archives import ArchivesSpider
from tests.backfill.warcs import rows
from tests.road.test_captures import jobledger
from tests.scraper.files.damaged import CASES

SEEN_AT = datetime(2026, 1, 2, tzinfo=UTC)
Told = tuple[list[str], list[str]]
"""The titles of the ads and the reasons of what was rejected, in the order of the file."""


def told(records: Iterable[Record]) -> Told:
    found = list(records)
    titles = [one.title_text for one in found if isinstance(one, RawPostingRecord)]
    rejected = [one for one in found if isinstance(one, RejectedRecord)]
    assert all(one.url and one.detail for one in rejected), "what is rejected has an address or a place"
    return titles, [one.reason for one in rejected]


def ingested(file: Path) -> Told:
    capture = open_capture(file, seen_at=SEEN_AT)
    assert not isinstance(capture, RejectedRecord)
    with capture.file:
        return told(read_capture(capture))


def crawled(file: Path) -> Told:
    """What the spider makes of an answer of an archive that holds the file."""
    source = Source(name="old", spider="archives", url="https://old.example/", options={"archive": "commoncrawl"})
    spider = ArchivesSpider.from_crawler(get_crawler(ArchivesSpider), source=source)
    state = {"original": "https://old.example/", "warc": True, "at": SEEN_AT, "first": SEEN_AT, "mime": ""}
    ask = Ask(url="https://data.example/a.warc.gz#0", kind=DETAIL, state=state)
    found = spider.parse(Response(ask.url, body=file.read_bytes()), ask)
    return told(one for one in found if isinstance(one, Record))


def backfilled(file: Path, out: Path) -> Told:
    result = backfill_file(str(file), str(out))
    titles = [title for (title,) in rows(out, "postings", "title_text")]
    reasons = [reason for (reason,) in rows(out, "rejected", "reason")]
    assert (result.postings, result.rejected) == (len(titles), len(reasons))
    assert (result.ends_early is not None) == ("truncated" in reasons)
    return titles, reasons


@pytest.mark.parametrize("name", CASES)
def test_the_three_read_the_same(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    file = tmp_path / "old.warc"
    file.write_bytes(case.data)
    right = (case.titles, case.reasons)
    assert ingested(file) == right
    assert crawled(file) == right
    assert backfilled(file, tmp_path / "out") == right


SHARED = {
    "50a-warc-length-too-small.warc": (2, ["wrong_length"]),
    "50c-warc-crc-bad.warc.gz": (2, ["broken_record"]),
    "50d-warc-cut.warc.gz": (2, ["truncated"]),
    "50e-warc-decoded-but-gzip-header.warc": (1, []),
    "51d-plain-cut-300.warc": (2, ["truncated"]),
}


def shared(folder: Path, name: str) -> Path:
    file = folder / "data" / "cases" / name
    if not file.exists():
        pytest.skip(f"{file} is not there")
    return file


@pytest.mark.parametrize("name", SHARED)
def test_shared_cases_are_read_alike(name: str, shared_data: Path, tmp_path: Path) -> None:
    file = shared(shared_data, name)
    found = [ingested(file), crawled(file), backfilled(file, tmp_path / "out")]
    assert [(len(titles), reasons) for titles, reasons in found] == [SHARED[name]] * 3


def test_the_commands_fill_a_ledger_alike(tmp_path: Path) -> None:
    file, out = tmp_path / "old.warc.gz", tmp_path / "out"
    file.write_bytes(CASES["cut in a member"].data)
    stored, read = f"sqlite:///{tmp_path / 'stored.db'}", f"sqlite:///{tmp_path / 'read.db'}"
    counts = json.loads(jobledger(read, "ingest", str(file), "--json"))
    assert (counts["postings"], counts["rejected"]) == (2, 1)
    counts = json.loads(jobledger(stored, "backfill", str(file), "--out", str(out), "--store", "--json"))
    assert (counts["postings"], counts["rejected"], counts["stored"]["new"]) == (2, 1, 2)
    assert len(counts["ends_early"]) == 1
    assert "the file ends inside a record, at byte" in counts["ends_early"][0]
    columns = ("url", "title", "company", "salary_text", "posted_on", "first_seen", "last_seen")
    one, other = (json.loads(jobledger(url, "postings", "--format", "json")) for url in (read, stored))
    assert sorted([ad[name] for name in columns] for ad in one) == sorted(
        [ad[name] for name in columns] for ad in other
    )
