"""Pages and API over a million postings, beside Datasette on the same file and the same questions.

    python -m benchmarks.service_pages [--postings N] [--ledger FILE] [--seconds S]

Prints p50 and p95 in milliseconds of a filtered page of 50 postings and of facets (role, level, country, remote,
currency) with the page, each asked with many different filters so that no answer is asked twice
(Datasette gets fewer: it takes seconds); then mixed reads at
200 a second while a writer adds postings. Datasette runs in an environment of its own, made on first use.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

from aggregator.normalise.title_vocabulary import taxonomy
from benchmarks import insights_ledger
from db.session import open_ledger, writing
from db.words import fill_words

DATASETTE = "datasette==0.65.2"
LEVELS, COUNTRIES = insights_ledger.LEVELS, insights_ledger.COUNTRIES
FACETS = ("role", "level", "country", "remote", "currency")


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def served(command: Sequence[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def ask(port: int, path: str) -> tuple[int, float, int]:
    """Status, seconds, bytes."""
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    size = len(answer.read())
    connection.close()
    return answer.status, time.perf_counter() - start, size


def quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return 1000 * ordered[len(ordered) // 2], 1000 * ordered[int(len(ordered) * 0.95)]


def questions(number: int) -> list[dict[str, str]]:
    rng = random.Random(11)
    made = [
        {"role": role, "level": level, "country": country}
        for role in insights_ledger.ROLES[:20]
        for level in LEVELS
        for country in COUNTRIES
    ]
    rng.shuffle(made)
    kept = ("role",), ("country",), ("role", "country"), ("level", "country"), ("role", "level", "country")
    return [{name: made[i][name] for name in kept[i % len(kept)]} for i in range(number)]


def timed(port: int, paths: Sequence[str]) -> tuple[float, float]:
    seconds = []
    for path in paths:
        status, taken, _ = ask(port, path)
        if status != 200:
            sys.exit(f"{path} answered {status}")
        seconds.append(taken)
    return quantiles(seconds)


def peer(home: Path) -> Path:
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", DATASETTE], check=True)
    return home / "bin" / "datasette"


def busy() -> float:
    """CPU seconds of the processes that this one started and of theirs, as Linux counts them."""
    ticks, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)], ticks[int(folder.name)] = int(said[1]), int(said[11]) + int(said[12])
    ours = {os.getpid()}
    for _ in range(4):
        ours |= {pid for pid, parent in parents.items() if parent in ours}
    return sum(ticks[pid] for pid in ours - {os.getpid()}) / os.sysconf("SC_CLK_TCK")


def mixed(port: int, ledger: Path, seconds: float) -> str:
    """200 reads a second of two kinds of page and two of the API, while a writer adds postings."""
    stop, taken, bad = threading.Event(), [], []

    def write() -> None:
        store = sqlite3.connect(ledger, timeout=30)
        number = 0
        while not stop.is_set():
            number += 1
            with store:
                store.execute(
                    "INSERT INTO posting SELECT ?" + "".join(f", {name}" for name in columns[1:]) +
                    " FROM posting WHERE id = ?",
                    (f"added{os.getpid()}{number:09d}", insights_ledger.posting_id(1)),
                )  # fmt: skip
            time.sleep(0.02)
        with store:
            store.execute("DELETE FROM posting WHERE id LIKE 'added%'")
        store.close()

    with sqlite3.connect(ledger) as probe:
        columns = [row[1] for row in probe.execute("PRAGMA table_info(posting)")]
        postings = probe.execute("SELECT count(*) FROM posting").fetchone()[0]
    asked = questions(400)
    paths = [
        path
        for i, given in enumerate(asked)
        for path in (
            f"/api/v1/postings?limit=25&{urlencode(given)}",
            f"/?{urlencode(given)}",
            f"/postings/{insights_ledger.posting_id(i * 1777 % postings)}",
            "/api/v1/runs",
        )
    ]

    def read(part: int, parts: int, begin: float) -> None:
        number = part
        while number / 200 < seconds:
            time.sleep(max(0.0, begin + number / 200 - time.monotonic()))
            status, took, _ = ask(port, paths[number % len(paths)])
            taken.append(took)
            if status != 200:
                bad.append(status)
            number += parts

    writer = threading.Thread(target=write)
    writer.start()
    begin, before = time.monotonic(), busy()
    readers = [threading.Thread(target=read, args=(part, 32, begin)) for part in range(32)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    rate = len(taken) / (time.monotonic() - begin)
    stop.set()
    writer.join()
    p50, p95 = quantiles(taken)
    spent = (busy() - before) / len(taken)
    return (
        f"{1000 * spent:.1f} ms of CPU a read; "
        f"{rate:.0f} reads a second while a writer writes: p50 {p50:.0f} ms, p95 {p95:.0f} ms, {len(bad)} errors"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--postings", type=int, default=1_000_000)
    parser.add_argument("--ledger", type=Path, help="kept and used again; else a temporary file")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--peer", type=Path, default=Path(tempfile.gettempdir()) / "jobledger-datasette")
    given = parser.parse_args()
    insights_ledger.ROLES = tuple(list(taxonomy())[:60])
    with tempfile.TemporaryDirectory() as folder:
        ledger = given.ledger or Path(folder) / "ledger.db"
        if not ledger.exists():
            insights_ledger.write_ledger(ledger, given.postings)
            vary(ledger)
        compare(ledger, given)


def vary(ledger: Path) -> None:
    """Makes the postings as different as real ones: sources, workplaces, kinds of employment, days, closed ones; and
    indexes their words."""
    pick = "((posting.rowid + {seed}) * 2654435761 % 4294967296 / 7 % {among})"

    def of(seed: int, among: int) -> str:
        return pick.format(seed=seed, among=among)

    with sqlite3.connect(ledger) as store:
        store.execute("PRAGMA synchronous = OFF")
        store.execute("PRAGMA cache_size = -500000")
        store.execute(
            f"""UPDATE posting SET
                remote = CASE {of(1, 8)} WHEN 0 THEN 'remote' WHEN 1 THEN 'hybrid' WHEN 2 THEN 'onsite' END,
                employment_types = CASE {of(5, 8)} WHEN 0 THEN '[]' WHEN 1 THEN '["contract","full_time"]'
                    WHEN 2 THEN '["part_time"]' ELSE '["full_time"]' END,
                sources = '["board' || {of(11, 200)} || '"]',
                countries = CASE {of(3, 50)} WHEN 0 THEN '["DE","AT","CH"]' ELSE '[]' END,
                closed_at = CASE {of(9, 3)} WHEN 0 THEN '2026-05-01 00:00:00.000000' END,
                first_seen = datetime('2026-01-01', '+' || {of(13, 10_000_000)} || ' seconds') || '.000000'"""
        )
    store.close()
    engine = open_ledger(f"sqlite:///{ledger}")
    with writing(engine) as connection:
        fill_words(connection)
    engine.dispose()


def compare(ledger: Path, given: argparse.Namespace) -> None:
    asked = questions(60)
    port, other = free_port(), free_port()
    ours = [str(Path(sys.executable).parent / "jobledger"), "serve", "--port", str(port), "--per-minute", "0"]
    ours += ["--workers", str(given.workers)]
    theirs = [str(peer(given.peer)), "serve", str(ledger), "--port", str(other), "--setting", "sql_time_limit_ms",
              "60000", "--setting", "facet_time_limit_ms", "60000"]  # fmt: skip
    table = f"/{ledger.stem}/posting.json?_size=50&_shape=objects&_nocount=1"
    print("| question | jobledger p50 ms | p95 ms | Datasette p50 ms | p95 ms | p95 ratio |")
    print("|---|---:|---:|---:|---:|---:|")
    with served([*ours, "--db", f"sqlite:///{ledger}"], port), served(theirs, other):
        for name, mine, yours in (
            (
                "filtered page of 50",
                [f"/api/v1/postings?limit=50&{urlencode(q)}" for q in asked],
                [f"{table}&_sort_desc=first_seen&{urlencode(q)}" for q in asked[:15]],
            ),
            (
                "the same with facets",
                [f"/?limit=50&{urlencode(q)}" for q in asked],
                [
                    f"{table}&_sort_desc=first_seen&{urlencode(q)}&" + "&".join(f"_facet={f}" for f in FACETS)
                    for q in asked[:5]
                ],
            ),
        ):
            a, b = timed(port, mine), timed(other, yours)
            print(f"| {name} | {a[0]:.1f} | {a[1]:.1f} | {b[0]:.1f} | {b[1]:.1f} | {b[1] / a[1]:.1f} |", flush=True)
        status, seconds, size = ask(port, "/")
        print(f"\nfirst page: {size / 1000:.0f} KB, {1000 * seconds:.0f} ms, {json.dumps({'status': status})}")
    with served([*ours, "--db", f"sqlite:///{ledger}"], port):
        print(mixed(port, ledger, given.seconds))


if __name__ == "__main__":
    main()
