"""Memory does not grow with the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.warc_pages import write_warc
from tests.conftest import REPOSITORY

PEAK = """
import resource, sys
from scheduler.backfill_file import backfill_file
result = backfill_file(sys.argv[1], sys.argv[2], rows_a_partition=200)
assert result.error is None, result.error
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, result.pages)
"""
ROOM = 120
"""MiB by which the peaks may differ: what the allocator and DuckDB hold back, not the pages."""


def _peak(file: Path, out: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(file), str(out)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[0])


def _compare(folder: Path, small: int, large: int) -> None:
    peaks = []
    for size in (small, large):
        file = folder / f"{size}.warc.gz"
        write_warc(file, size, jobs=0.2, articles=0.005, seed=2, size=size)
        peaks.append(_peak(file, folder / f"out-{size}"))
        file.unlink()
    assert peaks[1] < peaks[0] + ROOM, f"{peaks} MiB for {small} and {large} bytes of pages"


def test_memory_is_the_same_for_a_file_of_sixty_megabytes(tmp_path: Path) -> None:
    _compare(tmp_path, 6_000_000, 60_000_000)


@pytest.mark.soak
def test_memory_is_the_same_for_a_file_of_two_gigabytes(tmp_path: Path) -> None:
    _compare(tmp_path, 60_000_000, 2_000_000_000)
