"""Counts that are kept: fresh for a small ledger, as old as they say for a large one, new after every decision."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, update

from db.facets import POSTING, count_facets, read_columns
from db.filters import Filters
from db.queries import count_postings
from db.session import make_engine, writing
from service.web import counts as counting
from service.web.counts import Counts
from tests.service.web.world import TOKEN, fill


@pytest.fixture
def engine(world: str) -> Iterator[Engine]:
    made = make_engine(world)
    yield made
    made.dispose()


def close_one(engine: Engine) -> None:
    with writing(engine) as connection:
        one = POSTING.c.title == "Data Scientist"
        connection.execute(update(POSTING).where(one).values(closed_at=datetime.now(UTC)))


def test_a_small_ledger_is_read_anew_when_its_time_is_over(engine: Engine) -> None:
    counts = Counts(engine)
    before = counts.facets(Filters(open=True)).count
    close_one(engine)
    counts.forget()
    assert counts.facets(Filters(open=True)).count == before - 1


def test_a_large_ledger_is_answered_as_it_was_and_read_meanwhile(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "AT_ONCE_SECONDS", -1.0)
    counts = Counts(engine)
    before = counts.facets(Filters(open=True))
    close_one(engine)
    counts.forget()
    assert counts.facets(Filters(open=True)) == before, "the answer of before, with its time"
    assert counts.reader is not None
    counts.reader.join(30)
    after = counts.facets(Filters(open=True))
    assert (after.count, after.counted_at > before.counted_at) == (before.count - 1, True)


def test_counts_of_what_the_columns_do_not_hold_are_the_ledgers(store: Engine) -> None:
    fill(store)
    columns = read_columns(store)
    for filters in (
        Filters(text="data engin"),
        Filters(text="engineer", country=("DE",)),
        Filters(company=("gmbh", "inc"), level=("senior",)),
        Filters(since=datetime.now(UTC).date() + timedelta(days=1)),
        Filters(open=True, flagged=False, has_salary=True, remote=("remote",)),
        Filters(title="no such title"),
    ):
        for _ in range(2):
            assert count_facets(store, columns, filters).count == count_postings(store, filters), filters


def test_an_empty_ledger_counts_nothing(ledger: Engine) -> None:
    found = Counts(ledger).facets(Filters(role=("Data Engineer",), text="x"))
    assert (found.count, found.pay, found.values["role"]) == (0, (), ())


def test_a_page_says_how_old_its_counts_are(world: str, client: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.web import pages

    assert "(counted" not in client.get("/").text  # type: ignore[attr-defined]
    monkeypatch.setattr(pages, "FRESH", timedelta(days=-1))
    assert re.search(r"\(counted \d{4}-\d\d-\d\d \d\d:\d\d UTC\)", client.get("/").text)  # type: ignore[attr-defined]


def test_several_processes_serve_one_ledger_and_one_session(world: str, token_hash: str, tmp_path: Path) -> None:
    config = tmp_path / "service.toml"
    config.write_text(f'[tokens]\neva = "{token_hash}"\n', encoding="utf-8")
    program = str(Path(sys.executable).parent / "jobledger")
    command = [program, "--config", str(config), "--db", world, "serve", "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            found = next((m for line in process.stderr if (m := re.search(r"http://\S+:\d+", line))), None)
            assert found is not None
            # The socket is open before the processes are up: the first answer waits for them.
            login = httpx.post(f"{found[0]}/login", data={"token": TOKEN, "then": "/review"}, timeout=60)
            cookie = login.headers["set-cookie"].partition(";")[0]
            # A connection each, so that both processes are asked.
            pages = [httpx.get(f"{found[0]}/review", headers={"Cookie": cookie}, timeout=60) for _ in range(10)]
        finally:
            process.terminate()
            process.wait(30)
    assert {page.status_code for page in pages} == {200}
    assert all("eva" in page.text for page in pages)
