"""The cheap path finds what the full path finds: on all pages that we have, whole and cut, and on pages made for it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.warc_pages import Pages
from db.records import Record
from scheduler.backfill_file import SOURCE
from scraper.backfill.likely import may_hold_article, may_hold_job
from scraper.backfill.quick_blocks import quick_blocks
from scraper.files.records import Archived
from scraper.pages.article import read_article
from scraper.pages.blocks import html_blocks
from scraper.pages.decoding import UnreadableError, decode
from scraper.spiders.archives import archived_records
from tests.backfill.warcs import ARTICLE, AT, NOTHING, job
from tests.conftest import REPOSITORY

KINDS = {".html": "text/html", ".htm": "text/html", ".txt": "text/html", ".json": "application/json"}
KINDS |= {".xml": "application/xml", ".rss": "application/rss+xml"}


def _full(body: bytes, kind: str, *, truncated: bool = False) -> list[Record]:
    return list(archived_records(Archived("https://a.example/p", AT, 200, kind, body, truncated), SOURCE, bool))


def _cheap(body: bytes, kind: str, *, truncated: bool = False) -> list[Record]:
    return list(archived_records(Archived("https://a.example/p", AT, 200, kind, body, truncated), SOURCE))


def _saved(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.suffix in KINDS and file.is_file())


OURS = list(_saved(REPOSITORY / "tests" / "scraper"))


@pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(REPOSITORY / "tests")))
def test_every_saved_page_gives_the_same_by_both_paths(file: Path) -> None:
    _compare(file, cuts=2)


def test_every_shared_capture_gives_the_same_by_both_paths(shared_data: Path) -> None:
    files = [*_saved(shared_data / "data" / "captures"), *_saved(shared_data / "seeds")]
    assert len(files) > 50
    for file in files:
        _compare(file, cuts=1)


def _compare(file: Path, cuts: int) -> None:
    data, kind, chance = file.read_bytes()[:2_000_000], KINDS[file.suffix], random.Random(file.name)
    for body in (data, *(data[: chance.randrange(len(data) + 1)] for _ in range(cuts))):
        assert _cheap(body, kind) == _full(body, kind)
    assert _cheap(data, kind, truncated=True) == _full(data, kind, truncated=True)


def test_quick_blocks_are_the_blocks() -> None:
    chance = random.Random(7)
    for file in (f for f in OURS if f.suffix in (".html", ".txt")):
        data = file.read_bytes()
        for body in (data, data[chance.randrange(len(data) + 1) :]):
            try:
                text = decode(body)
            except UnreadableError:
                continue
            assert quick_blocks(text) == html_blocks(text), file.name


HOLDING = {
    "featured, in lower case": "<h3>featured jobs</h3><p>Data Engineer</p>",
    "at in an entity": "<p>Chef</p><p>&#64; Acme &#124; Rome</p><p>Full Time Mid-level EUR 30K</p>",
    "at in a named entity": "<p>Chef</p><p>&commat; Acme | Rome</p>",
    "at in a tag": "<p>Chef</p><p>@<b> Acme</b> | Rome</p>",
    "at without a space": "<p>Chef</p><p>@Acme | Rome</p>",
    "glued to a title": "<p>Chef@ Acme | Rome</p>",
    "after a hard space": "<p>Chef</p><p>&nbsp;@\u00a0Acme</p>",
    "versus": "<h1>Cat versus Dog</h1><p>Both of them live with people, and have done so for very long.</p>",
    "vs in capitals": "<h1>CAT VS DOG</h1><p>Both of them live with people, and have done so for very long.</p>",
    "soft hyphens": "<h1>Sa&shy;la\u00adries</h1><p>Both of them live with people, and have done so for very long.</p>",
    "letters as entities": "<h1>&#83;alaries</h1><p>Both of them live with people, and have done so for very long.</p>",
    "bold title": "<p><b>Salary of a chef</b></p><p>Both of them live with people, and have done so for very long.</p>",
    "title in h2": "<h2>Cooking explained</h2><p>Both of them live with people, and have done so for very long.</p>",
    "tag in a heading": "<h1><span>Interview <i>questions</i></span></h1><p>They ask this and that and more of it.</p>",
    "minutes": "<h1>Soup</h1><p>5 min<b> read</b></p><p>Stir it.</p>",
    "minutes with a hyphen": "<h1>Soup</h1><p>5-minute-read</p><p>Stir it.</p>",
    "contents": "<h1>Soup</h1><p>Table of Contents:</p><p>One has to stir the soup for a long time, every time.</p>",
    "contents in a tag": "<h1>Soup</h1><p>contents<span>:</span></p><p>One has to stir the soup for a long time.</p>",
    "utf-16": "\ufeff<h1>Cat vs. Dog</h1><p>Both of them live with people, and have done so for very long.</p>",
}


@pytest.mark.parametrize("page", HOLDING.values(), ids=HOLDING)
def test_pages_made_to_be_missed_are_not(page: str) -> None:
    body = page.encode("utf-16-le" if page.startswith("\ufeff") else "utf-8")
    assert read_article(html_blocks(decode(body))) is not None, "the full path finds something"
    assert may_hold_article(body, body.lower())
    assert _cheap(body, "text/html") == _full(body, "text/html") != []


@pytest.mark.parametrize("spelling", ["JobPosting", "jobPosting", "job-posting", "Job Posting", "JOB&quot;POSTING"])
def test_spellings_of_a_job_are_seen(spelling: str) -> None:
    body = spelling.encode().replace(b"&quot;", b'"')
    assert may_hold_job(body.lower())


def test_pages_without_a_job_are_told_from_their_bytes() -> None:
    pages = Pages(3)
    made = [pages.plain(number) for number in range(60)]
    assert not any(may_hold_job(body.lower()) or may_hold_article(body, body.lower()) for body in made)
    assert all(_full(body, "text/html") == [] for body in made[:6])


def test_both_paths_agree_on_generated_pages() -> None:
    pages = Pages(5)
    for body in (pages.job(1), pages.article(2), job(), ARTICLE.encode(), NOTHING.encode()):
        assert _cheap(body, "text/html") == _full(body, "text/html")
