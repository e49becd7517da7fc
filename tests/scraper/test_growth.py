"""Every reader of pages takes work in proportion to the page, on pages that are made to be hard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from db.text import one_line, repair, without_personal_data
from scraper.answers import AnswerError, Seen
from scraper.backfill.likely import is_dull, may_hold_article
from scraper.pages.article import read_article
from scraper.pages.blocks import html_blocks, text_blocks
from scraper.pages.feeds import parse_feed
from scraper.pages.jobcards import read_cards, read_job
from scraper.pages.jobposting import read_job_page
from scraper.pages.jsonld import read_loose_json
from scraper.pages.plain import plain_text
from scraper.pages.xml import safe_xml
from scraper.platforms import recognise
from tests.growth import superlinear

SEEN = Seen(source="x", url="https://x.example/jobs", at=datetime(2026, 1, 1, tzinfo=UTC))


def feed(text: str) -> object:
    try:
        return parse_feed(safe_xml(text.encode()), SEEN)
    except AnswerError as error:
        return error


def dull(text: str) -> object:
    return is_dull(text.encode()), may_hold_article(text.encode(), text.encode().lower())


READERS: dict[str, Callable[[str], object]] = {
    "article": lambda text: read_article(html_blocks(text)),
    "text": lambda text: read_article(text_blocks(text)),
    "job posting": lambda text: read_job_page(text.encode(), SEEN),
    "cards": read_cards,
    "job": read_job,
    "description": plain_text,
    "feed": feed,
    "json": read_loose_json,
    "bytes": dull,
    "platform": lambda text: recognise("https://x.example/", text),
    "repair": repair,
    "one line": one_line,
    "personal data": without_personal_data,
}
LD = '<script type="application/ld+json">'
ITEM = '<div itemscope itemtype="https://schema.org/JobPosting">'

# begin, piece (%d is its number), end
PAGES: dict[str, tuple[str, str, str]] = {
    "divs inside divs": ("JobPosting<h1>A vs. B</h1>", "<div>x", ""),
    "spans beside each other": ("<h1>A vs. B</h1>", "<span>x</span>", ""),
    "blank texts": ("<h1>A vs. B</h1><p>", "<b> </b>", "<i>x</i>"),
    "blank texts, then texts": ("<h1>A vs. B</h1><p>" + "<b> </b>" * 50, "<i>x</i>", ""),
    "lists inside lists": ("", "<ul><li>x", ""),
    "paragraphs": ("<h1>A vs. B</h1>", "<p>word word</p>", ""),
    "featured jobs": ("<h1>A vs. B</h1>", "<p>Chef</p><p>@ Acme | Rome</p><p>Full Time Senior-level USD 60K</p>", ""),
    "company lines": ("<h1>A vs. B</h1>", "<p>@ Acme | Rome</p>", ""),
    "a card's link again": ("<div>", '<a href="/job/1-x/"><h2>Chef</h2></a>', "</div>"),
    "links without jobs, then jobs": ("<div>" + "<a href='/x'>y</a>" * 300, '<a href="/job/%d-x/"><h2>C</h2></a>', ""),
    "cards": ("<div>", '<div><a href="/job/%d-x/"><h2>Chef</h2></a><span class="badge">b%d</span></div>', "</div>"),
    "badges": ('<h1>x</h1><a href="/company/a/">A</a>', '<span class="badge">b%d</span>', ""),
    "scripts": ("", LD + '{"@type":"JobPosting","title":"x%d","url":"/%d"}</script>', ""),
    "one posting again": ("", LD + '{"@type":"JobPosting","title":"x","url":"/a"}</script>', ""),
    "broken scripts": ("", LD + '{"@type":"JobPosting" "title"</script>', ""),
    "an open string": (LD + '{"@type":"JobPosting","a":"', '\\"', ""),
    "blanks in broken JSON": (LD + '{"@type":"JobPosting",,', "\n    ", "}</script>"),
    "quotes in broken JSON": (LD + '{"@type":"JobPosting",', '"a" ', "</script>"),
    "apostrophes in broken JSON": (LD + '{"@type":"JobPosting",', "'", "</script>"),
    "comments in broken JSON": (LD + '{"@type":"JobPosting",', "/*", "</script>"),
    "brackets": (LD + '{"@type":"JobPosting","a":', "[{", "</script>"),
    "scripts in comments": ("JobPosting", "<!-- " + LD + "JobPosting</script> -->", LD + "JobPosting</script>"),
    "tags that never end": ("JobPosting", "<script ", ""),
    "streamed data": ("JobPosting", 'self.__next_f.push([1,"{\\"@type\\":[JobPosting"])', ""),
    "items": ("", ITEM + '<b itemprop="title">x%d</b></div>', ""),
    "a property again": (ITEM, '<b itemprop="title">x</b>', "</div>"),
    "references": ('<div id="r"><i itemprop="title">x</i></div>', ITEM.replace(">", ' itemref="r r">') + "</div>", ""),
    "feed": ("<jobs>", "<job><title>x%d</title></job>", "</jobs>"),
    "a field again": ("<jobs><job><title>x</title>", "<tag>%d</tag>", "</job></jobs>"),
    "fields inside a field": ("<jobs><job><title>x</title><more>", "<tag>%d</tag>", "</more></job></jobs>"),
    "comments behind a feed": ("<jobs><job><title>x</title></job></jobs>", "<!-- -->", ""),
    "a sentence over many lines": ("A vs. B\n", "this is a long line that goes on and on for ever\n", ""),
    "jobs in a text": ("A vs. B\n", "Chef\n@ Acme | Rome\nFull Time Senior-level / Expert USD 60K\n", ""),
    "markers": ("A vs. B\n", "Featured Job ", ""),
    "types": ("A vs. B\n@ Acme | Rome\n", "Full Time ", ""),
    "signs before a bar": ("<h1>A vs. B</h1>", "a @<b>x</b> ", "|"),
    "times to read": ("", "min<min<read", ""),
    "entities": ("", "&amp;amp;", ""),
    "escaped tags": ("", "&lt;p&gt;", ""),
    "addresses": ("", '<a href="//boards.greenhouse.io/a%d">x</a> ', ""),
    "attributes": ("<h1>x</h1><a ", "a=b ", ">"),
    "mojibake": ("", "Ã¼ ยท ", ""),
    "half letters": ("", "e\u0301\u0e01", ""),
    "mail": ("", "a.b@c.example ", ""),
    "telephone": ("", "+49 30 123 45 67 ", ""),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_work_grows_as_the_page_grows(reader: Callable[[Any], object]) -> None:
    hard = {name: found for name, page in PAGES.items() if (found := superlinear(reader, partial(made, page)))}
    assert not hard, hard


def test_growth_is_told() -> None:
    def quadratic(text: str) -> None:
        seen: list[str] = []
        for word in text.split():
            seen.count(word)
            text.replace(word, "")
            seen.append(word)

    assert superlinear(quadratic, lambda n: "a word and another " * n * 10) is not None
    assert superlinear(lambda text: [repair(word) for word in text.split()], lambda n: "über " * n * 10) is None


def made(page: tuple[str, str, str], times: int) -> str:
    begin, piece, end = page
    return begin + "".join(piece.replace("%d", str(number)) for number in range(times)) + end
