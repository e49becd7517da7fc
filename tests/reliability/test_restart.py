"""PostgreSQL goes down in the middle of a batch and comes back: a clear error, nothing half, the next run repairs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from aggregator import pipeline
from aggregator.pipeline import aggregate
from db import raw_postings
from db.checks import check_ledger
from db.models import Page, Posting, RawPosting, Sighting
from db.session import LedgerError, make_engine, open_ledger
from db.store import keep
from tests.conftest import REPOSITORY
from tests.db.records import NOON, ad, rows
from tests.postgres import Throwaway

ADS = [ad(n) for n in range(300)]


def test_a_restart_in_the_middle_of_keeping_and_of_aggregating(
    stoppable: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_ledger(stoppable.url)
    sightings, compose = raw_postings._keep_sightings, pipeline.compose_all

    def down_then_sightings(*given: Any, **named: Any) -> None:
        stoppable.stop()
        sightings(*given, **named)

    def restarted_then_composed(*given: Any, **named: Any) -> object:
        stoppable.stop()
        stoppable.start()
        return compose(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(raw_postings, "_keep_sightings", down_then_sightings)
        with pytest.raises(DBAPIError, match=r"terminat|closed|lost|shut"):
            keep(engine, ADS)
    with pytest.raises(OperationalError, match=r"refused|connect"):
        keep(engine, ADS)
    stoppable.start()
    assert not any(rows(engine, table) for table in (RawPosting, Page, Sighting))
    assert keep(engine, ADS).new == len(ADS)
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "compose_all", restarted_then_composed)
        aggregate(engine, now=NOON)  # nothing was under way on the server: the next batch finds it back
    aggregate(engine, now=NOON)
    assert len(rows(engine, Posting)) == len(ADS)
    assert check_ledger(engine) == []
    engine.dispose()


def test_a_server_that_is_down_is_one_line_for_the_user(stoppable: Throwaway) -> None:
    open_ledger(stoppable.url).dispose()
    stoppable.stop()
    try:
        with pytest.raises(LedgerError, match="cannot use the ledger"):
            open_ledger(stoppable.url)
        command = [sys.executable, "-c", "from service.cli import main; main()", "--db", stoppable.url, "db", "stats"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    finally:
        stoppable.start()
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    engine = make_engine(stoppable.url)
    assert check_ledger(engine) == []
    engine.dispose()
