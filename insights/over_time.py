"""What moves: pay and its disclosure by month, the same jobs against a year before, and how long jobs stay open."""

from __future__ import annotations

from collections.abc import Sequence

from db.evergreen import EVERGREEN_AGE, EVERGREEN_REPOSTS
from insights import charts
from insights.bars import Bar as AcrossBar
from insights.bars import bars_across
from insights.model import Group, Report
from insights.section import Section, Table, both, group_table
from insights.svg import Drawing
from insights.wording import change_words, counted, share, value

LEAST_MONTHS = 2
LEAST_ROWS = 2
LEAST_POSTINGS = 30
"""The share of fewer postings moves by whole tenths of a percent with each of them, and says nothing of a country."""
MOST_COUNTRIES = 15


def over_time(report: Report) -> list[Section]:
    """The median by month, the change of the same jobs, and the share that states pay."""
    dated = [g for g in report.months if g.key["month"]]
    return [*_medians(report, dated), *_changes(report), *_disclosed(dated)]


def _medians(report: Report, dated: Sequence[Group]) -> list[Section]:
    main = report.main
    paid = [g for g in dated if main is not None and g.currency == main.currency and g.median is not None]
    if main is None or len(paid) < LEAST_MONTHS:
        return []
    title = f"Median by month, in {main.currency}"

    def draw(width: int, name: str) -> Drawing:
        return charts.month_lines(paid, name=name, title=title, width=width)

    lead = "Line: the median. Band: the middle half. The mix of jobs changes too; see the method."
    return [Section("months", title, lead, both(draw, "months"), group_table(paid, ("month",), title))]


def _changes(report: Report) -> list[Section]:
    """The wage tracker: drawn where at least two months have enough cells."""
    known = [(c.month, c.change, c.smoothed) for c in report.changes if c.change is not None]
    if len(known) < LEAST_MONTHS:
        return []
    title = "Pay of the same jobs against a year before"

    def draw(width: int, name: str) -> Drawing:
        return charts.change_lines(known, name=name, title=title, width=width)

    rows = tuple(
        (c.month, change_words(c.change), change_words(c.smoothed), f"{c.cells:,}", f"{c.postings:,}")
        for c in report.changes
    )
    table = Table(title, ("Month", "Change", "Three months", "Cells", "Postings"), rows)
    lead = (
        "The median change over cells of one role, level, country, pay period and currency: more senior ads in a month"
        " raise nothing. Dots: the month. Line: the mean of three."
    )
    return [Section("changes", title, lead, both(draw, "changes"), table)]


def _disclosed(dated: Sequence[Group]) -> list[Section]:
    shares = {g.key["month"] or "": (g.disclosed_share or 0.0, g.postings) for g in dated}
    if len(shares) < LEAST_MONTHS:
        return []
    points = [(month, part, postings) for month, (part, postings) in sorted(shares.items())]

    def draw(width: int, name: str) -> Drawing:
        return charts.share_lines(points, name=name, title="Postings that state pay", width=width)

    rows = tuple((month, share(part), f"{postings:,}") for month, part, postings in points)
    table = Table("Postings that state pay, by month", ("Month", "State pay", "Postings"), rows)
    lead = "Of all postings of the month that no flag excludes."
    return [Section("shares", "Postings that state pay", lead, both(draw, "shares"), table)]


def disclosed_by_country(report: Report) -> list[Section]:
    """Where advertisements say what a job pays: the countries with the most postings, the most open first."""
    if report.by == ("country",):
        return []
    places = {g.key["country"]: (g.disclosed_share or 0.0, g.postings) for g in report.countries if g.key["country"]}
    wide = [(place, part, n) for place, (part, n) in places.items() if n >= LEAST_POSTINGS]
    if len(wide) < LEAST_ROWS:
        return []
    largest = sorted(wide, key=lambda row: (-row[2], row[0] or ""))[:MOST_COUNTRIES]
    rows = sorted(largest, key=lambda row: (-row[1], row[0] or ""))
    title = "Postings that state pay, by country"
    bars = [AcrossBar(value(place), part, share(part), f"of {counted(n, 'posting')}") for place, part, n in rows]

    def draw(width: int, name: str) -> Drawing:
        return bars_across(bars, name=name, title=title, width=width, end=1.0)

    lead = f"Countries with at least {LEAST_POSTINGS} postings that no flag excludes, at most {MOST_COUNTRIES} of them."
    table = Table(title, ("Country", "State pay", "Postings"), tuple((b.name, b.words, f"{n:,}") for b, (_, _, n) in
                  zip(bars, rows, strict=True)))  # fmt: skip
    return [Section("shares-country", title, lead, both(draw, "shares-country"), table)]


def open_for(report: Report) -> list[Section]:
    """Time to close, reposts and evergreens; nothing while no posting has closed or come again."""
    told = [life for life in report.lifetimes if not life.suppressed]
    whole = next((life for life in told if not life.key), None)
    if whole is None or not (whole.closed or whole.reposted_share or whole.evergreen_share):
        return []
    rows = [(value(life.key["level"]) if life.key else "All postings", life) for life in told]
    title = "How long jobs stay open"
    bars = [
        AcrossBar(name, life.median_days, f"{life.median_days:.0f} days", counted(life.postings, "posting"))
        for name, life in rows
        if life.median_days is not None
    ]

    def draw(width: int, name: str) -> Drawing:
        return bars_across(bars, name=name, title=title, width=width)

    table = Table(
        f"{title}, with what comes again and what never closes",
        ("Level", "Postings", "Closed", "Half closed by", "Published again", "Evergreen"),
        tuple(
            (
                name,
                f"{life.postings:,}",
                f"{life.closed:,}",
                f"day {life.median_days:.0f}" if life.median_days is not None else "–",
                share(life.reposted_share),
                share(life.evergreen_share),
            )
            for name, life in rows
        ),
    )
    lead = (
        "The day by which half have closed; postings still open count as long as they were seen (Kaplan-Meier)."
        f" {share(whole.reposted_share)} were published again; {share(whole.evergreen_share)} are evergreens: open for"
        f" {EVERGREEN_AGE.days} days, or published again {EVERGREEN_REPOSTS} times."
    )
    return [Section("open", title, lead, both(draw, "open") if bars else (), table)]
