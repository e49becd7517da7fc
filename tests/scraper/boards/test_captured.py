"""Saved answers and archives as files: told by their shape, read or reported."""

# ruff: noqa: E501 - tables, a case a line

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import PageRecord, RawPostingRecord, Record, RejectedRecord, utc_now
from scraper.captured_answers import recognise_answer
from scraper.captures import find_files, open_capture, read_capture
from scraper.files.finding import Skipped
from tests.scraper.boards.scenes import ARCHIVE, RECORDS, greenhouse_job, lever_job


def read(tmp_path: Path, name: str, body: bytes) -> list[Record]:
    file = tmp_path / name
    file.write_bytes(body)
    return read_file(file)


def read_file(file: Path) -> list[Record]:
    capture = open_capture(file, seen_at=utc_now())
    assert not isinstance(capture, RejectedRecord)
    with capture.file:
        return list(read_capture(capture))


def postings(records: list[Record]) -> list[RawPostingRecord]:
    return [one for one in records if isinstance(one, RawPostingRecord)]


def reasons(records: list[Record]) -> list[str]:
    return [one.reason for one in records if isinstance(one, RejectedRecord)]


REPORTED = {
    "unknown.json": (b'{"weather": "rain"}', ["unknown_shape"]),
    "number.json": (b"7", ["unknown_shape"]),
    "cut.json": (b'{"jobs": [', ["broken_json"]),
    "page.json": (b"<html>", ["html_instead_of_json"]),
    "sitemap.xml": (b"<urlset><url><loc>https://x.example</loc></url></urlset>", ["no_postings"]),
    "bomb.xml": (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', ["entities_refused"]),
    "note.xml": (b"<note>hello</note>", ["unknown_shape"]),
    "broken.warc": (b"WARC/9 what", ["truncated"]),
    "broken.warc.gz": (b"\x1f\x8bwhat", ["broken_record"]),
    "empty.warc": (b"\r\n", ["no_answers"]),
    "lines.jsonl": (b'{"a": 1}\nnot json\n', ["unknown_shape", "broken_json"]),
}


@pytest.mark.parametrize("name", REPORTED)
def test_what_is_no_answer_is_reported(name: str, tmp_path: Path) -> None:
    body, expected = REPORTED[name]
    records = read(tmp_path, name, body)
    assert postings(records) == []
    assert reasons(records) == expected


def test_lines_of_several_platforms(tmp_path: Path) -> None:
    flat = {
        "id": "r1",
        "title": "Baker",
        "url": "https://x.example/1",
        "company": {"name": "Oven"},
        "salary_text": "€20/h",
        "posted_at": "2026-09-01",
    }
    declared = {"@type": "JobPosting", "title": "Cook", "url": "https://x.example/2"}
    lines = [greenhouse_job(1), lever_job(2), flat, declared]
    body = "\n".join(json.dumps(line) for line in lines).encode() + b"\n\nbroken\n"
    records = read(tmp_path, "all.jsonl", body)
    found = {one.source_id: one for one in postings(records)}
    assert set(found) == {"greenhouse:7000001", "lever:lever-2", "rows:r1", "https://x.example/2"}
    assert (found["rows:r1"].company_text, found["rows:r1"].salary_text) == ("Oven", "€20/h")
    assert reasons(records) == ["broken_json"]
    packed = read(tmp_path, "all.jsonl.gz", gzip.compress(body))
    assert {one.source_id for one in postings(packed)} == set(found)


def test_many_broken_lines_are_counted_not_listed(tmp_path: Path) -> None:
    records = read(tmp_path, "bad.jsonl", b"nonsense\n" * 500)
    assert len(reasons(records)) == 21
    assert reasons(records)[-1] == "unreadable_lines"


def test_equal_numbers_of_two_employers_stay_apart(tmp_path: Path) -> None:
    def listing(title: str) -> bytes:
        return json.dumps({"meta": {"totalCount": 1}, "result": [{"id": 86, "jobOpeningName": title}]}).encode()

    one, two = (postings(read(tmp_path, f"{n}.json", listing(title)))[0] for n, title in enumerate(["Nurse", "Clerk"]))
    assert one.id != two.id


def test_an_archive_is_read_and_seen_when_it_was_made(tmp_path: Path) -> None:
    records = read(tmp_path, "pages.warc.gz", ARCHIVE)
    assert [one.source_id for one in postings(records)] == [f"https://old.example/job/{n}" for n in range(3)]
    assert {one.seen_at.isoformat() for one in records} == {"2023-02-05T10:11:12+00:00"}
    assert sum(isinstance(one, PageRecord) for one in records) == 3
    plain = read(tmp_path, "pages.warc", b"".join(gzip.decompress(record) for record in RECORDS))
    assert [one.id for one in postings(plain)] == [one.id for one in postings(records)]


def test_an_archive_that_breaks_off_gives_what_stands_before(tmp_path: Path) -> None:
    records = read(tmp_path, "cut.warc.gz", ARCHIVE[:-150])
    assert len(postings(records)) == 2
    assert reasons(records) == ["truncated"]
    behind = read(tmp_path, "junk.warc.gz", ARCHIVE + b"junk")
    assert (len(postings(behind)), reasons(behind)) == (3, ["broken_record"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_value_breaks_the_recogniser(value: object) -> None:
    recognise_answer(value)
    for key in ("jobs", "data", "results", "result", "items", "hits", "content", "offers"):
        recognise_answer({key: value})
        recognise_answer({key: [value]})


EXPECTED = {
    "greenhouse": 2, "lever": 2, "ashby": 5, "smartrecruiters": 1, "workable": 1, "recruitee": 2, "personio": 1, "teamtailor": 2, "workday": 2,
    "bamboohr": 2, "pinpoint": 2, "himalayas": 4, "remotive": 9, "remoteok": 8, "arbeitnow": 5, "jobicy": 9, "hackernews": 5, "feed": 2,
}  # fmt: skip


def test_every_real_capture_of_a_supported_platform_is_read(shared_data: Path) -> None:
    found: Counter[str] = Counter()
    for path in find_files([str(shared_data / "data" / "captures")]):
        if not isinstance(path, Skipped) and path.suffix in (".json", ".xml"):
            found.update((one.source_id or "").split(":")[0] for one in postings(read_file(path)))
    assert found == EXPECTED


BOARDS = {"ats-jobs-union": 2_780, "himalayas-jobs-union": 500, "remotejobsorg-jobs-union": 475}


@pytest.mark.parametrize("name", BOARDS)
def test_every_line_of_the_real_boards_is_read(name: str, shared_data: Path) -> None:
    records = read_file(shared_data / "data" / "boards" / f"{name}.jsonl")
    assert (len(postings(records)), reasons(records)) == (BOARDS[name], [])
    described = sum(one.description_text is not None for one in postings(records))
    dated = sum(one.posted_on is not None for one in postings(records))
    assert described > BOARDS[name] * 0.95
    assert dated > BOARDS[name] * 0.95
