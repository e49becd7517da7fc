"""The whole scheduler against loopback sites, killed again and again: `python -m benchmarks.scheduler_live`.

Five sources are read every minute by `jobledger schedule run`, which is killed with SIGKILL three times and started
again. Afterwards every slot must have one row, and the ledger must equal that of a scheduler that nobody disturbed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, MetaData, Table, select

from db.runs import open_runs
from db.session import open_ledger, reading
from db.source_state import conditions
from db.tables import RUN
from processes.launch import command as module_command
from scheduler.cron import slots
from scraper.site import serve

ENTRY = """[[source]]
name = "sample-{number}"
spider = "articles"
url = "{base}/"
schedule = "* * * * *"
allow_hosts = ["127.0.0.1"]
"""
SITES = 5
"""Each on a port of its own: crawls of one host would wait for each other."""
CAUGHT = 2
"""So many crawls at least are cut by each kill."""
COMPARED = (
    "raw_posting",
    "article",
    "article_section",
    "sighting",
    "posting",
    "posting_flag",
    "article_claim",
    "company",
)
NOT_COMPARED = frozenset(
    {"first_seen", "last_seen", "raised_at", "at", "fx_date", "id", "posting_id", "url", "content_hash"}
)
"""Times, and what follows from which of five equal boards was read first; everything else must agree."""


@contextmanager
def scheduler(url: str, sources: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = module_command("service", "--db", url, "schedule", "run", "--sources", str(sources))
    with log.open("ab") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(120)


def disturbed(url: str, sources: Path, log: Path, minutes: float, kills: int) -> None:
    """Lets the scheduler live for `minutes`, with `kills` evenly spread deaths, each while crawls are under way."""
    began = time.monotonic()
    for number in range(kills + 1):
        with scheduler(url, sources, log) as process:
            until = began + 60 * minutes * (number + 1) / (kills + 1)
            time.sleep(max(until - time.monotonic(), 0))
            if number < kills:
                while not crawls_under_way(url):
                    time.sleep(0.05)
                time.sleep(1)  # some have read pages by then
                os.kill(process.pid, signal.SIGKILL)


def crawls_under_way(url: str) -> bool:
    engine = open_ledger(url)
    try:
        return sum(not run.source.startswith("@") for run in open_runs(engine)) >= CAUGHT
    finally:
        engine.dispose()


def content(engine: Engine, name: str) -> dict[str, Counter[str]]:
    """The rows of a table without its times, as one text each; and each column's values by themselves."""
    table = Table(name, MetaData(), autoload_with=engine)
    columns = [column for column in table.c if column.name not in NOT_COMPARED]
    with reading(engine) as connection:
        rows = connection.execute(select(*columns)).all()
    by_column = {column.name: Counter(str(row[i]) for row in rows) for i, column in enumerate(columns)}
    return {"": Counter(map(str, rows)), **by_column}


def differences(one: dict[str, Counter[str]], other: dict[str, Counter[str]]) -> list[str]:
    """Columns whose values differ, with an example of each side; the whole rows when no single column tells."""
    names = [name for name in one if name and one[name] != other[name]] or [""] * (one[""] != other[""])
    return [
        f"{name or 'rows'}: {list(one[name] - other[name])[:2]} / {list(other[name] - one[name])[:2]}" for name in names
    ]


def slot_problems(engine: Engine) -> list[str]:
    """Slots without a row; a slot can have no second one, the table forbids it."""
    found = []
    for name, condition in conditions(engine).items():
        if name.startswith("@") or condition.scheduled_since is None:
            continue
        with reading(engine) as connection:
            seen = set(connection.execute(select(RUN.c.scheduled_for).where(RUN.c.source == name)).scalars())
        wanted = slots("* * * * *", condition.scheduled_since, max(seen) - timedelta(seconds=1))
        found += [f"{name}: no row for {slot}" for slot in wanted if slot not in seen]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scheduler_live", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--kills", type=int, default=3)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as sites:
        here = Path(folder)
        bases = [sites.enter_context(serve()) for _ in range(SITES)]
        sources = here / "sources.toml"
        sources.write_text("\n".join(ENTRY.format(number=n, base=base) for n, base in enumerate(bases)), "utf-8")
        urls = {name: f"sqlite:///{here / name}.db" for name in ("disturbed", "undisturbed")}
        disturbed(urls["disturbed"], sources, here / "disturbed.log", chosen.minutes, chosen.kills)
        disturbed(urls["undisturbed"], sources, here / "undisturbed.log", 2.5, 0)
        engines = {name: open_ledger(url) for name, url in urls.items()}
        for name in engines:  # what the last crawls brought is read too
            subprocess.run(module_command("service", "--db", urls[name], "aggregate"), check=True)
        with reading(engines["disturbed"]) as connection:
            rows = connection.execute(select(RUN.c.source, RUN.c.state, RUN.c.verdict, RUN.c.trigger)).all()
        told = Counter((row.state, row.verdict, row.trigger) for row in rows if not row.source.startswith("@"))
        problems = slot_problems(engines["disturbed"])
        for name in COMPARED:
            one, other = (content(engines[side], name) for side in ("disturbed", "undisturbed"))
            unequal = (one[""] - other[""]).total()
            sys.stdout.write(f"{name}: {one[''].total()} rows, {unequal} differ\n")
            problems += [f"{name}.{difference[:400]}" for difference in differences(one, other)]
        for key, count in told.most_common():
            sys.stdout.write(f"{count} runs {key}\n")
        sys.stdout.write("".join(f"PROBLEM {problem}\n" for problem in problems))
        if problems:
            sys.stdout.write((here / "disturbed.log").read_text("utf-8", "replace")[-4000:])
        for engine in engines.values():
            engine.dispose()
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
