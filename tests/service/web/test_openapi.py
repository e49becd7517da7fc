"""What the OpenAPI document promises holds: made-up requests get no 500, and answers have the shapes it gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from starlette.testclient import TestClient

from service.settings import Settings
from service.web.app import create_app

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

EXAMPLES, MANY_EXAMPLES = 6, 60


@pytest.fixture(scope="module")
def api_schema(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("openapi") / "ledger.db"
    path.write_bytes(filled.read_bytes())
    app = create_app(Settings(database_url=f"sqlite:///{path}"), per_minute=None)
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


OPERATIONS = (
    "/postings", "/postings.{ending}", "/postings/count", "/postings/{posting_id}", "/articles",
    "/articles/{article_id}", "/salaries", "/trends", "/compare", "/facets", "/claims", "/companies", "/roles",
    "/sources", "/runs", "/flags", "/merges",
)  # fmt: skip


each_operation = pytest.mark.parametrize(
    ("method", "path"), [("GET", path) for path in OPERATIONS] + [("POST", "/flags/{flag_id}")], ids=str
)
each_mode = pytest.mark.parametrize("mode", ["positive", "negative"])
quietly = pytest.mark.filterwarnings("ignore")  # schemathesis and what it imports warn of each other


@quietly
@each_operation
@each_mode
def test_made_up_requests(api_schema: Any, method: str, path: str, mode: str) -> None:
    ask(api_schema, method, path, mode, EXAMPLES)


@quietly
@pytest.mark.soak
@each_operation
@each_mode
def test_many_made_up_requests(api_schema: Any, method: str, path: str, mode: str) -> None:
    ask(api_schema, method, path, mode, MANY_EXAMPLES)


def ask(api_schema: Any, method: str, path: str, mode: str, examples: int) -> None:
    from schemathesis.checks import (
        content_type_conformance,
        not_a_server_error,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    operation = api_schema[f"/api/v1{path}"][method]
    cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))

    @settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )
    @given(case=cases)
    def asked(case: Any) -> None:
        case.call_and_validate(checks=checks)

    try:
        asked()
    except Unsatisfiable:
        assert mode == "negative", "a route without parameters cannot be asked wrongly"


def test_the_document_is_openapi_3_1_and_names_every_route(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path in OPERATIONS:
        assert f"/api/v1{path}" in document["paths"]
    names = {part["name"] for part in document["paths"]["/api/v1/postings"]["get"]["parameters"]}
    assert {"role", "min_salary", "include_unknown_pay", "sort", "after"} <= names
