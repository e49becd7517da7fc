"""How a report was made: counted, dated and said in full, so that anybody can do it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from insights.interval import LEVEL, REPLICATES, SEED
from insights.model import LEAST_EMPLOYERS, LEAST_POSTINGS, SURE_EMPLOYERS
from insights.purchasing_power import INTERNATIONAL
from insights.rows import Rows, usable

if TYPE_CHECKING:
    from sqlalchemy import Select

    from db.filters import Filters

STATEMENTS = {
    "point": "One posting, one vote: the middle of its yearly range; where it states one end only, that end."
    " The medians of the low ends and of the high ends stand beside.",
    "percentiles": "p10, p25, median, p75 and p90, the five points of the BLS OEWS: the pay below which that share of"
    " the postings lies, interpolated linearly between neighbours (PERCENTILE_CONT, Hyndman-Fan 7).",
    "interval": f"{LEVEL:.0%} interval of the median: {REPLICATES:,} bootstrap samples of employers, each with all its"
    " postings, widened for few employers (Hesterberg 2015) by their effective number; the draws are seeded"
    f" ({SEED}). Where each employer has one posting, order statistics instead (Hettmansperger & Sheather 1986)."
    f" With {LEAST_EMPLOYERS} to {SURE_EMPLOYERS - 1} employers it covers less than it says and the figure"
    " is marked low.",
    "confidence": f"How sure a figure is: low under 15 postings or {SURE_EMPLOYERS} employers; high from 50 postings"
    " and 15 employers; else medium.",
    "suppression": f"Cells under {LEAST_POSTINGS} postings or {LEAST_EMPLOYERS} employers show no pay, and neither do"
    " further cells where a hidden one could be subtracted from a total. Where a report is by company, only the number"
    " of postings counts.",
    "disclosed_share": "The share that states pay is of all postings that no flag excludes; an estimate is not a"
    " statement. It is the cell's, not the currency's.",
    "range_width": "The width of ranges is the median, over postings, of the width as a share of the middle.",
    "annualisation": "Pay is made yearly by 2,080 hours, 260 days, 52 weeks or 12 months.",
    "exclusions": "Postings with an undismissed flag of severity exclude are in no figure and no share.",
    "caveat": "Advertised pay is what employers offer, not what they pay.",
}

OWN_CURRENCY = "Each figure holds one currency, as stated; nothing is converted."
ONE_CURRENCY = "Only postings that state pay in {currency}; nothing is converted."
IN_INTERNATIONAL = (
    "All pay in international dollars: by what it buys in the country of the job (purchasing power parity)."
)
IN_USD = "All pay in US dollars, each posting at the rate of its own date."


def count_rows(rows: Rows, *, include_estimates: bool) -> dict[str, int]:
    """What became of each selected posting. `with_pay` are those in the figures; the other parts add up beside it."""
    wanted = usable(include_estimates=include_estimates)
    cursor = rows.connection.cursor()
    try:
        counts = cursor.execute(
            """SELECT coalesce(sum(selected), 0), coalesce(sum(excluded), 0), coalesce(sum(unstated), 0),
                   coalesce(sum(estimates) FILTER (WHERE currency <> ''), 0), coalesce(sum(vague), 0) FROM place"""
        ).fetchone()
        votes = cursor.execute(
            f"""SELECT count(*) FILTER (WHERE {wanted}), count(*) FILTER (WHERE currency = ''),
                   count(*) FILTER (WHERE {wanted} AND (low IS NULL OR high IS NULL)),
                   count(DISTINCT employer) FILTER (WHERE {wanted}) FROM row"""
        ).fetchone()
    finally:
        cursor.close()
    selected, excluded, unstated, estimates, vague = (int(n) for n in counts or (0,) * 5)
    with_pay, without_currency, one_end, employers = (int(n) for n in votes or (0,) * 4)
    return {
        "selected": selected,
        "with_pay": with_pay,
        "excluded": excluded,
        "without_pay": unstated,
        "estimates_left_out": 0 if include_estimates else estimates,
        "not_comparable": vague + without_currency,
        "one_end_only": one_end,
        "employers": employers,
    }


def exclusions_query(filters: Filters) -> Select[Any]:
    """Postings kept out, by the code of each flag that does so; a posting with two flags stands under both."""
    from sqlalchemy import func, select

    from db.tables import FLAG, POSTING

    query = select(FLAG.c.code, func.count().label("n")).where(
        FLAG.c.severity == "exclude", FLAG.c.state != "dismissed"
    )
    conditions = filters.conditions()
    if conditions:
        query = query.select_from(FLAG.join(POSTING, FLAG.c.posting_id == POSTING.c.id)).where(*conditions)
    return query.group_by(FLAG.c.code).order_by(FLAG.c.code)


def versions_query() -> Select[Any]:
    """The versions of our rules that last read the raw postings; found by hopping along their index."""
    from sqlalchemy import func, select

    from db.tables import RAW

    version = RAW.c.rules_version
    seen = select(func.min(version).label("version")).cte("seen", recursive=True)
    following = select(func.min(version)).where(version > seen.c.version).correlate(seen).scalar_subquery()
    seen = seen.union_all(select(following).where(seen.c.version.is_not(None)))
    return select(seen.c.version).where(seen.c.version.is_not(None))


def fx_query(filters: Filters) -> Select[Any]:
    """The first and the last day whose rates were used."""
    from sqlalchemy import func, select

    from db.filters import P

    days = select(func.min(P.fx_date).label("first"), func.max(P.fx_date).label("last"))
    return days.where(P.excluded.is_(False), *filters.conditions())


def unread_words(ads: int) -> str | None:
    """What no figure knows yet, None where everything that was collected is read.

    >>> unread_words(1)
    '1 collected ad is not in these figures yet: it is new or changed, or older rules read it (jobledger aggregate)'
    """
    if not ads:
        return None
    them, are, they = ("ad", "is", "it is") if ads == 1 else ("ads", "are", "they are")
    it = "it" if ads == 1 else "them"
    return (
        f"{ads:,} collected {them} {are} not in these figures yet: {they} new or changed, or older rules read {it}"
        " (jobledger aggregate)"
    )


def method(
    counts: Mapping[str, int],
    exclusions: Mapping[str, int],
    versions: list[int],
    *,
    currency: str | None,
    fx: Mapping[str, str | None] | None,
    include_estimates: bool,
    intervals: bool,
    unread: int = 0,
) -> dict[str, Any]:
    """The method as the report's JSON carries it."""
    special = {None: OWN_CURRENCY, "USD": IN_USD, INTERNATIONAL: IN_INTERNATIONAL}
    return {
        "rules_versions": versions,
        "counts": dict(counts),
        "exclusions_by_reason": dict(exclusions),
        "unread_ads": unread,
        "currency": special.get(currency) or ONE_CURRENCY.format(currency=currency),
        "fx": dict(fx) if fx is not None else None,
        "estimates": "counted" if include_estimates else "left out",
        "thresholds": {"postings": LEAST_POSTINGS, "employers": LEAST_EMPLOYERS},
        **{name: text for name, text in STATEMENTS.items() if intervals or name != "interval"},
    }
