"""`jobledger rejected list` and the page of sources: what could not be read, safely shown."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from aggregator.normalise.company import parse_company
from aggregator.normalise.title import clean_title
from aggregator.pipeline import aggregate
from db.records import PageRecord, RejectedRecord
from db.session import open_ledger
from db.store import keep
from service.settings import Settings
from service.web.app import create_app
from tests.db.records import DAY, NOON, ad
from tests.injected import failing
from tests.service.test_cli import CAPTURE, Done, run

HOSTILE = "[red]<b>\x1b[31mnurse</b>"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ledger with a rejected page, a rejected ad and a rejection that is resolved."""
    url = f"sqlite:///{tmp_path_factory.mktemp('rejected') / 'ledger.db'}"
    engine = open_ledger(url)
    gone = {"source": "medium", "url": "https://a.example/1", "reason": "http_404", "detail": f"answered 404 {HOSTILE}"}
    cured = {"source": "medium", "url": "https://a.example/2", "reason": "http_503", "detail": "answered 503"}
    page = PageRecord(source="medium", url="https://a.example/2", content_hash="x", kind="article", seen_at=NOON + DAY)
    keep(engine, [RejectedRecord(**gone, seen_at=NOON), RejectedRecord(**cured, seen_at=NOON), page])
    keep(engine, [ad(1), ad(2, title_text="Quxel Nurse of the list", url="https://board.example/2")])
    with failing(clean_title):
        aggregate(engine, now=NOON + DAY)
    engine.dispose()
    return url


def listed(db: str, *arguments: str) -> list[dict[str, Any]]:
    done = run("rejected", "list", "--format", "jsonl", *arguments, db=db)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_lists_source_address_reason_and_when_newest_first(filled: str) -> None:
    first, second = listed(filled)
    assert (first["source"], first["url"]) == ("acme-board", "https://board.example/2")
    assert (first["reason"], first["excerpt"]) == ("rule_failed", "Quxel Nurse of the list")
    assert first["detail"].startswith("InjectedError: this rule fails on this row")
    assert (second["source"], second["reason"], second["rules_version"]) == ("medium", "http_404", None)
    assert first["last_seen"] > second["last_seen"]


@pytest.mark.parametrize(
    ("arguments", "reasons"),
    [
        (["--source", "medium"], ["http_404"]),
        (["--reason", "rule_failed"], ["rule_failed"]),
        (["--limit", "1"], ["rule_failed"]),
        (["--since", (NOON + DAY).date().isoformat()], ["rule_failed"]),
        (["--resolved", "--source", "medium"], ["http_404", "http_503"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_its_filters_select(filled: str, arguments: list[str], reasons: list[str]) -> None:
    assert sorted(row["reason"] for row in listed(filled, *arguments)) == reasons


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "nobody"], "--source 'nobody' does not exist; choose from: acme-board, medium"),
        (["--reason", "bored"], "--reason 'bored' does not exist; choose from: http_404, http_503, rule_failed"),
        (["--since", "yesterday"], "--since 'yesterday' is no date"),
        (["--format", "parquet"], "parquet"),
        (["--output", "x.csv"], "--output needs --format"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_wrong_use_is_one_line(filled: str, arguments: list[str], said: str) -> None:
    done: Done = run("rejected", "list", *arguments, db=filled)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_table_and_csv_show_hostile_text_as_text(filled: str) -> None:
    table = run("rejected", "list", db=filled).stdout
    assert "\x1b" not in table
    assert "2 rejected" in table
    done = run("rejected", "list", "--format", "csv", db=filled)
    assert [row["reason"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["rule_failed", "http_404"]


def test_it_creates_no_ledger(tmp_path: Path) -> None:
    done = run("rejected", "list", db=f"sqlite:///{tmp_path / 'none.db'}")
    assert done.returncode != 0
    assert not (tmp_path / "none.db").exists()


def test_the_page_of_sources_shows_it(filled: str) -> None:
    app = create_app(Settings(database_url=filled), per_minute=None)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        page = client.get("/sources").text
    assert "https://board.example/2" in page
    assert "this rule fails on this row" in page
    assert "<b>\x1b" not in page
    assert "&lt;b&gt;" in page
    assert "a.example/2" not in page
    app.state.engine.dispose()


def test_ingest_counts_what_a_rule_failed_on(tmp_path: Path) -> None:
    file, db = tmp_path / "page.txt", f"sqlite:///{tmp_path / 'ledger.db'}"
    file.write_text(CAPTURE.replace("@ Plain Ltd", "@ Plain Quxel Ltd"))
    with failing(parse_company):
        done = run("ingest", str(file), "--json", db=db)
    counts = json.loads(done.stdout)
    assert (counts["raw_postings"], counts["postings"], counts["rejected"]) == (3, 2, 1)
    assert done.returncode == 0
    assert [row["reason"] for row in listed(db)] == ["rule_failed"]
