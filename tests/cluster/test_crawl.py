"""Crawls by the workers of a cluster, and one reader a host whoever crawls."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from sqlalchemy import Engine

from db.lease import acquire, find_lease
from db.runs import open_runs, recent_runs
from db.session import open_ledger
from scheduler.conductor import ABANDONED
from scraper.hosts import host_key
from scraper.sources import load_sources
from scraper.turns import HostBusy, HostTurns
from tests.cluster.engine import Cluster, ended, jobledger, kill, run
from tests.cluster.test_cluster import until
from tests.ledger import OF_RUNS, differences, held
from tests.scraper import loopback
from tests.scraper.boards.server import PORT, serving
from tests.scraper.boards.test_loopback import LOOPBACK

NAMES = ("greenhouse", "lever", "ashby", "pinpoint")
AT_LOCALHOST = {"ashby", "pinpoint"}
"""Sources that reach the server by its other name: another host, as far as manners go."""


def write_sources(file: Path, port: int, names: tuple[str, ...] = NAMES) -> Path:
    entries = LOOPBACK.read_text("utf-8").replace(f":{PORT}", f":{port}").split("[[source]]")[1:]
    kept = []
    for entry in entries:
        name = entry.split('name = "')[1].split('"')[0]
        if name in names:
            kept.append(entry.replace("//127.0.0.1", "//localhost") if name in AT_LOCALHOST else entry)
    file.write_text("".join(f"[[source]]{entry}" for entry in kept), "utf-8")
    return file


def content(url: str) -> dict[str, list[Any]]:
    return held(url, moments=False, without=OF_RUNS | {"posting_words"})


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Path]:
    with serving() as (port, _):
        yield write_sources(tmp_path / "sources.toml", port)


def test_a_worker_killed_while_it_crawls(dask: Cluster, sources: Path, tmp_path: Path) -> None:
    command = ("crawl", "--all", "--sources", str(sources), "--json")
    here, there = (f"sqlite:///{tmp_path / name}" for name in ("here.db", "there.db"))
    code, said, errors = run(here, *command)
    assert code == 0, errors
    engine = open_ledger(there)
    process = jobledger(there, *command, "--cluster", dask.address)
    until(lambda: len(open_runs(engine)) == 2)
    kill(dask.workers[0])
    code, again, errors = ended(process)
    assert code == 0, errors
    mine, theirs = ({r["source"]: r["verdict"] for r in json.loads(text)["runs"]} for text in (said, again))
    assert mine == theirs == dict.fromkeys(NAMES, "healthy")
    assert [set(r) for r in json.loads(said)["runs"]] == [set(r) for r in json.loads(again)["runs"]]
    assert differences(content(here), content(there)) == {}
    assert open_runs(engine) == []
    runs = recent_runs(engine)
    assert [run.reasons for run in runs if run.verdict == "failed"] == [(ABANDONED,)]
    assert one_at_a_time(runs, load_sources(sources))
    engine.dispose()


def one_at_a_time(runs: list[Any], sources: Any) -> bool:
    """Whether no two finished runs of one host overlap; of a run that was given up the end is not known."""
    hosts = {source.name: host_key(source) for source in sources}
    spans = sorted((hosts[r.source], r.started_at, r.finished_at) for r in runs if r.verdict != "failed")
    return all(one[0] != two[0] or one[2] <= two[1] for one, two in pairwise(spans))


FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Jobs</title><item><title>Data Engineer</title>
<link>https://feed.example/1</link><guid>1</guid><description>Berlin</description></item></channel></rss>"""


def test_two_commands_read_one_host_one_after_the_other(tmp_path: Path, database_url: str) -> None:
    def slow(_: loopback.Request) -> loopback.Answer:
        time.sleep(2)
        return loopback.Answer(FEED, headers={"Content-Type": "application/rss+xml"})

    routes = {"/robots.txt": loopback.Answer(b"User-agent: *\nAllow: /\n"), "/a.rss": slow, "/b.rss": slow}
    open_ledger(database_url).dispose()
    with loopback.serving(routes) as site:
        file = tmp_path / "sources.toml"
        file.write_text(
            "".join(
                f'[[source]]\nname = "{n}"\nspider = "feed"\nurl = "{site.base}/{n}.rss"\nallow_hosts = ["127.0.0.1"]\n'
                for n in "ab"
            )
        )
        both = [jobledger(database_url, "crawl", name, "--sources", str(file)) for name in "ab"]
        for process in both:
            code, _, errors = ended(process)
            assert code == 0, errors
        paths = site.paths()
    first, second = paths[1][1], paths[3][1]
    assert {first, second} == {"a", "b"}
    assert paths == ["/robots.txt", f"/{first}.rss", "/robots.txt", f"/{second}.rss"]


URL = "http://board.example/jobs"


def test_a_host_that_stays_busy_is_said(ledger: Engine, database_url: str) -> None:
    assert acquire(ledger, "host:board.example", "elsewhere/1/1", 50)
    turns = HostTurns(database_url, patience=0.1)
    with pytest.raises(HostBusy, match=r"another crawl has been reading board\.example for 0 s"):
        asyncio.run(turns.process_request(Request(URL)))
    asyncio.run(turns.process_request(Request("http://other.example/")))
    turns.give_up()
    assert find_lease(ledger, "host:other.example") is None
    assert find_lease(ledger, "host:board.example") is not None


def test_the_host_of_a_dead_reader_is_free_at_once(ledger: Engine, database_url: str) -> None:
    dies = "import sys; from db.holder import this_holder; sys.stdout.write(this_holder('crawl'))"
    dead = subprocess.run([sys.executable, "-c", dies], capture_output=True, text=True, check=True).stdout
    assert acquire(ledger, "host:board.example", dead, 600)
    turns = HostTurns(database_url, patience=5)
    asyncio.run(turns.process_request(Request(URL)))
    turns.give_up()


LOSES = """
import asyncio, sys, time
from scrapy import Request
from db.lease import release
from db.session import make_engine
from scraper import turns
turns.RENEW_SECONDS = 0.1
made = turns.HostTurns(sys.argv[1])
asyncio.run(made.process_request(Request("http://board.example/jobs")))
release(make_engine(sys.argv[1]), "host:board.example", made.holder)
time.sleep(30)
"""


def test_a_reader_that_lost_its_host_ends(ledger: Engine, database_url: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOSES, database_url], capture_output=True, text=True, check=False)
    assert done.returncode == 71
    assert "the turn is lost to read host:board.example" in done.stderr


def test_sources_of_one_host_are_known_by_their_entries() -> None:
    """What entries say agrees with the first address that each spider asks."""
    from urllib.parse import urlsplit

    from scraper.child import load_spider

    for file in (None, LOOPBACK):
        asked: dict[str, set[str]] = {}
        told: dict[str, set[str]] = {}
        for source in load_sources(file):
            spider: Any = load_spider(source.spider, ["scraper.spiders"])(source=source)  # type: ignore[call-arg]
            host = urlsplit(spider.first(source)[0].url).netloc
            asked.setdefault(host_key(source), set()).add(host)
            told.setdefault(host, set()).add(host_key(source))
        assert {len(found) for found in (*asked.values(), *told.values())} == {1}
