"""Cron expressions mean what crontab(5) says, in UTC."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cron import CronError, interval, next_slot, slots, trigger
from scraper.sources import SourceError, parse_sources

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        pytest.param("0 6 * * 0", ["Sun"], id="0 is Sunday, not Monday as APScheduler has it"),
        pytest.param("0 6 * * 7", ["Sun"], id="7 is Sunday too"),
        pytest.param("0 6 * * 1", ["Mon"], id="1 is Monday"),
        pytest.param("0 6 * * 1-5", ["Mon", "Tue", "Wed", "Thu", "Fri"], id="working days"),
        pytest.param("0 6 * * 5-7", ["Fri", "Sat", "Sun"], id="a range that ends on 7"),
        pytest.param("0 6 * * sat,sun", ["Sat", "Sun"], id="names"),
        pytest.param("0 6 * * FRI-MON", ["Mon", "Fri", "Sat", "Sun"], id="over the end of the week, capitals"),
        pytest.param("0 6 * * */2", ["Tue", "Thu", "Sat", "Sun"], id="every other day from Sunday"),
        pytest.param("0 6 * * 1-5/2", ["Mon", "Wed", "Fri"], id="a stepped range"),
        pytest.param("0 6 * * 2,4", ["Tue", "Thu"], id="a list"),
        pytest.param("0 6 * * *", ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], id="every day"),
    ],
)
def test_weekdays(expression: str, days: list[str]) -> None:
    assert [f"{slot:%a}" for slot in slots(expression, MONDAY, MONDAY + timedelta(days=7))] == days


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        pytest.param("0 0 13 * 5", ["03-06", "03-13", "03-20", "03-27"], id="the 13th or a Friday, as cron has it"),
        pytest.param("0 0 13 * *", ["03-13"], id="the 13th alone"),
        pytest.param("30 4 1,15 * *", ["03-15"], id="days of the month"),
        pytest.param("0 0 */10 * 1", [], id="a field that begins with a star restricts the other"),
        pytest.param("0 0 31 2 *", [], id="never"),
    ],
)
def test_days_of_month_and_week(expression: str, wanted: list[str]) -> None:
    march = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert [f"{slot:%m-%d}" for slot in slots(expression, march, march + timedelta(days=30))] == wanted


@pytest.mark.parametrize(
    "expression",
    ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "0 6 * jan-mar mon-fri", "*/7 * * * *", "0 0-6/2 * * *"],
)
def test_what_cron_takes_is_taken(expression: str) -> None:
    assert next_slot(expression, MONDAY) is not None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 0 * * xyz",
        "0 0 * * 1-",
        "0 0 * * 1/0",
        "0 0 * * *-3",
        "@reboot",
        "every day",
    ],
)
def test_what_cron_refuses_is_refused(expression: str) -> None:
    with pytest.raises(CronError) as caught:
        trigger(expression)
    assert repr(expression) in str(caught.value)


def test_29_february_comes_in_leap_years_only() -> None:
    years = [
        slot.year for slot in slots("0 12 29 2 *", datetime(2027, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC))
    ]
    assert years == [2028, 2032, 2036, 2040]


def test_a_moment_that_does_not_exist_never_comes_and_says_so() -> None:
    assert next_slot("0 0 31 2 *", MONDAY) is None
    assert interval("0 0 31 2 *") > timedelta(days=3000)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("* * * * *", timedelta(minutes=1)),
        ("*/7 * * * *", timedelta(minutes=4)),  # 56 to 00
        ("0 6 * * *", timedelta(days=1)),
        ("0 6,18 * * *", timedelta(hours=12)),
        ("0 6 * * 1", timedelta(days=7)),
        ("0 6 1 * *", timedelta(days=28)),
    ],
)
def test_interval_is_the_shortest_time_between_two_slots(expression: str, wanted: timedelta) -> None:
    assert interval(expression) == wanted


ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe")
"""Two hemispheres; Lord Howe moves its clocks by half an hour."""


@pytest.fixture(params=ZONES)
def local_zone(request: pytest.FixtureRequest) -> Iterator[ZoneInfo]:
    """This process lives in another zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield ZoneInfo(request.param)
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """The days on which the clocks of a zone change."""
    day, found = datetime(year, 1, 1, tzinfo=UTC), []
    while day.year == year:
        if day.astimezone(zone).utcoffset() != (day + timedelta(days=1)).astimezone(zone).utcoffset():
            found.append(day)
        day += timedelta(days=1)
    return found


@pytest.mark.parametrize("expression", ["30 * * * *", "30 1,2,3 * * *", "0 3 * * *", "*/10 * * * *"])
def test_no_change_of_clocks_repeats_or_skips_a_slot(local_zone: ZoneInfo, expression: str) -> None:
    days = changes(local_zone, 2026)
    assert len(days) == 2
    ordinary = datetime(2026, 6, 10, tzinfo=UTC)
    wanted = [slot - ordinary for slot in slots(expression, ordinary, ordinary + timedelta(days=2))]
    for day in days:
        local = day.astimezone(local_zone)  # who asks may think in local time
        found = list(slots(expression, local, (day + timedelta(days=2)).astimezone(local_zone)))
        assert [slot - day for slot in found] == wanted
        assert all(slot.utcoffset() == timedelta(0) for slot in found)


fields = st.tuples(
    st.sampled_from(["*", "0", "*/5", "7,37", "10-20"]),
    st.sampled_from(["*", "3", "*/6", "9-17"]),
    st.sampled_from(["*", "1", "15", "*/10", "28-31"]),
    st.sampled_from(["*", "2", "1-6", "feb,nov"]),
    st.sampled_from(["*", "0", "7", "1-5", "sun", "sat-mon"]),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))


@given(fields=fields, start=moments)
@settings(max_examples=60)
def test_slots_agree_with_a_plain_reading_of_the_fields(fields: tuple[str, ...], start: datetime) -> None:
    """Against every minute of two days, asked one by one."""
    expression, end = " ".join(fields), start + timedelta(days=2)
    minute = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    wanted = []
    while minute <= end:
        if is_slot(fields, minute):
            wanted.append(minute)
        minute += timedelta(minutes=1)
    assert list(islice(slots(expression, start, end), 3000)) == wanted


NAMES = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
MONTHS = {"feb": 2, "nov": 11}


def is_slot(fields: tuple[str, ...], moment: datetime) -> bool:
    minute, hour, day, month, weekday = fields
    on_day = has(day, moment.day, 1)
    on_weekday = has(weekday, moment.isoweekday() % 7, 0, week=True)
    both = day.startswith("*") or weekday.startswith("*")
    return (
        has(minute, moment.minute, 0)
        and has(hour, moment.hour, 0)
        and has(month, moment.month, 1)
        and ((on_day and on_weekday) if both else (on_day or on_weekday))
    )


def has(field: str, value: int, lowest: int, *, week: bool = False) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low = lowest if span == "*" else number(first)
        high = 59 if span == "*" else number(last or first)
        values = range(low, (high if low <= high else high + 7) + 1, int(step or 1))
        if value in [v % 7 if week and span != "*" else v for v in values]:
            return True
    return False


def number(word: str) -> int:
    return int(word) if word.isdigit() else {**NAMES, **MONTHS}[word]


CRONISH = st.text(alphabet="0123456789*/,-@ amondwey\t١²\x00", max_size=24) | st.tuples(
    *[st.sampled_from(["*", "0", "7", "59", "60", "*/5", "*/0", "1-", "-1", "5-1", "sun", "SAT-mon", "?", "L", ""])] * 5
).map(" ".join)


@given(expression=CRONISH | st.sampled_from(["@daily", "@reboot", "0 0 31 2 *", " 0 6 * * * "]))
@settings(max_examples=400)
def test_a_sources_file_takes_the_schedules_that_the_scheduler_takes_and_no_others(expression: str) -> None:
    entry = {"name": "acme", "spider": "captures", "schedule": expression}
    try:
        (source,) = parse_sources({"source": [entry]}, where="here")
    except SourceError:
        with pytest.raises(CronError):
            trigger(expression)
        return
    assert source.schedule == expression
    slot = next_slot(expression, MONDAY)
    assert slot is None or slot > MONDAY
    assert interval(expression) > timedelta(0)
