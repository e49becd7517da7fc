"""The cohort test on the ledger: pay far from that of its role family, level and country is flagged, and no longer when
its cohort has grown around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine

from aggregator.containing import posting_rejection
from aggregator.quality import CohortRow, judge_cohorts
from aggregator.rules import RULES_VERSION
from db.contained import Failure, contained_together
from db.flags import CohortChanges, cohort_pay, keep_cohort_flags, named_rows
from db.records import RejectedRecord
from db.rejected import UNPLACED, keep_rejections


def flag_cohorts(engine: Engine, *, now: datetime, at_most: int | None = None) -> CohortChanges | None:
    """Makes the open cohort flags those that hold today; what a person decided stays as decided.

    Every posting's pay is compared, so a ledger with more than `at_most` of them is left to a quieter hour: None. A
    posting that makes the test fail belongs to no cohort and is rejected; it stays in the statistics.
    """
    compared = cohort_pay(engine, at_most=at_most)
    if compared is None:
        return None
    rows = [CohortRow(pay.id, pay.family, pay.level, pay.country, pay.annual_usd) for pay in compared]
    found, failed = contained_together(judge_cohorts, rows)
    rejected = _rejected(engine, {row.key: failure for row, failure in failed}, now)
    keep_rejections(engine, rejected, examined=[row.key for row in rows], reason=UNPLACED, now=now)
    details = {posting_id: flag.detail for posting_id, flag in found.items()}
    changes = keep_cohort_flags(engine, details, severity="warn", rules_version=RULES_VERSION, now=now)
    return replace(changes, rejected=tuple(rejected))


def _rejected(engine: Engine, failed: Mapping[str, Failure], now: datetime) -> list[RejectedRecord]:
    return [
        posting_rejection(row, failed[row.id], now, reason=UNPLACED, version=RULES_VERSION)
        for row in named_rows(engine, failed)
    ]
