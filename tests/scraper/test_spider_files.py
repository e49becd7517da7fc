"""Where spiders are found: ours, those of installed packages, those of the user's folder; nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from scraper.sources import Source, SourceError
from scraper.spider_files import load_spider, spider_fault

OURS = ["scraper.spiders"]
SPIDER = """from scraper.spiders.board import BoardSpider
class Acme(BoardSpider):
    name = "acme"
"""


def source(spider: str, folder: Path | None = None) -> Source:
    return Source(name="x", spider=spider, own_spiders=str(folder) if folder else None)


def test_a_spider_of_the_users_folder_is_loaded_with_what_it_shares(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text("from .shared import NAME\n" + SPIDER, "utf-8")
    (tmp_path / "shared.py").write_text("NAME = 1\n", "utf-8")
    assert spider_fault(source("acme", tmp_path)) is None
    assert load_spider("acme", OURS, str(tmp_path)).name == "acme"


def test_a_file_named_like_a_module_of_python_shadows_nothing(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text("import json\nassert json.dumps\n" + SPIDER, "utf-8")
    (tmp_path / "json.py").write_text("raise RuntimeError\n", "utf-8")
    assert load_spider("acme", OURS, str(tmp_path)).name == "acme"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that offers spiders in our entry point group."""
    site = tmp_path / "site"
    (site / "acme_spiders-1.0.dist-info").mkdir(parents=True)
    (site / "acme_spiders-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-spiders\nVersion: 1.0\n"
    )
    (site / "acme_spiders-1.0.dist-info" / "entry_points.txt").write_text(
        "[jobledger.spiders]\nacme = acme_spiders_of_test\nclassy = acme_spiders_of_test:Acme\n"
        "broken = no_such_module_of_test\n"
    )
    (site / "acme_spiders_of_test.py").write_text(SPIDER, "utf-8")
    monkeypatch.syspath_prepend(str(site))
    return site


@pytest.mark.usefixtures("installed")
def test_a_spider_of_an_installed_package_is_found_by_its_entry_point() -> None:
    assert spider_fault(source("acme")) is None
    assert load_spider("acme", OURS).name == "acme"
    assert load_spider("classy", OURS).__name__ == "Acme"
    with pytest.raises(SourceError, match="no_such_module_of_test"):
        load_spider("broken", OURS)


@pytest.mark.usefixtures("installed")
def test_two_spiders_of_one_name_are_an_error_that_names_both(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text(SPIDER, "utf-8")
    (tmp_path / "greenhouse.py").write_text(SPIDER.replace("acme", "greenhouse"), "utf-8")
    for name in ("acme", "greenhouse"):
        fault = spider_fault(source(name, tmp_path))
        assert fault is not None
        assert str(tmp_path / f"{name}.py") in fault
        with pytest.raises(SourceError, match="two have this name"):
            load_spider(name, OURS, str(tmp_path))


@pytest.mark.parametrize("name", ["../acme", "a/b", "a.b", "", "/etc/passwd", "acme\n", "os.path"])
def test_a_name_leads_out_of_no_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text(SPIDER, "utf-8")
    (tmp_path / "inner").mkdir()
    fault = spider_fault(source(name, tmp_path / "inner"))
    assert fault is not None
    assert "there is no spider of this name" in fault


def test_a_pipe_or_a_flood_in_place_of_a_spider_is_named(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text("x = " + "(" * 100_000, "utf-8")
    assert "acme.py" in str(spider_fault(source("acme", tmp_path)))
    with (tmp_path / "acme.py").open("wb") as file:
        file.truncate(1 << 40)
    assert "has a hole" in str(spider_fault(source("acme", tmp_path)))
