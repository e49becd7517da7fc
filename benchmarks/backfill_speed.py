"""How fast archives are read in bulk: pages without a job, pages with one, and memory over the size of a file.

    python -m benchmarks.backfill_speed [--pages N]

Made-up pages (`benchmarks.warc_pages`), one core, medians of seven runs in which we and the peer take turns:

    without a job   the whole of `backfill_file` beside FastWARC reading the same file and looking for one word
    with a job      parsing, and parsing with normalising, beside extruct's JSON-LD reader on the same pages
    memory          the largest resident set of a process that reads a file, over files of several sizes
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType

from aggregator.normalise.money import Rates
from benchmarks.warc_pages import write_warc
from db.records import RawPostingRecord
from scheduler.backfill_file import SOURCE, backfill_file
from scheduler.backfill_rows import Where, posting_row
from scraper.backfill.inputs import LocalFile
from scraper.files.records import Archived
from scraper.files.warc import read_warc
from scraper.pages.jobposting import find_job_postings
from scraper.pipelines import cleaned
from scraper.spiders.archives import archived_records

RUNS = 7
EXTRUCT = "extruct==0.18.0"
FOLDER = Path(__file__).parent.parent / ".benchmarks" / "extruct"
SIZES = (50_000_000, 200_000_000, 800_000_000)
"""Bytes of pages, unpacked."""

PEER = """
import json, sys, time
from pathlib import Path
from extruct.jsonld import JsonLdExtractor
pages = [file.read_bytes().decode() for file in sorted(Path(sys.argv[1]).iterdir())]
extractor = JsonLdExtractor()
for page in pages[:50]:
    extractor.extract(page)
started = time.perf_counter()
found = sum(any(item.get("@type") == "JobPosting" for item in extractor.extract(page)) for page in pages)
print(json.dumps([found, time.perf_counter() - started]))
"""
MEMORY = """
import resource, sys
from scheduler.backfill_file import backfill_file
result = backfill_file(sys.argv[1], sys.argv[2])
assert result.error is None, result.error
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, result.postings)
"""


def searched(file: Path) -> None:
    """The limit: every page read, and one word looked for in it."""
    with file.open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            _ = b"JobPosting" in record.reader.read()


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report(name: str, pages: int, ours: list[float], peer: str, theirs: list[float], goal: float) -> None:
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(f"{name}: {pages / mine:,.0f} pages a second ({mine / pages * 1e6:,.0f} µs a page)")
    print(f"    {peer}: {pages / other:,.0f} pages a second; ours is {other / mine:.2f} times as fast, goal {goal}")


def without_a_job(folder: Path, pages: int) -> None:
    file = folder / "plain.warc.gz"
    write_warc(file, pages, jobs=0.0)
    ours: list[float] = []
    theirs: list[float] = []
    for run in range(RUNS):
        out = folder / f"out-{run}"
        ours.append(seconds(lambda out=out: backfill_file(str(file), str(out))))
        theirs.append(seconds(lambda: searched(file)))
    report("Pages without a job", pages, ours[1:], "FastWARC and a substring test", theirs[1:], 0.5)


def with_a_job(folder: Path, pages: int) -> None:
    file, saved = folder / "jobs.warc.gz", folder / "pages"
    write_warc(file, pages, jobs=1.0)
    answers = [entry for entry in read_warc(LocalFile(file).open_at) if isinstance(entry, Archived)]
    saved.mkdir()
    for number, answer in enumerate(answers):
        (saved / f"{number:06}.html").write_bytes(answer.body)
    rates, where = Rates(), Where(file.name, 0)

    def parse() -> int:
        return sum(len(find_job_postings(answer.body, answer.url)[0]) for answer in answers)

    def normalise() -> int:
        records = (record for answer in answers for record in archived_records(answer, SOURCE))
        ads = (cleaned(record) for record in records if isinstance(record, RawPostingRecord))
        return sum(bool(posting_row(ad, rates, where)) for ad in ads)

    assert parse() == normalise() == len(answers)
    parsed: list[float] = []
    normalised: list[float] = []
    theirs: list[float] = []
    for _ in range(RUNS):
        parsed.append(seconds(parse))
        normalised.append(seconds(normalise))
        found, taken = _extruct(saved)
        assert found == len(answers)
        theirs.append(taken)
    report("Pages with a job, parsed", pages, parsed, EXTRUCT, theirs, 4)
    report("the same, parsed and normalised", pages, normalised, EXTRUCT, theirs, 4)


def _extruct(pages: Path) -> tuple[int, float]:
    done = subprocess.run([str(_peer_python()), "-c", PEER, str(pages)], capture_output=True, text=True, check=True)
    found, taken = json.loads(done.stdout)
    return int(found), float(taken)


def _peer_python() -> Path:
    """The interpreter of extruct's own environment, built on first use."""
    wanted = FOLDER / ("installed-" + re.sub(r"\W+", "-", EXTRUCT))
    program = FOLDER / "bin" / "python"
    if not wanted.exists():
        venv.create(FOLDER, with_pip=True, clear=True, symlinks=True)
        subprocess.run([str(program), "-m", "pip", "install", "--quiet", EXTRUCT], check=True, capture_output=True)
        wanted.touch()
    return program


def memory(folder: Path) -> None:
    print("Memory, one process:")
    for size in SIZES:
        file = folder / f"{size}.warc.gz"
        pages = write_warc(file, size, jobs=0.05, size=size)
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(file), str(folder / f"out-{size}")],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        peak, postings = done.stdout.split()
        print(f"    {size / 1e6:,.0f} MB unpacked, {pages:,} pages, {int(postings):,} postings: at most {peak} MiB")
        file.unlink()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--pages", type=int, default=5_000)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        without_a_job(folder, given.pages)
        with_a_job(folder, max(100, given.pages // 10))
        memory(folder)


if __name__ == "__main__":
    main()
