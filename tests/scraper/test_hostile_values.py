"""Values of pages that once made a parser fail: read as what they are, or as nothing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from scraper.answers import Seen
from scraper.pages.addresses import absolute, split_address
from scraper.pages.dates import day
from scraper.pages.jobcards import JobCard, job_id, read_cards, read_job
from scraper.pages.jobposting import decoded_page, read_job_page
from scraper.pipelines import cleaned
from tests.db.records import ad

SEEN = Seen(source="s", url="https://x.example/jobs", at=datetime(2026, 1, 1, tzinfo=UTC))
NO_ADDRESSES = ("http://[bad", "//[", "http://[::1", "https://x.example]/")


def declared(**fields: Any) -> bytes:
    job = {"@type": "JobPosting", "title": "Nurse", "hiringOrganization": {"name": "Acme"}} | fields
    return f'<script type="application/ld+json">{json.dumps(job)}</script>'.encode()


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_address_that_cannot_be_split_is_none(address: str) -> None:
    assert split_address(address).netloc == ""
    assert absolute("https://x.example/", address) is None
    assert job_id(address) is None


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_a_page_with_such_an_address_is_read(address: str) -> None:
    (posting,) = read_job_page(declared(url=address), SEEN).postings
    assert posting.title_text == "Nurse"
    cards = read_cards(
        f'<ul><li><a href="{address}">Home</a></li><li><a href="/job/7-nurse/"><h2>Nurse</h2></a></li></ul>',
        "https://x.example/",
    )
    assert [card.title for card in cards if isinstance(card, JobCard)] == ["Nurse"]
    assert read_job(f'<h1>Nurse</h1><div id="job-description">Care</div><a href="{address}">Acme</a>') is not None


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_such_an_address_is_kept_as_text_and_is_no_link(address: str) -> None:
    record = cleaned(ad(1, url=address))
    assert record.url is None or not record.url.startswith("http://[")
    assert address in (record.url, record.payload.get("url"))


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308, float("nan"), "9" * 80, "²", "0000-00-00", [], {}])
def test_a_value_that_is_no_day_is_none(value: object) -> None:
    assert day(value) is None


@pytest.mark.parametrize("value", [1_790_000_000, 1_790_000_000_000, "1790000000"])
def test_seconds_and_milliseconds_are_days(value: object) -> None:
    assert day(value) == date(2026, 9, 21)


@pytest.mark.parametrize("charset", ["idna", "punycode", "undefined", "hex", "zlib", "nonsense", "utf-7"])
def test_a_page_in_an_encoding_of_no_pages_is_read(charset: str) -> None:
    page = f'<meta charset="{charset}">Stra\xdfe'.encode("latin1")
    assert "Stra" in decoded_page(page)


def test_half_a_surrogate_pair_in_a_page_is_no_failure() -> None:
    assert read_cards("<ul><li><a href='/job/7-nurse/'><h2>Nurse \ud83d</h2></a></li></ul>")
