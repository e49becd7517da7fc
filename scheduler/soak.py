"""The scheduler under simulated time: `python -m scheduler.soak` lives through a year, or hours of kills, in minutes.

Conductors, leases and the ledger are the real ones; the clock, the crawls and the deaths are not. Afterwards the run
table is held against the timetable: each slot has one row, and nothing ran twice.
"""

from __future__ import annotations

import argparse
import gc
import logging
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Engine, func, select

from db import lease, runs
from db.runs import Outcome
from db.session import open_ledger, reading
from db.source_state import conditions
from db.tables import RUN
from scheduler.conditions import after_run
from scheduler.conductor import LEASE, Conductor
from scheduler.cron import slots
from scheduler.decide import Start
from scheduler.jobs import Claimed
from scheduler.timetable import Job
from scraper.sources import Source

LEASE_SECONDS = 40.0
START = datetime(2027, 1, 1, tzinfo=UTC)
HEALTHY = Outcome(verdict="healthy", complete=True, pages=1, seconds=1.0, stats={"finish_reason": "finished"})
BROKEN = Outcome(verdict="failed", reasons=("down",), stats={"downloader/response_status_count/503": 3})

Fate = Callable[[str, datetime], tuple[Outcome, timedelta]]
"""What a crawl of a source at a time will come to, and how long it takes."""


Show = Callable[[int, int], None]
"""Is told how much of how much has been lived through."""


def unseen(_done: int, _all: int) -> None:
    """Nobody watches."""


def always_healthy(_source: str, _now: datetime) -> tuple[Outcome, timedelta]:
    return HEALTHY, timedelta(0)


@dataclass(slots=True)
class InFlight:
    job: Job
    run: Claimed
    outcome: Outcome
    ends_at: datetime


@dataclass(slots=True)
class Actor:
    """One simulated scheduler process."""

    name: str
    conductor: Conductor
    leads: bool = False
    frozen: bool = False
    in_flight: list[InFlight] = field(default_factory=list)


class World:
    """A ledger, its sources, a clock that is turned by hand, and the schedulers that live in it."""

    def __init__(
        self, engine: Engine, sources: Sequence[Source], fate: Fate = always_healthy, workers: int = 8
    ) -> None:
        self.engine, self.sources, self.fate, self.workers = engine, tuple(sources), fate, workers
        self.actors: dict[str, Actor] = {}
        self.launched: Counter[tuple[str, datetime]] = Counter()
        self.triggers: Counter[str] = Counter()
        self.latest = timedelta(0)
        """The longest time between a slot and a start that counts as being on time."""
        self.objects: list[int] = []
        """How many objects lived, each time that somebody counted."""
        self.now = START

    def begin(self, name: str) -> Actor:
        """Starts a scheduler; a name that lived before is a new process."""
        launch = partial(self._launch, name)
        conductor = Conductor(self.engine, holder=name, launch=launch, has_room=lambda _: self._room(name), jobs=())
        self.actors[name] = Actor(name, conductor)
        return self.actors[name]

    def kill(self, name: str) -> None:
        """Ends a scheduler and its crawls without a word."""
        del self.actors[name]

    def step(self, now: datetime) -> None:
        """One moment: crawls end, hearts beat, each scheduler that lives goes round once."""
        self.now = now
        for actor in list(self.actors.values()):
            if not actor.frozen:
                self._end_crawls(actor)
                self._round(actor)

    def run_until(self, end: datetime, every: timedelta) -> None:
        while self.now + every <= end:
            self.step(self.now + every)

    def _round(self, actor: Actor) -> None:
        leads = lease.acquire(self.engine, LEASE, actor.name, LEASE_SECONDS, now=self.now)
        if leads and not actor.leads:
            actor.conductor.lead(self.now)
            actor.conductor.follow(self.sources, self.now)
        actor.leads = leads
        if leads:
            actor.conductor.tick(self.now)
            self._end_crawls(actor)  # those that take no time

    def _room(self, name: str) -> bool:
        return len(self.actors[name].in_flight) < self.workers

    def _launch(self, name: str, start: Start, run: Claimed) -> None:
        self.launched[run.name, run.scheduled_for] += 1
        self.triggers[run.trigger] += 1
        if run.trigger == "schedule":
            self.latest = max(self.latest, self.now - run.scheduled_for)
        outcome, duration = self.fate(run.name, self.now)
        flight = InFlight(start.job, run, outcome, self.now + duration)
        self.actors[name].in_flight.append(flight)
        if duration == timedelta(0):
            self._end_crawls(self.actors[name])

    def _end_crawls(self, actor: Actor) -> None:
        for flight in [flight for flight in actor.in_flight if flight.ends_at <= self.now]:
            actor.in_flight.remove(flight)
            change = partial(after_run, outcome=flight.outcome, interval=flight.job.interval, now=self.now)
            runs.finish_run(self.engine, flight.run.id, flight.outcome, self.now, holder=actor.name, after=change)
            actor.conductor.is_over(flight.run.id)
        for flight in actor.in_flight:
            runs.heartbeat(self.engine, flight.run.id, actor.name, self.now)

    def count_objects(self) -> None:
        """Counts what lives in this process besides our own book-keeping, so that a leak shows as growth."""
        gc.collect()
        self.objects.append(len(gc.get_objects()))

    def problems(self, end: datetime | None = None) -> list[str]:
        """Where the run table and the timetable disagree; empty when every slot is accounted for once."""
        found = [f"{name} ran {n} times for {slot}" for (name, slot), n in self.launched.items() if n > 1]
        known = conditions(self.engine)
        for source in self.sources:
            since = known[source.name].scheduled_since or START
            with reading(self.engine) as connection:
                rows = connection.execute(
                    select(RUN.c.scheduled_for, RUN.c.state).where(RUN.c.source == source.name)
                ).all()
            states = {row.scheduled_for: row.state for row in rows}
            last = max((slot for slot in states if end is None or slot <= end), default=since)
            assert source.schedule is not None
            lost = [slot for slot in slots(source.schedule, since, last) if slot not in states]
            found += [f"{source.name}: no row for {slot}" for slot in lost]
            for slot, state in states.items():
                launched = self.launched[source.name, slot]
                if (state == "missed") == bool(launched):
                    found.append(f"{source.name}: the row of {slot} is {state}, it was launched {launched} times")
        return found


def count_rows(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(RUN)).scalar_one())


def simulated_sources(number: int, schedule: Callable[[int], str]) -> list[Source]:
    return [Source(name=f"source-{i:04}", spider="lever", token=f"t{i}", schedule=schedule(i)) for i in range(number)]


def year(engine: Engine, sources: int, days: int, seed: int = 1, show: Show = unseen) -> World:
    """Daily sources at every hour, one of twenty ill for weeks at a time; the clock goes by quarters of an hour."""
    chance = random.Random(seed)  # noqa: S311 - a simulation wants repeatable numbers
    ill = {f"source-{i:04}": chance.randrange(20) == 0 for i in range(sources)}

    def fate(source: str, now: datetime) -> tuple[Outcome, timedelta]:
        broken = ill[source] and (now - START).days // 30 % 2 == 1
        return (BROKEN if broken else HEALTHY), timedelta(0)

    listed = simulated_sources(sources, lambda i: f"{i * 15 % 60} {i % 24} * * *")
    world = World(engine, listed, fate, workers=sources)
    world.begin("only")
    world.step(START + timedelta(seconds=65))  # past the longest delay, so that each slot is met in time
    for day in range(1, days + 1):
        world.run_until(START + timedelta(days=day), timedelta(minutes=15))
        if 4 * day // days > 4 * (day - 1) // days:  # four times in all
            world.count_objects()
        show(day, days)
    return world


def kills(engine: Engine, sources: int, minutes: int, seed: int = 1, show: Show = unseen) -> World:
    """Minutely sources, two schedulers, one of which is killed or frozen every few minutes."""
    chance = random.Random(seed)  # noqa: S311

    def fate(_source: str, _now: datetime) -> tuple[Outcome, timedelta]:
        return (HEALTHY if chance.random() < 0.9 else BROKEN), timedelta(seconds=chance.choice((0, 5, 20, 90)))

    world = World(engine, simulated_sources(sources, lambda _: "* * * * *"), fate, workers=4)
    generation, back_at = 0, dict.fromkeys(("east", "west"), START)
    names: dict[str, str] = {}
    while world.now < START + timedelta(minutes=minutes):
        for side, moment in back_at.items():
            actor = world.actors.get(names.get(side, ""))
            if actor is not None and actor.frozen and world.now >= moment:
                actor.frozen = False
            elif actor is None and world.now >= moment:
                generation += 1
                names[side] = f"{side}-{generation}"
                world.begin(names[side])
        if chance.random() < 1 / 30:  # every five minutes or so, at steps of ten seconds
            side = chance.choice(("east", "west"))
            if names.get(side) in world.actors and not world.actors[names[side]].frozen:
                back_at[side] = world.now + timedelta(seconds=chance.choice((20, 60, 180)))
                if chance.random() < 0.7:
                    world.kill(names[side])
                else:
                    world.actors[names[side]].frozen = True
        world.step(world.now + timedelta(seconds=10))
        show(int((world.now - START) / timedelta(minutes=1)), minutes)
    return world


@contextmanager
def shown(what: str) -> Iterator[Show]:
    """A bar on stderr, where that is a terminal."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, everything: bar.update(task, completed=done, total=everything)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scheduler.soak", description=__doc__)
    parser.add_argument("what", choices=("year", "kills"))
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--db", help="an empty ledger; a temporary SQLite file by default")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # every missed slot of a year
    with tempfile.TemporaryDirectory() as folder:
        engine = open_ledger(chosen.db or f"sqlite:///{Path(folder) / 'soak.db'}")
        began = time.monotonic()
        with shown("days" if chosen.what == "year" else "minutes") as show:
            if chosen.what == "year":
                world = year(engine, chosen.sources, chosen.days, chosen.seed, show)
            else:
                world = kills(engine, chosen.sources, chosen.minutes, chosen.seed, show)
        problems = world.problems()
        facts = {
            "simulated": str(world.now - START),
            "launched": sum(world.launched.values()),
            "rows": count_rows(engine),
            "triggers": dict(world.triggers),
            "seconds": round(time.monotonic() - began, 1),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "latest_start": str(world.latest),
            "objects": world.objects,
            "problems": len(problems),
        }
        engine.dispose()
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in facts.items()))
    sys.stdout.write("".join(f"{problem}\n" for problem in problems[:20]))
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
