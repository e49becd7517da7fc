"""Every saved answer beside this file, one assertion a field: `NAME.json|xml|html` with `NAME.expected.json`.

A folder is a platform. The answers are ours, in the shape of real ones. What `expected` does not name is not asserted;
a field that it names is compared whole.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from db.records import RawPostingRecord
from scraper.answers import Parsed, Seen
from scraper.captured_answers import parse_answer, parse_document, recognise_answer
from scraper.pages.jobposting import read_job_page
from scraper.pages.rows import PERSONAL, decoded_json
from scraper.pages.xml import safe_xml
from scraper.platforms import PLATFORMS

PAGES = Path(__file__).parent / "pages"
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Saved:
    file: Path
    expected: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.file.parent.name}/{self.file.name}"


def saved_pages() -> list[Saved]:
    found = []
    for expected in sorted(PAGES.rglob("*.expected.json")):
        stem = expected.name.removesuffix(".expected.json")
        (file,) = (one for one in expected.parent.glob(f"{stem}.*") if one != expected)
        found.append(Saved(file, json.loads(expected.read_text("utf-8"))))
    return found


@functools.cache
def read(file: Path, url: str) -> tuple[str, Parsed]:
    """The platform and what its parser read, as a saved file is read."""
    body, seen = file.read_bytes(), Seen(source="captures", url=url, at=NOW)
    if file.suffix == ".html":
        return "schema.org", read_job_page(body, seen)
    if file.suffix == ".xml":
        return parse_document(safe_xml(body), seen)
    answer = decoded_json(body)
    platform = recognise_answer(answer)
    assert platform is not None
    return platform, parse_answer(platform, answer, seen)


def parsed(page: Saved) -> tuple[str, Parsed]:
    return read(page.file, page.expected.get("url", f"capture:0123456789ab:{page.file.name}"))


SAVED = saved_pages()
FIELDS = [
    pytest.param(page, number, name, value, id=f"{page.name}-{number}-{name}")
    for page in SAVED
    for number, posting in enumerate(page.expected["postings"])
    for name, value in posting.items()
]


@pytest.mark.parametrize(("page", "number", "name", "value"), FIELDS)
def test_field(page: Saved, number: int, name: str, value: object) -> None:
    assert shown(parsed(page)[1].postings[number], name) == value


def shown(record: RawPostingRecord, name: str) -> object:
    """A field as JSON would write it."""
    if name == "pay":
        return [pay.as_json() for pay in record.pay]
    found = getattr(record, name)
    return found.isoformat() if isinstance(found, date) else found


@pytest.mark.parametrize("page", SAVED, ids=lambda page: page.name)
def test_answer_as_a_whole(page: Saved) -> None:
    platform, found = parsed(page)
    assert platform == page.expected["platform"]
    assert len(found.postings) == len(page.expected["postings"])
    assert [one.reason for one in found.rejected] == page.expected.get("rejected", [])
    assert found.left_out == page.expected.get("left_out", 0)
    if "total" in page.expected:
        assert found.total == page.expected["total"]


@pytest.mark.parametrize("page", SAVED, ids=lambda page: page.name)
def test_nothing_personal_is_kept_as_a_field(page: Saved) -> None:
    def names(value: object) -> list[str]:
        if isinstance(value, dict):
            return [*value, *(name for part in value.values() for name in names(part))]
        return [name for part in value for name in names(part)] if isinstance(value, list) else []

    for record in parsed(page)[1].postings:
        assert [name for name in names(dict(record.payload)) if PERSONAL.search(name)] == []


@pytest.mark.parametrize("page", SAVED, ids=lambda page: page.name)
def test_reading_twice_says_the_same(page: Saved) -> None:
    first = parsed(page)[1]
    read.cache_clear()
    again = parsed(page)[1]
    assert [one.content_hash for one in first.postings] == [one.content_hash for one in again.postings]


def test_every_platform_has_saved_pages() -> None:
    without_pages = {"jobpages", "archives"}  # read what pages/schema.org and the archive tests hold
    assert {one.spider for one in PLATFORMS} - without_pages <= {path.name for path in PAGES.iterdir()}
