"""The report as one page: readable on a telephone, in print, in light and dark, and without eyes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insights import charts
from insights.method import IN_USD
from insights.model import Group, Reference, Report
from insights.over_time import disclosed_by_country, open_for, over_time
from insights.render import LEGEND, method_lines, summary
from insights.section import MOST_TABLE_ROWS, Section, Table, both, cut_caption, group_table
from insights.svg import CONTROL, Drawing
from insights.wording import counted, label, listed, money, share, value

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
LEAST_ROWS = 2


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
        *over_time(report),
        *_across(report, "country", _highest_first(report.countries), "highest median first"),
        *disclosed_by_country(report),
        *open_for(report),
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

        drawings = both(draw, f"range-{number}")
        rest = hidden if number == len(found) - 1 else None
        table = group_table(shown, report.by, title)
        sections.append(Section(f"groups-{number}", title, f"{LEGEND}{other}{cut}", drawings, table, rest, number == 0))
    return sections


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
    return Table(
        cut_caption(f"{counted(len(hidden), 'cell')} without figures", hidden), heads, tuple(rows), words=len(by) + 1
    )


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
    return [Section("spread", title, lead, both(draw, "spread"), table)]


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
    return [Section(dimension, title, lead, both(draw, dimension), group_table(drawn, (dimension,), title))]


def _highest_first(groups: Sequence[Group]) -> list[Group]:
    return sorted(groups, key=lambda g: -(g.median or 0))
