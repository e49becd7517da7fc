"""The salary report on a terminal: the finding, a row a group, what was left out and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    rows = [_row(group) for group in (*report.groups, *report.totals)]
    print_table(report.title, columns, rows, footer=_foot(report))


def _row(group: Group) -> dict[str, Any]:
    row: dict[str, Any] = {name: value if value is not None else "not stated" for name, value in group.key.items()}
    if not group.key:
        row = {"role": "All"}
    row |= {"currency": group.currency, "n": group.n, "companies": group.companies}
    row["disclosed_share"] = f"{group.disclosed_share:.0%}" if group.disclosed_share is not None else None
    if group.suppressed:
        return row | {"median": group.reason or "suppressed"}
    row |= {name: _whole(getattr(group, name)) for name in ("p10", "p25", "median", "p75", "p90")}
    if group.median_ci is not None:
        row["median_ci"] = " – ".join(shown(_whole(end)) for end in group.median_ci)
    return row


def _whole(amount: float | None) -> int | None:
    return round(amount) if amount is not None else None


def _foot(report: Report) -> str:
    """Sample, exclusions and thresholds in a few lines: no figure without them."""
    counts, reasons = report.method["counts"], report.method["exclusions_by_reason"]
    left_out = ", ".join(f"{code} {number:,}" for code, number in sorted(reasons.items())) or "none"
    limits = report.method["thresholds"]
    return "\n".join(
        (
            f"{counts['selected']:,} postings: {counts['with_pay']:,} with clean pay in the figures,"
            f" {counts['excluded']:,} excluded by flags ({left_out}), {counts['without_pay']:,} without pay,"
            f" {counts['estimates_left_out']:,} estimates left out.",
            f"{report.method['currency']} Cells under {limits['postings']} postings or {limits['employers']} employers"
            " show no pay.",
            f"{report.method['caveat']} The method in full: --format md.",
        )
    )
