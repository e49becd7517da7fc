"""What is due: a pure function, so every oddity of clocks and downtimes is a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.decide import LISTED, JobState, Miss, Start, next_look, tick
from scheduler.timetable import HOUR, Job, delay

DAWN = datetime(2026, 3, 2, tzinfo=UTC)
HOURLY = Job(name="acme", cron="0 * * * *")
SEEN = JobState(since=DAWN, accounted=DAWN)


def at(hour: float, day: int = 0) -> datetime:
    return DAWN + timedelta(days=day, hours=hour)


def decide(
    now: datetime, job: Job = HOURLY, state: JobState = SEEN, leading_since: datetime | None = None
) -> list[object]:
    """Readable actions: (trigger, slot) for a start, ("missed", slots, why) for misses."""
    read: list[object] = []
    for action in tick(now, [job], {job.name: state}, leading_since):
        if isinstance(action, Start):
            read.append((action.trigger, action.scheduled_for))
        else:
            read.append(("missed", list(action.slots), action.why.split(":")[0]))
    return read


class TestOnTime:
    def test_nothing_before_the_slot(self) -> None:
        assert decide(at(1) - timedelta(microseconds=1)) == []

    def test_at_the_slot(self) -> None:
        assert decide(at(1)) == [("schedule", at(1))]

    def test_a_little_late_is_on_time(self) -> None:
        assert decide(at(1) + timedelta(seconds=90)) == [("schedule", at(1))]

    def test_later_than_the_grace_is_caught_up(self) -> None:
        assert decide(at(1) + timedelta(seconds=91)) == [("catch_up", at(1))]

    def test_a_slot_that_has_a_row_is_never_looked_at_again(self) -> None:
        assert decide(at(1.5), state=replace(SEEN, accounted=at(1))) == []

    def test_nothing_starts_while_it_runs(self) -> None:
        assert decide(at(5), state=replace(SEEN, running=True)) == []

    def test_a_job_nobody_knows_yet_is_left_alone(self) -> None:
        assert tick(at(1), [HOURLY], {}) == []

    def test_starts_come_oldest_first_after_the_misses(self) -> None:
        jobs = [
            Job(name=name, cron=cron) for name, cron in (("b", "30 * * * *"), ("a", "0 * * * *"), ("c", "0 * * * *"))
        ]
        actions = tick(at(2.6), jobs, {job.name: SEEN for job in jobs})
        kinds = [type(action).__name__ for action in actions]
        assert kinds == ["Miss", "Miss", "Miss", "Start", "Start", "Start"]
        starts = [(action.scheduled_for, action.job.name) for action in actions if isinstance(action, Start)]
        assert starts == sorted(starts)


class TestFirstTime:
    NEW = JobState(since=at(0.5))

    def test_a_new_source_is_read_at_once(self) -> None:
        assert decide(at(0.5), replace(HOURLY, at_once=True), self.NEW) == [("schedule", at(0.5))]

    def test_a_new_job_of_ours_waits_for_its_slot(self) -> None:
        assert decide(at(0.9), HOURLY, self.NEW) == []
        assert decide(at(1), HOURLY, self.NEW) == [("schedule", at(1))]

    def test_slots_before_it_was_known_were_not_missed(self) -> None:
        known_late = JobState(since=at(7.5), accounted=at(1))
        assert decide(at(8), state=known_late) == [("schedule", at(8))]


class TestDowntime:
    def test_six_hours_down_is_one_catch_up_and_five_misses(self) -> None:
        misses, start = decide(at(6.5), leading_since=at(6.5))
        assert start == ("catch_up", at(6))
        assert misses == (
            "missed",
            [at(hour) for hour in (1, 2, 3, 4, 5)],
            "no scheduler was leading until 2026-03-02 06",
        )

    def test_a_run_that_took_too_long_is_named(self) -> None:
        state = replace(SEEN, accounted=at(1), busy_from=at(1), busy_until=at(3.2))
        (_, slots, why), start = decide(at(3.3), state=state)  # type: ignore[misc]  # a row of the two kinds above
        assert start == ("catch_up", at(3))
        assert slots == [at(2)]
        assert why.startswith("the run before it went on")

    def test_too_late_to_be_worth_it(self) -> None:
        weekly = Job(name="@report", cron="0 6 * * 1", catch_up=48 * HOUR)
        since = JobState(since=DAWN - timedelta(days=1), accounted=None)
        assert decide(at(6, day=2), weekly, since) == [("catch_up", at(6))]
        ((kind, slots, _),) = decide(at(7, day=2), weekly, since)  # type: ignore[misc]
        assert (kind, slots) == ("missed", [at(6)])

    def test_a_year_of_silence_is_one_row_and_a_week_of_slots(self) -> None:
        now = at(0.5, day=365)
        actions = tick(now, [HOURLY], {"acme": SEEN})
        first, rest, start = actions
        assert isinstance(first, Miss)
        assert first.slots == (at(1),)
        assert "every slot" in first.why
        assert isinstance(rest, Miss)
        assert len(rest.slots) == LISTED // HOUR - 1
        assert isinstance(start, Start)
        assert (start.trigger, start.scheduled_for) == ("catch_up", at(0, day=365))


class TestClocks:
    def test_an_hour_back_repeats_nothing(self) -> None:
        state = replace(SEEN, accounted=at(5))
        assert [decide(at(hour), state=state) for hour in (4, 4.5, 5, 5.9)] == [[]] * 4
        assert decide(at(6), state=state) == [("schedule", at(6))]

    def test_a_day_ahead_is_one_catch_up(self) -> None:
        misses, start = decide(at(0.1, day=1))
        assert start == ("catch_up", at(0, day=1))
        assert len(misses[1]) == 23  # type: ignore[index]

    @pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
    def test_the_zone_of_the_clock_does_not_matter(self, zone: str) -> None:
        assert decide(at(1).astimezone(ZoneInfo(zone))) == [("schedule", at(1))]

    @pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
    @pytest.mark.parametrize(
        "day", ["2026-03-08", "2026-03-29", "2026-04-04", "2026-10-03", "2026-10-25", "2026-11-01"]
    )
    def test_days_on_which_clocks_change_have_their_24_runs(self, zone: str, day: str) -> None:
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        state, ran, moment = JobState(since=start, accounted=start), [], start
        while moment <= start + timedelta(hours=48):
            for action in tick(moment.astimezone(ZoneInfo(zone)), [HOURLY], {"acme": state}):
                assert isinstance(action, Start)
                assert action.trigger == "schedule"
                ran.append(action.scheduled_for)
                state = replace(state, accounted=action.scheduled_for)
            moment += timedelta(seconds=50)
        assert ran == [start + timedelta(hours=hour) for hour in range(1, 49)]

    def test_a_leap_day_is_a_day(self) -> None:
        daily = Job(name="acme", cron="0 6 * * *")
        eve = datetime(2028, 2, 28, 6, tzinfo=UTC)
        state = JobState(since=eve, accounted=eve)
        assert decide(eve + timedelta(days=1), daily, state) == [("schedule", datetime(2028, 2, 29, 6, tzinfo=UTC))]


class TestIllSources:
    OPEN = replace(SEEN, circuit="open", probe_after=at(2.5))

    def test_slots_of_a_resting_source_are_missed_with_the_reason(self) -> None:
        assert decide(at(2), state=self.OPEN) == [
            ("missed", [at(1), at(2)], "resting until 2026-03-02 02"),
        ]

    def test_a_probe_comes_when_it_is_time(self) -> None:
        assert decide(at(2.5), state=replace(self.OPEN, accounted=at(2))) == [("probe", at(2.5))]

    def test_a_probe_takes_the_slot_that_is_due(self) -> None:
        actions = decide(at(3), state=self.OPEN)
        assert actions[-1] == ("probe", at(3))
        assert actions[0][1] == [at(1), at(2)]  # type: ignore[index]

    def test_an_open_circuit_without_a_moment_is_probed_now(self) -> None:
        state = replace(self.OPEN, probe_after=None, accounted=at(2))
        assert decide(at(2.25), state=state) == [("probe", at(2.25))]

    def test_a_moment_that_a_wrong_clock_wrote_does_not_silence_it(self) -> None:
        state = replace(self.OPEN, probe_after=at(0, day=400), accounted=at(2))
        assert decide(at(2.25), state=state) == [("probe", at(2.25))]

    def test_one_failure_brings_an_extra_attempt_between_slots(self) -> None:
        state = replace(SEEN, accounted=at(1), probe_after=at(1.1))
        assert decide(at(1.05), state=state) == []
        assert decide(at(1.1), state=state) == [("probe", at(1.1))]

    def test_the_slot_goes_before_the_extra_attempt(self) -> None:
        state = replace(SEEN, probe_after=at(0.9))
        assert decide(at(1), state=state) == [("schedule", at(1))]

    def test_an_extra_attempt_does_not_swallow_a_slot_that_waits_for_its_delay(self) -> None:
        job = replace(HOURLY, jitter=timedelta(seconds=60))
        late = at(1) + delay(job, at(1))
        assert late > at(1)
        state = replace(SEEN, probe_after=at(0.99))
        assert decide(at(1), job, state) == []
        assert decide(late, job, state) == [("schedule", at(1))]


class TestDelay:
    JOB = replace(HOURLY, jitter=timedelta(seconds=60))

    def test_a_slot_starts_after_its_delay_and_keeps_its_name(self) -> None:
        late = at(1) + delay(self.JOB, at(1))
        assert decide(late - timedelta(seconds=1), self.JOB) == []
        assert decide(late, self.JOB) == [("schedule", at(1))]

    def test_delays_spread_over_the_jitter_and_never_change(self) -> None:
        delays = [delay(replace(self.JOB, name=f"s{i}"), at(1)).total_seconds() for i in range(300)]
        assert 0 <= min(delays) < 5 < 55 < max(delays) < 60
        assert delays == [delay(replace(self.JOB, name=f"s{i}"), at(1)).total_seconds() for i in range(300)]


crons = st.sampled_from(["0 * * * *", "*/7 * * * *", "0 6 * * *", "15 3 * * 1-5"])
states = st.builds(
    JobState,
    since=st.integers(-3000, 0).map(lambda minutes: DAWN + timedelta(minutes=minutes)),
    accounted=st.none() | st.integers(-3000, 600).map(lambda minutes: DAWN + timedelta(minutes=minutes)),
    running=st.booleans(),
    circuit=st.sampled_from(["closed", "open", "half_open"]),
    probe_after=st.none() | st.integers(-600, 600).map(lambda minutes: DAWN + timedelta(minutes=minutes)),
)
jobs = st.builds(
    Job,
    name=st.sampled_from(["acme", "globex"]),
    cron=crons,
    jitter=st.sampled_from([timedelta(0), timedelta(seconds=40)]),
    at_once=st.booleans(),
)


@given(job=jobs, state=states)
@settings(max_examples=300)
def test_laws(job: Job, state: JobState) -> None:
    """At most one start; no slot twice; nothing of the future; what is accounted for stays so; the quiet sleep."""
    actions = tick(DAWN, [job], {job.name: state})
    starts = [action.scheduled_for for action in actions if isinstance(action, Start)]
    misses = [slot for action in actions if isinstance(action, Miss) for slot in action.slots]
    touched = starts + misses
    assert len(starts) <= 1
    assert len(set(touched)) == len(touched)
    assert all(slot <= DAWN for slot in touched)
    assert not (state.running and actions)
    if starts and misses:
        assert max(misses) < starts[0]
    floor = max(state.accounted or state.since, state.since)
    assert all(slot >= floor for slot in misses)
    look = next_look(job, state)
    if actions and not state.running:
        assert look is not None
        assert look <= DAWN


@given(job=jobs, state=states, steps=st.lists(st.integers(1, 400), min_size=1, max_size=12))
@settings(max_examples=100)
def test_asking_again_after_acting_finds_nothing(job: Job, state: JobState, steps: list[int]) -> None:
    """Carried out, a tick leaves nothing to do at the same moment, however the moments follow each other."""
    now = DAWN
    for minutes in steps:
        now += timedelta(minutes=minutes)
        actions = tick(now, [job], {job.name: state})
        if state.running:
            state = replace(state, running=False, circuit="closed", probe_after=None)
            continue
        for action in actions:
            newest = action.scheduled_for if isinstance(action, Start) else max(action.slots)
            state = replace(state, accounted=max(newest, state.accounted or newest))
            if isinstance(action, Start):
                state = replace(state, running=True)
        assert tick(now, [job], {job.name: state}) == []
