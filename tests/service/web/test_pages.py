"""The pages: each shows what it promises, without a script; the review queue decides, undoes and is audited."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from db.models import Audit, PostingFlag, PostingMerge
from db.session import make_engine
from service.web.cache import Cache
from tests.db.records import rows
from tests.service.web.world import JOBS, TOKEN, fill


class Outline(HTMLParser):
    """What a test asks of a page: ids, links, labels, inline script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.inputs: list[str | None] = []
        self.links: list[str] = []
        self.bad: list[str] = []
        self.headings: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"]] if given.get("id") else []  # type: ignore[list-item]
        if tag == "label" and given.get("for"):
            self.labelled.add(str(given["for"]))
        if tag in {"input", "select"} and given.get("type") not in {"hidden", "checkbox"}:
            self.inputs.append(given.get("id"))
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in {"h1", "h2", "h3"}:
            self.headings.append(tag)
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.bad.append(f"{tag} {given}")
        if tag == "script" and not str(given.get("src", "")).startswith("/static/"):
            self.bad.append(f"script {given}")


def first_posting(client: TestClient, query: str = "") -> str:
    return str(client.get(f"/api/v1/postings?limit=1&{query}").json()["postings"][0]["id"])


def log_in(client: TestClient) -> str:
    """Logs in and returns the token that forms carry."""
    answer = client.post("/login", data={"token": TOKEN, "then": "/review"})
    assert answer.status_code == 303
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get("/review").text)
    assert found is not None
    return found[1]


PAGES = (
    "/",
    "/?role=Data+Engineer&level=&text=&min_salary=1000&open=true",
    "/?text=nothing+like+this",
    "/salaries",
    "/salaries/data-engineer",
    "/salaries/data-engineer?usd=true&country=DE",
    "/compare",
    "/compare?a=Data+Engineer&b=Data+Scientist",
    "/articles",
    "/review",
    "/review?state=dismissed",
    "/review/merges",
    "/sources",
    "/login",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_well_made(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    made = Outline(answer.text)
    assert made.bad == []
    assert len(made.ids) == len(set(made.ids))
    assert made.headings.count("h1") == 1
    assert {field for field in made.inputs if field not in made.labelled} == set()
    assert len(answer.content) < 100_000
    assert "script-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/review", "/sources", "/articles"])
def test_every_link_of_a_page_leads_somewhere(client: TestClient, path: str) -> None:
    for link in sorted({link for link in Outline(client.get(path).text).links if link.startswith("/")}):
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        pytest.param("/?colour=red", 400, "no parameter of this page; allowed: role", id="unknown parameter"),
        pytest.param("/?level=wizard", 400, "level", id="unknown value"),
        pytest.param("/postings/aaaaaaaaaaaaaaaa", 404, "no posting", id="no posting"),
        pytest.param("/salaries/wizard", 404, "no role", id="no role"),
        pytest.param("/nothing", 404, "Not Found", id="no page"),
        pytest.param("/compare?a=Data+Engineer&b=Data+Engineer", 400, "two different roles", id="one role twice"),
        pytest.param("/static/../guard.py", 404, "Not Found", id="out of the folder"),
        pytest.param("/static/%2e%2e/guard.py", 404, "Not Found", id="out of the folder, encoded"),
    ],
)
def test_errors_are_pages(client: TestClient, path: str, status: int, said: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert said in answer.text


def test_search_shows_facets_and_keeps_filters(client: TestClient) -> None:
    text = client.get("/?role=Data+Engineer&level=senior").text
    assert "<strong>1</strong> posting, 1 of them states pay" in text
    assert 'href="/?role=Data+Engineer"' in text, "the level can be taken out"
    assert "role=Data+Engineer&amp;role=Data+Scientist&amp;level=senior" in text or "Data Scientist" in text
    assert text.count('class="job"') == 1


def test_pages_follow_each_other(client: TestClient) -> None:
    seen: list[str] = []
    path = "/?limit=4"
    while path:
        text = client.get(path).text
        seen += re.findall(r'<h2><a href="/postings/(\w+)"', text)
        found = re.search(r'rel="next" href="([^"]+)"', text)
        path = found[1].replace("&amp;", "&") + "&limit=4" if found else ""
    assert len(seen) == len(set(seen)) == len(JOBS)


def test_a_posting_shows_raw_beside_read_and_why_it_is_doubted(client: TestClient) -> None:
    text = client.get(f"/postings/{first_posting(client, 'flagged=true')}").text
    assert "<q>$1,111,111 a year</q>" in text
    assert "USD 1,111,111 a year" in text
    assert "in no statistic" in text
    assert "https://board.example/jobs" in text


def test_a_role_page_has_figures_sample_and_method(client: TestClient) -> None:
    text = client.get("/salaries/data-engineer?usd=true").text
    for part in (
        "Data Engineer",
        "Who advertises it",
        "Borealis AB",
        "The newest that state pay",
        "Method",
        "2,080 hours",
    ):
        assert part in text


def test_the_same_page_costs_no_body(client: TestClient) -> None:
    tag = client.get("/").headers["etag"]
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 304


class TestReview:
    @pytest.fixture
    def flag(self, client: TestClient) -> str:
        return str(client.get("/api/v1/flags?state=open").json()["flags"][0]["id"])

    def test_a_reader_sees_no_button(self, client: TestClient) -> None:
        text = client.get("/review").text
        assert 'name="action"' not in text
        assert "Log in" in text

    def test_log_in_decide_undo_log_out(self, client: TestClient, world: str, flag: str) -> None:
        form = log_in(client)
        answer = client.post(f"/review/flags/{flag}", data={"action": "confirmed", "form_token": form})
        assert answer.status_code == 303
        text = client.get(answer.headers["location"]).text
        assert "is confirmed" in text
        assert "Undo" in text
        client.post(f"/review/flags/{flag}", data={"action": "open", "form_token": form})
        engine = make_engine(world)
        assert {row["state"] for row in rows(engine, PostingFlag)} == {"open"}
        assert [(row["who"], row["action"]) for row in rows(engine, Audit)] == [
            ("eva", "flag confirmed"),
            ("eva", "flag open"),
        ]
        client.post("/logout", data={"form_token": form})
        assert client.get("/review").text.count('name="action"') == 0

    def test_the_session_cookie_is_closed(self, client: TestClient) -> None:
        cookie = client.post("/login", data={"token": TOKEN}).headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie

    def test_a_wrong_token_is_refused(self, client: TestClient) -> None:
        answer = client.post("/login", data={"token": "guess"})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize(
        "then", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
    )
    def test_logging_in_leads_nowhere_else(self, client: TestClient, then: str) -> None:
        assert client.post("/login", data={"token": TOKEN, "then": then}).headers["location"] == "/review"

    @pytest.mark.parametrize(
        ("data", "headers", "status"),
        [
            pytest.param({}, {}, 403, id="no form token"),
            pytest.param({"form_token": "00"}, {}, 403, id="a wrong form token"),
            pytest.param({"form_token": "é"}, {}, 403, id="a form token of odd letters"),
            pytest.param({"form_token": "right"}, {"Sec-Fetch-Site": "cross-site"}, 403, id="from another site"),
            pytest.param({"form_token": "right", "action": "dismissed"}, {}, 400, id="dismissed without a reason"),
            pytest.param({"form_token": "right", "action": "delete"}, {}, 400, id="an unknown action"),
        ],
    )
    def test_a_cookie_alone_changes_nothing(
        self, client: TestClient, world: str, flag: str, data: dict[str, str], headers: dict[str, str], status: int
    ) -> None:
        form = log_in(client)
        sent = {"action": "confirmed"} | data | ({"form_token": form} if data.get("form_token") == "right" else {})
        assert client.post(f"/review/flags/{flag}", data=sent, headers=headers).status_code == status
        engine = make_engine(world)
        assert {row["state"] for row in rows(engine, PostingFlag)} == {"open"}
        assert rows(engine, Audit) == []

    @pytest.mark.parametrize("path", ["/review/flags/aaaa:placeholder", "/review/merges/aaaa"])
    def test_without_a_session_nothing_changes(self, client: TestClient, path: str) -> None:
        action = "confirmed" if "flags" in path else "confirm"
        assert client.post(path, data={"action": action}).status_code == 401

    def test_merges_are_confirmed_split_and_put_back(self, client: TestClient, world: str) -> None:
        engine = make_engine(world)
        twin = {
            "title_text": "Platform Engineer",
            "company_text": "Kite Ltd",
            "location_text": "Leeds, United Kingdom",
            "salary_text": "£70,000 - £80,000 a year",
            "description_text": "You run the platform of Kite.",
        }
        fill(engine, twin | {"source": "one"}, twin | {"source": "two"})
        (merge,) = rows(engine, PostingMerge)
        other, form = merge["other_id"], log_in(client)
        assert "Kite Ltd" in client.get("/review/merges").text
        for action, state, decided_by in (
            ("confirm", "merged", "eva"),
            ("reopen", "merged", "rules"),
            ("split", "split", "eva"),
            ("merge", "merged", "eva"),
        ):
            data = {"action": action, "why": "two desks", "posting_id": merge["posting_id"], "form_token": form}
            answer = client.post(f"/review/merges/{other}", data=data)
            assert answer.status_code == 303, answer.text
            assert client.get(answer.headers["location"]).status_code == 200
            (row,) = rows(engine, PostingMerge)
            assert (row["state"], row["decided_by"]) == (state, decided_by)
            shown = client.get("/api/v1/postings/count?company=Kite").json()["count"]
            assert shown == (2 if action == "split" else 1)
        assert len(rows(engine, Audit)) == 4


def test_a_dear_answer_is_kept_and_a_decision_forgets_it() -> None:
    cache, made = Cache(), []

    def make() -> int:
        import time

        time.sleep(0.02)
        made.append(1)
        return len(made)

    assert [cache.get("a", make), cache.get("a", make), cache.get("b", make)] == [1, 1, 2]
    cache.clear()
    assert cache.get("a", make) == 3
