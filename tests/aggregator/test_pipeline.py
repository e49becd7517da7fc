"""The second half of the road on rows: read, judged, merged, read again; on both stores."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, update

from aggregator import matching, pipeline
from aggregator.dedupe import MATCH_VERSION, Verdict
from aggregator.normalise.money import Rates
from aggregator.pipeline import aggregate
from aggregator.rules import RULES_VERSION
from db.checks import check_ledger
from db.decisions import decide_flag
from db.merges import list_merges, merge_postings, split_posting, survivor_of
from db.models import Posting, PostingChange, PostingFlag, PostingMerge, RawPosting, Sighting
from db.records import PublishedPay, RawPostingRecord
from db.session import LedgerError, writing
from db.store import keep
from db.tables import POSTING
from tests.db.records import DAY, HOUR, NOON, ad, rows

TEXT = " ".join(f"word{n}" for n in range(200))
BAD: dict[str, Any] = {"salary_text": "USD 1111111K - 1111111K", "location_text": "Austin, TX"}


def job(number: int = 1, **changes: Any) -> RawPostingRecord:
    said = {"url": f"https://board.example/{number}", "description_text": TEXT, "title_text": "Data Engineer"}
    return ad(number, **said | changes)


def elsewhere(number: int = 1, **changes: Any) -> RawPostingRecord:
    return job(
        number, **{"source": "feed", "url": f"https://feed.example/{number}", "page_url": "https://f.example"} | changes
    )


def snapshot(store: Engine) -> dict[str, Any]:
    """Everything that reading again must not change."""
    moving = {"at", "raised_at"}
    return {
        model.__name__: [{n: v for n, v in row.items() if n not in moving} for row in rows(store, model)]
        for model in (RawPosting, Posting, PostingFlag, PostingMerge, PostingChange, Sighting)
    }


class TestReading:
    def test_a_raw_posting_becomes_a_posting(self, store: Engine) -> None:
        pay = PublishedPay(min="60000", max="80000", currency="EUR", period="YEAR")
        keep(store, [job(1, title_text="Senior Data Engineer (m/w/d)", pay=(pay,), salary_text=None)])
        assert aggregate(store, now=NOON).postings.new == 1
        (posting,) = rows(store, Posting)
        assert (posting["title"], posting["level"], posting["city"], posting["country"]) == (
            "Senior Data Engineer",
            "senior",
            "Berlin",
            "DE",
        )
        assert (posting["salary_min"], posting["currency"], posting["period"]) == (60_000, "EUR", "year")
        assert posting["id"] == rows(store, RawPosting)[0]["id"]

    def test_nothing_pending_is_nothing_done(self, store: Engine) -> None:
        keep(store, [job(1), job(2)])
        aggregate(store, now=NOON)
        before = snapshot(store)
        assert aggregate(store, now=NOON + DAY).read == 0
        assert snapshot(store) == before

    def test_everything_again_changes_nothing(self, store: Engine) -> None:
        keep(store, [job(1), elsewhere(1), job(2, **BAD, title_text="Analyst")])
        aggregate(store, now=NOON)
        before = snapshot(store)
        again = aggregate(store, now=NOON + DAY, everything=True)
        assert (again.read, again.postings.updated, again.postings.fields_changed) == (3, 0, {})
        assert snapshot(store) == before

    def test_new_rules_read_in_place_and_say_what_changed(self, store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        keep(store, [job(1), job(2, title_text="Analyst")])
        aggregate(store, now=NOON)
        ids = [row["id"] for row in rows(store, Posting)]
        with writing(store) as connection:  # as if older rules had read another level
            connection.execute(update(POSTING).values(level="lead", content_hash="old"))
        monkeypatch.setattr(pipeline, "RULES_VERSION", RULES_VERSION + 1)
        counts = aggregate(store, now=NOON + DAY).postings
        assert (counts.updated, counts.fields_changed) == (2, {"level": 2})
        assert [row["id"] for row in rows(store, Posting)] == ids
        assert {(c["field"], c["old"], c["new"], c["cause"]) for c in rows(store, PostingChange)} == {
            ("level", "lead", None, "rules")
        }

    def test_a_raw_posting_that_changed_meanwhile_stays_pending(self, store: Engine) -> None:
        keep(store, [job(1)])
        with_old = pipeline._next_batch(store, 10)
        keep(store, [job(1, salary_text="€99,000", seen_at=NOON + DAY)])
        drafts = pipeline.compose_all(Rates(), with_old, now=NOON)
        pipeline.postings.keep_postings(store, drafts, rules_version=RULES_VERSION, now=NOON)
        assert [row["rules_version"] for row in rows(store, RawPosting)] == [0]
        aggregate(store, now=NOON)
        assert [row["salary_text"] for row in rows(store, Posting)] == ["€99,000"]


class TestDecisions:
    def flagged(self, store: Engine, **changes: Any) -> str:
        keep(store, [job(1, **BAD | changes)])
        aggregate(store, now=NOON)
        return next(f"{f['posting_id']}:{f['code']}" for f in rows(store, PostingFlag) if f["code"] == "placeholder")

    def test_a_decision_holds_when_everything_is_read_again(self, store: Engine) -> None:
        decide_flag(store, self.flagged(store), "dismissed", who="eva", why="really", now=NOON)
        aggregate(store, now=NOON + DAY, everything=True)
        states = {f["code"]: (f["state"], f["why"]) for f in rows(store, PostingFlag)}
        assert states["placeholder"] == ("dismissed", "really")

    def test_another_value_opens_the_question_again(self, store: Engine) -> None:
        decide_flag(store, self.flagged(store), "dismissed", who="eva", why="really", now=NOON)
        keep(store, [job(1, **BAD | {"salary_text": "USD 2222222K - 2222222K"}, seen_at=NOON + DAY)])
        aggregate(store, now=NOON + DAY)
        states = {f["code"]: f["state"] for f in rows(store, PostingFlag)}
        assert states["placeholder"] == "open"
        assert not check_ledger(store)

    def test_a_decision_survives_merge_and_split(self, store: Engine) -> None:
        decide_flag(store, self.flagged(store), "dismissed", who="eva", why="really", now=NOON)
        first = rows(store, Posting)[0]["id"]
        keep(store, [elsewhere(9, title_text="Analyst", seen_at=NOON - DAY)])
        aggregate(store, now=NOON)
        other = next(p["id"] for p in rows(store, Posting) if p["id"] != first)
        merge_postings(store, other, first, who="eva", why=None, now=NOON)
        aggregate(store, now=NOON)
        split_posting(store, first, who="eva", why=None, now=NOON + HOUR)
        aggregate(store, now=NOON)
        mine = {f["code"]: f["state"] for f in rows(store, PostingFlag) if f["posting_id"] == first}
        assert mine["placeholder"] == "dismissed"
        assert not check_ledger(store)


class TestMerging:
    def test_one_job_of_two_sources_is_one_posting_with_every_sighting(self, store: Engine) -> None:
        keep(store, [job(1, salary_text=None), elsewhere(1, salary_text="€70,000 a year", seen_at=NOON + HOUR)])
        counts = aggregate(store, now=NOON + DAY)
        assert (counts.merged, counts.postings.new) == (1, 1)
        (posting,) = rows(store, Posting)
        assert (posting["sources"], posting["salary_min"]) == (["acme-board", "feed"], 70_000)
        assert (posting["first_seen"], posting["last_seen"]) == (NOON, NOON + HOUR)
        assert len(rows(store, Sighting)) == 2
        (merge,) = list_merges(store)
        assert (merge["posting_id"], merge["decided_by"], merge["state"]) == (posting["id"], "rules", "merged")
        assert survivor_of(store, merge["other_id"]) == posting["id"]
        assert not check_ledger(store)

    @pytest.mark.parametrize("first", ["board", "feed"])
    def test_the_order_of_the_sources_does_not_matter(self, store: Engine, first: str) -> None:
        one, other = job(1, level_text="Senior"), elsewhere(1, salary_text="€70,000 a year", seen_at=NOON + HOUR)
        for record in (one, other) if first == "board" else (other, one):
            keep(store, [record])
            aggregate(store, now=NOON + DAY)
        (posting,) = rows(store, Posting)
        assert (posting["level_text"], posting["first_seen"], posting["last_seen"]) == ("Senior", NOON, NOON + HOUR)
        assert posting["sources"] == ["acme-board", "feed"]

    def test_what_a_person_splits_stays_apart_under_its_old_id(self, store: Engine) -> None:
        keep(store, [job(1), elsewhere(1)])
        ids = {row["id"] for row in rows(store, RawPosting)}
        aggregate(store, now=NOON)
        gone = list_merges(store)[0]["other_id"]
        split_posting(store, gone, who="eva", why="two teams", now=NOON + HOUR)
        for everything in (False, True):
            aggregate(store, now=NOON + DAY, everything=everything)
            assert {row["id"] for row in rows(store, Posting)} == ids
            assert all(row["posting_id"] == row["id"] for row in rows(store, RawPosting))
        assert list_merges(store)[0]["why"] == "two teams"
        assert not check_ledger(store)

    def test_what_a_person_merges_stays_together(self, store: Engine) -> None:
        keep(store, [job(1), elsewhere(2, title_text="Nurse", location_text="Paris, France")])
        aggregate(store, now=NOON)
        one, other = (row["id"] for row in rows(store, Posting))
        merge_postings(store, one, other, who="eva", why="so it is", now=NOON)
        for everything in (False, True):
            aggregate(store, now=NOON + DAY, everything=everything)
            assert [row["id"] for row in rows(store, Posting)] == [one]
        with pytest.raises(LedgerError, match="one posting already"):
            merge_postings(store, one, other, who="eva", why=None, now=NOON)

    def test_a_merge_that_todays_rules_would_not_make_is_taken_back(
        self, store: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep(store, [job(1), elsewhere(1)])
        aggregate(store, now=NOON)
        assert len(rows(store, Posting)) == 1
        monkeypatch.setattr(matching, "MATCH_VERSION", MATCH_VERSION + 1)
        monkeypatch.setattr(matching, "same_job", lambda a, b: Verdict(False, 0.0, "today"))
        monkeypatch.setattr(matching, "groups_of", lambda ads, apart: [])
        assert aggregate(store, now=NOON + DAY).split == 1
        assert len(rows(store, Posting)) == 2
        assert not list_merges(store)
        assert not check_ledger(store)

    def test_a_third_ad_joins_and_the_middle_one_can_leave(self, store: Engine) -> None:
        for number, source in enumerate(("one", "two", "three")):
            keep(store, [elsewhere(1, source=source, url=f"https://{source}.example", seen_at=NOON + number * HOUR)])
            aggregate(store, now=NOON)
        (posting,) = rows(store, Posting)
        assert posting["sources"] == ["one", "three", "two"]
        middle = next(r["id"] for r in rows(store, RawPosting) if r["source"] == "two")
        split_posting(store, middle, who="eva", why=None, now=NOON)
        aggregate(store, now=NOON)
        assert sorted(tuple(row["sources"]) for row in rows(store, Posting)) == [("one", "three"), ("two",)]

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda e: split_posting(e, "nothing", who="x", why=None, now=NOON), "no merge of 'nothing'"),
            (lambda e: merge_postings(e, "a", "b", who="x", why=None, now=NOON), "no posting 'a'"),
        ],
        ids=["split", "merge"],
    )
    def test_unknown_ids_are_said_and_nothing_is_written(self, store: Engine, call: Any, message: str) -> None:
        with pytest.raises(LedgerError, match=message):
            call(store)
        assert not rows(store, PostingMerge)

    def test_two_openings_of_one_board_stay_two_and_are_marked(self, store: Engine) -> None:
        keep(store, [job(1), job(2, seen_at=NOON), job(3, location_text="Paris, France")])
        assert aggregate(store, now=NOON).merged == 0
        assert len(rows(store, Posting)) == 3
        first, second = sorted(r["id"] for r in rows(store, RawPosting) if r["location_text"] == "Berlin, Germany")
        (flag,) = [f for f in rows(store, PostingFlag) if f["code"] == "duplicate_in_source"]
        assert (flag["posting_id"], flag["severity"]) == (second, "warn")
        assert first in flag["detail"]

    def test_the_mark_goes_when_the_ads_differ(self, store: Engine) -> None:
        keep(store, [job(1), job(2)])
        aggregate(store, now=NOON)
        keep(store, [job(2, location_text="Paris, France", seen_at=NOON + DAY)])
        aggregate(store, now=NOON + DAY)
        assert not [f for f in rows(store, PostingFlag) if f["code"] == "duplicate_in_source"]
        aggregate(store, now=NOON + DAY, everything=True)
        assert not check_ledger(store)
