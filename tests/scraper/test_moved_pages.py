"""Pages that are not what was asked for, elsewhere than on boards: unchanged answers, archives, saved files."""

# ruff: noqa: E501 - made-up pages, one a line

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from benchmarks.warc_pages import record as warc_record
from db.records import RawPostingRecord, RejectedRecord
from scraper.captures import open_capture, read_capture
from scraper.crawl import CrawlResult, crawl
from scraper.files.records import Archived
from scraper.sources import Source
from scraper.spiders.archives import archived_records
from tests.scraper.boards.scenes import declared
from tests.scraper.loopback import Answer, Request, Route, page, serving

HERE = ("127.0.0.1",)
AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def job_html(n: int, *, head: str = "", **fields: object) -> str:
    values = {name: value for name, value in {**declared(n, ""), **fields}.items() if value}
    return f'<html><head>{head}<script type="application/ld+json">{json.dumps(values)}</script></head><h1>{values["title"]}</h1></html>'


def rows(store: Engine, query: str) -> list[tuple[object, ...]]:
    with store.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


# Answers 304


def with_tag(tag: str, body: str) -> Route:
    """A page that answers 304 to a request with its ETag."""

    def answer(request: Request) -> Answer:
        if request.headers.get("If-None-Match") == tag:
            return Answer(b"", 304, {"ETag": tag})
        return page(body, ETag=tag)

    return answer


def moved(to: str) -> Answer:
    return Answer(b"", 301, {"Location": to})


INDEX = "".join(
    f'<li><a class="stretched-link" href="/job/{slug}/">{name}</a></li>'
    for slug, name in (("analyst-1001", "Analyst"), ("baker-1002", "Baker"), ("cook-1003", "Cook"))
)
JOBS = "SELECT source_id, title_text, salary_text, description_text, pay, url FROM raw_posting ORDER BY 1"


def test_an_unchanged_answer_behind_a_redirect_says_nothing_about_the_ad(store: Engine, ledger_url: str) -> None:
    routes: dict[str, Route] = {
        "/": page(f"<html><body><ul>{INDEX}</ul></body></html>"),
        "/job/analyst-1001/": with_tag('"a"', job_html(1, title="Analyst")),
        "/job/baker-1002/": with_tag('"b"', job_html(2, title="Baker")),
        "/job/cook-1003/": with_tag('"c"', job_html(3, title="Cook")),
    }
    with serving(routes) as site:
        source = Source(name="site", spider="articles", url=site.base + "/", allow_hosts=HERE)

        def run() -> CrawlResult:
            return crawl(source, database_url=ledger_url, timeout_seconds=60)

        assert run().verdict == "healthy"
        before = rows(store, JOBS)
        tags = "SELECT url, etag FROM page WHERE kind = 'posting' ORDER BY 1"
        known = rows(store, tags)
        assert [tag for _, tag in known] == ['"a"', '"b"', '"c"']
        sighted = "SELECT count(*) FROM sighting s JOIN page p ON p.id = s.page_id WHERE p.url LIKE '%analyst%'"
        assert rows(store, sighted) == [(1,)]
        site.routes["/job/analyst-1001/"] = moved("/job/cook-1003/")
        for _ in range(2):
            asked = len(site.asked)
            second = run()
            assert rows(store, JOBS) == before
            assert rows(store, tags) == known, "the ETag behind the redirect is not the ad's"
            followed = [one for one in site.asked[asked:] if one.path == "/job/cook-1003/"]
            assert sorted(one.headers.get("If-None-Match") or "" for one in followed) == ["", '"c"']
            assert second.stats["jobledger/unchanged_pages"] == 2
            assert "1 of 1 ads lead to another page" in " ".join(second.reasons)
    reasons = rows(store, "SELECT reason, url FROM rejected")
    assert reasons == [("not_this_ad", f"{site.base}/job/analyst-1001/")]
    last = "SELECT p.last_seen = (SELECT max(last_seen) FROM page) FROM page p WHERE p.url LIKE '%analyst%'"
    assert not rows(store, last)[0][0], "its page is not seen again"


def test_a_board_behind_a_redirect_keeps_no_validators(ledger: Engine, database_url: str) -> None:
    answer = {
        "name": "Acme",
        "description": "",
        "jobs": [{"title": "Baker", "shortcode": "W1", "description": "Bake."}],
    }
    body = json.dumps(answer).encode()
    routes: dict[str, Route] = {
        "/api/v1/widget/accounts/acme?details=true": moved("/api/v2/acme"),
        "/api/v2/acme": Answer(body, headers={"Content-Type": "application/json", "ETag": '"w"'}),
    }
    with serving(routes) as site:
        source = Source(name="acme", spider="workable", token="acme", options={"api": site.base}, allow_hosts=HERE)
        for _ in range(2):
            result = crawl(source, database_url=database_url, timeout_seconds=60)
            assert (result.verdict, result.raw_postings) == ("healthy", 1)
    assert rows(ledger, "SELECT etag FROM page") == [(None,)]
    assert [one.headers.get("If-None-Match") for one in site.asked] == [None] * len(site.asked)


# Archives


def archived(url: str, body: str) -> list[object]:
    return list(archived_records(Archived(url, AT, 200, "text/html", body.encode()), "archive"))


def ids(records: list[object]) -> list[str]:
    return [one.identity for one in records if isinstance(one, RawPostingRecord)]


A, B = "https://old.example/jobs/1", "https://old.example/jobs/2"
ARCHIVED: Mapping[str, tuple[str, list[str]]] = {
    "its own": (job_html(1), [A]),
    "declares itself": (job_html(1, url="http://www.old.example/jobs/1/"), ["http://www.old.example/jobs/1/"]),
    "declares another": (job_html(1, url=B), [B]),
    "canonical of another": (job_html(1, head=f'<link rel="canonical" href="{B}">'), [B]),
    "canonical of the list": (job_html(1, head='<link rel="canonical" href="/jobs/">'), [A]),
    "address of the list": (job_html(1, url="/jobs/"), [A]),
    "address of the home page": (job_html(1, url="/"), [A]),
    "gone, and another job": ("<h1>This job has expired</h1>" + job_html(1, url=B), [B]),
    "gone, and a job without address": (
        "<h1>This job has expired</h1>" + job_html(1),
        ["=data scientist 1|acme|lyon, de"],
    ),
}


@pytest.mark.parametrize(("body", "expected"), ARCHIVED.values(), ids=ARCHIVED)
def test_an_archived_page_is_the_ad_that_it_says_it_is(body: str, expected: list[str]) -> None:
    assert ids(archived(A, body)) == expected


def test_the_one_job_of_a_list_is_not_the_list() -> None:
    first, later = (ids(archived("https://old.example/jobs/", job_html(n))) for n in (1, 2))
    assert len({*first, *later}) == 2, "next month another job stands there"


def test_a_wayback_answer_is_the_page_that_was_looked_up(ledger: Engine, database_url: str) -> None:
    header = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
    captures = [
        [
            f"example,old)/jobs/{n}",
            f"2023{month:02d}01000000",
            f"http://old.example/jobs/{n}",
            "text/html",
            "200",
            f"{n}{month}",
            "1",
        ]
        for n in range(1, 5)
        for month in (1, 6)
    ]
    page_of = "/web/20230601000000id_/http://old.example/jobs/{}".format
    routes: dict[str, Route] = {
        page_of(1): page(job_html(1)),
        page_of(2): moved("/web/20230605000000id_/http://old.example/careers"),
        "/web/20230605000000id_/http://old.example/careers": page(job_html(90, url="http://old.example/jobs/90")),
        page_of(3): moved("/web/20230415000000id_/https://www.old.example/jobs/3/"),
        "/web/20230415000000id_/https://www.old.example/jobs/3/": page(job_html(3)),
        page_of(4): page(job_html(1, url="http://old.example/jobs/1")),
    }

    def cdx(_request: Request) -> Answer:
        return Answer(json.dumps([header, *captures]).encode(), headers={"Content-Type": "application/json"})

    with serving(routes) as site:
        source = Source(
            name="old",
            spider="archives",
            url="http://old.example/jobs/",
            complete=False,
            allow_hosts=HERE,
            options={"api": site.base},
        )
        site.routes.update(dict.fromkeys(_look_ups(source), cdx))
        result = crawl(source, database_url=database_url, timeout_seconds=60)
    assert result.verdict == "healthy", result.reasons
    seen = rows(
        ledger,
        "SELECT source_id, title_text, substr(first_seen, 1, 10), substr(last_seen, 1, 10) FROM raw_posting ORDER BY 1",
    )
    assert seen == [
        ("http://old.example/jobs/1", "Data Scientist 1", "2023-01-01", "2023-06-01"),
        ("http://old.example/jobs/3", "Analytics Engineer 3", "2023-01-01", "2023-04-15"),
    ]
    assert rows(ledger, "SELECT reason, url FROM rejected") == [("not_this_ad", "http://old.example/jobs/2")]


def _look_ups(source: Source) -> list[str]:
    from scraper.spiders.archives import wayback_lookup

    return ["/" + wayback_lookup(source, None).url.split("/", 3)[3]]


def test_a_revisit_record_does_not_hand_on_the_page_of_another_address(tmp_path: Path) -> None:
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    revisit = (
        "WARC/1.0\r\nWARC-Type: revisit\r\nWARC-Target-URI: https://old.example/jobs/2\r\nWARC-Date: 2024-05-06T07:08:09Z\r\n"
        "WARC-Refers-To-Target-URI: https://old.example/jobs/1\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000009>\r\n"
        "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    redirect = (
        b"HTTP/1.1 301 Moved\r\nLocation: https://old.example/jobs/1\r\nContent-Type: text/html\r\n\r\n"
        + job_html(9).encode()
    )
    parts = (
        warc_record("https://old.example/jobs/1", AT, job_html(1).encode()),
        revisit.encode() + http + b"\r\n\r\n",
        warc_record("https://old.example/jobs/3", AT, b"", http=redirect),
    )
    (tmp_path / "a.warc").write_bytes(b"".join(parts))
    assert ids(saved(tmp_path / "a.warc")) == ["https://old.example/jobs/1"]


# Saved files


def saved(file: Path) -> list[object]:
    capture = open_capture(file, seen_at=AT)
    assert not isinstance(capture, RejectedRecord)
    with capture.file:
        return list(read_capture(capture))


def html_file(tmp_path: Path, body: str, name: str = "x.html") -> list[object]:
    (tmp_path / name).write_text(body, "utf-8")
    return saved(tmp_path / name)


SAVED: Mapping[str, tuple[str, list[str]]] = {
    "canonical": (job_html(1, head=f'<link rel="canonical" href="{A}">'), [A]),
    "its own address before the canonical": (job_html(1, url=A, head=f'<link rel="canonical" href="{B}">'), [A]),
    "canonical of the list, og:url of the ad": (job_html(1, head=f'<link rel="canonical" href="https://old.example/careers"><meta property="og:url" content="{A}">'), [A]),
    "canonical of the home page": (job_html(1, head='<link rel="canonical" href="https://old.example/">'), ["=data scientist 1|acme|lyon, de"]),
    "canonical of the home page, and an identifier": (job_html(1, head='<link rel="canonical" href="https://old.example/">', identifier={"value": 77}), ["Acme|77"]),
    "gone, and a job without address": (f'<h1>Position has been filled</h1>{job_html(1, head=f"<link rel=canonical href={A}>")}', ["=data scientist 1|acme|lyon, de"]),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), SAVED.values(), ids=SAVED)
def test_a_saved_page_is_the_ad_that_it_says_it_is(body: str, expected: list[str], tmp_path: Path) -> None:
    assert ids(html_file(tmp_path, body)) == expected


def test_saved_pages_with_one_canonical_address_for_all_are_as_many_ads(tmp_path: Path) -> None:
    head = '<link rel="canonical" href="https://old.example/careers">'
    found = [
        ids(html_file(tmp_path, job_html(n, head=head, url="https://old.example/"), f"{n}.html"))[0] for n in range(3)
    ]
    assert len(set(found)) == 3


def test_a_saved_page_that_is_gone_is_no_ad(tmp_path: Path) -> None:
    for number, body in enumerate(
        (
            "<h1>This job is no longer available</h1><p>See our other jobs.</p>",
            "<p>Diese Stelle ist leider nicht mehr verfügbar.</p>",
        )
    ):
        (rejected,) = html_file(tmp_path, f"<html>{body}</html>", f"{number}.html")
        assert isinstance(rejected, RejectedRecord)
        assert rejected.reason == "gone"


def test_what_is_left_of_a_saved_ad_fills_gaps_only(tmp_path: Path) -> None:
    left = "<h1>This job has expired</h1>" + job_html(1, url=A, description=None, baseSalary=None)
    (record,) = (one for one in html_file(tmp_path, left) if isinstance(one, RawPostingRecord))
    assert (record.identity, record.partial) == (A, True)
    (whole,) = (one for one in html_file(tmp_path, job_html(1, url=A)) if isinstance(one, RawPostingRecord))
    assert not whole.partial
