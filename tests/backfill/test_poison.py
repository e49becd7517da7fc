"""Pages that kill their worker, take too long or break a parser: found, left out, named; and kills from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from benchmarks.warc_pages import write_warc
from processes.pool import Processes
from scheduler import backfill_file as work
from scheduler.backfill import backfill
from scheduler.backfill_file import BackfillResult, backfill_file
from scheduler.backfill_watch import BusyError, Trail, Watch
from scraper.files.records import Archived
from scraper.limits import PageTooSlow
from tests.backfill.warcs import job, member, partitions, rows
from tests.conftest import REPOSITORY

DEADLY = b"<!-- this page kills -->"


def deadly(*arguments: Any, **options: Any) -> BackfillResult:
    """`backfill_file` in a process that dies at once, as of a fault in native code, at pages that say so."""
    harmless = work.archived_records

    def kills(answer: Archived, source: str) -> Iterator[Any]:
        if DEADLY in answer.body:
            os.kill(os.getpid(), signal.SIGKILL)
        return harmless(answer, source)

    work.archived_records = kills  # type: ignore[assignment]
    try:
        return backfill_file(*arguments, **options)
    finally:
        work.archived_records = harmless


class Deadly(Processes):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        assert fn is backfill_file
        return super().submit(deadly, *args, **kwargs)


def test_records_that_kill_their_worker_are_found_left_out_and_named(tmp_path: Path) -> None:
    kill = job() + DEADLY
    members = [
        member("http://a.example/1", job("Chef")),
        member("http://a.example/2", kill),
        member("http://a.example/3", job("Nurse")),
        member("http://a.example/4", kill),
        member("http://a.example/5", job("Data Engineer")),
    ]
    poisoned, sound = tmp_path / "poisoned.warc.gz", tmp_path / "sound.warc.gz"
    poisoned.write_bytes(b"".join(members))
    sound.write_bytes(members[0] + members[4])
    with Deadly(2, tries=1, ready="scheduler.backfill_file") as pool:
        summary = backfill([str(poisoned), str(sound)], str(tmp_path / "out"), pool=pool, workers=2)
    assert not summary.failed
    offsets = [len(members[0]), sum(map(len, members[:3]))]
    assert summary.results[0].poison == tuple(f"{offset}: kills_worker" for offset in offsets)
    found = rows(tmp_path / "out", "postings", "file, title_text")
    assert sorted(found) == [
        ("poisoned.warc.gz", "Chef"),
        ("poisoned.warc.gz", "Data Engineer"),
        ("poisoned.warc.gz", "Nurse"),
        ("sound.warc.gz", "Chef"),
        ("sound.warc.gz", "Data Engineer"),
    ]
    rejected = rows(tmp_path / "out", "rejected", "url, reason, record_offset")
    assert rejected == [
        ("http://a.example/2", "kills_worker", offsets[0]),
        ("http://a.example/4", "kills_worker", offsets[1]),
    ]
    assert list((tmp_path / "out" / "_work").iterdir()) == [], "nothing is left to remember"


def test_a_page_that_takes_too_long_is_cut_and_named(tmp_path: Path) -> None:
    slow = ("<html><body><h1>Cat vs. Dog</h1>" + "<p>Chef</p><p>@ Acme | Rome</p>" * 100_000).encode()
    file = tmp_path / "slow.warc.gz"
    first = member("http://a.example/1", job("Chef"))
    file.write_bytes(first + member("http://a.example/2", slow) + member("http://a.example/3", job("Nurse")))
    backfill_file(str(file), str(tmp_path / "warm"), seconds_a_page=0.5)  # vocabularies are read with the first page
    result = backfill_file(str(file), str(tmp_path / "out"), seconds_a_page=2.0)
    assert result.poison == (f"{len(first)}: too_slow",)
    assert rows(tmp_path / "out", "postings", "title_text") == [("Chef",), ("Nurse",)]
    assert rows(tmp_path / "out", "rejected", "reason") == [("too_slow",)]


def test_a_page_too_large_for_a_tree_is_named(tmp_path: Path) -> None:
    file = tmp_path / "large.warc.gz"
    large = b"<h1>Cat vs. Dog</h1>" + b"<p>They are friends, and always have been friends.</p>" * 100_000
    file.write_bytes(member("http://a.example/", large))
    result = backfill_file(str(file), str(tmp_path / "out"))
    assert (result.articles, result.rejected) == (0, 1)
    assert rows(tmp_path / "out", "rejected", "reason") == [("too_large",)]


HOSTILE = {
    "deep": b"<div>" * 200_000 + b"JobPosting",
    "deep json": b'<script type="application/ld+json">{"@type":"JobPosting","a":' + b"[" * 100_000 + b"</script>",
    "nul": b"\0" * 5_000 + b'<div itemtype="JobPosting">',
    "invalid utf-8": b'<script type="application/ld+json">{"@type":"JobPosting","title":"\xff\xfe\x80"}</script>',
    "surrogates": b'<script type="application/ld+json">{"@type":"JobPosting","title":"a\\ud800b\\u0000"}</script>',
    "endless script": b'<script type="application/ld+json">{"@type":"JobPosting"' + b" " * 2_000_000,
    "entities": b"&#64;" * 100_000 + b"JobPosting",
    "numbers": b'<script type="application/ld+json">{"@type":"JobPosting","title":"x","baseSalary":1e999}</script>',
}


@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pages_stop_nothing(page: bytes, tmp_path: Path) -> None:
    file = tmp_path / "hostile.warc.gz"
    file.write_bytes(
        member("http://a.example/\udcff".encode("utf-8", "replace").decode(), page)
        + member("http://b.example/", job("Chef"))
    )
    result = backfill_file(str(file), str(tmp_path / "out"))
    assert (result.error, result.pages) == (None, 2)
    assert ("Chef",) in rows(tmp_path / "out", "postings", "title_text")


def test_one_death_proves_nothing(tmp_path: Path) -> None:
    trail = Trail(tmp_path, "k")
    trail.at(77)
    os.close(trail._file)  # as the death of its process would
    second = Trail(tmp_path, "k")
    assert second.poison == frozenset()
    second.at(77)
    with pytest.raises(BusyError):
        Trail(tmp_path, "k", patience=0.0)
    os.close(second._file)
    third = Trail(tmp_path, "k")
    assert third.poison == {77}
    third.close(finished=True)
    assert not any((tmp_path / "_work").iterdir())


def _busy(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_a_watch_cuts_in_any_thread() -> None:
    seen: list[str] = []

    def watched() -> None:
        with Watch(0.2) as watch:
            for seconds in (0.0, 60.0, 0.0):
                try:
                    with watch.page():
                        _busy(seconds)
                    seen.append("in time")
                except PageTooSlow:
                    seen.append("cut")

    watched()
    thread = threading.Thread(target=watched)
    thread.start()
    thread.join(50)
    assert seen == ["in time", "cut", "in time"] * 2


def test_a_command_killed_anywhere_gives_the_same_rows_when_run_again(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.warc.gz" for number in range(2)]
    for number, file in enumerate(files):
        write_warc(file, 150, jobs=0.3, articles=0.02, seed=number)
    whole = backfill([str(file) for file in files], str(tmp_path / "whole"), rows_a_partition=20)
    code = (
        "import sys; from scheduler.backfill import backfill;"
        f"backfill({[str(file) for file in files]!r}, {str(tmp_path / 'out')!r}, rows_a_partition=20)"
    )
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY)
        while process.poll() is None and not any((tmp_path / "out").glob("_work/*")):
            time.sleep(0.02)
        time.sleep(0.3)
        process.kill()
        process.wait()
    again = backfill([str(file) for file in files], str(tmp_path / "out"), rows_a_partition=20)
    assert again.totals == whole.totals
    assert partitions(tmp_path / "out") == partitions(tmp_path / "whole")
    assert json.dumps(again.as_json()["poison"]) == "[]"
