"""`sources new`: an entry for a known platform, a spider begun for an unknown site, one line for a dead address."""

from __future__ import annotations

from pathlib import Path

import pytest

from scraper.sources import load_sources
from scraper.spider_files import spider_fault
from service.settings import load_settings
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


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which somebody stands, with a saved page beside it."""
    (tmp_path / "page.html").write_text("<h1>Jobs</h1><a href='/jobs/1'>Nurse</a>", encoding="utf-8")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


NEW = ("sources", "new", "https://odd.example/careers", "--page", "../page.html")


def test_without_a_configuration_one_is_written_that_names_the_folder_of_own_spiders(begun: Path) -> None:
    done = run(*NEW)
    assert done.returncode == 0, done.stderr
    settings = load_settings(database_url=None, config=begun / "jobledger.toml", verbose=False, debug=False)
    assert (settings.sources, settings.spiders) == (begun / "sources.toml", begun / "spiders")
    assert (begun / "spiders" / "odd.py").is_file()
    (source,) = load_sources(settings.sources, spiders=settings.spiders)
    assert spider_fault(source) is None
    assert "jobledger --config jobledger.toml sources check odd" in done.stdout
    again = run(*NEW, "--config", "jobledger.toml")
    assert (again.returncode, "is there already" in again.stderr) == (2, True)


def test_the_configuration_says_where_entry_and_spider_go(begun: Path) -> None:
    (begun / "etc").mkdir()
    (begun / "etc" / "my.toml").write_text('sources = "boards.toml"\nspiders = "own"\n', encoding="utf-8")
    done = run(*NEW, "--config", "etc/my.toml", "--name", "strange")
    assert done.returncode == 0, done.stderr
    assert (begun / "etc" / "own" / "strange.py").is_file()
    assert 'name = "strange"' in (begun / "etc" / "boards.toml").read_text(encoding="utf-8")
    assert [path.name for path in begun.iterdir()] == ["etc"]


def test_a_configuration_without_a_folder_for_spiders_says_which_line_to_add(begun: Path) -> None:
    (begun / "my.toml").write_text('sources = "boards.toml"\n', encoding="utf-8")
    done = run(*NEW, "--config", "my.toml")
    assert done.returncode == 2
    assert 'add the line spiders = "spiders"' in done.stderr
    assert [path.name for path in begun.iterdir()] == ["my.toml"]


def test_a_configuration_that_was_not_given_is_not_overwritten(begun: Path) -> None:
    (begun / "jobledger.toml").write_text("", encoding="utf-8")
    done = run(*NEW)
    assert done.returncode == 2
    assert "--config jobledger.toml" in done.stderr
    assert (begun / "jobledger.toml").read_text(encoding="utf-8") == ""


@pytest.mark.parametrize(
    "more", [("--sources", "no/such/folder/s.toml"), ("--page", "absent.html"), ("--name", "A b")], ids=" ".join
)
def test_what_cannot_be_written_or_read_is_one_line(more: tuple[str, str], begun: Path) -> None:
    done = run(*NEW, *more)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert list(begun.iterdir()) == []


def test_a_board_known_by_its_address_needs_no_scheme(begun: Path) -> None:
    assert run("sources", "new", "boards.greenhouse.io/acme").returncode == 0
    assert [path.name for path in begun.iterdir()] == ["sources.toml"]


@pytest.mark.parametrize("url", ["ftp://odd.example/", "odd.example/careers"])
def test_what_is_no_web_address_is_said_so(tmp_path: Path, url: str) -> None:
    done = run("sources", "new", url, "--sources", str(tmp_path / "sources.toml"))
    assert done.returncode == 2
    assert "no web address" in done.stderr
