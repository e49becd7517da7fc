"""What a new source writes: an entry where a built-in spider reads the site, else the start of a spider that runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from scraper.new_source import NewSource, Survey, host_name, new_source, survey
from scraper.pages.ad_links import ad_links
from scraper.sources import SourceError, load_sources
from scraper.spider_files import load_spider, spider_fault
from scraper.spider_stub import checkout_places, module_name, own_places

LIST = b'<h1>Jobs</h1><a href="/about">Us</a><a href="/jobs/1-nurse">Nurse</a><a href="/jobs/2-cook">Cook</a>'
AD = b"<h1>Nurse</h1><p class='location'>Berlin</p><p class='salary'>EUR 45,000 a year</p><main><p>Help.</p></main>"
DECLARED = b'<h1>Nurse</h1><script type="application/ld+json">{"@type": "JobPosting", "title": "Nurse"}</script>'


def write(url: str, found: Survey, folder: Path) -> NewSource:
    return new_source(url, found, sources_file=folder / "sources.toml", places=partial(own_places, folder / "mine"))


def site(pages: Mapping[str, bytes | None], asked: list[str]) -> object:
    def fetch(address: str) -> bytes | None:
        asked.append(address)
        return pages.get(address.removeprefix("https://acme.example"))

    return fetch


def test_a_known_board_becomes_an_entry(tmp_path: Path) -> None:
    url = "https://jobs.eu.lever.co/acme"
    made = write(url, survey(url, None), tmp_path)
    (source,) = load_sources(tmp_path / "sources.toml")
    assert (source.spider, source.token, source.options) == ("lever", "acme", {"api": "https://api.eu.lever.co"})
    assert made.files == (tmp_path / "sources.toml",)
    with pytest.raises(SourceError, match="is there already"):
        write(url, survey(url, None), tmp_path)
    write("https://acme.breezy.hr", survey("https://acme.breezy.hr", None), tmp_path)
    assert [one.name for one in load_sources(tmp_path / "sources.toml")] == ["acme", "acme-2"]


def test_a_list_that_links_to_pages_with_job_postings_needs_no_code(tmp_path: Path) -> None:
    asked: list[str] = []
    url = "https://acme.example/jobs"
    found = survey(url, LIST, site({"/jobs/1-nurse": DECLARED}, asked))  # type: ignore[arg-type]
    assert asked == ["https://acme.example/jobs/1-nurse"]
    write(url, found, tmp_path)
    (source,) = load_sources(tmp_path / "sources.toml")
    assert (source.spider, source.url, source.enabled, source.complete) == ("jobpages", url, True, True)
    assert source.options == {"pattern": "^https?://[^/]+/jobs/[^/?#]+/?$"}


def test_a_list_that_goes_on_elsewhere_is_not_the_whole(tmp_path: Path) -> None:
    url = "https://acme.example/jobs"
    more = LIST + b'<a rel="next" href="/jobs?page=2">more</a>'
    write(url, survey(url, more, site({"/jobs/1-nurse": DECLARED}, [])), tmp_path)  # type: ignore[arg-type]
    (source,) = load_sources(tmp_path / "sources.toml")
    assert not source.complete


def test_no_more_than_two_ads_are_asked_for_and_none_when_nothing_may_be(tmp_path: Path) -> None:
    asked: list[str] = []
    links = b"".join(b'<a href="/jobs/%d">x</a>' % n for n in range(50))
    found = survey("https://acme.example/jobs", links, site({"/jobs/1": AD}, asked))  # type: ignore[arg-type]
    assert (len(asked), found.recognised, found.pages["ad"]) == (2, None, AD)
    assert survey("https://acme.example/jobs", links).recognised is None


def test_words_about_job_postings_are_no_job_posting() -> None:
    assert survey("https://acme.example/jobs", b"<h1>Every job posting of Acme</h1>" + LIST).recognised is None
    assert survey("https://acme.example/jobs", DECLARED).recognised is not None


LISTS = {
    "beside a blog": (b"".join(b'<a href="/blog/%d">' % n for n in range(20)) + LIST, "/jobs/[^/?#]+", 2),
    "relative": (b'<a href="job-1.html">x</a><a href="job-2.html">x</a>', "/careers/[^/?#]+", 2),
    "by number": (b'<a href="job.php?id=1">x</a><a href="job.php?id=2">x</a><a href="?page=2">', r"job\.php/?\?", 2),
    "by city": (b'<a href="/stellen/ulm/1">x</a><a href="/stellen/bonn/2">x</a>', "/stellen/[^/?#]+/[^/?#]+", 2),
    "a single ad": (b'<a href="/vacancies/nurse">x</a><a href="/team">x</a>', "/vacancies/", 1),
    "only other sites": (b'<a href="https://other.example/jobs/1">x</a>', None, 0),
    "no links": (b"<p>none</p>", None, 0),
    "nothing": (b"", None, 0),
    "no text": (b"\x00\xff" * 50, None, 0),
}


@pytest.mark.parametrize(("html", "pattern", "count"), LISTS.values(), ids=LISTS)
def test_links_to_ads_are_known_by_their_shape(html: bytes, pattern: str | None, count: int) -> None:
    found = ad_links(html, "https://acme.example/careers/")
    assert (found is None) == (pattern is None)
    if found is not None and pattern is not None:
        assert pattern in found.pattern
        assert len(found.addresses) == count


def begun(tmp_path: Path, pages: Mapping[str, bytes]) -> NewSource:
    url = "https://acme.example/jobs"
    fetch = site({"/jobs/1-nurse": pages.get("ad")}, [])
    return write(url, survey(url, pages["list"], fetch), tmp_path)  # type: ignore[arg-type]


def test_an_unknown_site_becomes_a_spider_that_loads_and_harms_nobody(tmp_path: Path) -> None:
    made = begun(tmp_path, {"list": LIST, "ad": AD})
    folder = tmp_path / "mine"
    names = {str(file.relative_to(tmp_path)) for file in made.files}
    assert names == {
        "sources.toml",
        "mine/acme.py",
        "mine/test_acme.py",
        "mine/pages/acme/list.html",
        "mine/pages/acme/ad.html",
    }
    (source,) = load_sources(tmp_path / "sources.toml", spiders=folder)
    assert (source.spider, source.enabled) == ("acme", False)
    assert spider_fault(source) is None
    spider = load_spider("acme", ["scraper.spiders"], str(folder))(source=source)  # type: ignore[call-arg]
    assert [ask.url for ask in spider.first(source)] == ["https://acme.example/jobs"]  # type: ignore[attr-defined]


def run_test(made: NewSource, cwd: Path) -> subprocess.CompletedProcess[str]:
    test = next(file for file in made.files if file.name.startswith("test_"))
    return subprocess.run([sys.executable, str(test)], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_written_test_fails_until_it_says_what_the_page_says(tmp_path: Path) -> None:
    made = begun(tmp_path, {"list": LIST, "ad": AD})
    test = tmp_path / "mine" / "test_acme.py"
    ended = run_test(made, tmp_path)
    assert ended.returncode == 1
    assert "write here what the saved ad says" in ended.stderr
    text = test.read_text("utf-8").replace("write here what the saved ad says", "Nurse")
    text = text.replace('"location_text": None', '"location_text": "Berlin"')
    test.write_text(text.replace('"salary_text": None', '"salary_text": "EUR 45,000 a year"'), "utf-8")
    ended = run_test(made, tmp_path)
    assert ended.returncode == 0, ended.stderr


def test_a_list_in_json_begins_with_json(tmp_path: Path) -> None:
    made = begun(tmp_path, {"list": b'{"jobs": [{"id": 7, "title": "Nurse", "location": "Berlin"}]}'})
    test = tmp_path / "mine" / "test_acme.py"
    assert run_test(made, tmp_path).returncode == 1
    text = test.read_text("utf-8").replace("write here what the saved ad says", "Nurse").replace("ADS = 0", "ADS = 1")
    test.write_text(text.replace('"location_text": None', '"location_text": "Berlin"'), "utf-8")
    ended = run_test(made, tmp_path)
    assert ended.returncode == 0, ended.stderr


def test_in_a_checkout_the_spider_becomes_one_of_ours(tmp_path: Path) -> None:
    url = "https://acme.example/jobs"
    made = new_source(
        url, survey(url, LIST), sources_file=tmp_path / "s.toml", places=partial(checkout_places, tmp_path)
    )
    assert (tmp_path / "scraper" / "spiders" / "acme.py") in made.files
    assert "from scraper.spiders.acme import" in (tmp_path / "tests/scraper/boards/test_acme.py").read_text("utf-8")


def test_an_unknown_site_without_its_page_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no platform that we know"):
        write("https://acme.example/", survey("https://acme.example/", None), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_exists_is_overwritten(tmp_path: Path) -> None:
    spider = tmp_path / "mine" / "acme.py"
    spider.parent.mkdir(parents=True)
    spider.write_text("mine")
    with pytest.raises(SourceError, match="exists already"):
        begun(tmp_path, {"list": LIST})
    assert spider.read_text() == "mine"
    assert not (tmp_path / "sources.toml").exists()


def test_an_address_cannot_write_code(tmp_path: Path) -> None:
    url = 'https://acme.example/jobs?\'"""\\'
    html = b"""<a href="/jobs/'+print(1)+'/1">x</a><a href="/jobs/'+print(1)+'/2">x</a>"""
    made = write(url, survey(url, html), tmp_path)
    for file in made.files:
        if file.suffix == ".py":
            compile(file.read_text("utf-8"), str(file), "exec")
    assert load_sources(tmp_path / "sources.toml")


@pytest.mark.parametrize("name", ["queue", "json", "greenhouse", "scraper", "class", "3d", "test_x"])
def test_a_spider_never_takes_the_name_of_a_module(name: str) -> None:
    assert module_name(name) == f"site_{name}"


def test_an_address_in_numbers_is_a_name_too() -> None:
    assert host_name("http://127.0.0.1:8080/jobs") == "127.0.0.1"
