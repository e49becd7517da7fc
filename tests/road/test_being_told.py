"""A source that fails, seen from outside: what runs, lists, `schedule once` and a file of alerts say of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.scraper.loopback import Answer, Route, page, serving

JOBLEDGER = str(Path(sys.executable).parent / "jobledger")
AD = """<script type="application/ld+json">{"@context": "https://schema.org", "@type": "JobPosting", "title": "Nurse",
"hiringOrganization": {"name": "Acme"}, "url": "%s"}</script>"""
SICK = ("gone", "refused", "forbidden", "unread", "loose")
"""Each is a board under its own path."""
ROUTES: Mapping[str, Route] = {
    "/robots.txt": Answer(b"User-agent: *\nDisallow: /forbidden\n", headers={"Content-Type": "text/plain"}),
    "/refused/jobs": page("no", status=403),
    "/forbidden/jobs": page(AD),
    "/unread/jobs": Answer(b"\x1f\x8bnothing", headers={"Content-Type": "application/xml"}),
    "/loose/jobs": page('<a href="/loose/jobs/1">Nurse</a>'),
    "/loose/jobs/1": page("no longer", status=500),
    "/well/jobs": page(AD),
}


class Folder:
    """A folder with a ledger, a sources file and a configuration, as a person would have it."""

    def __init__(self, folder: Path, base: str) -> None:
        self.folder, self.base = folder, base
        self.alerts = folder / "alerts.jsonl"
        (folder / "jobledger.toml").write_text(
            'sources = "sources.toml"\nalerts = ["file:alerts.jsonl"]\nbase_url = "https://jobs.example.org/"\n'
            'database_url = "sqlite:///ledger.db"\nrates_url = ""\n',
            "utf-8",
        )

    def write(self, *names: str) -> None:
        entries = (
            f'[[source]]\nname = "{name}"\nspider = "jobpages"\nurl = "{self.base}/{name}/jobs"\n'
            'schedule = "@daily"\nallow_hosts = ["127.0.0.1"]\noptions = { pattern = "/jobs/[0-9]+$" }\n'
            for name in names
        )
        (self.folder / "sources.toml").write_text("".join(entries), "utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [JOBLEDGER, "--config", "jobledger.toml", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        done = self.run(*arguments, "--format", "json")
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def told(self) -> list[dict[str, Any]]:
        return (
            [json.loads(line) for line in self.alerts.read_text("utf-8").splitlines()] if self.alerts.exists() else []
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    with serving(ROUTES) as site:
        made = Folder(tmp_path_factory.mktemp("told"), site.base)
        made.write("well", *SICK)
        made.run("crawl", "--all")
        yield made


WHY = {
    "gone": "/gone/jobs: answered 404 Not Found",
    "refused": "/refused/jobs: answered 403 Forbidden",
    "forbidden": "/forbidden/jobs: forbidden by robots.txt",
    "unread": "/unread/jobs: could not be read: ",
    "loose": "/loose/jobs/1: answered 500 Internal Server Error",
}


@pytest.mark.parametrize("name", SICK)
def test_a_run_that_is_not_healthy_names_its_first_failed_address(name: str, folder: Folder) -> None:
    (run,) = folder.rows("runs", "--source", name)
    assert run["verdict"] in {"failed", "suspect"}
    assert f"first failed: {folder.base}{WHY[name]}" in "; ".join(run["reasons"])


def test_a_healthy_run_names_none(folder: Folder) -> None:
    (run,) = folder.rows("runs", "--source", "well")
    assert (run["verdict"], run["reasons"]) == ("healthy", [])


def test_a_source_that_never_worked_is_not_well(folder: Folder) -> None:
    health = {row["name"]: (row["health"], row["ailment"]) for row in folder.rows("sources", "list")}
    assert health["well"] == ("well", None)
    assert health["gone"] == ("never worked", "gone")
    assert health["refused"] == ("never worked", "blocked")
    assert {row["name"]: row["health"] for row in folder.rows("schedule", "list")}["gone"] == "never worked"


def test_schedule_once_tells_at_once_what_rests_and_once_what_recovers(tmp_path: Path) -> None:
    answers = [page("no", status=403)]
    routes: dict[str, Route] = {"/acme/jobs": lambda _request: answers[-1]}
    with serving(routes) as site:
        here = Folder(tmp_path, site.base)
        here.write("acme")
        assert here.run("schedule", "once").returncode == 0
        (broke,) = here.told()
        assert broke["type"] == "failure"
        assert f"first failed: {site.base}/acme/jobs: answered 403 Forbidden" in broke["body"]
        (facts,) = broke["facts"]
        assert (facts["source"], facts["ailment"], facts["circuit"]) == ("acme", "blocked", "open")
        assert facts["address"] == f"{site.base}/acme/jobs"
        assert facts["page"] == "https://jobs.example.org/sources#source-acme"
        assert facts["next_try"] is not None
        assert here.run("schedule", "once").returncode == 0
        assert len(here.told()) == 1, "nothing new"
        answers.append(page(AD))
        assert here.run("crawl", "acme").returncode == 0
        for _ in range(2):
            assert here.run("schedule", "once").returncode == 0
        assert [(one["type"], one["title"]) for one in here.told()[1:]] == [("success", "jobledger: well again: acme")]


@pytest.mark.parametrize("command", [("schedule", "once"), ("schedule", "run")], ids=" ".join)
@pytest.mark.parametrize("channel", ["nonsense", "file:no/such/folder/x", "webhook:nowhere"])
def test_a_channel_that_could_never_be_told_is_one_line_before_anything_runs(
    command: tuple[str, str], channel: str, tmp_path: Path
) -> None:
    here = Folder(tmp_path, "http://127.0.0.1:9")
    here.write("acme")
    (tmp_path / "jobledger.toml").write_text(f'sources = "sources.toml"\nalerts = ["{channel}"]\n', "utf-8")
    done = here.run(*command)
    assert done.returncode == 2
    assert done.stderr.startswith("jobledger: alert address number 1") or "cannot be written" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_undelivered_alert_is_a_failure_and_is_told_later(tmp_path: Path) -> None:
    with serving({"/acme/jobs": page("no", status=403)}) as site:
        here = Folder(tmp_path, site.base)
        here.write("acme")
        here.alerts.touch(mode=0o600)
        config = tmp_path / "jobledger.toml"
        good = config.read_text("utf-8")
        config.write_text(good.replace("file:alerts.jsonl", "webhook:http://127.0.0.1:9/hook"), "utf-8")
        done = here.run("schedule", "once")
        assert done.returncode == 1
        assert "nobody could be told of 1 source" in done.stderr
        config.write_text(good, "utf-8")
        assert here.run("schedule", "once").returncode == 0
        assert [one["type"] for one in here.told()] == ["failure"]
