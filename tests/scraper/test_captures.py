"""Captured files: what each of our own holds, and faults that must not stop the others."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from db.records import ArticleRecord, PageRecord, RawPostingRecord, RejectedRecord
from scraper.captures import READERS, find_files, open_capture, read_capture, reader_of
from scraper.files.finding import Skipped
from tests.scraper.goldens import SEEN_AT, held, records

FOLDER = Path(__file__).parent / "captures"
CAPTURES = sorted(file for file in FOLDER.iterdir() if not file.name.startswith("README"))


@pytest.mark.parametrize("file", CAPTURES, ids=lambda file: file.name)
def test_a_capture_holds_what_was_read_from_it_by_hand(file: Path) -> None:
    assert held(file) == json.loads((FOLDER.parent / "expected" / f"{file.name}.json").read_text("utf-8"))


@pytest.mark.parametrize("file", CAPTURES, ids=lambda file: file.name)
def test_every_capture_gives_a_page_or_a_reason(file: Path) -> None:
    found = records(file)
    pages = [r for r in found if isinstance(r, PageRecord)]
    reasons = [r for r in found if isinstance(r, RejectedRecord)]
    assert bool(pages) != (len(found) == len(reasons))
    assert all("\n" not in r.detail for r in reasons), "a reason is one line"


def test_both_broken_code_pages_give_the_same_article() -> None:
    assert held(FOLDER / "topic-thai.txt") == held(FOLDER / "topic-greek.txt")


def test_no_posting_has_the_date_of_its_article() -> None:
    postings = [
        r for file in CAPTURES if file.suffix == ".txt" for r in records(file) if isinstance(r, RawPostingRecord)
    ]
    assert postings
    assert all(r.posted_on is None and r.updated_on is None for r in postings)


def test_a_page_is_named_by_its_bytes_and_name_wherever_it_lies(tmp_path: Path) -> None:
    here, there = tmp_path / "a.txt", tmp_path / "deep" / "a.txt"
    there.parent.mkdir()
    for file in (here, there):
        file.write_bytes((FOLDER / "no-jobs.txt").read_bytes())
    one, other = (r for file in (here, there) for r in records(file) if isinstance(r, PageRecord))
    assert one == other
    assert one.url == f"capture:{one.content_hash[:12]}:a.txt"


def test_an_article_without_own_address_is_known_by_its_title(tmp_path: Path) -> None:
    (tmp_path / "again.txt").write_bytes((FOLDER / "no-jobs.txt").read_bytes() + b"\n")
    ids = {
        r.id
        for file in (FOLDER / "no-jobs.txt", tmp_path / "again.txt")
        for r in records(file)
        if isinstance(r, ArticleRecord)
    }
    assert len(ids) == 1


FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "white space": (b" \n\t\n", "empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", "empty"),
    "binary": (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 50, "binary"),
    "nul bytes": (b"Data\x00Engineer\x00vs\x00" * 20, "binary"),
    "prose without a title": (
        b"Just a few words that somebody wrote down one day, for no reason at all.",
        "not_an_article",
    ),
    "a list": (b"milk\neggs\nbread\n", "not_an_article"),
    "a title alone": (b"Data Engineer vs. Data Analyst", "not_an_article"),
    "a log": (b"2026-01-01 INFO started\n2026-01-01 INFO stopped\n" * 20, "not_an_article"),
}


@pytest.mark.parametrize(("data", "reason"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("ending", [".txt", ".html"])
def test_what_cannot_be_read_is_one_clear_line(data: bytes, reason: str, ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"x{ending}"
    file.write_bytes(data)
    found = records(file)
    assert [r.reason for r in found if isinstance(r, RejectedRecord)] == [reason]
    assert len(found) == 1


def test_unknown_kinds_and_missing_files_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "x.docx").write_bytes(b"PK")
    assert [r.reason for r in records(tmp_path / "x.docx") if isinstance(r, RejectedRecord)] == ["unknown_kind"]
    missing = open_capture(tmp_path / "none.txt", seen_at=SEEN_AT)
    assert isinstance(missing, RejectedRecord)
    assert missing.reason == "unreadable"


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(encoding: str, tmp_path: Path) -> None:
    text = (
        "Käufer vs. Verkäufer\n\n3 min read · Dec. 6, 2023\n\nTwo sides – one table, and both sit at it all day long.\n"
    )
    (tmp_path / "x.txt").write_bytes(text.encode(encoding))
    assert held(tmp_path / "x.txt")["articles"][0]["title"] == "Käufer vs. Verkäufer"


@pytest.mark.parametrize(
    "file", [f for f in CAPTURES if f.suffix in {".txt", ".html"} and f.stat().st_size > 200], ids=str
)
def test_a_page_cut_off_anywhere_is_read_as_far_as_it_goes(file: Path, tmp_path: Path) -> None:
    data = file.read_bytes()
    chance = random.Random(file.name)
    for _ in range(12):
        (tmp_path / file.name).write_bytes(data[: chance.randrange(len(data))])
        found = records(tmp_path / file.name)
        assert found, "something is kept of every file"


def test_files_are_found_in_order_once_and_others_are_skipped_by_name(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "sub/c.html", "expected.json", "README.md", ".hidden", "sub/.git/x.txt", "a.txt~"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = list(find_files([str(tmp_path), str(tmp_path / "a.txt")]))
    assert [p.name for p in found if isinstance(p, Path)] == ["a.txt", "b.txt", "c.html"]
    skipped = [Path(p.path).name for p in found if isinstance(p, Skipped)]
    assert skipped == [".hidden", "README.md", "a.txt~", "expected.json", ".git"]


def test_a_link_to_the_folder_above_does_not_loop_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a.txt").write_text("x")
    found, skipped = find_files([str(tmp_path)])
    assert (found, isinstance(skipped, Skipped)) == (tmp_path / "a.txt", True)
    assert "link to a folder" in str(skipped)


@pytest.mark.parametrize("ending", READERS)
def test_every_reader_exists(ending: str) -> None:
    assert callable(reader_of(f"x{ending}"))


def test_the_longest_ending_counts() -> None:
    assert reader_of("x.min.HTML") is reader_of("x.html")
    assert reader_of("README") is None


def test_real_captures_of_the_site_are_read(shared_data: Path) -> None:
    folder = shared_data / "data" / "captures" / "aijobs"
    titles = {r.title_text for file in folder.iterdir() for r in records(file) if isinstance(r, RawPostingRecord)}
    assert titles == {
        "Data Analyst",
        "Data Specialist",
        "Lead AI Engineer",
        "ML Engineer",
        "Principal Knowledge & Data Architect",
    }


def test_the_real_articles_hold_what_was_read_by_hand(shared_data: Path) -> None:
    seeds = shared_data / "seeds"
    for expected in json.loads((seeds / "expected.json").read_text("utf-8"))["articles"]:
        found = held(seeds / expected["file"])
        article = found["articles"][0]
        for name in ("title", "subtitle", "read_minutes", "published_on", "salary_insight_links"):
            assert article[name] == expected[name], (expected["file"], name)
        read = [
            [p[n] for n in ("title_text", "company_text", "location_text", "level_text", "salary_text")]
            for p in found["postings"]
        ]
        names = ("title", "company", "location_text", "level_text", "salary_text")
        assert read == [[p[name] for name in names] for p in expected["postings"]]
        assert found["rejected"] == []


def test_capture_reader_closes_nothing_it_did_not_open(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes((FOLDER / "no-jobs.txt").read_bytes())
    capture = open_capture(tmp_path / "x.txt", seen_at=SEEN_AT)
    assert not isinstance(capture, RejectedRecord)
    with capture.file:
        assert list(read_capture(capture)) == list(read_capture(capture)), "reading twice gives the same"


def test_a_declared_posting_that_cannot_be_read_is_reported_beside_the_article(tmp_path: Path) -> None:
    broken = '<script type="application/ld+json">{"@type": "JobPosting", "title": </script>'
    (tmp_path / "x.html").write_text(broken + (FOLDER / "page.html").read_text("utf-8"), "utf-8")
    found = held(tmp_path / "x.html")
    assert (found["pages"], len(found["postings"]), len(found["rejected"])) == (["article"], 2, 1)
