"""Every claim of speed beside its peer or limit, on one page: `python -m benchmarks` (or: make bench).

    python -m benchmarks [--only NAME ...] [--postgres URL]

Runs each benchmark in a process of its own and writes what it prints into `docs/benchmarks.md`, with the machine and
the versions; `--only` measures some anew and leaves the others as they stand on the page. Machines differ and are
shared: read the ratios and the medians, not the absolute figures.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sqlite3
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from processes.launch import command as module_command

REPOSITORY = Path(__file__).parent.parent
PAGE = REPOSITORY / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One program of this folder, and what its figures are wished to be."""

    name: str
    title: str
    wished: tuple[str, ...]
    module: str = ""
    arguments: tuple[str, ...] = ()
    takes_postgres: bool = False

    @property
    def command(self) -> list[str]:
        return [f"benchmarks.{self.module or self.name}", *self.arguments]


BENCHMARKS = (
    Benchmark(
        name="normalise_speed",
        title="Reading pay and whole raw postings, beside python-jobspy",
        wished=(
            "25,000 short pay texts a second a core, 0.0325 of python-jobspy, which reads none of the rest",
            "2,000 texts of 4 KB, 8,000 raw postings without and 1,500 with a description a second a core",
        ),
    ),
    Benchmark(
        name="crawl_speed",
        title="Crawling, beside bare Scrapy",
        wished=("0.6 of bare Scrapy with an empty callback, parsed and kept; 0.4 aggregated too",),
    ),
    Benchmark(
        name="crawl_memory",
        module="crawl_speed",
        arguments=("--memory", "50000"),
        title="Memory of a long crawl",
        wished=("flat from 1,000 to 50,000 pages",),
    ),
    Benchmark(
        name="store_bulk",
        title="Storing, beside the drivers' own fastest way",
        wished=(
            "SQLite: 0.6 of `sqlite3` executemany into the same table (bulk write)",
            "the same again, unchanged: 1.5 times as fast as the first time",
            "PostgreSQL: 0.5 of COPY into the same table with its indexes (bulk write)",
        ),
        takes_postgres=True,
    ),
    Benchmark(
        name="store_growth",
        title="A ledger that grows to a million",
        wished=("time a row within 1.5 times from 10,000 to 1,000,000; memory flat",),
    ),
    Benchmark(
        name="road_speed",
        title="The whole road, from text captures to stored postings",
        wished=("2,000 featured jobs a second a core",),
    ),
    Benchmark(
        name="insights_report",
        title="Reports over a million postings, beside bare DuckDB",
        wished=("within 1.5 times of bare DuckDB on the same file; ahead of `percentile_cont`",),
        takes_postgres=True,
    ),
    Benchmark(
        name="service_pages",
        title="Pages and the API over a million postings, beside Datasette",
        wished=(
            "filtered page and facets: p95 at least 3 times as fast as Datasette",
            "200 mixed reads a second on two cores while a writer writes, no error",
        ),
    ),
    Benchmark(
        name="backfill_speed",
        title="Reading archives in bulk, beside FastWARC and extruct",
        wished=(
            "pages without a job: 0.5 of FastWARC reading plus a substring test",
            "pages that hold a job: 4 times extruct's JSON-LD path, parsing and normalising included",
            "memory flat over the length of a file",
        ),
    ),
    Benchmark(
        name="cluster_speed",
        title="Two workers against one",
        wished=("1.8 times as fast", "overhead at 1,000 small tasks at most 15 % of the work"),
    ),
)

LIBRARIES = ("scrapy", "sqlmodel", "sqlalchemy", "duckdb", "numpy", "lxml", "fastwarc")


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {libraries}."
    )


def measured(benchmark: Benchmark, postgres: str | None) -> str:
    """What the benchmark printed; its output is shown as it comes."""
    given = ["--postgres", postgres] if postgres and benchmark.takes_postgres else []
    lines = []
    with subprocess.Popen(
        module_command(*benchmark.command, *given), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        lines.append(f"(ended with code {process.returncode})\n")
    return f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.\n" + "".join(lines)


def standing(page: str) -> dict[str, str]:
    """What a page says was measured, by the title of the benchmark."""
    return dict(re.findall(r"^## (.+?)\n.*?^```text\n(.*?)\n```$", page, re.M | re.S))


def page(results: Mapping[str, str]) -> str:
    """The page of what was measured, by the title of the benchmark."""
    parts = [
        "# Benchmarks",
        "",
        "Generated by `make bench`: each claim beside its peer or limit in the same run. Read ratios and medians; the",
        "machine is shared and noisy. What is wished stands above what was measured, reached or not.",
        "",
        machine(),
    ]
    for benchmark in BENCHMARKS:
        if benchmark.title in results:
            wished = [f"- wished: {one}" for one in benchmark.wished]
            command = f"`python -m {' '.join(benchmark.command)}`"
            said = results[benchmark.title].rstrip()
            parts += ["", f"## {benchmark.title}", "", *wished, "", command, "", "```text", said, "```"]
    return "\n".join(parts) + "\n"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--only", choices=[benchmark.name for benchmark in BENCHMARKS], action="append")
    asked.add_argument(
        "--postgres", metavar="URL", help="a server on which databases may be made, for the parts that use it"
    )
    given = asked.parse_args()
    results = standing(PAGE.read_text("utf-8")) if PAGE.exists() else {}
    for benchmark in BENCHMARKS:
        if given.only and benchmark.name not in given.only:
            continue
        print(f"== {benchmark.title}", flush=True)
        results[benchmark.title] = measured(benchmark, given.postgres)
        PAGE.write_text(page(results), "utf-8")


if __name__ == "__main__":
    main()
