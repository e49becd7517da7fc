"""Boards on a real server, crawled by the command on days that pass: what is closed, what is not, and what runs say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, bindparam, func, select, update
from sqlmodel import SQLModel

from db.session import reading, writing
from db.tables import RAW
from db.types import UtcTime
from tests.scraper.loopback import Answer, Request, Route, page, serving

DAY = timedelta(days=1)
TITLES = ("Data Engineer", "Nurse", "Warehouse Clerk", "Accountant", "Sales Manager", "Electrician", "Product Designer")
TOWNS = ("Berlin, Germany", "Austin, TX", "Leeds, United Kingdom", "Lyon, France")
Ads = range
CHALLENGE = page("<html><head><title>Just a moment...</title></head><body>Checking you.</body></html>")
INTERSTITIAL = page("<html><body><h1>Checking your browser</h1><p>This takes five seconds.</p></body></html>")
NO_JOBS = page("<html><body><a href='/about'>About us</a> We have no open jobs.</body></html>")


@dataclass(frozen=True)
class Story:
    """One board over some days: what it shows, on which day how many ads are closed, the verdict of the last day."""

    shows: tuple[Ads | Answer, ...]
    closes: Mapping[int, int]
    last: str


STORIES: Mapping[str, Story] = {
    "other-company": Story((Ads(20), *[Ads(100, 120)] * 4, Ads(20)), {}, "healthy"),
    "a-third": Story((Ads(20), *[Ads(6)] * 5), {5: 14}, "healthy"),
    "over-half": Story((Ads(20), Ads(11), Ads(11)), {2: 9}, "healthy"),
    "small": Story((Ads(3), *[Ads(0)] * 5), {5: 3}, "healthy"),
    "small-challenge": Story((Ads(3), CHALLENGE, CHALLENGE), {}, "failed"),
    "small-blank": Story((Ads(3), Answer(b""), Answer(b"")), {}, "failed"),
    "pages": Story((Ads(5), *[NO_JOBS] * 5), {5: 5}, "healthy"),
    "pages-challenge": Story((Ads(5), CHALLENGE, CHALLENGE), {}, "failed"),
    "pages-interstitial": Story((Ads(5), INTERSTITIAL, INTERSTITIAL), {}, "failed"),
    "pages-blank": Story((Ads(5), page(""), page("")), {}, "failed"),
}


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
            shown = STORIES[name].shows[self.day]
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


def jobledger(url: str, *arguments: str, codes: Collection[int] = (0,)) -> Any:
    command = [sys.executable, "-m", "service.cli", "--db", url, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode in codes, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout


def crawl(url: str, folder: Path, *names: str) -> list[Any]:
    """The runs of these sources. Some of them fail by intent, so the command may say that the work failed."""
    made = jobledger(url, "crawl", *names, "--sources", str(folder / "sources.toml"), "--json", codes=(0, 1))
    runs: list[Any] = made["runs"]
    return runs


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
    query = select(RAW.c.source, func.count().label("number")).where(RAW.c.closed_at.is_not(None))
    with reading(engine) as connection:
        return {row.source: row.number for row in connection.execute(query.group_by(RAW.c.source))}


def test_boards_close_what_the_stories_say(ledger: Engine, database_url: str, tmp_path: Path) -> None:
    calendar, before = Calendar(), dict.fromkeys(STORIES, 0)
    closes: dict[str, dict[int, int]] = {name: {} for name in STORIES}
    runs: dict[str, list[Any]] = {name: [] for name in STORIES}
    with serving(calendar.routes()) as site:
        write_sources(tmp_path / "sources.toml", site.base)
        for day in range(max(len(story.shows) for story in STORIES.values())):
            calendar.day = day
            told = [name for name, story in STORIES.items() if day < len(story.shows)]
            for run in crawl(database_url, tmp_path, *told):
                runs[run["source"]].append(run)
            now = closed(ledger)
            for name in told:
                if now.get(name, 0) != before[name]:
                    closes[name][day] = now.get(name, 0) - before[name]
                before[name] = now.get(name, 0)
            let_pass(ledger, DAY)
    assert closes == {name: story.closes for name, story in STORIES.items()}
    assert {name: made[-1]["verdict"] for name, made in runs.items()} == {n: s.last for n, s in STORIES.items()}
    (said,) = runs["a-third"][2]["reasons"]
    assert said.startswith("6 of the 20 ads known before ")
    assert said.endswith(" reappeared; nothing is closed until 5 runs on different days say the same (2 so far)")
    assert runs["other-company"][1]["reasons"][0].startswith("0 of the 20 ads known before ")
    shown = jobledger(database_url, "runs", "--source", "a-third", "--format", "json")
    assert [run["reasons"] for run in reversed(shown)] == [run["reasons"] for run in runs["a-third"]]
    assert shown[0]["reasons"][0].endswith("5 runs on different days say the same: 14 ads closed")


def test_days_count_and_not_runs(ledger: Engine, database_url: str, tmp_path: Path) -> None:
    calendar = Calendar()
    with serving(calendar.routes()) as site:
        write_sources(tmp_path / "sources.toml", site.base)
        for day in range(3):
            calendar.day = day
            crawl(database_url, tmp_path, "over-half")
            let_pass(ledger, timedelta(hours=19))
    assert closed(ledger) == {}


def test_captured_pages_close_nothing(ledger: Engine, database_url: str, tmp_path: Path) -> None:
    for day, ads in enumerate((Ads(20), Ads(1), Ads(1), Ads(100, 120))):
        capture = tmp_path / f"day-{day}.json"
        capture.write_bytes(as_greenhouse(ads).body)
        jobledger(database_url, "ingest", str(capture), "--json")
        let_pass(ledger, DAY)
    assert closed(ledger) == {}
