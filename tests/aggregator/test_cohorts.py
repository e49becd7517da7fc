"""Cohort flags follow the ledger: raised as cohorts grow, lifted when they no longer hold, kept as a person decided; on
both stores."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from aggregator import pipeline
from aggregator.cohorts import flag_cohorts
from aggregator.pipeline import aggregate
from aggregator.quality import COHORT_MINIMUM
from db.decisions import decide_flag
from db.models import PostingFlag
from db.records import PublishedPay, RawPostingRecord
from db.store import keep
from tests.db.records import DAY, NOON, ad, rows

ODD = 900


def paid(number: int, low: int, **changes: object) -> RawPostingRecord:
    pay = PublishedPay(min=str(low), max=str(low + 4_000), currency="USD", period="YEAR")
    said = {
        "url": f"https://board.example/{number}",
        "title_text": "Senior Data Engineer",
        "company_text": f"Employer {number}",
        "location_text": "Austin, TX, United States",
        "salary_text": None,
        "pay": (pay,),
    }
    return ad(number, **said | changes)


def market(size: int) -> list[RawPostingRecord]:
    return [paid(n, 120_000 + 1_000 * n) for n in range(size)]


def cohort_flags(store: Engine) -> dict[str, str]:
    return {f["posting_id"]: f["state"] for f in rows(store, PostingFlag) if f["code"] == "cohort_outlier"}


def test_aggregating_flags_what_is_far_from_its_like(store: Engine) -> None:
    keep(store, [*market(COHORT_MINIMUM + 8), paid(ODD, 480_000)])
    aggregate(store, now=NOON)
    assert list(cohort_flags(store).values()) == ["open"]


def test_a_small_cohort_raises_nothing_and_a_grown_one_does(store: Engine) -> None:
    keep(store, [*market(COHORT_MINIMUM - 4), paid(ODD, 480_000)])
    aggregate(store, now=NOON)
    assert cohort_flags(store) == {}
    keep(store, market(COHORT_MINIMUM + 8))
    aggregate(store, now=NOON + DAY)
    assert list(cohort_flags(store).values()) == ["open"]


def test_corrected_pay_lifts_the_flag(store: Engine) -> None:
    keep(store, [*market(COHORT_MINIMUM + 8), paid(ODD, 480_000)])
    aggregate(store, now=NOON)
    keep(store, [paid(ODD, 131_000, seen_at=NOON + DAY)])
    aggregate(store, now=NOON + DAY)
    assert cohort_flags(store) == {}


def test_a_decision_stays_through_every_reading(store: Engine) -> None:
    keep(store, [*market(COHORT_MINIMUM + 8), paid(ODD, 480_000)])
    aggregate(store, now=NOON)
    (posting_id,) = cohort_flags(store)
    decide_flag(store, f"{posting_id}:cohort_outlier", "dismissed", who="eva", why="a founder", now=NOON)
    aggregate(store, now=NOON + DAY, everything=True)
    keep(store, market(COHORT_MINIMUM + 12))
    aggregate(store, now=NOON + 2 * DAY)
    assert cohort_flags(store) == {posting_id: "dismissed"}


def test_nothing_new_compares_nothing(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, market(3))
    aggregate(store, now=NOON)
    calls: list[object] = []
    monkeypatch.setattr(pipeline, "flag_cohorts", lambda *args, **_: calls.append(args))
    aggregate(store, now=NOON + DAY)
    assert calls == []


def test_a_large_ledger_is_left_to_the_nightly_job(store: Engine) -> None:
    keep(store, [*market(COHORT_MINIMUM + 8), paid(ODD, 480_000)])
    aggregate(store, now=NOON)
    assert flag_cohorts(store, now=NOON, at_most=5) is None
    assert len(cohort_flags(store)) == 1
