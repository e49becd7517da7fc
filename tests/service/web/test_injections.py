"""What a page, a filter or a feed could smuggle in: nothing of it runs anywhere."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db.models import Posting
from db.session import make_engine, open_ledger
from service.settings import Settings
from service.web.app import create_app
from tests.db.records import rows
from tests.service.web.test_pages import Outline
from tests.service.web.world import fill

MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><script>alert(1)</script>',
    "'-alert(1)-'",
    "{{7*7}}{% raw %}",
    "</title><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>*{background:url(//evil.example)}</style>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202ereversed",
)
FORMULAS = ("=10+20+cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1+1", '=HYPERLINK("http://evil.example")')
ADDRESSES = (
    "javascript:alert(1)",
    " JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "https://",
    'https://board.example/"><script>alert(1)</script>',
)
TEXTS = MARKUP + FORMULAS


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A ledger in which every field of some ad is an attack."""
    url = f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'ledger.db'}"
    engine = open_ledger(url)
    attacks = [{"title_text": f"Data Engineer {text}"} for text in TEXTS]
    attacks += [{"title_text": f"{text} Engineer"} for text in TEXTS]
    attacks += [{"company_text": text} for text in TEXTS]
    attacks += [{"location_text": text} for text in TEXTS]
    attacks += [{"description_text": text * 3} for text in TEXTS]
    attacks += [{"salary_text": f"{text} $100,000 - $120,000 a year"} for text in TEXTS]
    attacks += [{"url": address} for address in ADDRESSES]
    attacks += [{"page_url": address} for address in ADDRESSES]
    fill(engine, *attacks)
    engine.dispose()
    app = create_app(Settings(database_url=url), per_minute=None)
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as made:
        yield made
    opened: Engine = app.state.engine
    opened.dispose()


def harmless(text: str) -> None:
    """No element and no address of the page comes from an ad."""
    made = Outline(text)
    assert made.bad == []
    assert [link for link in made.links if not re.match(r"/|#|https?://\w", link)] == []
    assert "<script>" not in text
    assert "<img" not in text
    assert "<svg/" not in text


def ids(client: TestClient) -> list[str]:
    found, after = [], ""
    while True:
        page = client.get(f"/api/v1/postings?limit=500{after}").json()
        found += [posting["id"] for posting in page["postings"]]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


@pytest.mark.parametrize(
    "path", ["/?limit=100", "/salaries", "/salaries/data-engineer", "/review", "/review/merges", "/sources"]
)
def test_lists_hold_no_foreign_markup(hostile: TestClient, path: str) -> None:
    answer = hostile.get(path)
    assert answer.status_code == 200
    harmless(answer.text)


def test_no_posting_holds_foreign_markup(hostile: TestClient) -> None:
    for id_ in ids(hostile):
        answer = hostile.get(f"/postings/{id_}")
        assert answer.status_code == 200
        harmless(answer.text)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("field", ["text", "title", "company", "city", "source", "role", "after", "sort", "colour"])
def test_filters_echo_nothing_alive(hostile: TestClient, field: str, text: str) -> None:
    answer = hostile.get(f"/?{field}={quote(text)}")
    assert answer.status_code in {200, 400}
    harmless(answer.text)
    api = hostile.get(f"/api/v1/postings?{field}={quote(text)}")
    assert api.status_code in {200, 400}
    assert "json" in api.headers["content-type"]


@pytest.mark.parametrize(
    "text",
    [
        "' OR 1=1 --",
        "'; DROP TABLE posting; --",
        '" OR ""="',
        "%' OR '1'='1",
        "\\",
        "a%",
        "_",
        "NEAR(",
        '"',
        "*",
        "a AND",
        "-x",
        "col:x",
    ],
)
@pytest.mark.parametrize("field", ["text", "title", "company", "city", "source"])
def test_filters_are_values_never_sql(hostile: TestClient, field: str, text: str) -> None:
    everything = hostile.get("/api/v1/postings/count").json()["count"]
    found = hostile.get(f"/api/v1/postings/count?{field}={quote(text)}")
    if field == "text" and not any(c.isalnum() for c in text):
        assert (found.status_code, "nothing to search for" in found.text) == (400, True)
    else:
        assert found.status_code == 200
        assert found.json()["count"] < everything
    assert hostile.get("/api/v1/postings/count").json()["count"] == everything


def test_csv_holds_no_formula(hostile: TestClient) -> None:
    table = list(csv.reader(io.StringIO(hostile.get("/api/v1/postings.csv").text)))
    assert len(table) > len(TEXTS)
    alive = [
        cell
        for line in table
        for cell in line
        if cell.startswith(("=", "+", "@", "\t", "\r"))
        or (cell.startswith("-") and not re.fullmatch(r"-\d+(\.\d+)?", cell))
    ]
    assert alive == []


@pytest.mark.parametrize("ending", ["atom", "rss"])
def test_feeds_stay_well_formed_and_link_nowhere_bad(hostile: TestClient, ending: str) -> None:
    answer = hostile.get(f"/api/v1/postings.{ending}?source={quote('<x>&')}")
    ElementTree.fromstring(answer.content)
    tree = ElementTree.fromstring(hostile.get(f"/api/v1/postings.{ending}").content)
    links = [e.get("href") or e.text or "" for e in tree.iter() if e.tag.rpartition("}")[2] == "link"]
    assert [link for link in links if not link.startswith(("http://", "https://"))] == []
    assert [e.tag for e in tree.iter() if e.tag.endswith("}script") or e.tag == "script"] == []


def test_lines_stay_lines(hostile: TestClient) -> None:
    everything = hostile.get("/api/v1/postings/count").json()["count"]
    for ending in ("jsonl", "jsonld"):
        lines = hostile.get(f"/api/v1/postings.{ending}").text.split("\n")
        made = [json.loads(line) for line in lines if line]
        assert len(made) == everything
    assert [job["url"] for job in made if not job.get("url", "https://").startswith("http")] == []


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_raw_text_is_never_served_as_html(hostile: TestClient, accept: str) -> None:
    for path in ("postings", "postings.csv", "postings.jsonl", "postings.atom", "flags", "companies"):
        answer = hostile.get(f"/api/v1/{path}", headers={"Accept": accept})
        assert "html" not in answer.headers["content-type"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_nothing_was_written(hostile: TestClient, tmp_path: Path) -> None:
    engine = make_engine(str(hostile.app.state.settings.database_url))  # type: ignore[attr-defined]
    assert len(rows(engine, Posting)) == hostile.get("/api/v1/postings/count").json()["count"]
