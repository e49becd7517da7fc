"""A scheduler whose ledger is damaged while it runs says so, and waits for nothing that does not mend."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from db.runs import Outcome, claim_run
from db.session import open_ledger
from scheduler import jobs, runner
from scheduler.chores import chore_outcome
from scheduler.jobs import Claimed, perform
from scheduler.timetable import JOBS
from tests.damage import damage, folded, pages, zero
from tests.scheduler.test_backlog import free_port
from tests.scheduler.test_service import ask, eventually, serving, write_sources
from tests.service.web.world import fill


@pytest.fixture(autouse=True)
def quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ROUND_SECONDS", 0.05)
    monkeypatch.setattr(runner, "TELL_EVERY_SECONDS", 0.0)


def test_it_is_not_ready_and_says_why(
    ledger: Engine, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(ledger)
    ledger.dispose()
    path, port = Path(str(ledger.url.database)), free_port()
    with serving(database_url, write_sources(tmp_path / "s.toml"), http_port=port) as service:
        eventually(lambda: _answers(port, 200), what="being ready")
        zero(folded(path), *(number for number, name in pages(path).items() if "alembic" not in name))
        service.engine.dispose()
        assert "malformed" in json.loads(eventually(lambda: _answers(port, 503), what="not being ready"))["ledger"]
    assert "is damaged" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("job", [job for job in JOBS if job.needs is None], ids=lambda job: job.name)
def test_each_job_fails_with_the_reason(database_url: str, job: Any) -> None:
    engine = open_ledger(database_url)
    fill(engine)
    engine.dispose()
    outcome = chore_outcome(job, damage(Path(str(engine.url.database)), "data"))
    assert outcome.verdict == "failed"
    assert "damaged" in outcome.reasons[0]


def test_a_run_that_a_damaged_ledger_cannot_keep_is_given_up_at_once(
    ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that is away is waited for, for minutes; one that is damaged does not come back."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    run_id = claim_run(ledger, "acme", now, "manual", "me", now)
    assert run_id is not None
    ledger.dispose()
    path = Path(str(ledger.url.database))
    zero(folded(path), *(number for number, name in pages(path).items() if name == "run"))

    def no_pause(*_given: Any) -> None:
        pytest.fail("it waited")

    monkeypatch.setattr(jobs, "_sleep", no_pause)
    claimed = Claimed(id=run_id, name="acme", scheduled_for=now, trigger="manual", holder="me")
    result = perform(claimed, lambda: Outcome(verdict="healthy"), engine=ledger, cron=None, now=lambda: now)
    assert not result.kept


def _answers(port: int, wanted: int) -> str | None:
    try:
        code, said = ask(port, "/readyz")
    except OSError:  # it does not listen yet
        return None
    return said if code == wanted else None
