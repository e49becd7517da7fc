"""The salary report on a terminal: the finding, a row a group, what was left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from insights.method import unread_words
from service.output import print_table, shown

if TYPE_CHECKING:
    from insights.model import Group, Report

PAY_COLUMNS = (
    ("p10", "p10"),
    ("p25", "p25"),
    ("median", "Median"),
    ("median_ci", "95 % interval"),
    ("p75", "p75"),
    ("p90", "p90"),
)


def print_report(report: Report) -> None:
    columns = [(name, name.replace("_", " ").capitalize()) for name in report.by]
    columns += [("currency", "Currency"), ("n", "n"), ("companies", "Employers"), ("disclosed_share", "State pay")]
    columns += PAY_COLUMNS
    columns += [(reference.name, f"{reference.name}, median") for reference in report.references]
    limits = report.method["thresholds"]
    beside = _references(report)
    rows = [
        _row(group, limits) | beside.get(i, {})
        for i, group in sorted(enumerate(report.groups), key=lambda numbered: numbered[1].suppressed)
    ]
    rows += [{report.by[0]: "All"} | _row(group, limits) for group in report.totals]
    print_table(report.title, columns, rows, footer=_foot(report))


def _references(report: Report) -> dict[int, dict[str, Any]]:
    """The medians that others give for the same cells, by the number of the group."""
    from insights.page import matched

    found: dict[int, dict[str, Any]] = {}
    for reference in report.references:
        for i, (name, median) in matched(report.groups, [reference]).items():
            found.setdefault(i, {})[name] = round(median)
    return found


def _row(group: Group, limits: Mapping[str, int]) -> dict[str, Any]:
    row: dict[str, Any] = {name: value if value is not None else "not stated" for name, value in group.key.items()}
    row |= {"currency": group.currency, "n": group.n, "companies": group.companies}
    row["disclosed_share"] = f"{group.disclosed_share:.0%}" if group.disclosed_share is not None else None
    if group.suppressed:
        return row | {"median": _why_none(group, limits)}
    row |= {name: _whole(getattr(group, name)) for name in ("p10", "p25", "median", "p75", "p90")}
    if group.median_ci is not None:
        row["median_ci"] = " – ".join(shown(_whole(end)) for end in group.median_ci)
    return row


def _why_none(group: Group, limits: Mapping[str, int]) -> str:
    """Why a cell shows no pay, short enough for a column; the report's other formats say it in a sentence."""
    if group.n == 0:
        return "none stated"
    if group.n < limits["postings"]:
        return "too few ads"
    return "too few firms" if group.companies < limits["employers"] else "kept back"


def _whole(amount: float | None) -> int | None:
    return round(amount) if amount is not None else None


def _foot(report: Report) -> str:
    """Sample, exclusions and thresholds in a few lines: no figure without them."""
    counts, reasons = report.method["counts"], report.method["exclusions_by_reason"]
    left_out = ", ".join(f"{code} {number:,}" for code, number in sorted(reasons.items())) or "none"
    limits = report.method["thresholds"]
    unread = unread_words(report.method["unread_ads"])
    return "\n".join(
        (
            *([f"{unread}."] if unread is not None else ()),
            f"{counts['selected']:,} postings: {counts['with_pay']:,} with clean pay in the figures,"
            f" {counts['excluded']:,} excluded by flags ({left_out}), {counts['without_pay']:,} without pay,"
            f" {counts['estimates_left_out']:,} estimates left out.",
            f"{report.method['currency']} Cells under {limits['postings']} postings or {limits['employers']} employers"
            " show no pay.",
            f"{report.method['caveat']} The method in full: --format md.",
        )
    )
