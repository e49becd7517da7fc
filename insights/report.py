"""The salary report: read the rows once, make every figure from them, say how."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from db.session import open_ledger
from insights.distribution import distribution
from insights.figures import figures
from insights.lifetimes import lifetimes
from insights.method import count_exclusions, count_rows, fx_span, method, rule_versions
from insights.model import Reference, Report
from insights.purchasing_power import INTERNATIONAL, Factors, to_international
from insights.rows import checked, read_rows
from insights.trends import CELL, changes
from insights.wording import finding

if TYPE_CHECKING:
    from db.filters import Filters

DEFAULT_BY = ("role", "level")
OVERVIEW = ("level", "month", "country")
"""Dimensions that a page shows besides the ones asked for."""


def build_report(
    database_url: str,
    *,
    filters: Filters,
    by: Sequence[str] = DEFAULT_BY,
    currency: str | None = None,
    include_estimates: bool = False,
    intervals: bool = True,
    overview: bool = True,
    references: Sequence[Reference] = (),
    purchasing_power: Factors | None = None,
    alone: bool = False,
    now: datetime,
) -> Report:
    """The figures of the postings that `filters` select, by any of `insights.rows.DIMENSIONS`.

    `currency` None: a figure for each currency, as stated. "USD": everything in US dollars at each posting's own date.
    Another code: only what is stated in it. With `purchasing_power` (see the module of that name) pay is in
    international dollars instead. `overview` adds what pages draw besides: levels, distribution, months, countries,
    changes and lifetimes. `alone` says that nothing else in this process has the ledger open, which is faster (see
    `insights.store`).
    Raises `InsightError` for an unknown dimension, `db.session.LedgerError` for an unusable ledger.
    """
    by = checked(by)
    in_usd = currency == "USD" and purchasing_power is None
    if currency is not None and not in_usd and purchasing_power is None:
        filters = replace(filters, currency=(currency,))
    wanted: tuple[str, ...] = ("country",) if purchasing_power is not None else ()
    if overview:
        wanted = tuple(dict.fromkeys((*OVERVIEW, *CELL)))
    extra = [name for name in wanted if name not in by]
    engine = open_ledger(database_url, create=False)
    try:
        exclusions, versions = count_exclusions(engine, filters), rule_versions(engine)
        fx = fx_span(engine, filters) if in_usd else None
    finally:
        engine.dispose()
    with closing(read_rows(database_url, filters, (*by, *extra), in_usd=in_usd, alone=alone)) as rows:
        if purchasing_power is not None:
            to_international(rows, purchasing_power)
            currency = INTERNATIONAL
        counts = count_rows(rows, include_estimates=include_estimates)
        groups = figures(rows, by, include_estimates=include_estimates, intervals=intervals)
        totals = figures(rows, (), include_estimates=include_estimates, intervals=intervals)
        views = {
            name: figures(rows, (name,), include_estimates=include_estimates, intervals=False)
            for name in OVERVIEW
            if overview
        }
        main = max(totals, key=lambda g: (g.n, g.currency or ""), default=None)
        bars = distribution(rows, main, include_estimates=include_estimates) if overview and main else ()
        moved = changes(rows) if overview else ()
    open_for = lifetimes(database_url, filters=filters, by=("level",), total=True, alone=alone) if overview else ()
    return Report(
        generated_at=now,
        title=finding(filters.stated(), totals),
        by=by,
        filters=filters.stated(),
        method=method(
            counts,
            exclusions,
            versions,
            currency=currency,
            fx=fx,
            include_estimates=include_estimates,
            intervals=intervals,
        ),
        groups=groups,
        totals=totals,
        distribution=bars,
        levels=views.get("level", ()),
        months=views.get("month", ()),
        countries=views.get("country", ()),
        references=tuple(references),
        changes=moved,
        lifetimes=open_for,
    )
