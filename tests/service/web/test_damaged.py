"""The service over a damaged ledger, and without one: every page and every answer says so, none falls over."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from db.errors import LedgerDamaged, NoLedger
from db.looking import list_companies
from service.assistant import make_server
from service.settings import Settings
from service.web import answers
from service.web.app import create_app
from tests.damage import damage, folded, pages, zero

ID = "abcdefgh"
PATHS = (
    "/", "/?text=engineer", f"/postings/{ID}", "/salaries", "/salaries/data-engineer", "/articles",
    f"/articles/{ID}", "/compare?a=Data Engineer&b=Data Analyst", "/review", "/review/merges", "/sources",
)  # fmt: skip
API = (
    "postings", "postings/count", f"postings/{ID}", "postings.csv", "postings.jsonl", "postings.jsonld",
    "postings.parquet", "postings.atom", "postings.rss", "articles", f"articles/{ID}", "salaries", "trends",
    "compare?a=Data Engineer&b=Data Analyst", "facets", "claims", "companies", "roles", "sources", "runs", "flags",
    "merges",
)  # fmt: skip


def served(url: str) -> TestClient:
    """The service as it answers in earnest: an error that nobody foresaw is a status, not an exception in the test."""
    return TestClient(create_app(Settings(database_url=url), per_minute=None), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    path = Path(shutil.copy(filled, tmp_path_factory.mktemp("damaged") / "ledger.db"))
    return served(damage(path, "data"))


@pytest.mark.parametrize("path", PATHS)
def test_a_page_says_that_the_ledger_is_damaged(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert "db check" in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", API)
def test_the_api_answers_with_a_problem(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 503
    assert "restore a backup" in answer.json()["detail"]


def test_every_reading_address_of_the_api_is_tried(client: TestClient) -> None:
    known = {path for path, ways in client.get("/api/v1/openapi.json").json()["paths"].items() if "get" in ways}
    tried = {f"/api/v1/{path.partition('?')[0]}".replace(ID, "{id}") for path in API}
    plain = {path.replace("{posting_id}", "{id}").replace("{article_id}", "{id}") for path in known}
    assert {path for path in plain if "{ending}" not in path} <= tried


def test_an_export_that_meets_damage_on_its_way_is_cut_off(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It has begun well, so its status is sent: it must not end as if it were whole."""
    path = Path(shutil.copy(filled, tmp_path / "ledger.db"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE posting SET countries = '[' WHERE id = (SELECT max(id) FROM posting)")
        connection.commit()
    monkeypatch.setattr(answers, "CHUNK", 10)
    monkeypatch.setattr("db.queries.AT_ONCE", 2)
    ended: list[Any] = []

    async def outward(app: Any, scope: Any, receive: Any, send: Any) -> None:
        async def told(message: Any) -> None:
            ended.append(message.get("more_body"))
            await send(message)

        await app(scope, receive, told)

    app = create_app(Settings(database_url=f"sqlite:///{path}"), per_minute=None)

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        await outward(app, scope, receive, send)

    with caplog.at_level(logging.ERROR):
        answer = TestClient(wrapped, raise_server_exceptions=False).get("/api/v1/postings.jsonl")
    assert answer.status_code == 200
    assert ended[-1] is True, "the last message says that more is to come"
    assert any("an export was cut off" in record.message for record in caplog.records)
    assert "Traceback" not in caplog.text


def test_what_is_not_damaged_is_still_answered(filled: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(filled, tmp_path / "ledger.db"))
    zero(folded(path), *(number for number, name in pages(path).items() if name == "rejected"))
    assert served(f"sqlite:///{path}").get("/api/v1/postings").status_code == 200


def test_damage_that_comes_while_it_serves_is_said(world: str) -> None:
    client = served(world)
    assert client.get("/api/v1/companies").status_code == 200
    path = Path(world.removeprefix("sqlite:///"))
    zero(folded(path), *(number for number, name in pages(path).items() if "alembic" not in name))
    engine = client.app.state.engine  # type: ignore[attr-defined]  # our own application
    engine.dispose()  # a new connection, whose memory holds none of the old pages
    with pytest.raises(LedgerDamaged):
        list_companies(engine)
    assert client.get("/api/v1/companies").status_code == 503


@pytest.mark.parametrize("make", [create_app, make_server])
def test_no_service_begins_a_ledger(tmp_path: Path, make: Any) -> None:
    if make is make_server:
        pytest.importorskip("mcp")
    with pytest.raises(NoLedger, match="jobledger ingest"):
        make(Settings(database_url=f"sqlite:///{tmp_path / 'typo.db'}"))
    assert not (tmp_path / "typo.db").exists()
