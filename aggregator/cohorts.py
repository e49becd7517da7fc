"""The cohort test on the ledger: pay far from that of its role family, level and country is flagged, and no longer when
its cohort has grown around it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from aggregator.quality import CohortRow, judge_cohorts
from aggregator.rules import RULES_VERSION
from db.flags import CohortChanges, cohort_pay, keep_cohort_flags


def flag_cohorts(engine: Engine, *, now: datetime, at_most: int | None = None) -> CohortChanges | None:
    """Makes the open cohort flags those that hold today; what a person decided stays as decided.

    Every posting's pay is compared, so a ledger with more than `at_most` of them is left to a quieter hour: None.
    """
    compared = cohort_pay(engine, at_most=at_most)
    if compared is None:
        return None
    rows = (CohortRow(pay.id, pay.family, pay.level, pay.country, pay.annual_usd) for pay in compared)
    details = {posting_id: flag.detail for posting_id, flag in judge_cohorts(rows).items()}
    return keep_cohort_flags(engine, details, severity="warn", rules_version=RULES_VERSION, now=now)
