"""Which platform an address or a page betrays, and what a new source writes."""

# ruff: noqa: E501 - tables, a case a line

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from scraper.new_source import entry_text, free_name
from scraper.platforms import PLATFORMS, documentation, recognise
from scraper.sources import load_sources, spider_names

ADDRESSES: dict[str, tuple[str, str | None]] = {
    "https://boards.greenhouse.io/acme": ("greenhouse", "acme"),
    "https://boards.greenhouse.io/acme/jobs/123?gh_src=x": ("greenhouse", "acme"),
    "https://job-boards.eu.greenhouse.io/acme/jobs/1": ("greenhouse", "acme"),
    "https://boards.greenhouse.io/embed/job_board?for=acme&b=https://x": ("greenhouse", "acme"),
    "https://boards.greenhouse.io/embed/job_board/js?for=acme": ("greenhouse", "acme"),
    "https://boards.greenhouse.io/embed/job_app?token=5&for=acme": ("greenhouse", "acme"),
    "https://boards-api.greenhouse.io/v1/boards/acme/jobs": ("greenhouse", "acme"),
    "https://jobs.lever.co/acme-inc./0f3a": ("lever", "acme-inc."),
    "https://jobs.eu.lever.co/acme": ("lever", "acme"),
    "https://api.lever.co/v0/postings/acme?mode=json": ("lever", "acme"),
    "https://jobs.ashbyhq.com/Acme%20Labs/x": ("ashby", "Acme Labs"),
    "https://api.ashbyhq.com/posting-api/job-board/Acme": ("ashby", "Acme"),
    "https://careers.smartrecruiters.com/AcmeInc": ("smartrecruiters", "AcmeInc"),
    "https://jobs.smartrecruiters.com/AcmeInc/744-x": ("smartrecruiters", "AcmeInc"),
    "https://apply.workable.com/acme/j/A1/": ("workable", "acme"),
    "https://acme.workable.com/jobs/1": ("workable", "acme"),
    "https://apply.workable.com/api/v1/widget/accounts/acme?details=true": ("workable", "acme"),
    "https://acme.recruitee.com/o/nurse": ("recruitee", "acme"),
    "https://acme.jobs.personio.de/job/1": ("personio", "acme"),
    "https://acme.teamtailor.com/jobs": ("teamtailor", "acme"),
    "https://acme.na.teamtailor.com/jobs": ("teamtailor", "acme"),
    "https://acme.wd5.myworkdayjobs.com/en-US/Careers/job/x_JR1": ("workday", "acme"),
    "https://wd5.myworkdaysite.com/en-US/recruiting/acme/Careers": ("workday", "acme"),
    "https://acme.bamboohr.com/careers/12": ("bamboohr", "acme"),
    "https://acme.breezy.hr/p/abc": ("breezy", "acme"),
    "https://acme.pinpointhq.com/en/postings/1": ("pinpoint", "acme"),
    "acme.pinpointhq.com": ("pinpoint", "acme"),
    "https://himalayas.app/jobs": ("himalayas", None),
    "https://weworkremotely.com/categories/remote-programming-jobs.rss": ("weworkremotely", None),
    "https://news.ycombinator.com/item?id=1": ("hackernews", None),
    "https://web.archive.org/web/2023*/https://ai-jobs.net/": ("archives", None),
}


@pytest.mark.parametrize(("url", "expected"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_betrays_its_platform(url: str, expected: tuple[str, str | None]) -> None:
    found = recognise(url)
    assert found is not None
    assert (found.platform.spider, found.token) == expected


NOBODY = (
    "https://careers.acme.example/jobs",
    "https://www.recruitee.com/pricing",
    "https://app.teamtailor.com/login",
    "https://help.breezy.hr/",
    "https://notgreenhouse.io/acme",
    "https://evil.example/boards.greenhouse.io/acme",
    "https://apply.workable.com/j/A1",
    "https://[broken",
    "not an address",
    "",
)


@pytest.mark.parametrize("url", NOBODY)
def test_other_addresses_betray_nobody(url: str) -> None:
    assert recognise(url) is None


PAGES: dict[str, tuple[str, str, str | None]] = {
    "embedded-script": ('<script src="https://boards.greenhouse.io/embed/job_board/js?for=acme"></script>', "greenhouse", "acme"),
    "escaped-in-script": (r'<script>var u="https:\/\/jobs.lever.co\/acme\/0f3a"</script>', "lever", "acme"),
    "links": ('<a href="https://jobs.ashbyhq.com/acme/1">a</a> <a href="//jobs.ashbyhq.com/acme/2">b</a>', "ashby", "acme"),
    "most-often": ('<a href="https://jobs.lever.co/partner">p</a>' + '<a href="https://acme.breezy.hr/p/1">x</a>' * 3, "breezy", "acme"),
    "iframe": ('<iframe src="https://acme.bamboohr.com/jobs/embed2.php">', "bamboohr", "acme"),
    "schema": ('<script type="application/ld+json">{"@type":"JobPosting"}</script>', "jobpages", None),
    "feed": ('<link rel="alternate" type="application/rss+xml" href="/jobs.rss">', "feed", None),
}  # fmt: skip


@pytest.mark.parametrize(("page", "spider", "token"), PAGES.values(), ids=PAGES)
def test_a_page_betrays_the_board_it_embeds(page: str, spider: str, token: str | None) -> None:
    found = recognise("https://careers.acme.example/jobs/", page.encode())
    assert found is not None
    assert (found.platform.spider, found.token, found.found_in) == (spider, token, "page")
    if spider == "feed":
        assert found.url == "https://careers.acme.example/jobs.rss"


def test_every_platform_has_a_spider() -> None:
    assert {one.spider for one in PLATFORMS} <= spider_names()


def test_the_documentation_is_the_generated_one() -> None:
    docs = Path(__file__).parents[3] / "docs" / "sources.md"
    assert docs.read_text("utf-8") == documentation(), "run: python -m scraper.platforms docs > docs/sources.md"


def test_the_packaged_sources_are_sound() -> None:
    sources = load_sources()
    assert len(sources) >= 40
    schedules = [source.schedule for source in sources if source.schedule]
    assert len(set(schedules)) > len(schedules) * 0.9, "spread over the day"
    for source in sources:
        assert source.terms
        platform = next(one for one in PLATFORMS if one.spider == source.spider)
        assert source.complete == platform.whole
        assert (source.token is not None) == bool(platform.token) or source.spider == "workday"


@pytest.mark.parametrize("source", load_sources(), ids=lambda source: source.name)
def test_each_packaged_source_knows_what_to_ask_first(source: object) -> None:
    from scraper.child import load_spider
    from scraper.sources import Source

    assert isinstance(source, Source)
    spider = load_spider(source.spider, ["scraper.spiders"])(source=source)
    asks = spider.first(source)
    assert asks
    assert all(ask.url.startswith("https://") for ask in asks)


def test_an_address_cannot_write_code() -> None:
    assert '"""' not in entry_text("x", 'https://a.example/"""\nimport os', None).replace('"', "", 0)[60:]
    assert free_name("../../etc/passwd", ()) == "etc-passwd"


def test_thirty_thousand_real_boards_are_recognised(shared_data: Path) -> None:
    missed = total = 0
    for file in sorted((shared_data / "data" / "board-directory").glob("*.csv")):
        with file.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                found, total = recognise(row["url"]), total + 1
                token = row["slug"].split("/")[0].lower()
                good = found and found.platform.spider == file.stem and (found.token or "").lower() == token
                missed += not good
    assert total > 30_000
    assert missed <= 25, "customers' own domains and a few platform subdomains"
