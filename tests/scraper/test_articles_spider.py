"""The articles spider on a site with faults: each is reported, none stops the rest, none closes a job."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from scraper.crawl import CrawlResult, crawl
from scraper.sources import Source
from tests.scraper.loopback import Route, page, serving

SAVED = Path(__file__).parent / "captures"
CARDS = (Path(__file__).parent / "jobcards" / "cards-2025.html").read_text("utf-8")
ARTICLE = (SAVED / "page.html").read_text("utf-8")
JOB = (SAVED / "job-page.html").read_text("utf-8").replace("https://careers.example", "").replace("-9001/", "-51200/")
JSON_LD = (SAVED / "schema.html").read_text("utf-8")


def index(*links: str, next_page: str = "") -> str:
    items = "".join(f'<li><a href="{link}">x</a></li>' for link in links)
    return f"<html><body><ul>{items}</ul>{next_page}</body></html>"


def run(routes: Mapping[str, Route], url: str, **fields: Any) -> tuple[CrawlResult, list[str]]:
    with serving(routes) as site:
        source = Source(name="site", spider="articles", url=site.base + "/", allow_hosts=("127.0.0.1",), **fields)
        result = crawl(source, database_url=url, timeout_seconds=60)
        return result, site.paths()


def rejected(ledger: Engine) -> list[tuple[str, str]]:
    with ledger.connect() as connection:
        rows = connection.execute(text("SELECT reason, url FROM rejected ORDER BY reason, url")).all()
    return [(row[0], "/" + row[1].split("/", 3)[3]) for row in rows]


def test_every_fault_is_reported_and_the_rest_goes_on(ledger: Engine, database_url: str) -> None:
    links = [
        "/insights/good/",
        "/insights/gone/",
        "/insights/no-article/",
        "/insights/binary/",
        "/about/",
        "//other.example/insights/x/",
    ]
    routes: dict[str, Route] = {
        "/": page(index(*links, next_page='<button hx-post="/?page=2">Load more</button>')),
        "/?page=2": page(f"<html><body>{CARDS}</body></html>"),
        "/insights/good/": page(ARTICLE),
        "/insights/no-article/": page("<h1>Imprint</h1><p>We are a firm.</p>"),
        "/insights/binary/": page("\x00\x01\x02" * 500),
        "/job/map-maker-lima-777001/": page("", 410),
        "/job/tide-analyst-cork-51200/": page(JOB.replace("Tide Analyst", "Tide &amp; Surge Analyst")),
        "/job/lock-keeper-gent-51201/": page("<p>This job is no longer here.</p>"),
    }
    result, asked = run(routes, database_url)
    assert rejected(ledger) == [
        ("gone", "/job/lock-keeper-gent-51201/"),
        ("gone", "/job/map-maker-lima-777001/"),
        ("http_404", "/insights/gone/"),
        ("http_404", "/insights/x-vs-y/"),
        ("not_an_article", "/insights/binary/"),
        ("not_an_article", "/insights/no-article/"),
    ]
    assert (result.articles, result.raw_postings) == (1, 4)
    assert (result.verdict, result.complete) == ("failed", False), "a third of the answers were errors"
    assert "/about/" not in asked
    assert len(asked) == len(set(asked)), "nothing is fetched twice"
    with ledger.connect() as connection:
        rows = connection.execute(
            text("SELECT source_id, title_text, description_text FROM raw_posting ORDER BY 1")
        ).all()
    assert [row[0] for row in rows][1:] == ["job:51200", "job:51201", "job:777001"]
    assert "Read gauges" in rows[1][2], "the job's own page says more than its card"
    assert rows[2][1] == "Lock Keeper", "a job whose page says nothing stays as its card shows it"


INDEXES: dict[str, tuple[dict[str, Route], str, str]] = {
    "gone": ({}, "failed", "no page could be read"),
    "empty": ({"/": page("<html><body><p>Welcome</p></body></html>")}, "suspect", "an index page lists nothing"),
    "second page fails": (
        {"/": page(index(next_page='<a rel="next" href="/?page=2">') + CARDS), "/?page=2": page("", 404)},
        "failed",
        "an index page could not be fetched",
    ),
}


@pytest.mark.parametrize(("routes", "verdict", "reason"), INDEXES.values(), ids=INDEXES)
def test_an_index_that_fails_is_no_empty_site(
    routes: dict[str, Route], verdict: str, reason: str, database_url: str
) -> None:
    result, _ = run(routes, database_url)
    assert result.verdict == verdict
    assert reason in "; ".join(result.reasons)
    assert not result.complete


def test_an_entry_without_address_is_an_error_in_words(database_url: str) -> None:
    result = crawl(Source(name="site", spider="articles"), database_url=database_url, timeout_seconds=60)
    assert result.verdict == "failed"
    assert "give the address of the index page" in result.reasons[0]


def test_a_crawl_stopped_in_the_middle_and_run_again_twice_gives_the_same_ledger(
    tmp_path: Path, sqlite_template: Path
) -> None:
    routes: dict[str, Route] = {
        "/": page(index("/insights/good/") + CARDS),
        "/insights/good/": page(ARTICLE),
        "/job/map-maker-lima-777001/": page(JSON_LD),
    }
    tables = []
    with serving(routes) as site:
        for name, limits in (("once", [None]), ("stopped", [2, None, None])):
            shutil.copy(sqlite_template, tmp_path / f"{name}.db")
            url = f"sqlite:///{tmp_path / name}.db"
            source = Source(name="site", spider="articles", url=site.base + "/", allow_hosts=("127.0.0.1",))
            for limit in limits:
                crawl(source, database_url=url, limit=limit, timeout_seconds=60)
            engine = create_engine(url)
            with engine.connect() as connection:
                tables.append(
                    [
                        connection.execute(text(query)).all()
                        for query in (
                            "SELECT id, source_id, title_text, level_text, content_hash FROM raw_posting ORDER BY id",
                            "SELECT id, url, kind FROM page ORDER BY id",
                            "SELECT raw_posting_id, page_id FROM sighting ORDER BY 1, 2",
                            "SELECT id, title FROM article ORDER BY id",
                        )
                    ]
                )
            engine.dispose()
    assert tables[0] == tables[1]
