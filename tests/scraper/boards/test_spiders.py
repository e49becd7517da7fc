"""Spiders of platforms against the scenes: paging, details, and never a failed page for an empty board."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.known import known_postings
from db.store import keep
from scraper.answers import MARKER, AnswerError
from scraper.sources import Source, load_sources
from tests.scraper.boards.driver import BASE, Run, drive
from tests.scraper.boards.scenes import BIG, SCENES, Answer, Call

LOOPBACK = {source.name: source for source in load_sources(Path(__file__).parents[1] / "loopback.toml")}

SOUND = {
    "greenhouse": 12,
    "greenhouse-big": BIG,
    "greenhouse-empty": 0,
    "lever": 250,
    "ashby": 15,
    "smartrecruiters": 3,
    "workable": 8,
    "recruitee": 7,
    "personio": 6,
    "teamtailor": 15,
    "workday": 3,
    "bamboohr": 4,
    "breezy": 3,
    "pinpoint": 6,
    "himalayas": 60,
    "remotive": 6,
    "remoteok": 6,
    "arbeitnow": 15,
    "jobicy": 6,
    "weworkremotely": 6,
    "themuse": 10,
    "hackernews": 5,
    "jobpages": 4,
    "feed": 6,
    "wayback": 2,
    "commoncrawl": 3,
}


@pytest.mark.parametrize(("name", "postings"), SOUND.items(), ids=SOUND)
def test_a_sound_board_is_read_whole(name: str, postings: int) -> None:
    run = drive(LOOPBACK[name])
    assert len({one.id for one in run.whole}) == postings
    assert (run.incomplete, run.rejected) == ([], [])
    assert run.pages


UNNAMED = {"bamboohr", "lever", "personio", "pinpoint", "ashby"}
"""Platforms that call the employer by the board's handle only."""
DESCRIBED = [name for name in SOUND if name not in {"greenhouse-empty", "greenhouse-big"}]


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_a_sound_board_says_of_each_posting(name: str) -> None:
    for record in drive(LOOPBACK[name]).whole:
        assert record.description_text
        assert record.title_text
        assert record.posted_on is not None or name == "workday"
        assert (
            record.company_text
            == ("acme" if name in {"bamboohr", "lever", "personio", "pinpoint", "ashby"} else "Acme")
            or name == "feed"
        )
        assert record.source == name


SICK: dict[str, tuple[list[str], int, str]] = {
    # reasons, postings, code of what is rejected
    "greenhouse-gone": (["http_404"], 0, "http_404"),
    "greenhouse-html": (["html_instead_of_json"], 0, "html_instead_of_json"),
    "greenhouse-cut": (["broken_json"], 0, "broken_json"),
    "lever-fails-later": (["http_500"], 100, "http_500"),
    "lever-repeats": (["the listing repeats itself"], 100, ""),
    "personio-cut": (["the feed breaks off"], 4, ""),
    "feed-bomb": (["entities_refused"], 0, "entities_refused"),
    "feed-retired": (["html_instead_of_xml"], 0, "html_instead_of_xml"),
}


@pytest.mark.parametrize("name", SICK)
def test_a_sick_board_is_never_an_empty_one(name: str) -> None:
    reasons, postings, code = SICK[name]
    run = drive(LOOPBACK[name])
    assert len({one.id for one in run.whole}) == postings
    assert len(run.incomplete) == len(reasons)
    assert all(found.startswith(reason) for found, reason in zip(run.incomplete, reasons, strict=True))
    assert run.rejected == ([code] if code else [])


def test_an_empty_board_is_whole() -> None:
    run = drive(LOOPBACK["greenhouse-empty"])
    assert (run.postings, run.incomplete, len(run.pages)) == ([], [], 1)


def test_fewer_postings_than_the_site_counts_are_not_the_whole() -> None:
    source = replace(LOOPBACK["smartrecruiters"], options={"api": f"{BASE}/smartrecruiters-short"})
    run = drive(source)
    assert len(run.whole) == 100
    assert run.incomplete == ["fewer postings than the site counts"]


def test_a_posting_whose_page_fails_stays_seen_and_is_counted() -> None:
    run = drive(LOOPBACK["smartrecruiters-sick"])
    assert run.stats["jobledger/not_inspected"] == 1
    assert {one.source_id for one in run.postings} == {"744000", "744001", "744002"}
    assert {one.source_id for one in run.whole} == {"744000", "744002"}
    assert run.incomplete == []
    assert run.rejected == ["http_500"]


WITH_DETAILS = ["smartrecruiters", "workday", "bamboohr", "breezy", "jobpages"]


@pytest.mark.parametrize("name", WITH_DETAILS)
def test_pages_of_unchanged_postings_are_not_fetched_again(name: str) -> None:
    first = drive(LOOPBACK[name])
    again = drive(LOOPBACK[name], known=first.known())
    assert again.whole == []
    assert {one.id for one in again.postings} == {one.id for one in first.whole}
    assert again.stats["jobledger/details_spared"] == len(first.whole)
    assert len(again.asked) == len(first.asked) - len(first.whole)


@pytest.mark.parametrize("name", WITH_DETAILS)
def test_a_second_run_leaves_the_ledger_as_it_is(name: str, ledger: Engine) -> None:
    first = drive(LOOPBACK[name])
    assert keep(ledger, first.records).new == len(first.whole)
    known = known_postings(ledger, name, marker=MARKER)
    again = drive(LOOPBACK[name], known=known)
    counts = keep(ledger, again.records)
    assert (counts.new, counts.updated, counts.unchanged) == (0, 0, len(first.whole))


@pytest.mark.parametrize("name", [name for name in SOUND if name not in {"greenhouse-big", "greenhouse-empty"}])
def test_reading_a_board_twice_changes_nothing(name: str, ledger: Engine) -> None:
    keep(ledger, drive(LOOPBACK[name]).records)
    counts = keep(ledger, drive(LOOPBACK[name]).records)
    assert (counts.new, counts.updated) == (0, 0)


def test_a_page_that_failed_is_asked_again_next_time() -> None:
    sick = drive(LOOPBACK["smartrecruiters-sick"])
    again = drive(LOOPBACK["smartrecruiters"], known=sick.known())
    assert [one.source_id for one in again.whole] == ["744001"]


def workday(scene: str) -> Run:
    return drive(replace(LOOPBACK["workday"], options={"api": f"{BASE}/{scene}"}))


def test_workday_pages_by_twenty() -> None:
    run = workday("workday-pages")
    assert len(run.whole) == 45
    assert len(run.pages) == 3 + 45
    assert len({page.url for page in run.pages}) == 48


@pytest.fixture
def low_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scraper.spiders.workday.CAP", 100)


@pytest.mark.usefixtures("low_cap")
def test_a_capped_workday_list_is_not_the_whole() -> None:
    assert "the listing is capped" in workday("workday-capped").incomplete


@pytest.mark.usefixtures("low_cap")
def test_a_capped_workday_list_is_split_by_a_facet() -> None:
    run = workday("workday-split")
    assert (len({one.id for one in run.whole}), run.incomplete) == (130, [])


def test_a_board_that_moved_away_is_gone() -> None:
    run = drive(LOOPBACK["bamboohr-gone"])
    assert (run.postings, run.rejected) == ([], ["http_302"])


def test_another_thread_than_the_one_asked_for_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(call: Call) -> Answer:
        asked = call if call.path.endswith("search_by_date") else replace(call, path="/api/v1/items/42")
        found = SCENES["hackernews"](asked)
        return found if asked is call else Answer(found.body.replace(b'"id": 42', b'"id": 17'))

    monkeypatch.setitem(SCENES, "hackernews-other", play)  # type: ignore[arg-type]
    run = drive(replace(LOOPBACK["hackernews"], options={"api": f"{BASE}/hackernews-other"}))
    assert (run.postings, run.rejected, run.incomplete) == ([], ["not_this_thread"], ["not_this_thread"])


def test_the_window_of_an_endless_feed_ends_it() -> None:
    short = replace(LOOPBACK["himalayas"], options={**LOOPBACK["himalayas"].options, "pages": 1})
    assert len(drive(short).whole) == 20
    assert drive(replace(short, complete=True)).incomplete == ["the listing has more pages"]


def test_archived_pages_are_seen_when_they_were_archived() -> None:
    seen = {(one.source_id, one.seen_at.date().isoformat()) for one in drive(LOOPBACK["wayback"]).postings}
    assert seen == {
        ("https://old.example/job/1", "2023-01-01"),
        ("https://old.example/job/1", "2023-06-01"),
        ("https://old.example/job/2", "2023-03-01"),
    }
    assert {one.seen_at.isoformat() for one in drive(LOOPBACK["commoncrawl"]).whole} == {"2023-02-05T10:11:12+00:00"}


def test_common_crawl_is_asked_for_a_range_of_bytes() -> None:
    asked = drive(LOOPBACK["commoncrawl"]).asked
    assert sum("one.warc.gz" in url for url in asked) == 3
    assert len(set(asked)) == len(asked)


def test_a_sitemap_leads_to_job_pages_of_its_own_site_only() -> None:
    asked = drive(LOOPBACK["jobpages"]).asked
    assert asked == [
        f"{BASE}/jobpages/{path}" for path in ("sitemap.xml", "jobs-1.xml.gz", "jobs/0", "jobs/1", "jobs/2", "jobs/3")
    ]


def test_a_line_that_changes_with_every_call_changes_no_posting() -> None:
    texts = [one.description_text or "" for one in drive(LOOPBACK["remoteok"]).whole]
    assert not any("WORD" in text for text in texts)


@pytest.mark.parametrize("name", ["greenhouse", "lever", "recruitee", "smartrecruiters", "pinpoint"])
def test_an_entry_without_token_is_refused_before_anything_is_asked(name: str) -> None:
    with pytest.raises(AnswerError, match="needs a token"):
        drive(Source(name="x", spider=name))


def test_every_scene_is_played() -> None:
    used = {str(source.options.get("api", source.url)).removeprefix(BASE).split("/")[1] for source in LOOPBACK.values()}
    extra = {"marketing", "smartrecruiters-short", "workday-pages", "workday-capped", "workday-split"}
    assert set(SCENES) == used | extra
