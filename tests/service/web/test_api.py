"""The API: filters, paging, errors that name what is allowed, exports, validators, writing only with a token."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest
from starlette.testclient import TestClient

from aggregator.pipeline import aggregate
from db.models import Audit, PostingFlag
from db.queries import POSTING_KEYS
from db.session import make_engine
from db.store import keep
from service.settings import Settings, UsageError
from service.web.app import create_app
from tests.db.records import NOON, ad, rows
from tests.service.web.world import JOBS, TOKEN

API = "/api/v1"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def titles(client: TestClient, query: str) -> list[str]:
    answer = client.get(f"{API}/postings?sort=title&{query}")
    assert answer.status_code == 200, answer.text
    return [posting["title"] for posting in answer.json()["postings"]]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        pytest.param("", len(JOBS), id="no filter lists all, flagged ones too"),
        pytest.param("role=Data+Engineer", 4, id="role"),
        pytest.param("role=Data+Engineer&role=Data+Analyst", 6, id="two roles are alternatives"),
        pytest.param("role=Data+Engineer&level=senior", 1, id="role and level hold together"),
        pytest.param("country=de", 1, id="country in any case"),
        pytest.param("has_salary=false", 1, id="no pay stated"),
        pytest.param("flagged=true", 1, id="left out of statistics"),
        pytest.param("flagged=false", len(JOBS) - 1, id="clean"),
        pytest.param("currency=EUR&min_salary=90000", 1, id="pay overlaps in one currency"),
        pytest.param("text=others+borealis", 1, id="all words, in any field"),
        pytest.param("company=gmbh", 1, id="part of the employer's name"),
        pytest.param("open=false", 0, id="closed"),
    ],
)
def test_filters_select(client: TestClient, query: str, number: int) -> None:
    assert len(titles(client, query)) == number
    counted = client.get(f"{API}/postings/count?{query}").json()["count"]
    assert counted == number


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param("/postings?colour=red", ["colour", "role", "min_salary", "after"], id="unknown parameter"),
        pytest.param("/postings?salary_min=200000", ["salary_min", "min_salary"], id="a filter is never ignored"),
        pytest.param("/postings?level=wizard", ["level", "senior", "executive"], id="unknown level"),
        pytest.param("/postings?role=Wizard", ["Wizard", "taxonomy"], id="unknown role"),
        pytest.param("/postings?sort=colour", ["sort", "first_seen"], id="unknown sort"),
        pytest.param("/postings?sort=id;drop+table+posting", ["sort", "first_seen"], id="sort is no SQL"),
        pytest.param("/postings?country=Germany", ["country"], id="no ISO code"),
        pytest.param("/postings?min_salary=much", ["min_salary"], id="no amount"),
        pytest.param("/postings?min_salary=9&max_salary=1", ["min_salary", "max_salary"], id="crossed bounds"),
        pytest.param("/postings?since=2026-13-01", ["since"], id="no date"),
        pytest.param("/postings?limit=0", ["limit"], id="empty page"),
        pytest.param("/postings?limit=501", ["limit", "500"], id="page too large"),
        pytest.param("/postings?text=%00", ["text"], id="no text"),
        pytest.param("/postings?after=WzEsMiwzXQ", ["after", "cursor"], id="a cursor we never wrote"),
        pytest.param("/postings?after=MQ", ["after", "cursor"], id="a cursor that is a number"),
        pytest.param("/roles?limit=3", ["limit", "allowed: none"], id="a route without parameters"),
        pytest.param("/salaries?by=colour", ["by", "country"], id="unknown dimension"),
        pytest.param("/postings/no-such", ["posting_id"], id="no posting id"),
    ],
)
def test_a_wrong_question_is_told_what_is_allowed(client: TestClient, path: str, said: list[str]) -> None:
    answer = client.get(API + path)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [word for word in said if word not in answer.json()["detail"]] == []


def test_paging_is_stable_while_rows_arrive(client: TestClient, world: str) -> None:
    engine = make_engine(world)
    seen: list[str] = []
    after = ""
    for step in range(20):
        page = client.get(f"{API}/postings?limit=2{after}").json()
        seen += [posting["id"] for posting in page["postings"]]
        keep(engine, [ad(500 + step, company_text=f"New {step} Ltd", seen_at=NOON + timedelta(days=1, minutes=step))])
        aggregate(engine, now=NOON + timedelta(days=1))
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == len(JOBS)


@pytest.mark.parametrize(
    "sort", ["first_seen", "-last_seen", "posted_on", "title", "-company", "salary", "-salary", "id"]
)
def test_every_sort_pages_through_everything_once(client: TestClient, sort: str) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = client.get(f"{API}/postings?limit=4&sort={sort}{after}").json()
        seen += [posting["id"] for posting in page["postings"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == len(JOBS)


def test_one_posting_shows_all_that_is_known(client: TestClient) -> None:
    first = client.get(f"{API}/postings?title=Senior+Data+Engineer").json()["postings"][0]
    assert set(first) == set(POSTING_KEYS)
    whole = client.get(f"{API}/postings/{first['id']}").json()
    assert {name: whole[name] for name in POSTING_KEYS} == first
    assert whole["raw_postings"][0]["salary_text"] == "€80,000 - €95,000 a year"
    assert whole["seen_on"][0]["url"] == "https://board.example/jobs"
    assert "you build what others rely on" in whole["description_text"]


def test_what_is_not_there_is_said(client: TestClient) -> None:
    for path in ("/postings/aaaaaaaaaaaaaaaa", "/articles/aaaaaaaaaaaaaaaa", "/nothing"):
        answer = client.get(API + path)
        assert answer.status_code == 404
        assert answer.json()["status"] == 404


def test_facets_count_without_their_own_filter(client: TestClient) -> None:
    found = client.get(f"{API}/facets?role=Data+Engineer").json()
    assert found["count"] == 4
    roles = {value["name"]: value["postings"] for value in found["facets"]["role"]}
    assert roles["Data Engineer"] == 4
    assert roles["Data Scientist"] == 2
    countries = {value["name"]: value["postings"] for value in found["facets"]["country"]}
    assert countries == {"DE": 1, "SE": 1, "US": 1, "GB": 1}
    assert sum(bar["postings"] for bar in found["pay_usd"]) == 4


@pytest.mark.parametrize(
    "path",
    ["/articles", "/claims", "/companies", "/roles", "/sources", "/runs", "/flags", "/merges", "/trends",
     "/salaries?by=role&by=country&usd=true", "/compare?a=Data+Engineer&b=Data+Analyst", "/openapi.json"],
)  # fmt: skip
def test_every_list_answers(client: TestClient, path: str) -> None:
    answer = client.get(API + path)
    assert answer.status_code == 200
    assert answer.json()


class TestExports:
    def test_csv_is_whole_and_safe(self, client: TestClient) -> None:
        answer = client.get(f"{API}/postings.csv")
        table = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(table) == len(JOBS)
        assert tuple(table[0]) == POSTING_KEYS
        assert 'filename="postings.csv"' in answer.headers["content-disposition"]

    def test_json_lines(self, client: TestClient) -> None:
        lines = client.get(f"{API}/postings.jsonl?role=Data+Analyst").text.splitlines()
        assert {json.loads(line)["role"] for line in lines} == {"Data Analyst"}

    def test_parquet_reads_back(self, client: TestClient, tmp_path: Path) -> None:
        file = tmp_path / "got.parquet"
        file.write_bytes(client.get(f"{API}/postings.parquet").content)
        with duckdb.connect() as connection:
            found = connection.read_parquet(str(file)).aggregate("count(*), max(salary_max), sum(reposted)").fetchall()
        assert found[0][0] == len(JOBS)

    def test_json_ld_leaves_out_pay_that_is_excluded(self, client: TestClient) -> None:
        made = [json.loads(line) for line in client.get(f"{API}/postings.jsonld").text.splitlines()]
        by_title = {job["title"]: job for job in made}
        assert "baseSalary" not in by_title["Machine Learning Engineer"]
        assert by_title["Senior Data Engineer"]["baseSalary"]["value"] == {
            "@type": "QuantitativeValue", "minValue": 80000, "maxValue": 95000, "unitText": "YEAR",
        }  # fmt: skip

    @pytest.mark.parametrize("ending", ["atom", "rss"])
    def test_feeds_are_well_formed(self, client: TestClient, ending: str) -> None:
        answer = client.get(f"{API}/postings.{ending}?role=Data+Engineer")
        tree = ElementTree.fromstring(answer.content)
        entries = [e for e in tree.iter() if e.tag in {"item", "{http://www.w3.org/2005/Atom}entry"}]
        assert len(entries) == 4


class TestValidators:
    def test_the_same_answer_costs_no_body(self, client: TestClient) -> None:
        first = client.get(f"{API}/postings")
        again = client.get(f"{API}/postings", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = client.get(f"{API}/postings?limit=1", headers={"If-None-Match": first.headers["etag"]})
        assert other.status_code == 200

    def test_a_posting_says_when_it_changed(self, client: TestClient) -> None:
        id_ = client.get(f"{API}/postings?limit=1").json()["postings"][0]["id"]
        first = client.get(f"{API}/postings/{id_}")
        since = {"If-Modified-Since": first.headers["last-modified"]}
        assert client.get(f"{API}/postings/{id_}", headers=since).status_code == 304
        since = {"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}
        assert client.get(f"{API}/postings/{id_}", headers=since).status_code == 200
        assert client.get(f"{API}/postings/{id_}", headers={"If-Modified-Since": "soon"}).status_code == 200

    def test_a_decision_makes_another_tag(self, client: TestClient) -> None:
        before = client.get(f"{API}/flags")
        flag = before.json()["flags"][0]["id"]
        client.post(f"{API}/flags/{flag}", json={"state": "confirmed"}, headers=BEARER)
        after = client.get(f"{API}/flags", headers={"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200

    def test_head_and_gzip(self, client: TestClient) -> None:
        head = client.head(f"{API}/postings")
        assert (head.status_code, head.content) == (200, b"")
        assert client.get(f"{API}/postings").headers["content-encoding"] == "gzip"
        plain = client.get(f"{API}/postings", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers


class TestWriting:
    @pytest.fixture
    def flag(self, client: TestClient) -> str:
        found: str = client.get(f"{API}/flags?state=open").json()["flags"][0]["id"]
        return found

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            pytest.param({}, 401, id="nobody"),
            pytest.param({"Authorization": "Bearer guess"}, 401, id="wrong token"),
            pytest.param({"Authorization": "Basic ZXZhOmV2YQ=="}, 401, id="another scheme"),
            pytest.param({"Cookie": "jobledger_session=9999999999.eva.00"}, 401, id="forged session"),
            pytest.param({"Cookie": "jobledger_session=²³.eva.é"}, 401, id="odd session"),
            pytest.param(BEARER | {"Sec-Fetch-Site": "cross-site"}, 403, id="from another site"),
        ],
    )
    def test_nothing_changes_without_a_token(
        self, client: TestClient, world: str, flag: str, headers: dict[str, str], status: int
    ) -> None:
        engine = make_engine(world)
        before = rows(engine, PostingFlag)
        encoded = {name: value.encode("latin-1") for name, value in headers.items()}
        answer = client.post(f"{API}/flags/{flag}", json={"state": "confirmed"}, headers=encoded)
        assert answer.status_code == status
        assert rows(engine, PostingFlag) == before
        assert rows(engine, Audit) == []

    def test_a_decision_is_kept_and_audited(self, client: TestClient, world: str, flag: str) -> None:
        answer = client.post(f"{API}/flags/{flag}", json={"state": "dismissed", "why": "so it says"}, headers=BEARER)
        assert answer.status_code == 204
        (row,) = rows(make_engine(world), Audit)
        assert (row["who"], row["action"], row["subject"], row["detail"]) == (
            "eva",
            "flag dismissed",
            flag,
            "so it says",
        )
        assert client.get(f"{API}/flags?state=dismissed").json()["flags"][0]["decided_by"] == "eva"

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            pytest.param({"state": "dismissed"}, 400, id="dismissed without a reason"),
            pytest.param({"state": "dismissed", "why": "  "}, 400, id="dismissed with a blank reason"),
            pytest.param({"state": "deleted"}, 400, id="unknown state"),
            pytest.param({"state": "open", "colour": "red"}, 400, id="unknown key"),
            pytest.param({}, 400, id="empty"),
        ],
    )
    def test_a_decision_is_checked(self, client: TestClient, flag: str, body: dict[str, Any], status: int) -> None:
        assert client.post(f"{API}/flags/{flag}", json=body, headers=BEARER).status_code == status

    def test_an_unknown_flag(self, client: TestClient) -> None:
        answer = client.post(f"{API}/flags/aaaa:too_wide", json={"state": "confirmed"}, headers=BEARER)
        assert answer.status_code == 404


def test_the_rate_is_limited(world: str) -> None:
    client = TestClient(create_app(Settings(database_url=world), per_minute=3))
    answers = [client.get(f"{API}/roles") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].headers["content-security-policy"]
    client.app.state.engine.dispose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "tokens", [{"eva": "secret"}, {"e v a": "x"}, {"eva": "scrypt$xx$yy"}], ids=["plain", "name", "short"]
)
def test_a_token_that_is_no_hash_is_refused(world: str, tokens: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        create_app(Settings(database_url=world, tokens=tokens))
