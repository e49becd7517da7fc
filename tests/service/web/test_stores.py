"""What the pages ask, on both stores: facets agree with the counts of the filters, and every page answers."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db.facets import find_facets
from db.filters import parse_filters
from db.queries import count_postings
from service.settings import Settings
from service.web.app import create_app
from tests.service.web.world import fill


@pytest.mark.parametrize(
    "given", [{}, {"role": "Data Engineer"}, {"min_salary": "100000"}, {"flagged": "false"}], ids=str
)
def test_facets_agree_with_the_filters(store: Engine, given: dict[str, str]) -> None:
    fill(store)
    found = find_facets(store, parse_filters(given))
    assert found.count == count_postings(store, parse_filters(given))
    # With a currency a salary filter means amounts in it, not in dollars: another question.
    dimensions = ["role", "level", "country", "employment", "source"] + ([] if "min_salary" in given else ["currency"])
    for dimension in dimensions:
        for value in found.values[dimension]:
            assert value.postings == count_postings(store, parse_filters(given | {dimension: value.name})), value
    priced = count_postings(store, parse_filters(given | {"has_salary": True, "flagged": False}))
    assert sum(bar.postings for bar in found.pay) == priced


def test_every_page_answers_on_both_stores(store: Engine, ledger_url: str) -> None:
    fill(store)
    app = create_app(Settings(database_url=ledger_url), per_minute=None)
    client = TestClient(app)
    for path in ("/", "/?text=engineer", "/salaries/data-engineer", "/review", "/review/merges",
                 "/sources", "/api/v1/postings?sort=-salary", "/api/v1/postings.jsonl",
                 "/api/v1/companies?starting=a"):  # fmt: skip
        assert client.get(path).status_code == 200, path
    app.state.engine.dispose()
