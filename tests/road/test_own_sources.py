"""A new source by the document: every command of docs/add-a-source.md, typed in an empty folder, on a made-up site."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.scraper.loopback import Loopback, page, serving

JOBLEDGER = str(Path(sys.executable).parent / "jobledger")
SITE = "https://careers.acme.example"
BLOCK = re.compile(r"^```(console|python|toml)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ADS = {
    "1-nurse": ("Nurse", "Berlin, Germany", "EUR 45,000 - 52,000 a year"),
    "2-cook": ("Cook", "Hamburg, Germany", "EUR 16 per hour"),
    "3-driver": ("Driver", "Köln, Germany", ""),
}


def ad(title: str, place: str, pay: str) -> str:
    return (
        f"<title>Acme</title><nav><a href='/'>Acme</a></nav><h2 class='job-title'>{title}</h2><div class='facts'>"
        f"<span class='place'>{place}</span> <b class='pay'>{pay}</b></div><div class='text'><p>Come.</p></div>"
    )


@pytest.fixture(scope="module")
def site() -> Iterator[Loopback]:
    links = "".join(f"<li><a href='/jobs/{slug}'>{words[0]}</a></li>" for slug, words in ADS.items())
    declared = '<script type="application/ld+json">{"@type": "JobPosting", "title": "Nurse"}</script>'
    with serving(
        {
            "/jobs": page(f"<h1>Every job posting of ours</h1><a href='/about'>About</a><ul>{links}</ul>"),
            **{f"/jobs/{slug}": page(ad(*words)) for slug, words in ADS.items()},
            "/declared": page("<a href='/declared/jobs/1'>Nurse</a><a href='/declared/jobs/2'>Nurse</a>"),
            **{f"/declared/jobs/{n}": page(declared) for n in (1, 2)},
        }
    ) as served:
        yield served


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [JOBLEDGER, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def typed(line: str, folder: Path, site: Loopback) -> str:
    """A command of the document, on the site that stands in for the one it names."""
    if SITE in line:
        line = line.replace(SITE, site.base) + " --allow-host 127.0.0.1"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def edit(file: Path, lines: str) -> None:
    """Changes a file as the document shows it: a line by its name, a table by its first line."""
    text = file.read_text("utf-8")
    if lines.startswith("AD = {"):
        text = re.sub(r"^AD = \{.*?^\}\n", lambda _: lines, text, flags=re.DOTALL | re.MULTILINE)
    else:
        for line in lines.splitlines():
            name = re.escape(line.split(" = ")[0])
            text, count = re.subn(rf"^(?:# )?{name} = .*$", lambda _, line=line: line, text, flags=re.MULTILINE)
            assert count == 1, f"{file.name} has no line {name}"
    file.write_text(text, "utf-8")


def test_the_document_makes_a_running_source_in_an_empty_folder(site: Loopback, tmp_path: Path) -> None:
    document = (REPOSITORY / "docs" / "add-a-source.md").read_text("utf-8").split("### What a spider must do")[0]
    said = ""
    for kind, content in BLOCK.findall(document):
        if kind == "console":
            for line in re.findall(r"^\$ (.+)$", content, re.MULTILINE):
                said += typed(line, tmp_path, site)
        elif kind == "python":
            test = content.startswith("AD = {")
            edit(tmp_path / "spiders" / ("test_acme.py" if test else "acme.py"), content)
        else:
            edit(tmp_path / "sources.toml", content)
    done = run(tmp_path, "postings", "--source", "acme", "--format", "json")
    found = {
        row["title_text"]: (row["company"], row["location_text"], row["salary_text"]) for row in json.loads(done.stdout)
    }
    assert found == {title: ("Acme", place, pay or None) for title, place, pay in ADS.values()}
    again = run(tmp_path, "--config", "jobledger.toml", "crawl", "acme", "--json")
    (made,) = json.loads(again.stdout)["runs"]
    assert (made["verdict"], made["unchanged"], made["new"]) == ("healthy", 3, 0)


def test_a_list_that_links_to_job_postings_is_recognised_without_code(site: Loopback, tmp_path: Path) -> None:
    done = run(tmp_path, "sources", "new", f"{site.base}/declared", "--allow-host", "127.0.0.1", "--name", "acme")
    assert done.returncode == 0, done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["sources.toml"]
    crawled = run(tmp_path, "crawl", "acme", "--sources", "sources.toml", "--json")
    (made,) = json.loads(crawled.stdout)["runs"]
    assert (made["verdict"], made["new"]) == ("healthy", 2)


def test_a_private_address_is_read_only_when_it_is_allowed(site: Loopback, tmp_path: Path) -> None:
    done = run(tmp_path, "sources", "new", f"{site.base}/jobs")
    assert done.returncode == 1
    assert "--allow-host" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def folder(site: Loopback, tmp_path: Path) -> Path:
    """A folder with one source that works and one whose spider is the user's own."""
    (tmp_path / "jobledger.toml").write_text('sources = "sources.toml"\nspiders = "mine"\nrates_url = ""\n', "utf-8")
    entry = '[[source]]\nname = "{0}"\nspider = "{1}"\nurl = "{2}"\nallow_hosts = ["127.0.0.1"]\nschedule = "@daily"\n'
    well = entry.format("well", "jobpages", f"{site.base}/declared/jobs/1")
    (tmp_path / "sources.toml").write_text(well + entry.format("odd", "odd", f"{site.base}/jobs"), "utf-8")
    (tmp_path / "mine").mkdir()
    return tmp_path


BROKEN = {
    "absent": (None, "there is no spider of this name"),
    "wrong syntax": ("def broken(:\n", "odd.py, line 1"),
    "NUL bytes": ("x = 1\0", "odd.py"),
    "a package that is not installed": ("\nimport no_such_package\n", "line 2: no module named 'no_such_package'"),
    "a name that does not exist": ("\nfrom scraper.answers import nothing_of_this_name\n", "line 2: ImportError"),
    "it raises": ("\n\nraise RuntimeError('no\\nluck')\n", "line 3: RuntimeError: no luck"),
    "it exits": ("raise SystemExit(0)\n", "line 1: SystemExit"),
    "no spider in it": ("x = 1\n", "no spider class with name = 'odd'"),
}


@pytest.mark.parametrize(("text", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_spider_harms_no_other_source(text: str | None, reason: str, folder: Path) -> None:
    if text is not None:
        (folder / "mine" / "odd.py").write_text(text, "utf-8")
    done = run(folder, "--config", "jobledger.toml", "crawl", "--all", "--json")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    made = {one["source"]: one for one in json.loads(done.stdout)["runs"]}
    assert made["well"]["verdict"] == "healthy"
    assert made["odd"]["verdict"] == "failed"
    assert reason in "; ".join(made["odd"]["reasons"])


def test_a_broken_spider_is_named_for_its_source_alone_by_every_command(folder: Path) -> None:
    (folder / "mine" / "odd.py").write_text("def broken(:\n", "utf-8")
    config = ("--config", "jobledger.toml")
    done = run(folder, *config, "sources", "list", "--format", "json")
    assert done.returncode == 0
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert (rows["well"]["error"], rows["well"]["health"]) == (None, None)
    assert "odd.py, line 1" in rows["odd"]["error"]
    assert "odd cannot be used" in done.stderr
    assert "odd.py, line 1" in run(folder, *config, "schedule", "list").stderr
    checked = run(folder, *config, "sources", "check")
    assert checked.returncode == 1
    assert "line 1" in checked.stdout
    once = run(folder, *config, "schedule", "once")
    assert "odd: failed" in once.stdout
    assert "well: healthy" in once.stdout
    rows = {row["name"]: row for row in json.loads(run(folder, *config, "sources", "list", "--format", "json").stdout)}
    assert (rows["odd"]["ailment"], rows["well"]["health"]) == ("misconfigured", "well")


def test_a_disabled_entry_without_a_spider_disturbs_nobody(folder: Path) -> None:
    sources = folder / "sources.toml"
    sources.write_text(sources.read_text("utf-8") + "enabled = false\n", "utf-8")
    done = run(folder, "--config", "jobledger.toml", "crawl", "--all", "--json")
    assert done.returncode == 0, done.stderr
    assert [one["source"] for one in json.loads(done.stdout)["runs"]] == ["well"]


def test_nothing_of_a_folder_is_run_unless_the_configuration_names_it(folder: Path) -> None:
    for place in (folder, folder / "spiders"):
        place.mkdir(exist_ok=True)
        (place / "odd.py").write_text("from pathlib import Path\nPath('ran').touch()\n", "utf-8")
    done = run(folder, "--config", "jobledger.toml", "crawl", "odd", "--json")
    assert "there is no spider of this name" in done.stdout
    done = run(folder, "crawl", "odd", "--sources", "sources.toml", "--json")
    assert "there is no spider of this name" in done.stdout
    assert not (folder / "ran").exists()
