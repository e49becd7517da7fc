"""A list page without jobs: an empty list still belongs to its site, an error page or a challenge links to nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scraper.answers import AnswerError, Seen
from scraper.spiders.jobpages import read_list_page

SEEN = Seen(source="acme", url="https://acme.example/jobs", at=datetime(2026, 3, 1, tzinfo=UTC))
LISTS = {
    "links to other pages": b'<nav><a href="/about">About us</a></nav><p>We have no open jobs.</p>',
    "an address in full": b"<a href='https://www.acme.example/team'>Team</a>",
}
NO_LISTS = {
    "nothing": b"",
    "blanks": b" \n\t ",
    "a challenge": b"<h1>Checking your browser</h1><p>This takes five seconds.</p>",
    "a challenge with links": b'<p>Ray ID 1</p><a href="https://guard.example/why">Why?</a> <a href="#">Again</a>',
    "an error": b'<h1>Temporarily unavailable</h1><a href="https://acme.example/jobs">Try again</a>',
    "an application without its content": b'<div id="root"></div><script src="/app.js"></script>',
}


@pytest.mark.parametrize("body", LISTS.values(), ids=LISTS)
def test_an_empty_list_is_read(body: bytes) -> None:
    assert read_list_page(body, SEEN, None).postings == ()


@pytest.mark.parametrize("body", NO_LISTS.values(), ids=NO_LISTS)
def test_what_is_not_the_list_is_not_read_as_an_empty_one(body: bytes) -> None:
    with pytest.raises(AnswerError, match="no job and links to no page of its site"):
        read_list_page(body, SEEN, None)
