"""Leases: one holder at a time, on both kinds of ledger."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from db.lease import acquire, find_lease, holds, release, renew
from db.session import open_ledger, writing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    url = request.getfixturevalue("database_url" if request.param == "sqlite" else "postgres_url")
    engine = open_ledger(url)
    yield engine
    engine.dispose()


def test_the_first_takes_it_and_the_second_waits(engine: Engine) -> None:
    assert acquire(engine, "scheduler", "one", 40, now=NOON)
    assert not acquire(engine, "scheduler", "two", 40, now=after(39))
    held = find_lease(engine, "scheduler")
    assert held is not None
    assert (held.holder, held.acquired_at, held.expires_at) == ("one", NOON, after(40))


def test_the_holder_keeps_it_by_asking_again(engine: Engine) -> None:
    assert acquire(engine, "scheduler", "one", 40, now=NOON)
    assert acquire(engine, "scheduler", "one", 40, now=after(30))
    assert not acquire(engine, "scheduler", "two", 40, now=after(50))
    held = find_lease(engine, "scheduler")
    assert held is not None
    assert (held.acquired_at, held.expires_at) == (NOON, after(70))


def test_it_is_taken_over_when_it_expires(engine: Engine) -> None:
    assert acquire(engine, "scheduler", "one", 40, now=NOON)
    assert acquire(engine, "scheduler", "two", 40, now=after(40))
    assert not renew(engine, "scheduler", "one", 40, now=after(41))
    assert not acquire(engine, "scheduler", "one", 40, now=after(41))


def test_an_expired_lease_that_nobody_took_is_renewed(engine: Engine) -> None:
    assert acquire(engine, "scheduler", "one", 40, now=NOON)
    assert renew(engine, "scheduler", "one", 40, now=after(300))
    assert not acquire(engine, "scheduler", "two", 40, now=after(301))


def test_a_released_lease_is_free_at_once(engine: Engine) -> None:
    assert acquire(engine, "scheduler", "one", 40, now=NOON)
    assert not release(engine, "scheduler", "two")
    assert release(engine, "scheduler", "one")
    assert acquire(engine, "scheduler", "two", 40, now=after(1))


def test_leases_of_other_names_do_not_mix(engine: Engine) -> None:
    assert acquire(engine, "scheduler", "one", 40, now=NOON)
    assert acquire(engine, "other", "two", 40, now=NOON)


def test_a_lease_from_a_clock_that_ran_ahead_does_not_bar_everyone(engine: Engine) -> None:
    assert acquire(engine, "scheduler", "one", 40, now=NOON + timedelta(days=1))
    assert acquire(engine, "scheduler", "two", 40, now=NOON)


def test_without_a_moment_the_ledger_s_clock_counts(engine: Engine) -> None:
    before = datetime.now(UTC)
    assert acquire(engine, "scheduler", "one", 40)
    after = datetime.now(UTC)
    held = find_lease(engine, "scheduler")
    assert held is not None
    assert before - timedelta(seconds=1) < held.acquired_at < after + timedelta(seconds=1)


def test_holds_is_asked_inside_a_transaction(engine: Engine) -> None:
    acquire(engine, "scheduler", "one", 40, now=NOON)
    with writing(engine) as connection:
        assert holds(connection, "scheduler", "one")
        assert not holds(connection, "scheduler", "two")
        assert not holds(connection, "no such lease", "one")


def test_of_many_who_ask_at_once_one_gets_it(engine: Engine) -> None:
    barrier, won = threading.Barrier(8), []

    def ask(name: str) -> None:
        barrier.wait()
        if acquire(engine, "scheduler", name, 40, now=NOON):
            won.append(name)

    threads = [threading.Thread(target=ask, args=(f"holder {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    held = find_lease(engine, "scheduler")
    assert held is not None
    assert held.holder == won[0]


steps = st.lists(
    st.tuples(st.sampled_from(["acquire", "renew", "release"]), st.sampled_from(["a", "b", "c"]), st.integers(0, 60)),
    max_size=30,
)


@given(steps=steps)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_nobody_takes_a_running_lease(ledger: Engine, steps: list[tuple[str, str, int]]) -> None:
    """A model beside the table: who holds it until when, as the rules say."""
    for name in "abc":
        release(ledger, "scheduler", name)
    now, holder, expires = NOON, None, NOON
    for action, who, seconds in steps:
        now += timedelta(seconds=seconds)
        if action == "acquire":
            may = holder in (None, who) or expires <= now
            assert acquire(ledger, "scheduler", who, 40, now=now) == may
        elif action == "renew":
            may = holder == who
            assert renew(ledger, "scheduler", who, 40, now=now) == may
        else:
            assert release(ledger, "scheduler", who) == (holder == who)
            may, holder = False, None if holder == who else holder
        if may:
            holder, expires = who, now + timedelta(seconds=40)
