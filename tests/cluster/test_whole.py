"""The whole road on two workers, one of which is killed: crawl, backfill, aggregate, report, as one process does it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.warc_pages import FIRST, each_page, packed, record
from tests.cluster.engine import Cluster, ended, jobledger, kill, run
from tests.cluster.test_cluster import until
from tests.cluster.test_crawl import content, write_sources
from tests.ledger import differences
from tests.scraper.boards.server import serving

BOARDS = ("greenhouse", "ashby")


def take(url: str, sources: Path, archives: Path, out: Path, *options: str, dask: Cluster | None = None) -> Any:
    """The road by commands; kills a worker while archives are read. Returns the report."""
    code, _, errors = run(url, "crawl", "--all", "--sources", str(sources), *options)
    assert code == 0, errors
    reading = jobledger(url, "backfill", str(archives), "--out", str(out), "--store", "--json", *options)
    if dask is not None:
        until(lambda: out.exists() and any(out.rglob("*")))
        time.sleep(0.3)
        kill(dask.workers[0])
    code, _, errors = ended(reading, 3_600)
    assert code == 0, errors
    code, said, errors = run(url, "report", "--by", "role", "--by", "level", "--format", "json", *options)
    assert code == 0, errors
    return {name: value for name, value in json.loads(said).items() if name != "generated_at"}


def write_archive(file: Path, pages: int, seed: int) -> None:
    """Every archive of other sites: of two captures of one page in one second neither is the newer one."""
    with file.open("wb") as out:
        for url, body in each_page(pages, jobs=0.3, articles=0.0, seed=seed):
            out.write(packed(record(url.replace(".example", f"-{seed}.example"), FIRST, body)))


def same_whole(dask: Cluster, folder: Path, files: int, pages: int) -> None:
    archives = folder / "archives"
    archives.mkdir()
    for n in range(files):
        write_archive(archives / f"{n}.warc.gz", pages, n)
    here, there = (f"sqlite:///{folder / name}" for name in ("here.db", "there.db"))
    with serving() as (port, _):
        sources = write_sources(folder / "sources.toml", port, BOARDS)
        mine = take(here, sources, archives, folder / "out-here")
        theirs = take(there, sources, archives, folder / "out-there", "--cluster", dask.address, dask=dask)
    assert mine["groups"]
    assert mine == theirs
    assert differences(content(here), content(there)) == {}


def test_the_whole_on_two_workers(dask: Cluster, tmp_path: Path) -> None:
    same_whole(dask, tmp_path, files=4, pages=60)


@pytest.mark.soak
def test_two_hundred_thousand_pages(dask: Cluster, tmp_path: Path) -> None:
    same_whole(dask, tmp_path, files=100, pages=2_000)
