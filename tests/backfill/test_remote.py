"""WARC files behind web addresses, and the archives' own indexes, over real HTTP on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scheduler.backfill import backfill
from scheduler.backfill_cdx import Pattern, backfill_pattern
from scheduler.backfill_file import backfill_file
from tests.backfill.server import serving, wayback_page
from tests.backfill.warcs import ARTICLE, NOTHING, job, member, partitions, rows
from tests.scraper.files.damaged import NOISE

PARTS = [
    member("https://acme.example/jobs/1", job("Chef")),
    member("https://acme.example/soup", NOTHING.encode()),
    member("https://acme.example/jobs/2", job("Nurse")),
]
HERE = ("127.0.0.1",)


def test_a_file_behind_an_address_is_read_as_a_local_one(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(b"".join(PARTS))
    backfill_file(str(tmp_path / "a.warc.gz"), str(tmp_path / "local"))
    with serving({"/new/a.warc.gz": b"".join(PARTS)}) as server:
        server.moved["/a.warc.gz"] = "/new/a.warc.gz"
        url = f"{server.base}/a.warc.gz"
        result = backfill_file(url, str(tmp_path / "out"), allow_hosts=HERE)
        assert backfill([url], str(tmp_path / "out"), allow_hosts=HERE).skipped == 1
        assert server.asked == ["/a.warc.gz", "/new/a.warc.gz"]
    assert (result.error, result.pages, result.postings) == (None, 3, 2)
    assert list(partitions(tmp_path / "out").values()) == list(partitions(tmp_path / "local").values())


def test_a_private_address_is_refused_on_every_hop(tmp_path: Path) -> None:
    with serving({"/a.warc.gz": PARTS[0]}) as server:
        refused = backfill_file(f"{server.base}/a.warc.gz", str(tmp_path / "out"))
        server.moved["/away"] = f"http://localhost:{server.server_port}/a.warc.gz"
        moved = backfill_file(f"{server.base}/away", str(tmp_path / "out"), allow_hosts=HERE)
        other = backfill_file("file:///etc/passwd", str(tmp_path / "out"))
    assert refused.error is not None
    assert "127.0.0.1 is loopback; --allow-host 127.0.0.1" in refused.error
    assert moved.error is not None
    assert "is loopback" in moved.error
    assert other.error is not None
    assert server.asked == ["/away"]


def test_a_damage_in_a_streamed_file_is_passed_by_ranges(tmp_path: Path) -> None:
    broken = member("http://b.example/", NOISE)[:4_000]
    with serving({"/a.warc.gz": PARTS[0] + broken + PARTS[2]}) as server:
        result = backfill_file(f"{server.base}/a.warc.gz", str(tmp_path / "out"), allow_hosts=HERE)
    assert result.error is None
    assert rows(tmp_path / "out", "postings", "title_text") == [("Chef",), ("Nurse",)]
    assert [reason for (reason,) in rows(tmp_path / "out", "rejected", "reason")] == ["broken_record"]


def test_a_broken_connection_is_a_failed_file_and_not_a_short_one(tmp_path: Path) -> None:
    with serving({"/a.warc.gz": b"".join(PARTS)}) as server:
        url = f"{server.base}/a.warc.gz"
        server.breaks_at = len(PARTS[0]) + 50
        failed = backfill([url], str(tmp_path / "out"), allow_hosts=HERE)
        assert len(failed.failed) == 1
        assert partitions(tmp_path / "out") == {}
        server.breaks_at = None
        again = backfill([url], str(tmp_path / "out"), allow_hosts=HERE)
    assert (again.failed, again.totals["postings"]) == ((), 2)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with serving({}) as server:
        result = backfill_file(f"{server.base}/none.warc.gz", str(tmp_path / "out"), allow_hosts=HERE)
    assert result.error == f"{server.base}/none.warc.gz: answered 404 Not Found"


def _wayback(tmp_path: Path, **wanted: object) -> tuple[Pattern, dict[str, bytes]]:
    first = wayback_page(
        [("20230101000000", "https://a.example/1"), ("20230501000000", "https://a.example/1")], resume="next"
    )
    second = wayback_page([("20230301000000", "https://a.example/2"), ("20230302000000", "https://a.example/gone")])
    files = {
        "/cdx/search/cdx": first,
        "/cdx/search/cdx?next": second,
        "/web/20230501000000id_/https://a.example/1": job("Chef"),
        "/web/20230301000000id_/https://a.example/2": ARTICLE.encode(),
    }
    return Pattern(url="https://a.example/", **wanted), files  # type: ignore[arg-type]


def test_waybacks_index_is_read_page_by_page_and_each_page_once(tmp_path: Path) -> None:
    pattern, files = _wayback(tmp_path)
    with serving(files) as server:
        pattern = Pattern(url=pattern.url, server=server.base)
        options = {"allow_hosts": HERE, "seconds_between": 0.0}
        url = f"sqlite:///{tmp_path}/ledger.db"
        summary = backfill_pattern(pattern, str(tmp_path / "out"), database_url=url, **options)  # type: ignore[arg-type]
        assert not summary.failed
        asked = len(server.asked)
        again = backfill_pattern(pattern, str(tmp_path / "out"), database_url=url, **options)  # type: ignore[arg-type]
        assert again.skipped == len(again.results) == 2
        assert len(server.asked) == asked, "what is done is not asked for again"
    assert sorted(rows(tmp_path / "out", "postings", "title_text, strftime(captured_at, '%Y-%m')")) == [
        ("Chef", "2023-05"),
        ("Senior Data Engineer", "2023-03"),
    ]
    assert rows(tmp_path / "out", "rejected", "reason, url") == [("not_fetched", "https://a.example/gone")]


def test_a_wayback_answer_about_another_page_is_told_and_left_out(tmp_path: Path) -> None:
    page = "/web/20230501000000id_/https://a.example/jobs/{}".format
    other = "/web/20230502000000id_/https://a.example/careers"
    files = {
        "/cdx/search/cdx": wayback_page([("20230501000000", f"https://a.example/jobs/{n}") for n in (1, 2)]),
        page(1): job("Chef"),
        other: job("Cook"),
    }
    with serving(files) as server:
        server.moved = {page(2): other}
        pattern = Pattern(url="https://a.example/jobs/", server=server.base)
        backfill_pattern(pattern, str(tmp_path / "out"), allow_hosts=HERE, seconds_between=0.0)
    assert rows(tmp_path / "out", "postings", "title_text, source_id") == [("Chef", "https://a.example/jobs/1")]
    assert rows(tmp_path / "out", "rejected", "reason, url") == [("not_this_ad", "https://a.example/jobs/2")]


def test_robots_txt_of_an_archive_is_obeyed(tmp_path: Path) -> None:
    pattern, files = _wayback(tmp_path)
    with serving(files) as server:
        server.robots = b"User-agent: *\nDisallow: /web/\n"
        pattern = Pattern(url=pattern.url, server=server.base)
        backfill_pattern(pattern, str(tmp_path / "out"), allow_hosts=HERE, seconds_between=0.0)
        assert not any(path.startswith("/web/") for path in server.asked)
    reasons = rows(tmp_path / "out", "rejected", "reason, detail")
    assert len(reasons) == 3
    assert all("robots.txt forbids it" in detail for _, detail in reasons)


def test_a_limit_of_pages_holds(tmp_path: Path) -> None:
    pattern, files = _wayback(tmp_path)
    with serving(files) as server:
        pattern = Pattern(url=pattern.url, server=server.base, limit=1)
        summary = backfill_pattern(pattern, str(tmp_path / "out"), allow_hosts=HERE, seconds_between=0.0)
        assert sum(path.startswith("/web/") for path in server.asked) == 1
    assert summary.totals["pages"] == 1


def test_common_crawl_is_read_by_ranges_of_its_files(tmp_path: Path) -> None:
    offset = len(PARTS[0]) + len(PARTS[1])
    capture = {
        "urlkey": "k", "timestamp": "20240506070809", "url": "https://acme.example/jobs/2", "mime": "text/html",
        "status": "200", "filename": "crawl/a.warc.gz", "offset": str(offset), "length": str(len(PARTS[2])),
    }  # fmt: skip
    files = {
        "/collinfo.json": json.dumps([{"id": "CC-MAIN-2024-18"}]).encode(),
        "/CC-MAIN-2024-18-index": json.dumps(capture).encode() + b"\n",
        "/crawl/a.warc.gz": b"".join(PARTS),
    }
    with serving(files) as server:
        pattern = Pattern(url="acme.example/*", archive="commoncrawl", server=server.base, data=server.base)
        summary = backfill_pattern(pattern, str(tmp_path / "out"), allow_hosts=HERE, seconds_between=0.0)
    assert not summary.failed
    assert rows(tmp_path / "out", "postings", "title_text") == [("Nurse",)]


def _index(names: list[str], key: str | None) -> bytes:
    return wayback_page([("20230101000000", f"https://a.example/{name}") for name in names], resume=key)


CIRCLES = {
    "repeats its key": ({"": (["1"], "A"), "A": (["2"], "A")}, "repeats its key 'A'", 2),
    "keys in a circle": ({"": (["1"], "A"), "A": (["2"], "B"), "B": (["3"], "A")}, "repeats its key 'A'", 3),
    "one page for ever": (
        {"": (["1"], "k0"), **{f"k{n}": (["1"], f"k{n + 1}") for n in range(50)}}, "names no new capture", 4),
    "empty pages for ever": (
        {"": (["1"], "k0"), **{f"k{n}": ([], f"k{n + 1}") for n in range(50)}}, "names no new capture", 4),
}  # fmt: skip


@pytest.mark.parametrize("name", CIRCLES)
def test_an_index_that_goes_in_a_circle_is_left_with_a_note_and_what_it_named_is_kept(
    name: str, tmp_path: Path
) -> None:
    index, words, look_ups = CIRCLES[name]
    files = {f"/cdx/search/cdx{'?' if key else ''}{key}": _index(*page) for key, page in index.items()}
    files |= {f"/web/20230101000000id_/https://a.example/{n}": job(f"Chef {n}") for n in range(9)}
    named = {f"Chef {one}" for names, _ in index.values() for one in names}
    with serving(files) as server:
        pattern = Pattern(url="https://a.example/", server=server.base)
        told = []
        for _ in range(2):  # the second time all is known already, and ends alike
            summary = backfill_pattern(pattern, str(tmp_path / "out"), allow_hosts=HERE, seconds_between=0.0)
            assert not summary.failed
            told.append(summary.as_json()["ends_early"])
        assert sum("/cdx/" in path for path in server.asked) == look_ups
    assert told[0] == told[1]
    assert [words in line for line in told[0]] == [True]
    assert {title for (title,) in rows(tmp_path / "out", "postings", "title_text")} == named
