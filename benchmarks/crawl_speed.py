"""How fast we crawl beside bare Scrapy with an empty callback, on the same loopback pages, and how much memory we take.

    python -m benchmarks.crawl_speed [--jobs N] [--runs N] [--memory N]

A careers site of N job pages of 9 KB, each with a JobPosting in JSON-LD, and index pages of 50 cards. Bare Scrapy is
given all addresses and does nothing with the answers, once with its default of 100 item tasks a page and once with one,
as we have it. Our spider finds the pages, reads each and keeps what it read in a new SQLite ledger; then the same with
aggregating. Each in a process of its own, in turns; the median counts. With `--memory N` 1,000 pages and N pages are
crawled instead, and how much memory each crawl took is said.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scraper.crawl import crawl
from scraper.sources import Source

PAGE = 50
FILLER = "We look after data that others rely on, and we say so when it is late. " * 110
TITLES = ("Data Engineer", "Senior Data Scientist", "Machine Learning Engineer", "Data Analyst")

BARE = """
import sys, scrapy
from scrapy.crawler import AsyncCrawlerProcess
base, jobs, pages, items = sys.argv[1], *map(int, sys.argv[2:5])
class Bare(scrapy.Spider):
    name = "bare"
    async def start(self):
        for n in range(pages):
            yield scrapy.Request(f"{base}/?page={n + 1}", callback=self.empty)
        for n in range(jobs):
            yield scrapy.Request(f"{base}/job/data-job-{n + 1}/", callback=self.empty)
    def empty(self, response):
        return None
process = AsyncCrawlerProcess({"LOG_LEVEL": "ERROR", "CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "CONCURRENT_ITEMS": items, "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False})
process.crawl(Bare)
process.start()
"""


def answer(path: str, jobs: int) -> bytes:
    """The page at a path; job pages are made of their number, so that the server holds none."""
    if path.startswith("/job/"):
        return job_page(int(path.rstrip("/").rsplit("-", 1)[1]))
    if path == "/robots.txt":
        return b"User-agent: *\nAllow: /\n"
    page = int(path.partition("page=")[2] or 1)
    numbers = range((page - 1) * PAGE + 1, min(page * PAGE, jobs) + 1)
    cards = "".join(f'<li><a href="/job/data-job-{n}/">{TITLES[n % 4]} {n}</a></li>' for n in numbers)
    more = f'<a rel="next" href="/?page={page + 1}">More</a>' if page * PAGE < jobs else ""
    return f"<html><body><ul>{cards}</ul>{more}</body></html>".encode()


def job_page(number: int) -> bytes:
    declared = {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "title": f"{TITLES[number % 4]} {number}",
        "datePosted": "2026-10-01",
        "hiringOrganization": {"@type": "Organization", "name": f"Employer {number % 500}"},
        "jobLocation": {"@type": "Place", "address": "Boston, MA, US"},
        "employmentType": "FULL_TIME",
        "description": "<p>" + FILLER[: 900 + number % 500] + "</p>",
        "baseSalary": {
            "@type": "MonetaryAmount",
            "currency": "USD",
            "value": {
                "@type": "QuantitativeValue",
                "minValue": 90_000 + number % 30_000,
                "maxValue": 140_000,
                "unitText": "YEAR",
            },
        },
    }
    script = f'<script type="application/ld+json">{json.dumps(declared)}</script>'
    return f"<html><head>{script}</head><body><h1>{declared['title']}</h1><p>{FILLER}</p></body></html>".encode()


def serve(jobs: int, ready: Any) -> None:
    """A web server that does as little as one can; runs until it is ended."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                body = answer(path, jobs)
                kind = b"text/plain" if path == "/robots.txt" else b"text/html; charset=utf-8"
                size = str(len(body)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n%s" % (kind, size, body)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        ready.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def bare(base: str, jobs: int, pages: int, items: int) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE, base, str(jobs), str(pages), str(items)], check=True)
    return time.perf_counter() - started


def ours(base: str, jobs: int, folder: Path, name: str) -> tuple[float, float, float]:
    """(seconds of crawling and keeping, seconds with aggregating too, megabytes at most)"""
    from aggregator.pipeline import aggregate
    from db.records import utc_now
    from db.session import open_ledger

    url = f"sqlite:///{folder / name}.db"
    engine = open_ledger(url)
    source = Source(name="bench", spider="articles", url=f"{base}/", allow_hosts=("127.0.0.1",))
    started = time.perf_counter()
    result = crawl(source, database_url=url)
    crawled = time.perf_counter() - started
    if result.verdict != "healthy" or result.raw_postings != jobs:
        raise SystemExit(f"{result.verdict}: {result.reasons}, {result.raw_postings} of {jobs} jobs\n{result.log_tail}")
    aggregate(engine, now=utc_now())
    whole = time.perf_counter() - started
    engine.dispose()
    return crawled, whole, result.stats["memusage/max"] / 1e6


@contextmanager
def served(jobs: int) -> Iterator[str]:
    """The address of a site of so many jobs."""
    ready: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(jobs, ready), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{ready.get()}"
    finally:
        server.terminate()


def say_memory(most: int) -> None:
    for jobs in (1_000, most):
        with tempfile.TemporaryDirectory() as folder, served(jobs) as base:
            crawled, _, memory = ours(base, jobs, Path(folder), "memory")
            print(f"{jobs:>7,} pages: {memory:,.0f} MB at most, {crawled:,.0f} s", flush=True)


def say_speed(jobs: int, runs: int) -> None:
    pages = -(-jobs // PAGE)
    print(f"{jobs} job pages of {len(job_page(1)) / 1000:.1f} KB and {pages} index pages, {runs} runs")
    empty: list[float] = []
    lean: list[float] = []
    own: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder, served(jobs) as base:
        for run in range(runs):
            empty.append(bare(base, jobs, pages, items=100))
            lean.append(bare(base, jobs, pages, items=1))
            own.append(ours(base, jobs, Path(folder), str(run)))
    total = jobs + pages
    limit = statistics.median(empty)
    rows = (
        ("bare Scrapy, empty callback", limit),
        ("the same, CONCURRENT_ITEMS = 1", statistics.median(lean)),
        ("jobledger: found, read, kept", statistics.median(row[0] for row in own)),
        ("jobledger: aggregated too", statistics.median(row[1] for row in own)),
    )
    for name, seconds in rows:
        print(f"{name:<32} {total / seconds:>8,.0f} pages/s   {limit / seconds:>5.2f} of bare Scrapy")
    print(f"memory of the crawl at most: {max(row[2] for row in own):,.0f} MB")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--jobs", type=int, default=3_000)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--memory", type=int, metavar="N")
    given = asked.parse_args()
    if given.memory:
        say_memory(given.memory)
    else:
        say_speed(given.jobs, given.runs)


if __name__ == "__main__":
    main()
