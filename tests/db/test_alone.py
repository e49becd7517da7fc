"""One at a time: who aggregates, merges or erases waits for who does, and nobody waits for the dead."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import Engine

from aggregator.pipeline import aggregate
from db.alone import alone
from db.erasure import forget_company
from db.merges import merge_postings
from db.models import Posting, PostingMerge, RawPosting
from db.session import make_engine
from db.store import keep
from tests.conftest import REPOSITORY
from tests.db.records import NOON, ad, rows

HOLD = """
import sys, time
from db.alone import alone
from db.session import make_engine
with alone(make_engine(sys.argv[1])):
    print("inside", flush=True)
    time.sleep(600)
"""


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_the_second_waits_for_the_first(store: Engine) -> None:
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        engine = make_engine(url_of(store))
        inside.wait()
        with alone(engine):
            order.append("second")
        engine.dispose()

    thread = threading.Thread(target=second)
    thread.start()
    with alone(store):
        inside.set()
        time.sleep(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_writers_and_readers_do_not_wait(store: Engine) -> None:
    with alone(store):
        assert keep(store, [ad(1)]).new == 1
        assert len(rows(store, RawPosting)) == 1


def test_the_lock_ends_with_a_failure_inside(store: Engine) -> None:
    with pytest.raises(RuntimeError), alone(store):
        raise RuntimeError
    with alone(store):
        pass


def test_nobody_waits_for_a_killed_process(store: Engine) -> None:
    command = [sys.executable, "-c", HOLD, url_of(store)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.kill()
    with alone(store):
        pass


@pytest.mark.parametrize("deed", ["merge", "erase"])
def test_what_people_do_meanwhile_comes_after(store: Engine, monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    """Done between the reading of a batch and its writing, it would be undone by the writing."""
    from aggregator import pipeline

    keep(store, [ad(1), ad(2, source="feed", title_text="Nurse")])
    first, second = (row["id"] for row in rows(store, RawPosting))
    aggregate(store, now=NOON)
    threads = []
    before = pipeline._next_batch

    def act() -> None:
        engine = make_engine(url_of(store))
        if deed == "merge":
            merge_postings(engine, first, second, who="anna", why="one job", now=NOON)
        else:
            forget_company(engine, str(ad(1).company_text), None, who="anna", now=NOON)
        engine.dispose()

    def read(*given: object) -> object:
        batch = before(*given)  # type: ignore[arg-type]
        if not threads:
            threads.append(threading.Thread(target=act))
            threads[0].start()
            time.sleep(0.2)
        return batch

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "_next_batch", read)
        aggregate(store, now=NOON, everything=True)
    threads[0].join()
    aggregate(store, now=NOON)
    left = {row["id"] for row in rows(store, Posting)}
    assert left == ({first} if deed == "merge" else set())
    assert len(rows(store, PostingMerge)) == (deed == "merge")
