"""How a source's condition changes: retries, circuits, staleness, and when somebody is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from db.runs import Outcome
from db.source_state import Condition
from scheduler.ailments import AILMENTS, BY_CODE
from scheduler.conditions import (
    SOON,
    after_abandoned,
    after_run,
    at_moment,
    postponed,
    probing,
    stale_bound,
    to_tell,
    told,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WELL = Condition(name="acme", scheduled_since=NOON - 30 * DAY, last_healthy_at=NOON - HOUR)
HEALTHY = Outcome(verdict="healthy", stats={"finish_reason": "finished"})
DOWN = Outcome(verdict="failed", stats={"downloader/response_status_count/503": 3})
BLOCKED = Outcome(verdict="failed", stats={"downloader/response_status_count/403": 1})
NO_HOST = Outcome(verdict="failed", stats={"downloader/exception_type_count/twisted.internet.error.DNSLookupError": 3})
LESS = Outcome(verdict="suspect", pages=3, sightings=4)


def live(outcomes: list[Outcome], condition: Condition = WELL, interval: timedelta = HOUR) -> Condition:
    """The condition after runs one interval apart."""
    for number, outcome in enumerate(outcomes):
        condition = after_run(condition, outcome, interval, NOON + number * interval)
    return condition


class TestRuns:
    def test_a_healthy_run_leaves_nothing_behind(self) -> None:
        ill = replace(WELL, failures=7, circuit="half_open", probe_after=NOON, ailment="blocked", ailment_since=NOON)
        assert live([HEALTHY], ill) == replace(WELL, last_healthy_at=NOON)

    def test_the_first_failure_is_tried_again_in_five_minutes(self) -> None:
        after = live([DOWN])
        assert (after.failures, after.circuit, after.ailment) == (1, "closed", "unreachable")
        assert after.probe_after == NOON + timedelta(minutes=5)

    def test_a_source_read_every_minute_is_not_tried_more_often(self) -> None:
        assert live([DOWN], interval=timedelta(minutes=1)).probe_after == NOON + timedelta(minutes=1)

    def test_the_third_failure_opens_the_circuit(self) -> None:
        after = live([DOWN] * 3)
        assert (after.failures, after.circuit) == (3, "open")
        assert after.probe_after == NOON + 2 * HOUR + HOUR
        assert after.ailment_since == NOON

    def test_rests_grow_and_are_bounded(self) -> None:
        rests = []
        condition = live([DOWN] * 2)
        for _ in range(12):
            condition = after_run(condition, DOWN, HOUR, NOON)
            assert condition.probe_after is not None
            rests.append(condition.probe_after - NOON)
        assert rests == sorted(rests)
        assert rests[:3] == [HOUR, 2 * HOUR, 4 * HOUR]
        assert rests[-1] == BY_CODE["unreachable"].longest_rest

    def test_who_refuses_us_is_left_alone_at_once(self) -> None:
        after = live([BLOCKED])
        assert (after.circuit, after.probe_after) == ("open", NOON + timedelta(hours=6))

    def test_a_failed_probe_opens_the_circuit_again(self) -> None:
        half = replace(live([DOWN] * 3), circuit="half_open")
        assert after_run(half, DOWN, HOUR, NOON).circuit == "open"

    def test_a_suspect_run_drifts_but_goes_on_being_read(self) -> None:
        after = live([DOWN, DOWN, DOWN, LESS])
        assert (after.ailment, after.failures, after.circuit, after.probe_after) == ("drifting", 0, "closed", None)
        assert after.last_healthy_at == WELL.last_healthy_at

    def test_a_host_name_that_is_gone_for_days_is_gone(self) -> None:
        assert live([NO_HOST] * 3, interval=HOUR).ailment == "unreachable"
        after = live([NO_HOST] * 5, interval=DAY)
        assert after.ailment == "gone"
        assert live([NO_HOST], after).ailment == "gone"
        assert live([DOWN], after).ailment == "unreachable"

    def test_since_is_when_this_ailment_began(self) -> None:
        assert live([DOWN, DOWN, BLOCKED, BLOCKED]).ailment_since == NOON + 2 * HOUR


class TestAbandonedAndProbing:
    def test_a_source_whose_scheduler_died_is_read_again_soon(self) -> None:
        after = after_abandoned(WELL, False, NOON)
        assert (after.failures, after.ailment, after.probe_after) == (0, None, NOON + SOON)

    def test_but_not_for_ever(self) -> None:
        assert after_abandoned(WELL, True, NOON).probe_after is None

    def test_a_probe_cut_short_leaves_the_circuit_open(self) -> None:
        half = replace(WELL, circuit="half_open", failures=4, probe_after=NOON)
        assert after_abandoned(half, False, NOON).circuit == "open"

    def test_a_start_uses_the_extra_attempt_up(self) -> None:
        assert probing(replace(WELL, probe_after=NOON)).probe_after is None
        assert probing(replace(WELL, circuit="open", probe_after=NOON)).circuit == "half_open"

    def test_a_moment_that_was_taken_is_replaced(self) -> None:
        assert postponed(replace(WELL, probe_after=NOON), NOON).probe_after == NOON + SOON
        assert postponed(WELL, NOON) == WELL


class TestTime:
    def test_stale_after_three_intervals_and_two_days_at_least(self) -> None:
        assert stale_bound(HOUR) == 2 * DAY
        assert stale_bound(7 * DAY) == 21 * DAY

    def test_a_source_that_was_well_too_long_ago_is_stale(self) -> None:
        late = NOON + 2 * DAY
        assert at_moment(WELL, HOUR, late - HOUR) == WELL
        assert at_moment(WELL, HOUR, late).ailment == "stale"

    def test_one_that_never_was_well_counts_from_when_it_was_followed(self) -> None:
        new = Condition(name="acme", scheduled_since=NOON)
        assert at_moment(new, HOUR, NOON + DAY) == new
        assert at_moment(new, HOUR, NOON + 3 * DAY).ailment == "stale"

    def test_another_ailment_says_more_than_stale(self) -> None:
        ill = replace(WELL, ailment="blocked")
        assert at_moment(ill, HOUR, NOON + 90 * DAY) == ill


class TestTelling:
    def test_once_when_it_breaks_and_once_when_it_heals(self) -> None:
        heard = []
        condition = WELL
        for outcome in [DOWN] * 6 + [HEALTHY] * 2 + [DOWN] * 2 + [HEALTHY]:
            condition = after_run(condition, outcome, HOUR, NOON)
            what = to_tell(condition)
            if what is not None:
                heard.append(what)
                condition = told(condition, what, NOON)
        assert heard == ["broke", "healed"]

    def test_a_hiccup_is_nobody_s_business(self) -> None:
        assert [to_tell(live([DOWN] * count)) for count in (1, 2, 3)] == [None, None, "broke"]
        assert to_tell(live([DOWN, DOWN, HEALTHY])) is None

    def test_a_drift_is_told_at_once(self) -> None:
        assert to_tell(live([LESS])) == "broke"

    def test_who_refuses_us_is_told_at_the_first_failure(self) -> None:
        assert to_tell(live([BLOCKED])) == "broke"

    def test_an_opened_circuit_is_told_whatever_was_told_before(self) -> None:
        drifting = told(live([LESS]), "broke", NOON)
        assert to_tell(drifting) is None
        blocked = live([BLOCKED], drifting)
        assert to_tell(blocked) == "rests"
        assert to_tell(live([BLOCKED], told(blocked, "rests", NOON))) is None
        again = live([LESS, BLOCKED], told(blocked, "rests", NOON))
        assert to_tell(again) == "rests", "it was read in between"

    def test_a_circuit_that_was_told_by_an_older_program_is_not_told_again(self) -> None:
        assert to_tell(replace(live([BLOCKED]), alerted_at=NOON, alerted_circuit=None)) is None


outcomes = st.sampled_from([HEALTHY, DOWN, BLOCKED, NO_HOST, LESS, Outcome(verdict="failed")])


@given(st.lists(outcomes, max_size=40))
def test_laws(lived: list[Outcome]) -> None:
    """An open circuit knows when to try again; failures count failed runs; being told is ticked off in pairs."""
    condition, heard, now, failed = WELL, list[str](), NOON, 0
    for outcome in lived:
        now += HOUR
        condition = after_run(condition, outcome, HOUR, now)
        failed = failed + 1 if outcome.verdict == "failed" else 0
        assert condition.failures == failed
        assert condition.circuit != "half_open"
        assert (condition.ailment is None) == (outcome.verdict == "healthy")
        assert (condition.ailment is None) == (condition.ailment_since is None)
        if condition.circuit == "open":
            assert condition.probe_after is not None
            assert now < condition.probe_after <= now + max(ailment.longest_rest for ailment in AILMENTS)
        if (what := to_tell(condition)) is not None:
            heard.append(what)
            condition = told(condition, what, now)
            assert to_tell(condition) is None
    pairs = [what for what in heard if what != "rests"]
    assert pairs == ["broke", "healed"] * (len(pairs) // 2) + ["broke"] * (len(pairs) % 2)
    assert all(before != "healed" for before, what in pairwise(heard) if what == "rests"), "broke comes before rests"
