"""What the operator reads names everything that the scheduler has: jobs, metrics, ailments, settings."""

from __future__ import annotations

import re

import pytest

from db.alone import SUFFIX
from scheduler.ailments import AILMENTS
from scheduler.metrics import Metrics
from scheduler.timetable import JOBS
from scraper.rates import DAILY, RECENT
from service.settings import FROM_FILE
from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
OTHERS = {"database_url", "sources", "spiders", "log_format", "tokens"}
"""Settings that other documents explain."""


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_job_is_in_the_table(job: object) -> None:
    assert f"| `{job.name}` |" in TEXT


def test_every_metric_is_named() -> None:
    text = Metrics().text().decode()
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE") and "_created" not in line}
    assert len(names) > 18
    assert {name for name in names if f"`{name}`" not in TEXT} == set()


def test_every_metric_that_is_named_exists() -> None:
    text = Metrics().text().decode()
    named = set(re.findall(r"\bjobledger_[a-z_]+", TEXT))
    assert {name for name in named if f"# TYPE {name} " not in text} == set()


def test_every_ailment_and_setting_is_named() -> None:
    assert {a.code for a in AILMENTS if not re.search(rf"^\| (\w+, )?{a.code}\b", TEXT, re.MULTILINE)} == set()
    assert {name for name in FROM_FILE if name not in OTHERS and f"{name} = " not in TEXT} == set()


def test_the_lock_beside_the_ledger_and_the_bank_s_files_are_named() -> None:
    for name in (f"jobledger.db{SUFFIX}", DAILY, RECENT):
        assert name in TEXT
