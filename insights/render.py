"""A report as a document: `json`, `csv`, `md`, `html`, `svg` and `png`, each from the same figures."""

from __future__ import annotations

import csv as csv_module
import io
import json as json_module
from collections.abc import Mapping, Sequence
from typing import Any

from insights.method import unread_words
from insights.model import PERCENTILES, Group, InsightError, Report
from insights.wording import counted, label, money, share, value

LEGEND = "Bar: middle half. Line: p10 to p90. Notch: median; below it, its 95 % interval."
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that begins so; it gets an apostrophe before it."""
MARKDOWN = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#~"} | {"\n": " ", "\r": " "})
COLUMNS = (
    "currency",
    "n",
    "companies",
    "postings",
    "disclosed_share",
    "suppressed",
    "reason",
    *PERCENTILES,
    "median_ci_low",
    "median_ci_high",
    "low_end_median",
    "high_end_median",
    "range_width",
    "confidence",
)


def plain_number(number: float | None) -> float | int | None:
    """Whole amounts without a point, 120000, not 120000.0; others to a millionth.

    >>> plain_number(120000.0), plain_number(66440.00000000001), plain_number(112.5), plain_number(None)
    (120000, 66440, 112.5, None)
    """
    if number is None:
        return None
    rounded = round(number, 6)
    return int(rounded) if float(rounded).is_integer() else rounded


def group_record(g: Group) -> dict[str, Any]:
    """One group as the report's JSON carries it: the keys of the contract, always present, and a few more."""
    pay = {name: plain_number(getattr(g, name)) for name in PERCENTILES}
    return {
        "key": dict(g.key),
        "n": g.n,
        "companies": g.companies,
        "disclosed_share": g.disclosed_share,
        "suppressed": g.suppressed,
        "currency": g.currency,
        **pay,
        "median_ci": [plain_number(end) for end in g.median_ci] if g.median_ci else None,
        "low_end_median": plain_number(g.low_end_median),
        "high_end_median": plain_number(g.high_end_median),
        "postings": g.postings,
        "range_width": g.range_width,
        "confidence": g.confidence,
        "reason": g.reason,
    }


def report_record(report: Report) -> dict[str, Any]:
    """The whole report as JSON can hold it."""
    return {
        "generated_at": report.generated_at.isoformat(),
        "title": report.title,
        "method": dict(report.method),
        "filters": dict(report.filters),
        "by": list(report.by),
        "groups": [group_record(g) for g in report.groups],
        "totals": [group_record(g) for g in report.totals],
        "references": [
            {"name": r.name, "note": r.note, "groups": [group_record(g) for g in r.groups]} for r in report.references
        ],
    }


def json(report: Report) -> str:
    """One JSON object, indented, with the keys of the contract."""
    return json_module.dumps(report_record(report), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def csv(report: Report) -> str:
    """One line a group; text that a spreadsheet would run as a formula is made harmless."""
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow([*report.by, *COLUMNS])
    for g in report.groups:
        record = group_record(g)
        low, high = record["median_ci"] or (None, None)
        record |= {"median_ci_low": low, "median_ci_high": high}
        writer.writerow([harmless(g.key[name]) for name in report.by] + [harmless(record[name]) for name in COLUMNS])
    return out.getvalue()


def harmless(cell: Any) -> Any:
    """
    >>> harmless("=1+1"), harmless(-3), harmless(None), harmless(True)
    ("'=1+1", -3, '', 'true')
    """
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return "" if cell is None else cell


def md(report: Report) -> str:
    """Markdown: the finding, the figures, the method and what was left out."""
    lines = [f"# {escaped(report.title)}", "", *(f"- {escaped(line)}" for line in summary(report)), ""]
    lines += _md_table([label(name) for name in report.by], report.groups, report.by)
    for reference in report.references:
        lines += ["", f"## Beside: {escaped(reference.name)}", "", escaped(reference.note), ""]
        lines += _md_table([label(name) for name in report.by], reference.groups, report.by)
    lines += ["", "## Method", "", *(f"- {escaped(line)}" for line in method_lines(report)), ""]
    return "\n".join(lines)


def _md_table(names: Sequence[str], groups: Sequence[Group], by: Sequence[str]) -> list[str]:
    heads = ["Currency", "Postings", "Employers", "State pay", "p10", "p25", "Median", "p75", "p90", "95 % interval"]
    lines = ["| " + " | ".join([*names, *heads, "Sure"]) + " |"]
    lines.append("|" + " --- |" * len(names) + " --- |" + " ---: |" * (len(heads) - 1) + " --- |")
    for g in groups:
        said = [escaped(value(g.key.get(name))) for name in by] + [g.currency or "–", f"{g.n:,}", f"{g.companies:,}"]
        lines.append("| " + " | ".join([*said, share(g.disclosed_share), *pay_cells(g)]) + " |")
    return lines


def pay_cells(g: Group) -> list[str]:
    """p10 to p90, the interval and how sure; for a suppressed group the reason instead."""
    if g.suppressed:
        return ["–"] * (len(PERCENTILES) + 1) + [g.reason or "–"]
    interval = f"{money(g.median_ci[0])} to {money(g.median_ci[1])}" if g.median_ci else "–"
    return [money(getattr(g, name)) for name in PERCENTILES] + [interval, g.confidence or "–"]


def escaped(text: str) -> str:
    """
    >>> escaped("C++ | <b>")
    'C++ \\\\| \\\\<b\\\\>'
    """
    return text.translate(MARKDOWN)


def summary(report: Report) -> list[str]:
    """What the figures rest on: postings in, postings out and why."""
    counts: Mapping[str, int] = report.method["counts"]
    employers = f" from {counted(counts['employers'], 'employer')}" if counts["employers"] else ""
    clean = f"{counted(counts['with_pay'], 'posting')} with clean pay{employers}"
    lines = [f"{clean}, of {counted(counts['selected'], 'posting')} selected"]
    reasons = ", ".join(f"{code} {n:,}" for code, n in report.method["exclusions_by_reason"].items())
    lines.append(f"{counts['excluded']:,} excluded by flags" + (f" ({reasons})" if reasons else ""))
    total = report.main
    if total is not None and total.disclosed_share is not None:
        lines.append(f"{share(total.disclosed_share)} of {counted(total.postings, 'posting')} state pay")
    for name, words in (
        ("estimates_left_out", "site estimates left out"),
        ("not_comparable", "state pay without a currency or a period, so without a yearly figure"),
        ("one_end_only", "state one end of a range only, which counts as their point"),
    ):
        if counts[name]:
            lines.append(f"{counts[name]:,} {words}")
    unread = unread_words(report.method["unread_ads"])
    return [*lines, unread] if unread is not None else lines


def method_lines(report: Report) -> list[str]:
    """The method, a sentence or two a line, for the foot of a document."""
    m = report.method
    fx = m.get("fx") or {}
    rates = f" Rates from {fx['first']} to {fx['last']}." if fx.get("first") else ""
    versions = ", ".join(str(v) for v in m["rules_versions"]) or "none"
    lines = [f"{m['currency']}{rates}", f"Estimates made by the sites are {m['estimates']}."]
    lines += [m[name] for name in METHOD_ORDER if name in m]
    if "naive_difference" in m:
        lines.append(_naive_words(m["naive_difference"]))
    made = report.generated_at.strftime("%Y-%m-%d %H:%M UTC")
    return [*lines, f"Rules version: {versions}. Made {made}. Filters: {_filter_words(report)}."]


def _naive_words(difference: Mapping[str, float | None]) -> str:
    moved = ", ".join(f"{name} by {difference[name]:+.1%}" for name in PERCENTILES if difference.get(name) is not None)
    return f"Counting each end of a range as a salary makes n {difference['n_naive']:,} and moves {moved}."


METHOD_ORDER = (
    "pairs",
    "point",
    "percentiles",
    "interval",
    "confidence",
    "suppression",
    "disclosed_share",
    "range_width",
    "annualisation",
    "exclusions",
    "caveat",
)


def _filter_words(report: Report) -> str:
    parts = []
    for name, given in report.filters.items():
        words = ", ".join(str(v) for v in given) if isinstance(given, list) else str(given)
        parts.append(f"{name.replace('_', ' ')} {words}")
    return "; ".join(parts) or "none"


def html(report: Report) -> str:
    """One self-contained page: no script, no font, no address that it would fetch from."""
    from insights.page import page

    return page(report)


def svg(report: Report) -> str:
    """The range bars of the report's main currency, on white."""
    from insights.charts import charted, currencies, range_bars
    from insights.page import matched

    found = currencies(report.groups, 1)
    groups = charted(report.groups, found[0]) if found else []
    source = report.groups
    if not groups:
        found = currencies(report.totals, 1)
        groups, source = (charted(report.totals, found[0]) if found else []), report.totals
    if not groups:
        raise InsightError(f"nothing to draw: {report.title}")
    beside = matched(groups, report.references) if source is report.groups else {}
    drawing = range_bars(groups, name="chart", title=report.title, references=beside)
    diamonds = f" Diamond: {next(iter(beside.values()))[0]}." if beside else ""
    return drawing.begin_with_title(f"{LEGEND}{diamonds} {summary(report)[0]}.").svg(alone=True)


def png(report: Report) -> bytes:
    """The same chart as pixels, at twice its size. Needs the extra `charts`."""
    try:
        import vl_convert
    except ImportError as error:
        raise InsightError("PNG charts need: pip install 'jobledger[charts]' (SVG and HTML need nothing)") from error
    made: bytes = vl_convert.svg_to_png(svg(report), scale=2)
    return made
