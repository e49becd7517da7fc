"""What one page may cost: a page that costs more is named, and the others are read."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from db.records import RawPostingRecord, Record, RejectedRecord
from scraper import captured_answers, captures, limits
from scraper.answers import Seen
from scraper.captures import open_capture, read_capture
from scraper.crawl import crawl
from scraper.limits import PageTooSlow, TooCostlyError, cut_after, page_limit
from scraper.pages.blocks import html_blocks
from scraper.pages.jobposting import read_job_page
from scraper.pages.plain import plain_text
from scraper.sources import Source
from scraper.spiders import archives
from tests.scraper.loopback import Route, page, serving

SEEN_AT = datetime(2026, 1, 2, tzinfo=UTC)
JOB = '<script type="application/ld+json">{"@type":"JobPosting","title":"%s","url":"https://x.example/%s"}</script>'


def endless(*_: object) -> Any:
    while True:
        pass


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SECONDS_A_PAGE", 0.2)


def test_a_crawl_names_the_page_that_never_ends_and_reads_the_others(ledger: Engine, database_url: str) -> None:
    names = ["chef", "never", "nurse"]
    routes: dict[str, Route] = {"/jobs.json": page(json.dumps({"jobs": [{"path": f"{name}.json"} for name in names]}))}
    for name in names:
        routes[f"/{name}.json"] = page(json.dumps({"title": name, "never_ends": name == "never"}))
    with serving(routes) as site:
        source = Source(name="board", spider="endless", url=f"{site.base}/", allow_hosts=("127.0.0.1",))
        result = crawl(source, database_url=database_url, spider_modules=("tests.scraper.faulty",), timeout_seconds=120)
    with ledger.connect() as connection:
        titles = connection.execute(text("SELECT title_text FROM raw_posting ORDER BY title_text")).scalars().all()
        rejected = connection.execute(text("SELECT reason, url, detail FROM rejected")).all()
    assert list(titles) == ["chef", "nurse"]
    assert [(row[0], row[1].rpartition("/")[2]) for row in rejected] == [("too_costly", "never.json")]
    assert "0.3 seconds of work" in rejected[0][2]
    assert result.verdict != "failed", result.reasons


def test_a_file_that_never_ends_is_named(tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "html_blocks", endless)
    assert reasons(records(tmp_path / "page.html", "<h1>A vs. B</h1>")) == ["too_costly"]


def test_a_line_that_never_ends_costs_only_itself(tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    read = captured_answers.parse_answer

    def parse(platform: str, answer: Any, seen: Seen) -> Any:
        return endless() if answer["title"] == "never" else read(platform, answer, seen)

    monkeypatch.setattr(captured_answers, "parse_answer", parse)
    lines = [json.dumps({"title": t, "url": f"https://x.example/{t}", "company": "x"}) for t in ("a", "never", "b")]
    found = records(tmp_path / "rows.jsonl", "\n".join(lines))
    assert titles(found) == ["a", "b"]
    assert reasons(found) == ["too_costly"]


def test_an_archived_page_that_never_ends_costs_only_itself(short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    read = archives.read_job_page
    monkeypatch.setattr(
        archives, "read_job_page", lambda body, seen: endless() if b"never" in body else read(body, seen)
    )
    found: list[Record] = []
    for name in ("a", "never", "b"):
        body = (JOB % (name, name)).encode()
        archived = archives.Archived(f"https://x.example/{name}", SEEN_AT, 200, "text/html", body)
        found += archives.archived_records(archived, "archive")
    assert titles(found) == ["a", "b"]
    assert [(one.reason, one.url) for one in found if isinstance(one, RejectedRecord)] == [
        ("too_costly", "https://x.example/never")
    ]


def test_the_inner_limit_leaves_the_outer_one_alone(short: None) -> None:
    with pytest.raises(PageTooSlow), cut_after(0.2), page_limit():
        endless()
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_a_parser_cannot_swallow_the_cut(short: None) -> None:
    def swallowing() -> None:
        while True:
            try:
                endless()
            except Exception:  # noqa: BLE001 - what a careless parser does
                continue

    with pytest.raises(TooCostlyError), page_limit():
        swallowing()


def test_a_long_expression_is_cut(short: None) -> None:
    import re

    with pytest.raises(TooCostlyError), page_limit():
        re.match(r"(?:a|aa)+$", "a" * 60 + "!")


def test_nothing_is_left_armed(short: None) -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with page_limit():
        pass
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) == before


SCOPE = '<div itemscope itemtype="https://schema.org/JobPosting" itemref="a b c"><b itemprop="title">Chef</b></div>'
CIRCLE = "".join(
    f'<div id="{name}">'
    + '<i itemprop="x" itemscope itemref="a b c"></i><i itemprop="y" itemscope itemref="c b a"></i></div>'
    for name in "abc"
)
ALL = [{"@id": name} for name in "abcdefgh"]
GRAPH = [
    {"@type": "JobPosting", "title": "Chef", "a": {"@id": "a"}},
    *({"@id": name, "a": ALL * 3} for name in "abcdefgh"),
]

ENDLESS_PAGES = {
    "items that refer to each other": SCOPE + CIRCLE,
    "nested properties repeat their text": '<div itemscope itemtype="https://schema.org/JobPosting">'
    + '<b itemprop="x">' * 200
    + "word " * 20_000,
    "nodes that refer to each other": '<script type="application/ld+json">' + json.dumps(GRAPH) + "</script>",
    "very many items": '<p itemscope itemtype="https://schema.org/JobPosting"><b itemprop="title">Chef</b></p>' * 600,
    "very many objects": '<script type="application/ld+json">[{"@type":"JobPosting","title":"Chef"}'
    + ',{"a":1}' * 25_000
    + "]</script>",
}


@pytest.mark.parametrize("body", ENDLESS_PAGES.values(), ids=ENDLESS_PAGES)
def test_a_small_page_that_stands_for_a_huge_one_is_named(body: str) -> None:
    parsed = read_job_page(body.encode(), Seen(source="x", url="https://x.example/", at=SEEN_AT))
    assert "too_costly" in [one.reason for one in parsed.rejected]


WRAPPED = {
    "trailing comma and deep indentation": '{"@type":"JobPosting","title":"Chef",' + "\n" + " " * 4_000 + "}",
    "blanks before a comment that never ends": " " * 4_000 + "// <" + '{"@type":"JobPosting","title":"Chef",}',
    "blanks behind": '{"@type":"JobPosting","title":"Chef",}' + "\n \t" * 2_000 + ";",
    "wrapped again and again": "<!-- //<![CDATA[ " * 500
    + '{"@type":"JobPosting","title":"Chef",}'
    + " //]]> -->" * 500,
}


@pytest.mark.parametrize("script", WRAPPED.values(), ids=WRAPPED)
def test_blanks_around_a_broken_script_cost_nothing(script: str) -> None:
    body = f'<script type="application/ld+json">{script}</script>'
    parsed = read_job_page(body.encode(), Seen(source="x", url="https://x.example/", at=SEEN_AT))
    assert [one.title_text for one in parsed.postings] == ["Chef"]


def test_a_page_too_long_for_a_tree_is_named(tmp_path: Path) -> None:
    found = records(tmp_path / "page.html", "<p>word word word</p>" * 200_000)
    assert reasons(found) == ["too_large"]


def test_lists_nest_as_deep_as_anybody_writes_them() -> None:
    assert plain_text("<ul><li>a<ul><li>b</ul><li>c</ul>") == "- a\n- b\n- c"
    deep = plain_text("<ol><li>x" * 5_000 + "<p>end")
    assert deep is not None
    assert deep.count("x") == 5_000
    assert len(max(deep.splitlines(), key=len)) < 200, "the indentation of a list does not grow with its depth"


def test_blank_texts_before_a_line_are_no_part_of_it() -> None:
    assert [one.text for one in html_blocks("<p><b> </b> <i> </i>Tasks <b> </b>")] == ["Tasks"]


def records(path: Path, content: str) -> list[Record]:
    path.write_text(content, encoding="utf-8")
    capture = open_capture(path, seen_at=SEEN_AT)
    assert not isinstance(capture, RejectedRecord)
    with capture.file:
        return list(read_capture(capture))


def titles(found: list[Record]) -> list[str]:
    return [one.title_text for one in found if isinstance(one, RawPostingRecord)]


def reasons(found: list[Record]) -> list[str]:
    return [one.reason for one in found if isinstance(one, RejectedRecord)]
