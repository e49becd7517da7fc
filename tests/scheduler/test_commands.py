"""The scheduler's commands as a person types them: rates, runs, and tables in narrow and wide terminals."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db import runs
from db.rates import newest_rates
from db.runs import Outcome
from scheduler.soak import HEALTHY
from scraper.rates import DAILY, RECENT
from service.settings import UsageError, load_settings
from tests.scheduler.test_rates import MADE_UP, file
from tests.scraper.loopback import Answer, serving

SOURCES = """
[[source]]
name = "greenhouse-a-company-with-quite-a-long-name"
spider = "greenhouse"
token = "acme"
schedule = "15 6 * * 1-5"

[[source]]
name = "asleep"
spider = "captures"
enabled = false
schedule = "0 0 1 1 *"
"""


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    (tmp_path / "sources.toml").write_text(SOURCES, "utf-8")
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def command(url: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "service.cli", "--db", url, *arguments]


def jobledger(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(url, arguments), capture_output=True, text=True, timeout=120, check=False)


def in_terminal(width: int, url: str, *arguments: str) -> list[str]:
    """The lines that a terminal of so many columns shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        command(url, arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=clean | {"TERM": "xterm"}
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            chunk = os.read(ours, 65_536)
        except OSError:  # how Linux says that nobody writes there any more
            break
        if not chunk:
            break
        said += chunk
    os.close(ours)
    assert process.wait(60) == 0, said
    return re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).splitlines()


def ran(engine: Engine, name: str, outcome: Outcome, at: datetime) -> None:
    run_id = runs.claim_run(engine, name, at, "schedule", "me", at)
    assert run_id is not None
    runs.finish_run(engine, run_id, outcome, at + timedelta(seconds=2))


class TestRates:
    def test_refreshed_and_listed(self, ledger: Engine, database_url: str) -> None:
        assert "jobledger rates refresh" in jobledger(database_url, "rates", "list").stdout
        today = datetime.now(UTC).date()
        with serving({f"/{RECENT}": Answer(file({today: MADE_UP}))}) as site:
            done = jobledger(database_url, "rates", "refresh", "--url", site.base)
        assert (done.returncode, done.stdout) == (0, f"rates up to {today}: 4 new, 0 revised, 0 unchanged\n"), done
        listed = json.loads(jobledger(database_url, "rates", "list", "--format", "json").stdout)
        assert listed[0] == {
            "currency": "CHF",
            "on": str(today),
            "usd": 1.25,
            "origin": "European Central Bank reference rate",
        }
        assert [row["currency"] for row in listed] == ["CHF", "EUR", "GBP", "JPY"]
        assert "4 currencies" in jobledger(database_url, "rates", "list").stdout

    def test_a_jump_is_exit_code_1_until_somebody_believes_it(self, ledger: Engine, database_url: str) -> None:
        today = datetime.now(UTC).date()
        days = {today - timedelta(days=1): MADE_UP, today: {**MADE_UP, "GBP": "8"}}
        with serving({f"/{RECENT}": Answer(file(days)), f"/{DAILY}": Answer(file({today: days[today]}))}) as site:
            doubted = jobledger(database_url, "rates", "refresh", "--url", site.base)
            assert doubted.returncode == 1
            assert "not written: GBP: 0.15625 dollars" in doubted.stderr
            believed = jobledger(database_url, "rates", "refresh", "--url", site.base, "--believe", "gbp", "--json")
        assert (believed.returncode, json.loads(believed.stdout)["new"]) == (0, 1)
        assert {rate.on for rate in newest_rates(ledger)} == {today}

    @pytest.mark.parametrize(
        ("url", "code", "words"),
        [("file:///etc/passwd", 2, "is no web address"), ("http://127.0.0.1:1/", 1, "could not be fetched")],
    )
    def test_a_failure_is_one_line(self, database_url: str, url: str, code: int, words: str) -> None:
        done = jobledger(database_url, "rates", "refresh", "--url", url)
        assert (done.returncode, done.stderr.count("\n"), done.stdout) == (code, 1, "")
        assert words in done.stderr


def test_runs_hide_our_own_jobs_unless_asked(ledger: Engine, database_url: str) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    for name in ("acme", "@aggregate"):
        ran(ledger, name, HEALTHY, at)

    def shown(*options: str) -> set[str]:
        return {run["source"] for run in json.loads(jobledger(database_url, "runs", *options, "--format=json").stdout)}

    assert shown() == {"acme"}
    assert shown("--all") == {"acme", "@aggregate"}
    assert shown("--source", "@aggregate") == {"@aggregate"}


class TestTables:
    @pytest.mark.parametrize("width", [80, 120])
    def test_every_table_fits(self, width: int, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        sources = ("--sources", str(tmp_path / "sources.toml"))
        name = "greenhouse-a-company-with-quite-a-long-name"
        ran(ledger, name, Outcome(verdict="failed", reasons=("no page could be read",) * 3), datetime.now(UTC))
        for words in (("schedule", "list", *sources), ("sources", "list", *sources), ("runs", "--all")):
            lines = in_terminal(width, database_url, *words)
            assert all(len(line) <= width for line in lines), "\n".join(lines)
            text = "\n".join(lines)
            assert f"{datetime.now(UTC):%m-%d} " in text
            for heading in ("Verdict", "failed"):
                assert any(heading in line for line in lines), text
            assert ("15 6 * * 1-5" in text) == (width == 120 and words[0] != "runs"), text
            # A moment, a verdict or a heading is never broken into two lines.
            assert not any(re.search(r"│ \d\d-\d\d │|│ :\d\d", line) for line in lines), text

    def test_next_and_last_run_stand_beside_the_verdict_at_eighty(
        self, ledger: Engine, database_url: str, tmp_path: Path
    ) -> None:
        ran(ledger, "@aggregate", HEALTHY, datetime.now(UTC))
        lines = in_terminal(80, database_url, "schedule", "list", "--sources", str(tmp_path / "sources.toml"))
        row = next(line for line in lines if "@aggregate" in line)
        assert re.search(r"@aggregate +│ \d\d-\d\d \d\d:\d\d │ \d\d-\d\d \d\d:\d\d │ healthy", row), row

    def test_a_script_gets_everything(self, database_url: str, tmp_path: Path) -> None:
        sources = ("--sources", str(tmp_path / "sources.toml"))
        rows = json.loads(jobledger(database_url, "schedule", "list", *sources, "--format", "json").stdout)
        assert {"@rates", "@aggregate", "greenhouse-a-company-with-quite-a-long-name"} <= {row["name"] for row in rows}
        assert "@report" not in {row["name"] for row in rows}
        names = {"name", "what", "schedule", "next_run", "probe", "last_run", "verdict", "health"}
        assert all(set(row) == names for row in rows)

    def test_the_configuration_says_which_jobs_there_are(self, database_url: str, tmp_path: Path) -> None:
        (tmp_path / "c.toml").write_text('rates_url = ""\nreport_folder = "reports"\n', "utf-8")
        arguments = ("--config", str(tmp_path / "c.toml"), "schedule", "list", "--format", "json")
        names = {row["name"] for row in json.loads(jobledger(database_url, *arguments).stdout)}
        assert ("@rates" in names, "@report" in names) == (False, True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("report_weeks = 0", "whole number"),
        ("reports_kept = 'many'", "whole number"),
        ("report_weeks = true", "whole number"),
        ("rates_url = 7", "write an address"),
        ("alerts = 'json://x'", "write a list"),
        ("report_options = '--by role'", "write a list"),
    ],
)
def test_a_configuration_that_means_nothing_is_refused(line: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(line, "utf-8")
    with pytest.raises(UsageError, match=words):
        load_settings(database_url=None, config=tmp_path / "c.toml", verbose=False, debug=False, environment={})


def test_folders_of_the_configuration_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("report_folder = 'reports'\nreport_options = ['--by', 'role']", "utf-8")
    made = load_settings(database_url=None, config=tmp_path / "c.toml", verbose=False, debug=False, environment={})
    assert (made.report_folder, made.report_options) == ((tmp_path / "reports").resolve(), ("--by", "role"))


class TestTheSchedulerThatCannotBegin:
    """One line that names the thing and the remedy, no traceback, and the exit code of the README."""

    def fails(self, url: str, *arguments: str) -> tuple[int, str]:
        made = jobledger(url, *arguments)
        assert "Traceback" not in made.stderr
        return made.returncode, made.stderr

    def test_a_port_that_is_taken(self, database_url: str, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            sources = ("--sources", str(tmp_path / "sources.toml"))
            code, said = self.fails(database_url, "schedule", "run", *sources, "--port", port)
        assert (code, said.strip().splitlines()[-1]) == (
            1,
            f"jobledger: cannot listen on 127.0.0.1:{port}: Address already in use; try another --port",
        )

    def test_a_port_that_there_is_not(self, database_url: str) -> None:
        code, said = self.fails(database_url, "schedule", "run", "--port", "65536")
        assert code == 2
        assert "--port" in said

    def test_an_alert_address_that_is_none(self, database_url: str, tmp_path: Path) -> None:
        config = tmp_path / "jobledger.toml"
        config.write_text('alerts = ["carrier-pigeon://ops:hunter2@loft"]', "utf-8")
        code, said = self.fails(database_url, "--config", str(config), "schedule", "run")
        assert (code, said.strip()) == (
            2,
            "jobledger: alert address number 1 (carrier-pigeon://…) is none that Apprise can use",
        )
