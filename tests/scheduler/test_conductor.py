"""Decisions carried out against a real ledger, on both kinds; and simulated days of downtime, kills and clocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Engine

from db import lease, runs
from db.holder import this_holder
from db.runs import Outcome
from db.session import open_ledger
from db.source_state import conditions, find_condition
from scheduler import conductor
from scheduler.conditions import after_run
from scheduler.conductor import ABANDONED, LEASE, SILENT_AFTER, Conductor
from scheduler.decide import Start
from scheduler.jobs import Claimed
from scheduler.soak import BROKEN, HEALTHY, START, World, count_rows, kills, simulated_sources, year
from scheduler.timetable import next_runs
from scraper.sources import Source

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOURLY = Source(name="acme", spider="lever", token="acme", schedule="0 * * * *")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    url = request.getfixturevalue("database_url" if request.param == "sqlite" else "postgres_url")
    engine = open_ledger(url)
    yield engine
    engine.dispose()


class Hand:
    """A conductor whose runs are ended by hand."""

    def __init__(self, engine: Engine, holder: str = "me", room: int = 99, lease_name: str | None = None) -> None:
        self.engine, self.launched = engine, list[tuple[Start, Claimed]]()
        self.room = room
        self.conductor = Conductor(
            engine,
            holder=holder,
            launch=lambda start, run: self.launched.append((start, run)),
            has_room=lambda _job: len(self.launched) < self.room,
            lease=lease_name,
            jobs=(),
        )

    def finish(self, outcome: Outcome, now: datetime) -> None:
        for start, run in self.launched:
            change = partial(after_run, outcome=outcome, interval=start.job.interval, now=now)
            runs.finish_run(self.engine, run.id, outcome, now, after=change)
            self.conductor.is_over(run.id)
        self.launched.clear()


def test_a_slot_is_claimed_launched_and_not_repeated(engine: Engine) -> None:
    hand = Hand(engine)
    hand.conductor.follow([HOURLY], START)
    assert hand.conductor.tick(START).started == 1
    ((start, run),) = hand.launched
    assert (start.job.name, run.scheduled_for, run.trigger) == ("acme", START, "schedule")
    assert hand.conductor.tick(START + MINUTE).started == 0
    hand.finish(HEALTHY, START + MINUTE)
    assert hand.conductor.tick(START + 2 * MINUTE).started == 0
    assert hand.conductor.tick(START + HOUR + MINUTE).started == 1


def test_without_room_a_due_job_waits_unclaimed(engine: Engine) -> None:
    hand = Hand(engine, room=2)
    hand.conductor.follow(simulated_sources(5, lambda _: "0 * * * *"), START)
    report = hand.conductor.tick(START)
    assert (report.started, report.waiting) == (2, 3)
    assert len(runs.open_runs(engine)) == 2
    hand.finish(HEALTHY, START)
    assert hand.conductor.tick(START).started == 2


def test_a_disabled_source_and_one_without_schedule_never_run(engine: Engine) -> None:
    idle = [
        Source(name="off", spider="lever", schedule="* * * * *", enabled=False),
        Source(name="by-hand", spider="lever"),
    ]
    hand = Hand(engine)
    hand.conductor.follow(idle, START)
    assert hand.conductor.tick(START + DAY).started == 0
    assert set(conditions(engine)) == {"off", "by-hand"}


def test_who_lost_the_lead_starts_nothing(engine: Engine) -> None:
    """A frozen scheduler thaws inside a round: it still believes that it leads."""
    hand = Hand(engine, "frozen", lease_name=LEASE)
    lease.acquire(engine, LEASE, "frozen", 40, now=START)
    hand.conductor.follow([HOURLY], START)
    lease.acquire(engine, LEASE, "other", 40, now=START + MINUTE)
    assert hand.conductor.tick(START + MINUTE).started == 0
    assert hand.launched == []
    assert count_rows(engine) == 0


def test_a_crawl_by_hand_is_waited_for(engine: Engine) -> None:
    hand = Hand(engine)
    hand.conductor.follow([HOURLY], START)
    run_id = runs.claim_run(engine, "acme", START + timedelta(seconds=7), "manual", "somebody", START)
    assert run_id is not None
    assert hand.conductor.tick(START + timedelta(seconds=30)).started == 0
    runs.finish_run(engine, run_id, HEALTHY, START + MINUTE)
    assert hand.conductor.tick(START + MINUTE).started == 1


class TestTheDead:
    def leave(self, engine: Engine, holder: str) -> Hand:
        """A scheduler that starts a run and dies."""
        dead = Hand(engine, holder)
        dead.conductor.follow([HOURLY], START)
        dead.conductor.tick(START)
        return Hand(engine, "heir")

    def test_a_silent_run_is_given_up_without_blame_and_tried_again(self, engine: Engine) -> None:
        heir = self.leave(engine, "elsewhere/1/1")
        heir.conductor.follow([HOURLY], START + MINUTE)
        assert heir.conductor.tick(START + SILENT_AFTER).abandoned == 0
        now = START + SILENT_AFTER + timedelta(seconds=1)
        assert heir.conductor.tick(now).abandoned == 1
        (row,) = runs.history(engine, "acme")
        assert (row.verdict, row.reasons) == ("failed", (ABANDONED,))
        condition = find_condition(engine, "acme")
        assert condition is not None
        assert (condition.failures, condition.ailment) == (0, None)
        assert heir.conductor.tick(now + MINUTE).started == 1
        assert heir.launched[0][1].trigger == "probe"

    def test_a_run_that_kills_its_scheduler_twice_waits_for_its_slot(self, engine: Engine) -> None:
        now = START
        for _ in range(2):
            heir = self.leave(engine, "elsewhere/1/1")
            heir.conductor.follow([HOURLY], now)
            now += 2 * MINUTE
            heir.conductor.tick(now)
            now += 2 * MINUTE
            heir.conductor.tick(now)  # the extra attempt, which dies as well
            now += 2 * MINUTE
            Hand(engine, "heir of the heir").conductor.tick(now)
        assert runs.history(engine, "acme")[0].reasons == (ABANDONED,)
        last = Hand(engine, "last")
        last.conductor.follow([HOURLY], now)
        assert last.conductor.tick(now + 10 * MINUTE).started == 0
        assert last.conductor.tick(START + HOUR + MINUTE).started == 1

    def test_a_holder_of_this_machine_is_seen_to_be_dead_at_once(self, engine: Engine) -> None:
        host = this_holder().partition("/")[0]
        heir = self.leave(engine, f"{host}/4194305/1")  # no process has this number: pid_max is 4194304 at most
        heir.conductor.follow([HOURLY], START)
        assert heir.conductor.tick(START + timedelta(seconds=1)).abandoned == 1

    def test_a_living_run_is_let_live_and_the_dead_cannot_write(self, engine: Engine) -> None:
        dead = Hand(engine, "elsewhere/1/1")
        dead.conductor.follow([HOURLY], START)
        dead.conductor.tick(START)
        run_id = dead.launched[0][1].id
        heir = Hand(engine, "heir")
        runs.heartbeat(engine, run_id, "elsewhere/1/1", START + MINUTE)
        assert heir.conductor.tick(START + 2 * MINUTE).abandoned == 0
        assert heir.conductor.tick(START + 3 * MINUTE).abandoned == 1
        assert not runs.heartbeat(engine, run_id, "elsewhere/1/1", START + 3 * MINUTE)
        assert not runs.finish_run(engine, run_id, HEALTHY, START + 3 * MINUTE, holder="elsewhere/1/1")


def test_list_shows_next_and_last_run_and_how_it_went(engine: Engine) -> None:
    other = Source(name="globex", spider="lever", schedule="30 * * * *")
    hand = Hand(engine)
    hand.conductor.follow([HOURLY, other], START)
    hand.conductor.tick(START)
    hand.finish(BROKEN, START + MINUTE)
    lines = {line.name: line for line in next_runs([HOURLY, other], START + 2 * MINUTE, engine, jobs=())}
    acme = lines["acme"]
    assert acme.last_run is not None
    assert (acme.last_run.verdict, acme.condition.ailment) == ("failed", "unreachable")
    assert (acme.next_run, acme.next_is_probe) == (START + 6 * MINUTE, True)
    assert acme.cron == "0 * * * *"
    assert acme.what == "crawls acme"


def test_list_works_on_a_ledger_that_no_scheduler_has_seen(engine: Engine) -> None:
    (line,) = next_runs([HOURLY], START, engine, jobs=())
    assert (line.last_run, line.next_run) == (None, START)


class TestSimulated:
    def test_six_hours_down(self, ledger: Engine) -> None:
        """One coalesced catch-up a source, and a record of what was missed."""
        world = World(ledger, simulated_sources(6, lambda i: f"{i * 10} * * * *"))
        world.begin("before")
        world.run_until(START + 2 * HOUR + 2 * MINUTE, MINUTE)
        world.kill("before")
        world.triggers.clear()
        world.begin("after")
        world.step(START + 8 * HOUR + 5 * MINUTE)
        world.run_until(START + 8 * HOUR + 8 * MINUTE, MINUTE)
        assert world.triggers == {"catch_up": 6}
        for source in world.sources:
            missed = runs.missed_runs(ledger, source.name)
            assert len(missed) == 5
            assert all("no scheduler was leading" in row.reasons[0] for row in missed)
        assert world.problems() == []

    @pytest.mark.parametrize("seed", range(2))
    def test_two_schedulers_one_killed_or_frozen_every_few_minutes(self, ledger: Engine, seed: int) -> None:
        world = kills(ledger, sources=4, minutes=60, seed=seed)
        assert world.problems() == []
        assert sum(world.launched.values()) > 100

    def test_two_schedulers_on_postgresql(self, postgres_url: str) -> None:
        engine = open_ledger(postgres_url)
        world = kills(engine, sources=3, minutes=30, seed=9)
        assert world.problems() == []
        engine.dispose()

    def test_a_takeover_takes_less_than_a_minute(self, ledger: Engine) -> None:
        world = World(ledger, simulated_sources(1, lambda _: "* * * * *"))
        world.begin("first")
        world.begin("second")
        world.run_until(START + 5 * MINUTE, timedelta(seconds=5))
        assert [actor.name for actor in world.actors.values() if actor.leads] == ["first"]
        world.kill("first")
        died = world.now
        while not world.actors["second"].leads:
            world.step(world.now + timedelta(seconds=5))
        assert world.now - died < MINUTE

    def test_weeks_of_many_sources(self, ledger: Engine) -> None:
        """A short year: `python -m scheduler.soak year` lives through the long one, with five hundred."""
        world = year(ledger, sources=25, days=10)
        assert world.problems() == []
        assert world.triggers["catch_up"] == 0
        assert world.latest < 2 * MINUTE, "no drift"
        assert max(world.objects) < 1.1 * world.objects[0], "no leak"
        rows = runs.recent_runs(ledger, limit=10_000)
        assert len(rows) == sum(world.launched.values()) == count_rows(ledger)

    @pytest.mark.soak
    def test_a_year_of_many_sources(self, ledger: Engine) -> None:
        world = year(ledger, sources=100, days=365)
        assert world.problems() == []
        assert (world.triggers["catch_up"], world.latest < 2 * MINUTE) == (0, True)
        assert max(world.objects) < 1.1 * world.objects[0], "no leak"
        assert count_rows(ledger) >= 100 * 365

    def test_a_clock_set_back_an_hour_and_forward_a_day(self, ledger: Engine) -> None:
        world = World(ledger, [HOURLY])
        world.begin("one")
        world.run_until(START + 5 * HOUR, MINUTE)
        ran = sum(world.launched.values())
        world.now -= HOUR
        world.run_until(START + 5 * HOUR + 2 * MINUTE, MINUTE)
        assert sum(world.launched.values()) == ran + 1  # the fifth hour's own slot, whose delay had not passed
        world.now += DAY
        world.run_until(START + DAY + 7 * HOUR, MINUTE)
        assert world.problems() == []
        assert world.triggers["catch_up"] == 1
        assert len(runs.missed_runs(ledger)) == 23

    def test_a_clock_that_ran_ahead_a_day_and_is_set_right_silences_nothing(self, ledger: Engine) -> None:
        world = World(ledger, [HOURLY])
        world.begin("one")
        world.run_until(START + 3 * HOUR, MINUTE)
        world.now += DAY
        world.run_until(START + DAY + 4 * HOUR, MINUTE)
        world.now = START + 4 * HOUR + 2 * MINUTE
        world.step(world.now)
        before = set(world.launched)
        world.run_until(START + 12 * HOUR + 2 * MINUTE, MINUTE)
        again = {slot for _, slot in set(world.launched) - before}
        assert again == {START + hour * HOUR for hour in range(5, 13)}
        assert world.problems(end=START + 12 * HOUR) == []

    def test_a_rest_is_recorded_slot_by_slot(self, ledger: Engine) -> None:
        world = World(ledger, [HOURLY], fate=lambda _name, _now: (BROKEN, timedelta(0)))
        world.begin("one")
        world.run_until(START + 2 * DAY, 5 * MINUTE)
        assert world.problems() == []
        condition = find_condition(ledger, "acme")
        assert condition is not None
        assert (condition.circuit, condition.ailment) == ("open", "unreachable")
        assert all("resting until" in row.reasons[0] for row in runs.missed_runs(ledger))
        assert world.triggers["probe"] > 3


def test_staleness_is_noticed_without_a_run(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conductor, "CHECK_EVERY", timedelta(0))
    hand = Hand(engine, room=0)
    hand.conductor.follow([HOURLY], START)
    hand.conductor.tick(START + 3 * DAY)
    condition = find_condition(engine, "acme")
    assert condition is not None
    assert (condition.ailment, condition.ailment_since) == ("stale", START + 3 * DAY)
