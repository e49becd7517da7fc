"""Whole crawls against the scenes behind a socket: child process, politeness, retries, verdict, ledger.

`VERDICTS` says what each entry of `loopback.toml` comes to. A few of them are crawled here; all of them by
`python -m tests.scraper.boards.server 8765` and `jobledger crawl --all --sources tests/scraper/loopback.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from scraper.crawl import CrawlResult, crawl
from scraper.sources import Source, load_sources
from tests.scraper.boards.server import PORT, serving

LOOPBACK = Path(__file__).parents[1] / "loopback.toml"

VERDICTS = {
    "greenhouse": "healthy",
    "greenhouse-big": "healthy",
    "greenhouse-empty": "healthy",
    "greenhouse-gone": "failed",
    "greenhouse-html": "failed",
    "greenhouse-cut": "failed",
    "lever": "healthy",
    "lever-fails-later": "failed",
    "lever-repeats": "suspect",
    "ashby": "healthy",
    "ashby-slow": "healthy",
    "smartrecruiters": "healthy",
    "smartrecruiters-busy": "healthy",
    "smartrecruiters-sick": "failed",
    "workable": "healthy",
    "recruitee": "healthy",
    "personio": "healthy",
    "personio-cut": "suspect",
    "teamtailor": "healthy",
    "workday": "healthy",
    "bamboohr": "healthy",
    "bamboohr-gone": "failed",
    "breezy": "healthy",
    "pinpoint": "healthy",
    "himalayas": "healthy",
    "remotive": "healthy",
    "remoteok": "healthy",
    "arbeitnow": "healthy",
    "jobicy": "healthy",
    "weworkremotely": "healthy",
    "themuse": "healthy",
    "hackernews": "healthy",
    "jobpages": "healthy",
    "feed": "healthy",
    "feed-bomb": "failed",
    "feed-retired": "failed",
    "wayback": "healthy",
    "commoncrawl": "healthy",
}


def test_every_entry_has_a_verdict() -> None:
    assert [source.name for source in load_sources(LOOPBACK)] == list(VERDICTS)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Source]]:
    """The entries of `loopback.toml`, on whatever port is free."""
    with serving() as (port, _):
        file = tmp_path_factory.mktemp("sources") / "loopback.toml"
        file.write_text(LOOPBACK.read_text("utf-8").replace(f":{PORT}", f":{port}"), "utf-8")
        yield {source.name: source for source in load_sources(file)}


def run(source: Source, url: str) -> CrawlResult:
    return crawl(source, database_url=url, timeout_seconds=60)


POSTINGS = {"smartrecruiters-busy": 3, "bamboohr-gone": 0, "personio-cut": 4, "feed-bomb": 0, "commoncrawl": 3}
"""The entries that are crawled here, and how many postings each has."""


@pytest.mark.parametrize("name", POSTINGS)
def test_a_crawl_comes_to_its_verdict(name: str, sources: dict[str, Source], database_url: str) -> None:
    result = run(sources[name], database_url)
    assert result.verdict == VERDICTS[name], result.reasons
    assert (result.verdict == "healthy") == (not result.reasons)
    assert result.raw_postings == POSTINGS[name]


def test_crawling_twice_is_crawling_once(sources: dict[str, Source], ledger: Engine, database_url: str) -> None:
    first, again = run(sources["breezy"], database_url), run(sources["breezy"], database_url)
    assert (first.new, first.complete) == (3, True)
    assert (again.new, again.updated, again.unchanged) == (0, 0, 3)
    assert again.stats["jobledger/details_spared"] == 3
    with ledger.connect() as connection:
        pay = connection.execute(text("SELECT count(*) FROM raw_posting WHERE salary_text = '$30 - $40 / hr'")).scalar()
    assert pay == 3
