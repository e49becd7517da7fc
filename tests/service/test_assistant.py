"""The tools for assistants: they answer, they only read, and they say what is allowed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from db.session import open_ledger
from service.assistant import make_server
from service.settings import Settings
from tests.service.web.world import JOBS, fill

pytest.importorskip("mcp", reason="the extra mcp is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    url = f"sqlite:///{tmp_path_factory.mktemp('mcp') / 'ledger.db'}"
    engine = open_ledger(url)
    fill(engine)
    engine.dispose()
    return make_server(Settings(database_url=url))


def call(server: Any, tool: str, **arguments: Any) -> Any:
    from mcp import Client

    async def asked() -> Any:
        async with Client(server) as client:
            return await client.call_tool(tool, arguments)

    return asyncio.run(asked())


def said(result: Any) -> Any:
    assert not result.is_error, result.content
    return json.loads(result.content[0].text)


def test_every_tool_only_reads(server: Any) -> None:
    from mcp import Client

    async def listed() -> Any:
        async with Client(server) as client:
            return (await client.list_tools()).tools

    tools = asyncio.run(listed())
    assert {t.name for t in tools} == {"search_postings", "get_posting", "salary_report", "compare", "roles", "sources"}
    assert all(tool.annotations.read_only_hint for tool in tools)


def test_search_and_one_posting(server: Any) -> None:
    found = said(call(server, "search_postings", filters={"role": "Data Engineer", "level": "senior"}))
    assert found["count"] == 1
    one = said(call(server, "get_posting", posting_id=found["postings"][0]["id"]))
    assert one["raw_postings"][0]["salary_text"] == "€80,000 - €95,000 a year"
    assert "description_text" not in one


def test_reports_and_lists(server: Any) -> None:
    assert said(call(server, "salary_report", by=["role"]))["by"] == ["role"]
    assert (
        "Data Analyst"
        in said(call(server, "compare", first_role="Data Engineer", second_role="Data Analyst"))["statement"]
    )
    assert sum(role["postings"] for role in said(call(server, "roles"))["roles"]) == len(JOBS)
    assert said(call(server, "sources"))["sources"][0]["name"] == "acme-board"


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("search_postings", {"filters": {"colour": "red"}}, "the filters are"),
        ("search_postings", {"filters": {"ids": ["x"]}}, "get_posting"),
        ("search_postings", {"filters": {"role": "Wizard"}}, "taxonomy"),
        ("get_posting", {"posting_id": "x"}, "no posting"),
        ("salary_report", {"by": ["colour"]}, "colour"),
    ],
)
def test_a_wrong_call_is_told_why(server: Any, tool: str, arguments: dict[str, Any], why: str) -> None:
    result = call(server, tool, **arguments)
    assert result.is_error
    assert why in result.content[0].text


def test_nothing_is_created(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no ledger"):
        make_server(Settings(database_url=f"sqlite:///{tmp_path / 'none.db'}"))
    assert list(tmp_path.iterdir()) == []
