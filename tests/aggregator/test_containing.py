"""A rule that fails on one ad costs that ad: whatever the rule, the store and the process that reads."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from aggregator import cohorts, dedupe, matching, parts, pipeline
from aggregator.claims import read_article
from aggregator.composing import compose
from aggregator.containing import compose_all
from aggregator.normalise.employment import parse_employment
from aggregator.normalise.location import parse_location
from aggregator.normalise.money import Rates
from aggregator.normalise.role import parse_role
from aggregator.normalise.salary.parse import parse_salary
from aggregator.normalise.title import clean_title
from aggregator.pipeline import aggregate
from aggregator.quality import FLAGS, CohortRow, Flag, judge, judge_cohorts
from aggregator.rules import RULES_VERSION
from db.articles import StoredArticle, StoredSection
from db.checks import check_ledger
from db.contained import Failure, contained
from db.copying import copy_ledger
from db.decisions import decide_flag
from db.filters import Filters
from db.models import Article, ArticleClaim, Posting, PostingFlag, RawPosting, Rejected
from db.records import ArticleRecord, ArticleSectionRecord, RawPostingRecord
from db.rejected import list_rejected
from db.session import LedgerError, open_ledger, reading
from db.store import keep
from db.tables import RAW
from insights import render
from insights.report import build_report
from scheduler.cluster import pool
from tests import injected
from tests.db.records import DAY, NOON, ad, rows
from tests.injected import MARK, FailingExecutor, failing, functions_of, lettered
from tests.ledger import OF_RUNS, differences, held

TEXT = " ".join(f"word{n}" for n in range(200))
RULES = functions_of(*injected.RULES)
NAMES = {function: name for name, function in RULES.items()}


TOPICS = ("Search", "Payments", "Billing", "Maps", "Music", "Games", "Ads", "Video", "Travel", "Food", "Health", "News")
_words = itertools.count()


def new_word() -> str:
    """A mark of its own: a text that was read once is remembered, and no rule is asked again."""
    return f"Quxel{lettered(next(_words))}x"


def good(number: int, **changes: Any) -> RawPostingRecord:
    said: dict[str, Any] = {
        "title_text": f"Senior Data Engineer {TOPICS[number % 12]} (m/w/d)",
        "company_text": f"Plainly {number // 6} GmbH",
        "url": f"https://board.example/{number}",
        "description_text": f"{TEXT} {number}",
        "employment_text": "Full Time",
        "level_text": "Senior-level",
    }
    return ad(number, **said | changes)


def marked(word: str | None = None, **changes: Any) -> RawPostingRecord:
    """An ad of the same employer with the mark in every text and amount."""
    word = word or new_word()
    said: dict[str, Any] = {
        "title_text": f"Senior Data Engineer {word} (m/w/d), {word}",
        "company_text": "Plainly 0 GmbH",
        "location_text": f"{word}, Berlin, Germany",
        "workplace_text": f"{word} hybrid",
        "employment_text": f"Full Time {word}",
        "level_text": f"Senior-level {word}",
        "salary_text": f"€77,777 - €88,888 a year {word}",
        "description_text": f"{TEXT} {word}",
        "requisition_text": f"R-{word}",
        "url": f"https://board.example/{word}",
    }
    return good(4_000, **said | changes)


def together() -> list[RawPostingRecord]:
    """Ads of which every second one is published elsewhere too: there are jobs to be matched."""
    ads = [good(n) for n in range(12)]
    other = {"source": "feed", "page_url": "https://feed.example"}
    return ads + [good(n, **other, url=f"https://feed.example/{n}") for n in range(0, 12, 2)]


def stored(engine: Engine, records: Sequence[RawPostingRecord]) -> list[Any]:
    keep(engine, records)
    with reading(engine) as connection:
        return list(connection.execute(RAW.select().order_by(RAW.c.id)))


class Marked:
    """A raw posting as a row, with another word for its mark, so that no remembered reading is met."""

    def __init__(self, row: Any, word: str) -> None:
        self._mapping = {
            name: value.replace("Quxel", word) if isinstance(value, str) else value
            for name, value in row._mapping.items()
        }
        self.__dict__.update(self._mapping)


@pytest.fixture(scope="module")
def ads(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    engine = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('ads') / 'ledger.db'}")
    found = stored(engine, [*together(), marked("Quxel")])
    engine.dispose()
    return found


def split(found: Sequence[Any]) -> tuple[list[tuple[str, list[Any]]], Any]:
    bad = next(row for row in found if "Quxel" in row.title_text)
    return [(row.id, [row]) for row in found if row is not bad], bad


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_fails_on_an_ad_rejects_that_ad_alone(name: str, ads: list[Any]) -> None:
    others, bad = split(ads)
    row = Marked(bad, f"Quxel{lettered(list(RULES).index(name))}")
    expected = compose_all(Rates(), others, now=NOON)
    jobs = sorted([*others, (bad.id, [row])])
    with failing(RULES[name]) as trap:
        made = compose_all(Rates(), jobs, now=NOON)
    if trap.met:
        assert made.drafts == expected.drafts
        (rejected,) = made.rejected
        assert (rejected.subject, rejected.reason, rejected.rules_version) == (bad.id, "rule_failed", RULES_VERSION)
        assert rejected.detail.startswith("InjectedError: this rule fails on this row")
    else:
        assert (made.rejected, len(made.drafts)) == ([], len(jobs))


@pytest.mark.parametrize("name", [name for name in RULES if "dedupe" in name or "title_tokens" in name])
def test_a_rule_that_fails_on_a_pair_leaves_one_posting_by_itself(name: str, ads: list[Any]) -> None:
    others, bad = split(ads)
    row = Marked(bad, f"Quxel{lettered(list(RULES).index(name))}")
    drafts = compose_all(Rates(), [*others, (bad.id, [row])], now=NOON).drafts
    raw = [SimpleNamespace(posting_id=one.id, id=one.id, source=one.source, url=one.url) for one in ads]
    postings = sorted(
        (SimpleNamespace(id=draft.id, _mapping=draft.values, **draft.values) for draft in drafts),
        key=lambda posting: (posting.block, posting.id),
    )
    expected = matching._compared([posting for posting in postings if posting.id != bad.id], raw, set())
    assert len(expected[0]) == 6, "there are jobs to be matched"
    with failing(RULES[name]) as trap:
        found, twice, failed = matching._compared(postings, raw, set())
    if trap.met:
        assert (found, twice) == expected[:2]
        assert [posting.id for posting, _ in failed] == [bad.id]


def article(number: int, word: str) -> StoredArticle:
    text = f"The average salary of a Data Analyst {word} in the United States is $77,777 a year, says {word}."
    section = StoredSection("Salary", None, f"{text}\nDemand for {word} jobs will grow by 8% until 2030.")
    return StoredArticle(
        str(number), "medium", f"https://a.example/{number}", f"Data Analyst vs. {word}", "h", (section,)
    )


@pytest.mark.parametrize("name", [name for name in RULES if "claims" in name or "location" in name or "salary" in name])
def test_a_rule_that_fails_on_an_article_is_a_failure_of_it(name: str) -> None:
    word = f"Quxel{lettered(list(RULES).index(name))}"
    with failing(RULES[name]) as trap:
        read = contained(read_article, article(1, word))
    assert isinstance(read, Failure) == bool(trap.met)


def report_of(url: str) -> Any:
    made = json.loads(render.json(build_report(url, filters=Filters(), now=NOON, alone=True)))
    return {name: part for name, part in made.items() if name != "generated_at"}


STEPS: dict[str, FunctionType] = {
    "title": clean_title,
    "role": parse_role,
    "place": parse_location,
    "employment": parse_employment,
    "pay": parse_salary,
    "composing": compose,
    "flags": judge,
}


@pytest.mark.parametrize("function", [*STEPS.values(), *(test for *_, test in FLAGS if test)])
def test_the_walk_meets_the_rules(function: FunctionType, ads: list[Any]) -> None:
    _, bad = split(ads)
    with failing(function) as trap:
        assert len(compose_all(Rates(), [(bad.id, [Marked(bad, new_word())])], now=NOON).rejected) == 1
    assert trap.met


@pytest.mark.parametrize(
    ("step", "workers"), [*((step, 1) for step in STEPS), *((step, 2) for step in ("title", "pay", "composing"))]
)
def test_the_ledger_and_the_report_are_those_without_the_ad(
    step: str, workers: int, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "SMALLEST", 2)
    function = STEPS[step]
    without, bad = f"sqlite:///{tmp_path / 'without.db'}", marked()
    engine = open_ledger(without)
    keep(engine, together())
    expected = aggregate(engine, now=NOON)
    engine.dispose()
    engine = open_ledger(ledger_url)
    keep(engine, [*together(), bad])
    with pool(None, workers, ledger=engine) as executor, failing(function):
        there = FailingExecutor(executor, NAMES[function]) if executor is not None else None
        made = aggregate(engine, now=NOON, pool=there)
    assert (made.postings, made.merged, made.rejected) == (expected.postings, expected.merged, 1)
    (rejected,) = list_rejected(engine)
    assert (rejected["source"], rejected["url"]) == ("acme-board", bad.url)
    assert (rejected["reason"], rejected["rules_version"]) == ("rule_failed", RULES_VERSION)
    copy = f"sqlite:///{tmp_path / 'copy.db'}"  # two stores spell the same value differently
    copy_ledger(engine, open_ledger(copy))
    engine.dispose()
    tables = OF_RUNS | {"rejected", "raw_posting", "sighting", "posting_words"}
    assert differences(held(without, without=tables), held(copy, without=tables)) == {}
    assert report_of(without) == report_of(ledger_url)


class TestOneOfSeveral:
    """A posting of two raw postings, one of which cannot be read."""

    def pair(self) -> list[RawPostingRecord]:
        elsewhere = {"source": "feed", "url": "https://feed.example/1", "page_url": "https://feed.example"}
        return [good(1), good(1, **elsewhere)]

    @pytest.mark.parametrize("rule", [clean_title, compose, parse_salary])
    def test_the_posting_is_composed_of_the_other(self, store: Engine, rule: FunctionType) -> None:
        one, other = self.pair()
        keep(store, [one, other])
        assert aggregate(store, now=NOON).merged == 1
        word = new_word()
        changed = {"salary_text": f"€77,777 {word}", "title_text": f"Data Engineer {word}", "seen_at": NOON + DAY}
        keep(store, [good(1, source="feed", url="https://feed.example/1", page_url="https://feed.example", **changed)])
        with failing(rule):
            made = aggregate(store, now=NOON + DAY)
        assert made.rejected == 1
        (posting,) = rows(store, Posting)
        assert (posting["sources"], posting["salary_text"]) == (["acme-board"], one.salary_text)
        assert [row["rules_version"] for row in rows(store, RawPosting)] == [RULES_VERSION] * 2
        assert check_ledger(store) == []
        aggregate(store, now=NOON + 2 * DAY, everything=True)
        assert {s for posting in rows(store, Posting) for s in posting["sources"]} == {"acme-board", "feed"}
        assert list_rejected(store) == []
        assert check_ledger(store) == []


class TestAPostingThatCannotBeReadAnyMore:
    def broken(self, store: Engine, **changes: Any) -> str:
        keep(store, [good(1), *(good(n) for n in (2, 3))])
        aggregate(store, now=NOON)
        said = {"title_text": f"Data Engineer {new_word()}", "seen_at": NOON + DAY} | changes
        keep(store, [good(1, **said)])
        with failing(clean_title):
            aggregate(store, now=NOON + DAY)
        return next(row["id"] for row in rows(store, RawPosting) if MARK in row["title_text"].lower())

    def of(self, store: Engine, id_: str) -> dict[str, Any]:
        return next(row for row in rows(store, Posting) if row["id"] == id_)

    def test_it_stays_as_it_was_flagged_and_out_of_statistics(self, store: Engine) -> None:
        id_ = self.broken(store)
        posting = self.of(store, id_)
        assert posting["title_text"] == good(1).title_text
        assert posting["excluded"] is True
        (flag,) = rows(store, PostingFlag)
        assert (flag["posting_id"], flag["code"], flag["severity"]) == (id_, "unreadable", "exclude")
        assert "InjectedError" in flag["detail"]
        (rejected,) = rows(store, Rejected)
        assert (rejected["subject"], rejected["excerpt"][:19]) == (id_, "Data Engineer Quxel")
        assert check_ledger(store) == []

    def test_its_life_goes_on(self, store: Engine) -> None:
        assert self.of(store, self.broken(store))["last_seen"] == NOON + DAY

    def test_it_is_pending_no_more(self, store: Engine) -> None:
        self.broken(store)
        assert aggregate(store, now=NOON + DAY).read == 0

    @pytest.mark.parametrize("how", ["everything", "the ad changed"])
    def test_the_flag_and_the_rejection_go_when_it_can_be_read(self, store: Engine, how: str) -> None:
        id_ = self.broken(store)
        if how == "the ad changed":
            keep(store, [good(1, title_text="Data Architect", seen_at=NOON + 2 * DAY)])
        aggregate(store, now=NOON + 2 * DAY, everything=how == "everything")
        assert self.of(store, id_)["excluded"] is False
        assert rows(store, PostingFlag) == []
        assert list_rejected(store) == []
        (resolved,) = list_rejected(store, resolved=True)
        assert resolved["resolved_at"] == NOON + 2 * DAY

    def test_new_rules_read_it_again(self, store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        id_ = self.broken(store)
        for module in ("pipeline", "containing"):
            monkeypatch.setattr(f"aggregator.{module}.RULES_VERSION", RULES_VERSION + 1)
        assert aggregate(store, now=NOON + 2 * DAY).read == 3
        assert MARK in self.of(store, id_)["title_text"].lower()
        assert list_rejected(store) == []

    def test_a_person_may_let_the_old_values_count(self, store: Engine) -> None:
        id_ = self.broken(store)
        decide_flag(store, f"{id_}:unreadable", "dismissed", who="eva", why="as before", now=NOON + DAY)
        assert self.of(store, id_)["excluded"] is False
        with failing(clean_title):
            aggregate(store, now=NOON + 2 * DAY, everything=True)
        assert self.of(store, id_)["excluded"] is False
        assert [flag["state"] for flag in rows(store, PostingFlag)] == ["dismissed"]


def test_a_posting_that_cannot_be_compared_stays_by_itself(store: Engine) -> None:
    bad = marked()
    keep(store, [*together(), bad])
    with failing(dedupe._judge):
        made = aggregate(store, now=NOON)
    assert (made.merged, made.rejected) == (6, 1)
    (rejected,) = rows(store, Rejected)
    assert (rejected["subject"], rejected["reason"]) == (bad.id, "comparison_failed")
    assert (rejected["source"], rejected["url"]) == ("acme-board", bad.url)
    assert check_ledger(store) == []
    assert aggregate(store, now=NOON + DAY, everything=True).rejected == 0
    assert list_rejected(store) == []


def test_a_posting_that_the_cohort_test_fails_on_belongs_to_no_cohort(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay = {n: f"€{60_000 + 100 * n:,} a year" for n in range(30)} | {29: "€400,000 a year"}
    keep(store, [good(n, source_id=str(n), salary_text=said, company_text=f"C{n}") for n, said in pay.items()])
    aggregate(store, now=NOON)
    outliers = [flag for flag in rows(store, PostingFlag) if flag["code"] == "cohort_outlier"]
    assert len(outliers) == 1

    def failing_on_one(cohort: Sequence[CohortRow]) -> dict[str, Flag]:
        if any(row.key == good(0, source_id="0").id for row in cohort):
            raise ZeroDivisionError("division by zero")
        return judge_cohorts(cohort)

    monkeypatch.setattr(cohorts, "judge_cohorts", failing_on_one)
    changes = cohorts.flag_cohorts(store, now=NOON + DAY)
    assert changes is not None
    assert [record.subject for record in changes.rejected] == [good(0, source_id="0").id]
    assert [flag["posting_id"] for flag in rows(store, PostingFlag)] == [outliers[0]["posting_id"]]
    assert [row["reason"] for row in list_rejected(store)] == ["cohort_failed"]
    monkeypatch.undo()
    cohorts.flag_cohorts(store, now=NOON + 2 * DAY)
    assert list_rejected(store) == []


def test_the_claims_of_an_article_go_with_a_reading_that_fails(store: Engine) -> None:
    def published(word: str, seen_at: Any) -> ArticleRecord:
        told = article(1, word)
        sections = (ArticleSectionRecord(position=0, heading="Salary", subheading=None, text=told.sections[0].text),)
        return ArticleRecord(source="medium", url=told.url, title=told.title, seen_at=seen_at, sections=sections)

    keep(store, [published("Data Engineer", NOON)])
    aggregate(store, now=NOON)
    assert rows(store, ArticleClaim)
    keep(store, [published("Quxel", NOON + DAY)])
    with failing(read_article):
        assert aggregate(store, now=NOON + DAY).rejected == 1
    assert (rows(store, ArticleClaim), [row["rules_version"] for row in rows(store, Article)]) == ([], [RULES_VERSION])
    (rejected,) = list_rejected(store)
    assert (rejected["reason"], rejected["url"]) == ("claims_failed", "https://a.example/1")
    aggregate(store, now=NOON + 2 * DAY, everything=True)
    assert rows(store, ArticleClaim)
    assert list_rejected(store) == []


def test_each_rejection_is_logged_once(store: Engine, caplog: pytest.LogCaptureFixture) -> None:
    bad = marked()
    keep(store, [*together(), bad])
    with caplog.at_level(logging.WARNING), failing(clean_title):
        aggregate(store, now=NOON)
    (logged,) = caplog.records
    assert logged.getMessage().startswith(f"rejected {bad.id} of acme-board: InjectedError: this rule fails")


def test_an_ad_that_changed_meanwhile_stays_pending(store: Engine) -> None:
    keep(store, [marked()])
    jobs = pipeline._next_batch(store, 10)
    keep(store, [marked(salary_text="€99,000", seen_at=NOON + timedelta(hours=1))])
    with failing(clean_title):
        made = compose_all(Rates(), jobs, now=NOON)
    pipeline.postings.keep_postings(store, made, rules_version=RULES_VERSION, now=NOON)
    assert [row["rules_version"] for row in rows(store, RawPosting)] == [0]


def test_an_error_of_the_ledger_is_nobodys_fault(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, [marked()])

    def away(*_: object, **__: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr("aggregator.reading._title", away)
    with pytest.raises(LedgerError):
        aggregate(store, now=NOON)
    assert rows(store, Rejected) == []
