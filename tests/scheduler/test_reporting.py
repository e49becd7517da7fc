"""Rates and weekly reports as jobs: in their child process, as the scheduler does them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine

from db.rates import newest_rates
from scheduler.chore_settings import ChoreSettings
from scheduler.chores import chore_outcome, chores
from scheduler.cron import slots
from scheduler.reporting import ReportError, last_week, write_weekly_report
from scheduler.timetable import JOBS
from scraper.rates import RECENT
from tests.db.records import NOON
from tests.scheduler.test_rates import MADE_UP, file
from tests.scraper.loopback import Answer, serving
from tests.service.web.world import JOBS as POSTINGS
from tests.service.web.world import fill

MONDAY = datetime(2026, 3, 9, 5, 30, tzinfo=UTC)
PROGRAM = "service.cli:main"
JOB = {job.name: job for job in JOBS}


def settings(folder: Path, **more: object) -> ChoreSettings:
    return ChoreSettings(report_folder=str(folder), report_command=PROGRAM, **more)


class TestRates:
    def test_in_their_child(self, ledger: Engine, database_url: str) -> None:
        today = datetime.now(UTC).date()
        with serving({f"/{RECENT}": Answer(file({today: MADE_UP, today - timedelta(days=1): MADE_UP}))}) as site:
            outcome = chore_outcome(JOB["@rates"], database_url, ChoreSettings(rates_url=site.base))
        assert (outcome.verdict, outcome.stats["new"], outcome.stats["newest"]) == ("healthy", 8, str(today))
        assert len(newest_rates(ledger)) == 4

    def test_a_jump_fails_the_run_and_says_what_to_do(self, ledger: Engine, database_url: str) -> None:
        today = datetime.now(UTC).date()
        jumps = {**MADE_UP, "GBP": "80"}
        with serving({f"/{RECENT}": Answer(file({today: jumps, today - timedelta(days=1): MADE_UP}))}) as site:
            outcome = chore_outcome(JOB["@rates"], database_url, ChoreSettings(rates_url=site.base))
        assert outcome.verdict == "failed"
        assert "GBP: 0.015625 dollars" in outcome.reasons[0]
        assert "jobledger rates refresh --believe" in outcome.reasons[0]
        assert {rate.currency for rate in newest_rates(ledger) if rate.on == today} == {"EUR", "JPY", "CHF"}

    def test_every_working_day_after_the_bank_has_published(self) -> None:
        """In both halves of the year: 16:00 in Frankfurt is 15:00 or 14:00 UTC."""
        for first in (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC)):
            found = list(slots(JOB["@rates"].cron, first, first + timedelta(days=7)))
            assert len(found) == 5
            assert all(slot.isoweekday() <= 5 and (slot.hour, slot.minute) >= (15, 5) for slot in found)


@pytest.mark.parametrize(
    ("now", "week", "sunday"),
    [
        (MONDAY, "2026-W10", "2026-03-08"),
        (MONDAY + timedelta(days=6, hours=18), "2026-W10", "2026-03-08"),
        (MONDAY - timedelta(hours=6), "2026-W09", "2026-03-01"),
        (datetime(2027, 1, 4, 6, tzinfo=UTC), "2026-W53", "2027-01-03"),
        (datetime(2026, 1, 5, 6, tzinfo=UTC), "2026-W01", "2026-01-04"),
    ],
    ids=["on Monday", "on Sunday night it is still last week's", "the Sunday before", "week 53", "week 1"],
)
def test_which_week(now: datetime, week: str, sunday: str) -> None:
    found, last = last_week(now)
    assert (found, str(last)) == (week, sunday)


class TestReport:
    def test_in_its_child_the_week_as_two_files(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        folder = tmp_path / "reports" / "weekly"
        outcome = chore_outcome(JOB["@report"], database_url, settings(folder, report_options=("--by", "country")))
        assert (outcome.verdict, outcome.reasons) == ("healthy", ())
        week, sunday = last_week(datetime.now(UTC))
        assert sorted(path.name for path in folder.iterdir()) == [f"salaries-{week}.html", f"salaries-{week}.json"]
        report = json.loads((folder / f"salaries-{week}.json").read_text("utf-8"))
        assert report["filters"] == {"since": str(sunday - timedelta(days=6)), "until": str(sunday)}
        assert (folder / f"salaries-{week}.html").read_text("utf-8").lstrip().startswith("<!doctype html>")

    def test_it_holds_the_week_s_postings(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        fill(ledger)
        for weeks, wanted in ((0, 0), (1, len(POSTINGS)), (2, 0)):
            made = write_weekly_report(database_url, NOON + weeks * timedelta(days=7), settings(tmp_path))
            report = json.loads((tmp_path / f"salaries-{made['week']}.json").read_text("utf-8"))
            assert report["method"]["counts"]["selected"] == wanted

    def test_both_files_are_one_report(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        """Made one after the other they could show two states of a ledger that is being written."""
        told = ChoreSettings(report_folder=str(tmp_path / "r"), report_command="tests.scheduler.counted_report:main")
        write_weekly_report(database_url, MONDAY, told)
        assert Path(f"{ledger.url.database}.calls").read_text("utf-8") == "called\n"
        assert sorted(path.suffix for path in (tmp_path / "r").iterdir()) == [".html", ".json"]

    def test_so_many_weeks_are_looked_at_and_kept(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        told = settings(tmp_path / "r", report_weeks=13, reports_kept=2)
        for weeks in range(3):
            made = write_weekly_report(database_url, MONDAY + weeks * timedelta(days=7), told)
        assert (made["since"], made["until"]) == ("2025-12-22", "2026-03-22")
        names = sorted(path.name for path in (tmp_path / "r").iterdir())
        assert names == [f"salaries-2026-W{week}.{kind}" for week in (11, 12) for kind in ("html", "json")]

    def test_only_its_own_files_are_forgotten(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        for name in ("salaries-2020-W01.html", "salaries-2020-W01.html.bak", "salaries.html", "notes-2020-W01.json"):
            (tmp_path / name).write_text("mine", "utf-8")
        write_weekly_report(database_url, MONDAY, settings(tmp_path, reports_kept=1))
        left = {path.name for path in tmp_path.iterdir()}
        assert left >= {"salaries-2020-W01.html.bak", "salaries.html", "notes-2020-W01.json", "salaries-2026-W10.html"}
        assert "salaries-2020-W01.html" not in left

    def test_a_report_that_fails_leaves_the_old_files_and_no_half_ones(
        self, ledger: Engine, database_url: str, tmp_path: Path
    ) -> None:
        (tmp_path / "salaries-2026-W10.html").write_text("old", "utf-8")
        outcome = chore_outcome(JOB["@report"], database_url, settings(tmp_path, report_options=("--by", "colour")))
        assert outcome.verdict == "failed"
        assert "colour" in outcome.reasons[0]
        assert [path.name for path in tmp_path.glob("*salaries*")] == ["salaries-2026-W10.html"]

    def test_a_folder_that_cannot_be_written_is_one_line(
        self, ledger: Engine, database_url: str, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("", "utf-8")
        with pytest.raises(ReportError, match="cannot be written"):
            write_weekly_report(database_url, MONDAY, settings(tmp_path / "file"))

    def test_whoever_hears_alerts_is_told(self, ledger: Engine, database_url: str, tmp_path: Path) -> None:
        pytest.importorskip("apprise")
        heard: list[bytes] = []

        class Ear(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Ear) as ear:
            Thread(target=ear.serve_forever, daemon=True).start()
            told = settings(tmp_path / "r", alerts=(f"json://127.0.0.1:{ear.server_port}",))
            outcome = chore_outcome(JOB["@report"], database_url, told)
            ear.shutdown()
        assert outcome.verdict == "healthy"
        week = last_week(datetime.now(UTC))[0]
        assert json.loads(heard[0])["title"] == f"jobledger: salary report of {week}"
        assert f"salaries-{week}.html" in json.loads(heard[0])["message"]

    def test_without_a_folder_nothing_is_written(self, ledger: Engine) -> None:
        assert chores(ChoreSettings())["@report"](ledger, MONDAY) == {}
