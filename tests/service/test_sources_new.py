"""`sources new`: an entry for a known platform, a spider begun for an unknown site, one line for a dead address."""

from __future__ import annotations

from pathlib import Path

import pytest

from scraper.sources import load_sources
from tests.service.test_cli import run


def test_a_known_platform_is_an_entry_that_loads(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    done = run("sources", "new", "https://boards.greenhouse.io/acme", "--sources", str(file))
    assert done.returncode == 0, done.stderr
    (source,) = load_sources(file)
    assert (source.name, source.spider, source.token) == ("acme", "greenhouse", "acme")
    again = run("sources", "new", "https://boards.greenhouse.io/acme", "--sources", str(file))
    assert again.returncode == 2
    assert "already" in again.stderr


def test_a_page_that_embeds_a_board_is_recognised(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<a href="https://jobs.lever.co/zeta">Jobs</a>', encoding="utf-8")
    file = tmp_path / "sources.toml"
    done = run("sources", "new", "https://zeta.example/careers", "--page", str(page), "--sources", str(file))
    assert done.returncode == 0, done.stderr
    assert load_sources(file)[0].token == "zeta"


def test_an_unknown_site_is_a_spider_a_page_and_a_failing_test(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<h1>Jobs</h1>", encoding="utf-8")
    file = tmp_path / "sources.toml"
    where = ("--page", str(page), "--sources", str(file), "--project", str(tmp_path))
    done = run("sources", "new", "https://odd.example/careers", *where)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "scraper" / "spiders" / "odd.py").is_file()
    (test,) = (tmp_path / "tests").rglob("test_odd.py")
    assert "def test_" in test.read_text(encoding="utf-8")


@pytest.mark.parametrize("url", ["ftp://odd.example/", "odd.example/careers"])
def test_what_is_no_web_address_is_said_so(tmp_path: Path, url: str) -> None:
    done = run("sources", "new", url, "--sources", str(tmp_path / "sources.toml"))
    assert done.returncode == 2
    assert "no web address" in done.stderr
