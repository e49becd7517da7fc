"""The report as one page: readable on a telephone, in print, in light and dark, and without eyes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insights import charts
from insights.method import IN_USD
from insights.model import Group, Reference, Report
from insights.render import LEGEND, method_lines, pay_cells, summary
from insights.svg import CONTROL, Drawing
from insights.wording import counted, label, listed, money, share, value

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
MOST_TABLE_ROWS = 1000
"""Longer tables are cut, with a line that says so: a page of ten thousand rows helps nobody on a telephone."""
LEAST_MONTHS = 2
LEAST_ROWS = 2


@dataclass(frozen=True, slots=True)
class Table:
    """The figures behind a chart."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    """How many columns, from the left, are words; the others are figures."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a chart in two widths, what it shows, and its table."""

    name: str
    heading: str
    lead: str
    drawings: tuple[str, ...]
    table: Table
    hidden: Table | None = None
    """The cells that show no pay, with the reason."""
    open: bool = False


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(report: Report) -> str:
    """The page. Everything scraped is escaped; nothing is fetched."""
    made = (
        environment()
        .get_template("report.html")
        .render(
            title=report.title,
            generated=report.generated_at,
            facts=facts(report),
            summary=summary(report),
            sections=sections(report),
            references=report.references,
            exclusions=report.method["exclusions_by_reason"],
            method=method_lines(report),
        )
    )
    return made.translate(CONTROL)


def sections(report: Report) -> list[Section]:
    """The charts of a report in reading order, each with its table."""
    return [
        *_range_sections(report),
        *_across(report, "level", report.levels, "rising from internships to executives"),
        *_spread(report),
        *_over_time(report),
        *_across(report, "country", _highest_first(report.countries), "highest median first"),
    ]


def matched(groups: Sequence[Group], references: Sequence[Reference]) -> dict[int, tuple[str, float]]:
    """For each row, the first reference median of the same cell and currency.

    A reference may be wider than the cell (OEWS knows no levels); it may be narrower in the country alone, where the
    currency says the same.
    """
    found: dict[int, tuple[str, float]] = {}
    for i, g in enumerate(groups):
        for reference in references:
            medians = [r.median for r in reference.groups if r.median is not None and _beside(r, g)]
            if medians and i not in found:
                found[i] = (reference.name, medians[0])
    return found


def _beside(reference: Group, g: Group) -> bool:
    common = [name for name in reference.key if name in g.key]
    rest = set(reference.key) - set(common)
    same = all(reference.key[name] == g.key[name] for name in common)
    return bool(common) and same and rest <= {"country"} and reference.currency == g.currency


def facts(report: Report) -> list[tuple[str, str]]:
    """The figures at the top: label and value."""
    counts = report.method["counts"]
    main = report.main
    found = []
    if main is not None and main.median is not None:
        found.append((f"Median, {main.currency} a year", money(main.median)))
        found.append(("Middle half", f"{money(main.p25)} – {money(main.p75)}"))
    found.append(("Postings with clean pay", f"{counts['with_pay']:,}"))
    found.append(("Left out by flags", f"{counts['excluded']:,}"))
    if main is not None:
        found.append(("State pay", share(main.disclosed_share)))
    return found


def _both(draw: Callable[[int, str], Drawing], name: str) -> tuple[str, str]:
    return (
        draw(charts.WIDE, f"{name}-w").svg(extra_class="wide"),
        draw(charts.NARROW, f"{name}-n").svg(extra_class="narrow"),
    )


def _range_sections(report: Report) -> list[Section]:
    """A chart and a table for each of the largest currencies; what shows no pay in a table of its own, with reasons."""
    by = listed([label(name).lower() for name in report.by]) or "all postings"
    hidden = _reason_table(report.groups, report.by)
    found = charts.currencies(report.groups)
    if not found:
        lead = "No cell has enough postings and employers for a figure; the table says what each lacks."
        return [Section("groups", f"Pay by {by}", lead, (), hidden)] if hidden is not None else []
    sections = []
    for number, currency in enumerate(found):
        groups = charts.charted(report.groups, currency)
        shown = [g for g in report.groups if g.currency == currency and g.median is not None]
        title = f"Pay by {by}, in {currency}"
        cut = f" The {len(groups)} largest of {len(shown):,} cells are drawn." if len(shown) > len(groups) else ""
        beside = matched(groups, report.references)
        other = f" Diamonds: {', '.join(sorted({name for name, _ in beside.values()}))}." if beside else ""

        def draw(width: int, name: str, groups: Any = groups, title: str = title, beside: Any = beside) -> Drawing:
            return charts.range_bars(groups, name=name, title=title, width=width, references=beside)

        drawings = _both(draw, f"range-{number}")
        rest = hidden if number == len(found) - 1 else None
        table = _group_table(shown, report.by, title)
        sections.append(Section(f"groups-{number}", title, f"{LEGEND}{other}{cut}", drawings, table, rest, number == 0))
    return sections


def _group_table(groups: Sequence[Group], by: Sequence[str], caption: str) -> Table:
    """The figures of groups that show pay."""
    heads = (
        *(label(name) for name in by),
        "Postings", "Employers", "State pay", "p10", "p25", "Median", "p75", "p90", "95 % interval", "Sure",
    )  # fmt: skip
    rows = [
        (
            *(value(g.key.get(name)) for name in by),
            f"{g.n:,}",
            f"{g.companies:,}",
            share(g.disclosed_share),
            *pay_cells(g),
        )
        for g in groups[:MOST_TABLE_ROWS]
    ]
    return Table(_cut(caption, groups), heads, tuple(rows), words=len(by))


def _reason_table(groups: Sequence[Group], by: Sequence[str]) -> Table | None:
    """The groups that show no pay, and why; None when all do."""
    hidden = [g for g in groups if g.suppressed]
    if not hidden:
        return None
    heads = (*(label(name) for name in by), "Currency", "Postings", "Employers", "State pay", "Why no pay is shown")
    rows = [
        (
            *(value(g.key.get(name)) for name in by),
            g.currency or "–",
            f"{g.n:,}",
            f"{g.companies:,}",
            share(g.disclosed_share),
            g.reason or "–",
        )
        for g in hidden[:MOST_TABLE_ROWS]
    ]
    return Table(_cut(f"{counted(len(hidden), 'cell')} without figures", hidden), heads, tuple(rows), words=len(by) + 1)


def _cut(caption: str, groups: Sequence[Group]) -> str:
    if len(groups) <= MOST_TABLE_ROWS:
        return caption
    return f"{caption} (the first {MOST_TABLE_ROWS:,} of {len(groups):,} rows; the CSV report holds all)"


def _spread(report: Report) -> list[Section]:
    main, bars = report.main, report.distribution
    if main is None or main.currency is None or not bars:
        return []
    currency = main.currency
    total = sum(bar.postings for bar in bars)
    title = f"How pay spreads, in {currency}"

    def draw(width: int, name: str) -> Drawing:
        return charts.histogram(bars, currency, name=name, title=title, width=width)

    rows = tuple((charts.bracket(bar), f"{bar.postings:,}", share(bar.postings / total)) for bar in bars)
    lead = f"{counted(total, 'posting')} by the middle of the range each states; pale bars hold all beyond."
    table = Table(title, (f"{currency} a year", "Postings", "Share"), rows)
    return [Section("spread", title, lead, _both(draw, "spread"), table)]


def _over_time(report: Report) -> list[Section]:
    main = report.main
    dated = [g for g in report.months if g.key["month"]]
    paid = [g for g in dated if main is not None and g.currency == main.currency and g.median is not None]
    shares = {g.key["month"] or "": (g.disclosed_share or 0.0, g.postings) for g in dated}
    sections = []
    if main is not None and len(paid) >= LEAST_MONTHS:
        title = f"Median by month, in {main.currency}"

        def draw(width: int, name: str) -> Drawing:
            return charts.month_lines(paid, name=name, title=title, width=width)

        lead = "Line: the median. Band: the middle half. The mix of jobs changes too; see the method."
        table = _group_table(paid, ("month",), title)
        sections.append(Section("months", title, lead, _both(draw, "months"), table))
    if len(shares) >= LEAST_MONTHS:
        points = [(month, part, postings) for month, (part, postings) in sorted(shares.items())]

        def draw_share(width: int, name: str) -> Drawing:
            return charts.share_lines(points, name=name, title="Postings that state pay", width=width)

        rows = tuple((month, share(part), f"{postings:,}") for month, part, postings in points)
        table = Table("Postings that state pay, by month", ("Month", "State pay", "Postings"), rows)
        lead = "Of all postings of the month that no flag excludes."
        sections.append(Section("shares", "Postings that state pay", lead, _both(draw_share, "shares"), table))
    return sections


def _across(report: Report, dimension: str, groups: Sequence[Group], order: str) -> list[Section]:
    """Range bars over one dimension that the report is not grouped by alone, in the main currency."""
    main = report.main
    if main is None or main.currency is None or report.by == (dimension,):
        return []
    drawn = charts.charted([g for g in groups if g.key[dimension]], main.currency, most=15)
    if len(drawn) < LEAST_ROWS:
        return []
    title = f"Pay by {label(dimension).lower()}, in {main.currency}"

    def draw(width: int, name: str) -> Drawing:
        return charts.range_bars(drawn, name=name, title=title, width=width)

    lead = f"Only postings that state {main.currency}; {order}."
    if report.method["currency"] == IN_USD:
        lead = f"{order.capitalize()}."
    return [Section(dimension, title, lead, _both(draw, dimension), _group_table(drawn, (dimension,), title))]


def _highest_first(groups: Sequence[Group]) -> list[Group]:
    return sorted(groups, key=lambda g: -(g.median or 0))
