"""Boards on a real server, crawled by the command on days that pass: what is closed, what is not, and what runs say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, bindparam, func, select, update
from sqlmodel import SQLModel

from db.session import reading, writing
from db.tables import RAW
from db.types import UtcTime
from tests.scraper.loopback import Answer, Request, Route, page, serving

DAY = timedelta(days=1)
TITLES = ("Data Engineer", "Nurse", "Warehouse Clerk", "Accountant", "Sales Manager", "Electrician", "Product Designer")
TOWNS = ("Berlin, Germany", "Austin, TX", "Leeds, United Kingdom", "Lyon, France")
DAYS = 8
"""The longest story: three usual days, and the five that a drop takes."""

Ads = range
CHALLENGE = page("<html><head><title>Just a moment...</title></head><body>Checking you.</body></html>")
INTERSTITIAL = page("<html><body><h1>Checking your browser</h1><p>This takes five seconds.</p></body></html>")

Story = Callable[[int], Ads | Answer]
"""What a board shows on a day, counted from 0."""


def after_three_days(usual: Ads, then: Ads | Answer) -> Story:
    return lambda day: usual if day < 3 else then


STORIES: Mapping[str, tuple[Story, dict[int, int], str]] = {
    "other-company": (lambda day: Ads(20) if day in (0, 1, 2, 7) else Ads(100, 120), {}, "healthy"),
    "a-third": (after_three_days(Ads(20), Ads(6)), {7: 14}, "healthy"),
    "over-half": (after_three_days(Ads(20), Ads(11)), {4: 9}, "healthy"),
    "small": (after_three_days(Ads(3), Ads(0)), {7: 3}, "healthy"),
    "small-challenge": (after_three_days(Ads(3), CHALLENGE), {}, "failed"),
    "small-blank": (after_three_days(Ads(3), Answer(b"")), {}, "failed"),
    "pages": (after_three_days(Ads(5), page("<a href='/about'>About us</a> We have no open jobs.")), {7: 5}, "healthy"),
    "pages-challenge": (after_three_days(Ads(5), CHALLENGE), {}, "failed"),
    "pages-interstitial": (after_three_days(Ads(5), INTERSTITIAL), {}, "failed"),
    "pages-blank": (after_three_days(Ads(5), page("")), {}, "suspect"),
}
"""For each board its story, on which day how many ads are closed, and the verdict of the last day."""


def as_greenhouse(ads: Ads) -> Answer:
    jobs = [
        {
            "id": 4_000_000 + n,
            "title": f"{TITLES[n % 7]} {n}",
            "absolute_url": f"https://boards.example/jobs/{n}",
            "company_name": "Acme GmbH" if n < 100 else "Globex Inc.",
            "location": {"name": TOWNS[n % 4]},
            "updated_at": "2026-03-01T08:00:00Z",
            "content": f"&lt;p&gt;Work number {n}. We pay ${60_000 + 1_000 * n} a year.&lt;/p&gt;",
        }
        for n in ads
    ]
    return Answer(json.dumps({"jobs": jobs}).encode(), headers={"Content-Type": "application/json"})


def as_page(ads: Ads) -> Answer:
    declared = [
        {
            "@type": "JobPosting",
            "title": f"{TITLES[n % 7]} {n}",
            "url": f"/jobs/{n}",
            "description": f"Work number {n}.",
        }
        for n in ads
    ]
    return page(f'<a href="/about">About us</a><script type="application/ld+json">{json.dumps(declared)}</script>')


class Calendar:
    """The day on which the server answers."""

    day = 0

    def routes(self) -> dict[str, Route]:
        paths = {
            name: f"/{name}" if name.startswith("pages") else f"/v1/boards/{name}/jobs?content=true" for name in STORIES
        }
        return {path: self._route(name) for name, path in paths.items()}

    def _route(self, name: str) -> Callable[[Request], Answer]:
        def route(_request: Request) -> Answer:
            shown = STORIES[name][0](self.day)
            if isinstance(shown, Answer):
                return shown
            return as_page(shown) if name.startswith("pages") else as_greenhouse(shown)

        return route


def write_sources(file: Path, base: str) -> None:
    entries = []
    for name in STORIES:
        where = (
            f'url = "{base}/{name}"'
            if name.startswith("pages")
            else f'token = "{name}"\noptions = {{ api = "{base}" }}'
        )
        spider = "jobpages" if name.startswith("pages") else "greenhouse"
        entries.append(f'[[source]]\nname = "{name}"\nspider = "{spider}"\nallow_hosts = ["127.0.0.1"]\n{where}\n')
    file.write_text("\n".join(entries), "utf-8")


def jobledger(url: str, *arguments: str, code: int = 0) -> Any:
    command = [sys.executable, "-m", "service.cli", "--db", url, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout


def let_pass(engine: Engine, time: timedelta) -> None:
    """Moves every moment in the ledger back: for it, so much time has gone by."""
    with writing(engine) as connection:
        for table in SQLModel.metadata.sorted_tables:
            moments = [column for column in table.c if isinstance(column.type, UtcTime)]
            keys = list(table.primary_key)
            if not moments:
                continue
            rows = connection.execute(select(*keys, *moments).order_by(*moments)).all()
            statement = update(table).where(*(key == bindparam(f"key_{key.name}") for key in keys))
            statement = statement.values({c.name: bindparam(f"new_{c.name}", type_=c.type) for c in moments})
            for row in rows:
                held = row._mapping
                earlier = {f"new_{c.name}": held[c] - time if held[c] is not None else None for c in moments}
                connection.execute(statement, {f"key_{key.name}": held[key] for key in keys} | earlier)


def closed(engine: Engine) -> dict[str, int]:
    query = (
        select(RAW.c.source, func.count().label("closed")).where(RAW.c.closed_at.is_not(None)).group_by(RAW.c.source)
    )
    with reading(engine) as connection:
        return {row.source: row.closed for row in connection.execute(query)}


def test_boards_close_what_the_stories_say(store: Engine, ledger_url: str, tmp_path: Path) -> None:
    calendar, before = Calendar(), dict.fromkeys(STORIES, 0)
    closes: dict[str, dict[int, int]] = {name: {} for name in STORIES}
    with serving(calendar.routes()) as site:
        write_sources(tmp_path / "sources.toml", site.base)
        command = ("crawl", "--all", "--sources", str(tmp_path / "sources.toml"), "--json")
        for day in range(DAYS):
            calendar.day = day
            runs = {run["source"]: run for run in jobledger(ledger_url, *command, code=int(day >= 3))["runs"]}
            now = closed(store)
            for name in STORIES:
                if now.get(name, 0) != before[name]:
                    closes[name][day] = now.get(name, 0) - before[name]
                before[name] = now.get(name, 0)
            if day == 4:
                halfway = runs
            let_pass(store, DAY)
    assert closes == {name: closing for name, (_, closing, _) in STORIES.items()}
    assert {name: run["verdict"] for name, run in runs.items()} == {
        name: last for name, (_, _, last) in STORIES.items()
    }
    (said,) = halfway["a-third"]["reasons"]
    assert said.startswith("6 of the 20 ads known before ")
    assert said.endswith(" reappeared; nothing is closed until 5 runs on different days say the same (2 so far)")
    assert halfway["other-company"]["reasons"][0].startswith("0 of the 20 ads known before ")
    assert halfway["small"]["verdict"] == "suspect"
    shown = jobledger(ledger_url, "runs", "--source", "a-third", "--format", "json")
    told = [reason for run in shown for reason in run["reasons"]]
    assert [reason.partition("(")[2] for reason in reversed(told)] == [
        "1 so far)", "2 so far)", "3 so far)", "4 so far)", ""
    ]  # fmt: skip
    assert told[0].endswith("5 runs on different days say the same: 14 ads closed")


def test_captured_pages_close_nothing(store: Engine, ledger_url: str, tmp_path: Path) -> None:
    for day in range(7):
        capture = tmp_path / f"day-{day}.json"
        capture.write_bytes(as_greenhouse(Ads(20) if day == 0 else Ads(day % 2)).body)
        jobledger(ledger_url, "ingest", str(capture), "--json", code=int(day > 0 and not day % 2))
        assert closed(store) == {}
        let_pass(store, DAY)


@pytest.mark.parametrize("hours", [1, 19])
def test_days_count_and_not_runs(store: Engine, ledger_url: str, tmp_path: Path, hours: int) -> None:
    """The same boards read more often than once a day: nothing is closed in two runs that lie closer together."""
    calendar = Calendar()
    with serving(calendar.routes()) as site:
        write_sources(tmp_path / "sources.toml", site.base)
        for day in (2, 3, 4):
            calendar.day = day
            jobledger(ledger_url, "crawl", "over-half", "--sources", str(tmp_path / "sources.toml"), "--json")
            assert closed(store) == {}
            let_pass(store, timedelta(hours=hours))
