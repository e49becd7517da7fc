"""Runs: claimed once, finished once, missed ones written down; on both kinds of ledger."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from db import lease, runs
from db.runs import Outcome
from db.session import open_ledger
from db.source_state import Condition, SourceEntry, conditions, find_condition, keep_sources, set_condition

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=10)
HEALTHY = Outcome(verdict="healthy", complete=True, pages=3, sightings=9, new=4, stats={"finish_reason": "finished"})


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    url = request.getfixturevalue("database_url" if request.param == "sqlite" else "postgres_url")
    engine = open_ledger(url)
    yield engine
    engine.dispose()


def claim(engine: Engine, source: str = "acme", slot: datetime = NOON, holder: str = "me", **more: str) -> int | None:
    return runs.claim_run(engine, source, slot, "schedule", holder, slot, **more)


def require(run_id: int | None) -> int:
    assert run_id is not None
    return run_id


class TestClaiming:
    def test_a_slot_is_claimed_once(self, engine: Engine) -> None:
        first = claim(engine)
        assert first is not None
        assert claim(engine, holder="another") is None
        (row,) = runs.open_runs(engine)
        assert (row.id, row.source, row.scheduled_for, row.state, row.holder) == (first, "acme", NOON, "claimed", "me")

    def test_a_finished_slot_stays_claimed(self, engine: Engine) -> None:
        runs.finish_run(engine, require(claim(engine)), HEALTHY, LATER)
        assert claim(engine) is None

    def test_the_same_moment_in_another_zone_is_the_same_slot(self, engine: Engine) -> None:
        from zoneinfo import ZoneInfo

        assert claim(engine) is not None
        assert claim(engine, slot=NOON.astimezone(ZoneInfo("Asia/Kolkata"))) is None

    def test_other_sources_and_slots_are_free(self, engine: Engine) -> None:
        claims = [claim(engine), claim(engine, source="globex"), claim(engine, slot=LATER)]
        assert len({require(made) for made in claims}) == 3

    def test_a_missed_slot_may_still_run_once(self, engine: Engine) -> None:
        runs.record_missed(engine, "acme", [NOON], "nobody was there", LATER)
        assert claim(engine) is not None
        assert claim(engine) is None
        assert runs.missed_runs(engine) == []

    def test_who_lost_the_lead_claims_nothing(self, engine: Engine) -> None:
        lease.acquire(engine, "scheduler", "another", 40, now=NOON)
        assert claim(engine, lease="scheduler") is None
        assert runs.open_runs(engine) == []
        assert claim(engine, holder="another", lease="scheduler") is not None

    def test_of_many_who_claim_at_once_one_gets_it(self, engine: Engine) -> None:
        barrier, won = threading.Barrier(8), []

        def ask(number: int) -> None:
            barrier.wait()
            made = claim(engine, holder=f"holder {number}")
            if made is not None:
                won.append(made)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1


class TestFinishing:
    def test_what_came_of_it_is_kept(self, engine: Engine) -> None:
        run_id = require(claim(engine))
        outcome = replace(HEALTHY, reasons=("a", "b"), seconds=1.5, log_tail="x" * 20_000)
        assert runs.finish_run(engine, run_id, outcome, LATER, holder="me")
        (row,) = runs.history(engine, "acme")
        assert (row.state, row.verdict, row.finished_at, row.reasons) == ("finished", "healthy", LATER, ("a", "b"))
        assert (row.pages, row.sightings, row.new, row.complete, row.seconds) == (3, 9, 4, True, 1.5)
        assert row.stats == {"finish_reason": "finished"}
        assert row.log_tail == "x" * runs.LOG_TAIL_LIMIT

    def test_a_run_ends_once(self, engine: Engine) -> None:
        run_id = require(claim(engine))
        assert runs.finish_run(engine, run_id, HEALTHY, LATER)
        assert not runs.finish_run(engine, run_id, Outcome(verdict="failed"), LATER)
        assert runs.history(engine, "acme")[0].verdict == "healthy"

    def test_another_holder_cannot_end_it(self, engine: Engine) -> None:
        run_id = require(claim(engine))
        assert not runs.finish_run(engine, run_id, HEALTHY, LATER, holder="another")
        assert runs.open_runs(engine)[0].id == run_id

    def test_the_condition_changes_with_the_run_or_not_at_all(self, engine: Engine) -> None:
        keep_sources(engine, [SourceEntry(name="acme", spider="lever")], NOON)

        def worse(condition: Condition) -> Condition:
            return replace(condition, failures=condition.failures + 1)

        run_id = require(claim(engine))
        assert runs.finish_run(engine, run_id, Outcome(verdict="failed"), LATER, after=worse)
        assert not runs.finish_run(engine, run_id, Outcome(verdict="failed"), LATER, after=worse)
        found = find_condition(engine, "acme")
        assert found is not None
        assert found.failures == 1

    def test_heartbeats_tell_whether_it_is_still_ours(self, engine: Engine) -> None:
        run_id = require(claim(engine))
        assert runs.heartbeat(engine, run_id, "me", LATER)
        assert not runs.heartbeat(engine, run_id, "another", LATER)
        (row,) = runs.open_runs(engine)
        assert (row.state, row.heartbeat_at) == ("running", LATER)
        runs.finish_run(engine, run_id, HEALTHY, LATER)
        assert not runs.heartbeat(engine, run_id, "me", LATER)


class TestMissing:
    def test_missed_slots_are_rows_with_a_reason(self, engine: Engine) -> None:
        slots = [NOON + timedelta(hours=hour) for hour in range(3)]
        assert runs.record_missed(engine, "acme", slots, "nobody was there", LATER) == 3
        rows = runs.missed_runs(engine, "acme")
        assert [row.scheduled_for for row in rows] == slots[::-1]
        assert {row.reasons for row in rows} == {("nobody was there",)}

    def test_a_slot_that_ran_is_not_missed(self, engine: Engine) -> None:
        claim(engine)
        assert runs.record_missed(engine, "acme", [NOON], "late", LATER) == 0
        assert runs.record_missed(engine, "acme", [], "none", LATER) == 0
        assert runs.open_runs(engine)[0].state == "claimed"


class TestAsking:
    @pytest.fixture(autouse=True)
    def known(self, engine: Engine) -> None:
        keep_sources(engine, [SourceEntry(name=name, spider="x") for name in ("acme", "globex", "@aggregate")], NOON)

    def test_accounted_is_the_newest_slot_that_has_passed(self, engine: Engine) -> None:
        claim(engine)
        runs.record_missed(engine, "acme", [NOON + timedelta(days=1)], "a clock ran ahead", NOON)
        assert runs.accounted(engine, ["acme", "globex"], LATER) == {"acme": NOON}

    def test_a_crawl_by_hand_accounts_for_no_slot(self, engine: Engine) -> None:
        runs.claim_run(engine, "acme", LATER, "manual", "me", LATER)
        claim(engine)
        assert runs.accounted(engine, ["acme"], LATER) == {"acme": NOON}

    def test_last_runs_leave_missed_slots_out(self, engine: Engine) -> None:
        claim(engine)
        runs.record_missed(engine, "acme", [LATER], "late", LATER)
        assert runs.last_runs(engine, ["acme", "globex"])["acme"].scheduled_for == NOON

    def test_recent_runs_leave_our_own_jobs_out(self, engine: Engine) -> None:
        claim(engine)
        claim(engine, source="@aggregate")
        assert [row.source for row in runs.recent_runs(engine)] == ["acme"]
        assert len(runs.recent_runs(engine, jobs=True)) == 2
        assert [row.source for row in runs.recent_runs(engine, "@aggregate")] == ["@aggregate"]

    def test_only_old_runs_of_our_own_jobs_are_forgotten(self, engine: Engine) -> None:
        for name in ("acme", "@aggregate"):
            for day in range(4):
                slot = NOON + timedelta(days=day)
                runs.finish_run(engine, require(claim(engine, source=name, slot=slot)), HEALTHY, slot)
        assert runs.forget_job_runs(engine, NOON + timedelta(days=30)) == 3
        assert runs.accounted(engine, ["@aggregate"], NOON + timedelta(days=30)) == {
            "@aggregate": NOON + timedelta(days=3)
        }
        assert len(runs.history(engine, "acme")) == 4


class TestSourceState:
    ACME = SourceEntry(name="acme", spider="lever", schedule="0 6 * * *")

    def test_a_new_source_is_followed_from_now_on(self, engine: Engine) -> None:
        keep_sources(engine, [self.ACME], NOON)
        assert conditions(engine) == {"acme": Condition(name="acme", scheduled_since=NOON)}

    def test_what_is_known_stays_when_nothing_changed(self, engine: Engine) -> None:
        keep_sources(engine, [self.ACME], NOON)
        set_condition(engine, "acme", lambda condition: replace(condition, failures=2, ailment="blocked"))
        before = conditions(engine)
        keep_sources(engine, [self.ACME], LATER)
        assert conditions(engine) == before

    @pytest.mark.parametrize("change", [{"schedule": "0 7 * * *"}, {"enabled": False}], ids=["schedule", "enabled"])
    def test_another_schedule_begins_anew(self, engine: Engine, change: dict[str, object]) -> None:
        keep_sources(engine, [self.ACME], NOON)
        keep_sources(engine, [replace(self.ACME, **change)], LATER)
        assert conditions(engine)["acme"].scheduled_since == LATER

    def test_another_address_does_not(self, engine: Engine) -> None:
        keep_sources(engine, [self.ACME], NOON)
        keep_sources(engine, [replace(self.ACME, url="https://careers.acme.example/")], LATER)
        assert conditions(engine)["acme"].scheduled_since == NOON

    def test_a_source_that_left_the_file_and_comes_back_is_followed_anew(self, engine: Engine) -> None:
        keep_sources(engine, [self.ACME], NOON)
        keep_sources(engine, [], LATER)
        keep_sources(engine, [self.ACME], LATER + timedelta(days=9))
        assert conditions(engine)["acme"].scheduled_since == LATER + timedelta(days=9)

    def test_the_condition_of_an_unknown_source_is_nobody_s(self, engine: Engine) -> None:
        set_condition(engine, "nobody", lambda condition: replace(condition, failures=9))
        assert find_condition(engine, "nobody") is None


slots = st.integers(0, 5).map(lambda hour: NOON + timedelta(hours=hour))
steps = st.lists(st.tuples(st.sampled_from(["claim", "finish", "miss"]), slots), max_size=25)
numbers = itertools.count()
"""Each example has a source of its own: the ledger is the same for all."""


@given(steps=steps)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_slot_has_one_row_and_runs_at_most_once(ledger: Engine, steps: list[tuple[str, datetime]]) -> None:
    """Whatever is done in whatever order: the model says who may claim, the table agrees."""
    name = f"source-{next(numbers)}"
    claimed: dict[datetime, int] = {}
    missed: set[datetime] = set()
    for action, slot in steps:
        if action == "claim":
            made = claim(ledger, source=name, slot=slot)
            assert (made is not None) == (slot not in claimed)
            claimed |= {slot: made} if made is not None else {}
            missed.discard(slot)
        elif action == "miss":
            new = runs.record_missed(ledger, name, [slot], "late", LATER)
            assert new == (slot not in claimed and slot not in missed)
            missed |= {slot} - claimed.keys()
        elif slot in claimed:
            runs.finish_run(ledger, claimed[slot], HEALTHY, LATER)
    assert {row.scheduled_for for row in runs.missed_runs(ledger, name)} == missed
    assert {row.scheduled_for for row in runs.recent_runs(ledger, name)} == set(claimed)
