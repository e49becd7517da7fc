"""The salary report: ask the ledger once, make every figure from the answers, say how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aggregator.rules import RULES_VERSION
from db.pending import unread_query
from insights.distribution import distribution
from insights.figures import figures
from insights.lifetimes import lifetimes_of, lifetimes_question
from insights.method import count_rows, exclusions_query, fx_query, method, versions_query
from insights.model import Reference, Report
from insights.purchasing_power import INTERNATIONAL, Factors, to_international
from insights.rows import checked, rows_of_answer, rows_question
from insights.store import ask, dialect_of
from insights.trends import CELL, LIVES_BY, changes
from insights.wording import finding

if TYPE_CHECKING:
    from sqlalchemy import Select

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
    beside: Mapping[str, Select[Any]] = MappingProxyType({}),
    alone: bool = False,
    now: datetime,
) -> Report:
    """The figures of the postings that `filters` select, by any of `insights.rows.DIMENSIONS`, all from one commit.

    `currency` None: a figure for each currency, as stated. "USD": everything in US dollars at each posting's own date.
    Another code: only what is stated in it. With `purchasing_power` (see the module of that name) pay is in
    international dollars instead. `overview` adds what pages draw besides: levels, distribution, months, countries,
    changes and lifetimes. `alone` says that nothing else in this process has the ledger open, which is faster (see
    `insights.store`). `beside` are short questions to be answered from the same commit, for whoever shows the report.
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
    dialect, dimensions = dialect_of(database_url), (*by, *extra)
    columns = [rows_question(dialect, filters, dimensions, in_usd=in_usd)]
    if overview:
        columns.append(lifetimes_question(dialect, filters, LIVES_BY))
    lists = [
        *beside.values(),
        exclusions_query(filters),
        versions_query(),
        unread_query(RULES_VERSION),
        fx_query(filters),
    ]
    answers = ask(database_url, columns, lists, alone=alone)
    with closing(answers), closing(rows_of_answer(answers.columns[0], dimensions)) as rows:
        *others, exclusions, versions, ((unread,),), (days,) = answers.lists
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
        open_for = lifetimes_of(answers.columns[1], LIVES_BY, total=True) if overview else ()
    return Report(
        generated_at=now,
        title=finding(filters.stated(), totals),
        by=by,
        filters=filters.stated(),
        method=method(
            counts,
            dict(exclusions),
            [version for (version,) in versions],
            unread=unread,
            currency=currency,
            fx=dict(zip(("first", "last"), days, strict=True)) if in_usd else None,
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
        beside={
            name: tuple(dict(zip(query.selected_columns.keys(), row, strict=True)) for row in rows)
            for (name, query), rows in zip(beside.items(), others, strict=True)
        },
    )
