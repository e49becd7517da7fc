"""Lists that go in a circle, repeat themselves or go on for ever: every way of paging ends, and says what it missed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from scrapy.http import HtmlResponse, Request, Response
from scrapy.utils.test import get_crawler

from db.records import RawPostingRecord
from scraper.child import load_spider
from scraper.sources import Source
from tests.scraper.boards import driver

SITE = "https://board.example"
Answers = Callable[[str, dict[str, Any], int], object]
"""What a site answers to an address, a posted body and the number of the request."""
MOST_ASKED = 60
"""Requests after which a list counts as endless."""


class Run(driver.Run):
    ended = False


def drive(source: Source, answers: Answers) -> Run:
    """Runs a spider against a site that may answer for ever."""
    crawler = get_crawler(load_spider(source.spider, ["scraper.spiders"]))
    known = {} if source.spider == "articles" else {"known": {}}
    spider = crawler.spidercls.from_crawler(crawler, source=source, **known)
    run, filtered = Run(), set[str]()
    waiting: list[Request] = asyncio.run(driver._started(spider))
    while waiting and len(run.asked) < MOST_ASKED:
        request = waiting.pop(0)
        if not request.dont_filter and request.url in filtered:
            continue
        filtered.add(request.url)
        run.asked.append(request.url)
        answer = answers(request.url, json.loads(request.body or b"{}"), len(run.asked))
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        kind = HtmlResponse if source.spider == "articles" else Response
        for found in request.callback(kind(request.url, body=body, request=request), **request.cb_kwargs):
            if isinstance(found, Request):
                waiting.append(found)
            else:
                run.records.append(found)
    run.ended = not waiting
    if hasattr(spider, "closed"):
        spider.closed("finished")
    assert crawler.stats is not None
    run.stats = crawler.stats.get_stats()
    return run


def query(url: str, name: str) -> int:
    return int(parse_qs(urlsplit(url).query).get(name, ["0"])[0])


def lever(url: str, _body: dict[str, Any], _count: int) -> object:
    """A board that does not look at `skip`."""
    return [{"id": f"l{n}", "text": f"Job {n}", "hostedUrl": f"{url}/{n}", "categories": {}} for n in range(100)]


def smart(entries: Callable[[int], list[int]], total: Callable[[int], int]) -> Answers:
    def answers(url: str, _body: dict[str, Any], count: int) -> object:
        if "offset" not in url:
            return {"id": url.rsplit("/", 1)[1], "name": "Job", "jobAd": {}, "typeOfEmployment": {}}
        content = [{"id": f"{n}", "name": f"Job {n}", "refNumber": f"{n}", "releasedDate": "2026-01-01"} for n in
                   entries(query(url, "offset"))]  # fmt: skip
        return {"totalFound": total(count), "offset": query(url, "offset"), "content": content}

    return answers


def workday(entries: Callable[[int], list[int]]) -> Answers:
    def answers(url: str, body: dict[str, Any], _count: int) -> object:
        if not body:
            return {"jobPostingInfo": {"title": "Job", "jobReqId": url.rsplit("/", 1)[1]}}
        numbers = entries(int(body["offset"]))
        return {"total": 900, "jobPostings": [{"title": f"Job {n}", "externalPath": f"/job/{n}"} for n in numbers]}

    return answers


def himalayas(cursor: Callable[[int], str | None], jobs: Callable[[int], list[int]]) -> Answers:
    def answers(_url: str, _body: dict[str, Any], count: int) -> object:
        rows = [{"title": f"Job {n}", "guid": f"https://h.example/{n}", "companySlug": "x", "locationRestrictions": []}
                for n in jobs(count)]  # fmt: skip
        return {"totalCount": 10_000, "limit": 20, "jobs": rows, "nextCursor": cursor(count)}

    return answers


def arbeitnow(following: Callable[[int], str], jobs: Callable[[int], list[int]]) -> Answers:
    def answers(_url: str, _body: dict[str, Any], count: int) -> object:
        rows = [{"slug": f"a{n}", "title": f"Job {n}", "company_name": "X", "url": f"{SITE}/{n}"} for n in jobs(count)]
        return {"data": rows, "links": {"next": SITE + following(count)}}

    return answers


def teamtailor(following: Callable[[int], str], jobs: Callable[[int], list[int]]) -> Answers:
    def answers(_url: str, _body: dict[str, Any], count: int) -> object:
        rows = [{"id": f"{n}", "url": f"{SITE}/jobs/{n}-job", "title": f"Job {n}", "_jobposting": {"title": f"Job {n}"}}
                for n in jobs(count)]  # fmt: skip
        return {"title": "X", "items": rows, "next_url": SITE + following(count)}

    return answers


def muse(jobs: Callable[[int], list[int]]) -> Answers:
    def answers(_url: str, _body: dict[str, Any], count: int) -> object:
        rows = [{"id": n, "name": f"Job {n}", "refs": {"landing_page": f"{SITE}/{n}"}} for n in jobs(count)]
        return {"page_count": 99, "results": rows}

    return answers


def sitemaps(names: dict[str, list[str]]) -> Answers:
    """Indexes of sitemaps by their paths; a path without an entry is a sitemap of one job."""

    def answers(url: str, _body: dict[str, Any], _count: int) -> object:
        path = urlsplit(url).path
        if path in names:
            inside = "".join(f"<sitemap><loc>{SITE}{name}</loc></sitemap>" for name in names[path])
            return f"<?xml version='1.0'?><sitemapindex>{inside}</sitemapindex>".encode()
        if path.endswith(".xml"):
            loc = f"<url><loc>{SITE}/jobs{path[:-4]}</loc></url>"
            return f"<?xml version='1.0'?><urlset>{loc}</urlset>".encode()
        script = json.dumps({"@type": "JobPosting", "title": path, "url": url})
        return f'<script type="application/ld+json">{script}</script>'.encode()

    return answers


def index(following: Callable[[int], str], articles: Callable[[int], list[int]]) -> Answers:
    def answers(url: str, _body: dict[str, Any], count: int) -> object:
        if "/insights/a" in url:
            return b"<h1>A vs. B</h1><p>3 min read</p><p>They are two and there is a lot to say of them both, here.</p>"
        links = "".join(f'<a href="/insights/a{n}/">x</a>' for n in articles(count))
        return f'<html><body>{links}<a rel="next" href="{following(count)}">more</a></body></html>'.encode()

    return answers


def board(spider: str, **options: Any) -> Source:
    return Source(name="x", spider=spider, token="x", url=SITE, options={"api": SITE, **options})


REPEATS = "the listing repeats itself"
EMPTY = "an empty page names a next one"
MAPS = Source(name="x", spider="jobpages", url=f"{SITE}/a.xml")
INDEX = Source(name="x", spider="articles", url=f"{SITE}/insights/")
ENDLESS: dict[str, tuple[Source, Answers, str, int]] = {
    "lever: skip is not looked at": (board("lever"), lever, REPEATS, 100),
    "smartrecruiters: the first page for ever": (
        board("smartrecruiters"), smart(lambda _offset: [1, 2, 3], lambda _count: 9_000), REPEATS, 3),
    "smartrecruiters: a total that grows": (
        board("smartrecruiters"), smart(lambda _offset: [1, 2], lambda count: 1_000 * count), REPEATS, 2),
    "smartrecruiters: an empty page": (
        board("smartrecruiters"), smart(lambda offset: [] if offset else [1], lambda _n: 900), "an empty page at", 1),
    "workday: the first page for ever": (
        Source(name="x", spider="workday", url=f"{SITE}/site"), workday(lambda _offset: [1, 2]), REPEATS, 2),
    "workday: an empty page": (
        Source(name="x", spider="workday", url=f"{SITE}/site"), workday(lambda offset: [] if offset else [1]),
        "an empty page at", 1),
    "himalayas: the same cursor": (board("himalayas"), himalayas(lambda _count: "A", lambda n: [n]), REPEATS, 2),
    "himalayas: cursors in a circle": (
        board("himalayas"), himalayas(lambda count: "AB"[count % 2], lambda n: [n]), REPEATS, 3),
    "himalayas: new cursors, old jobs": (board("himalayas"), himalayas(lambda n: f"c{n}", lambda _n: [1]), REPEATS, 1),
    "himalayas: new cursors, no jobs": (
        board("himalayas"), himalayas(lambda n: f"c{n}", lambda n: [n] if n == 1 else []), EMPTY, 1),
    "arbeitnow: next is itself": (board("arbeitnow"), arbeitnow(lambda _n: "/same", lambda n: [n]), REPEATS, 2),
    "arbeitnow: next in a circle": (
        board("arbeitnow"), arbeitnow(lambda n: ["/a", "/b", "/c"][n % 3], lambda n: [n]), REPEATS, 4),
    "arbeitnow: an empty page": (
        board("arbeitnow"), arbeitnow(lambda n: f"/{n}", lambda n: [n] if n == 1 else []), EMPTY, 1),
    "teamtailor: next in a circle": (
        board("teamtailor"), teamtailor(lambda n: ["/a", "/b"][n % 2], lambda n: [n]), REPEATS, 3),
    "teamtailor: an empty page": (
        board("teamtailor"), teamtailor(lambda n: f"/{n}", lambda n: [n] if n == 1 else []), EMPTY, 1),
    "themuse: an empty page": (board("themuse"), muse(lambda n: [n] if n == 1 else []), EMPTY, 1),
    "themuse: the first page for ever": (board("themuse"), muse(lambda _n: [1]), REPEATS, 1),
    "sitemaps: one that names only itself": (MAPS, sitemaps({"/a.xml": ["/a.xml"]}), REPEATS, 0),
    "sitemaps: two that name each other": (
        MAPS, sitemaps({"/a.xml": ["/b.xml", "/c.xml"], "/b.xml": ["/a.xml"]}), REPEATS, 1),
    "articles: next is itself": (INDEX, index(lambda _n: "/insights/", lambda n: [n]), "", 0),
    "articles: new pages, old articles": (
        INDEX, index(lambda n: f"/insights/?page={n}", lambda _n: [1]), "the index repeats itself", 0),
    "articles: empty pages": (
        INDEX, index(lambda n: f"/insights/?page={n}", lambda _n: []), "an index page lists nothing", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDLESS)
def test_a_list_without_end_ends_and_says_so(name: str) -> None:
    source, answers, reason, ads = ENDLESS[name]
    run = drive(source, answers)
    assert run.ended, run.asked
    assert len({one.id for one in run.records if isinstance(one, RawPostingRecord)}) == ads
    if reason:
        assert any(found.startswith(reason) for found in run.incomplete), run.incomplete


def test_a_sitemap_named_twice_is_read_once_and_nothing_is_missing() -> None:
    run = drive(MAPS, sitemaps({"/a.xml": ["/a.xml", "/b.xml", "/c.xml"], "/b.xml": ["/c.xml", "/d.xml"]}))
    assert run.ended
    assert {one.title_text for one in run.whole} == {"/jobs/c", "/jobs/d"}
    assert run.incomplete == []


def captures(*names: int) -> list[list[str]]:
    header = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
    return [header, *([f"k{n}", f"2023010100{n:04}", f"{SITE}/{n}", "text/html", "200", f"D{n}", "9"] for n in names)]


def wayback(pages: Callable[[int], list[list[str]]], key: Callable[[int], str | None]) -> Answers:
    looked = [0]

    def answers(url: str, _body: dict[str, Any], _count: int) -> object:
        if "/cdx/search/cdx" not in url:
            script = json.dumps({"@type": "JobPosting", "title": "Nurse", "url": url.partition("id_/")[2]})
            return f'<script type="application/ld+json">{script}</script>'.encode()
        looked[0] += 1
        following = key(looked[0])
        return [*pages(looked[0]), *([[], [following]] if following else [])]

    return answers


WAYBACK = Source(name="x", spider="archives", url=SITE, complete=False, options={"api": SITE})
INDEXES: dict[str, tuple[Callable[[int], list[list[str]]], Callable[[int], str | None], str, int]] = {
    "repeats its key": (lambda n: captures(n), lambda _n: "A", "the index repeats its key 'A'", 2),
    "keys in a circle": (lambda n: captures(n), lambda n: "AB"[n % 2], "the index repeats its key", 3),
    "the same page under new keys": (lambda _n: captures(1, 2), lambda n: f"k{n}", "names no new capture", 2),
    "the same page in another order": (
        lambda n: captures(*([1, 2] if n % 2 else [2, 1])), lambda n: f"k{n}", "names no new capture", 2),
    "empty pages under new keys": (
        lambda n: captures(1) if n == 1 else [], lambda n: f"k{n}", "names no new capture", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_that_repeats_itself_ends_and_what_it_named_is_kept(name: str) -> None:
    pages, key, reason, ads = INDEXES[name]
    run = drive(WAYBACK, wayback(pages, key))
    assert run.ended, run.asked
    assert any(reason in found for found in run.incomplete), run.incomplete
    assert len({one.source_id for one in run.whole}) == ads


def test_an_index_with_pages_out_of_order_and_one_empty_page_is_read_to_its_end() -> None:
    order = [captures(5, 1), [], captures(4), captures(2, 3)]
    run = drive(WAYBACK, wayback(lambda n: order[n - 1], lambda n: f"k{n}" if n < 4 else None))
    assert (len({one.source_id for one in run.whole}), run.incomplete) == (5, [])


SHAPES = [b"[1, 2]", b'[["a"], 7]', b"[[]]", b'{"a": 1}', b"7", b'[[], ["key"]]', b'[["urlkey"], [], []]']


@pytest.mark.parametrize("body", SHAPES, ids=range(len(SHAPES)))
def test_an_index_of_another_shape_is_no_exception(body: bytes) -> None:
    run = drive(WAYBACK, lambda _url, _body, _count: body)
    assert run.ended
