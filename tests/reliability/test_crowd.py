"""Many writers and readers at once: no lock reaches a user, no row is lost or doubled."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from sqlalchemy import Engine, func, select

from aggregator.pipeline import aggregate
from db.checks import check_ledger
from db.filters import Filters
from db.models import Posting, RawPosting, Sighting
from db.queries import find_postings
from db.session import make_engine, reading
from db.store import keep
from db.tables import RAW, SIGHTING
from tests.db.records import HOUR, NOON, ad, rows

OWN = 10
SHARED = 5


def crowd(url: str, *, writers: int, readers: int, seconds: float) -> None:
    """Writers keep their own ads and shared ones, in opposite orders, and normalise; readers page through all."""
    until = time.monotonic() + seconds
    failures: list[BaseException] = []
    turns: Counter[int] = Counter()

    def write(number: int) -> None:
        engine = make_engine(url)
        try:
            while time.monotonic() < until or not turns[number]:
                at = NOON + turns[number] * HOUR
                mine = [ad(n, source=f"board-{number}", seen_at=at) for n in range(OWN)]
                shared = [ad(n, seen_at=at, page_url=f"https://board.example/{n}") for n in range(SHARED)]
                said = mine + shared
                keep(engine, said if number % 2 else said[::-1])
                if number % 4 == 0:
                    aggregate(engine, now=at)
                turns[number] += 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the finding of this test
            failures.append(error)
        finally:
            engine.dispose()

    def read() -> None:
        engine = make_engine(url)
        try:
            while time.monotonic() < until:
                find_postings(engine, Filters(), limit=50)
                with reading(engine) as connection:
                    ads = connection.execute(select(func.count()).select_from(RAW)).scalar_one()
                    seen = connection.execute(select(func.count()).select_from(SIGHTING)).scalar_one()
                assert seen == ads, "a reader saw half a batch"
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    threads += [threading.Thread(target=read) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
    engine = make_engine(url)
    aggregate(engine, now=NOON)
    assert len(rows(engine, RawPosting)) == writers * OWN + SHARED == len(rows(engine, Sighting))
    assert check_ledger(engine) == []
    newest = {row["source"]: row["last_seen"] for row in rows(engine, RawPosting)}
    assert all(newest[f"board-{n}"] == NOON + (turns[n] - 1) * HOUR for n in range(writers))
    assert rows(engine, Posting)
    engine.dispose()


def test_a_few_for_a_moment(store: Engine) -> None:
    crowd(store.url.render_as_string(hide_password=False), writers=8, readers=3, seconds=2)


@pytest.mark.soak
def test_fifty_writers_and_twenty_readers_for_a_minute(store: Engine) -> None:
    crowd(store.url.render_as_string(hide_password=False), writers=50, readers=20, seconds=60)
