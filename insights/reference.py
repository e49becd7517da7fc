"""The CC0 salary table of aijobs.net, read as what it is: ranges, of which each end was published as a salary.

Its rows come in pairs that agree in everything but the amount, the higher first. Counted as they stand they double n,
pull p10 down to low ends and p90 up to high ends, and make every interval too narrow. Here the pairs become ranges
again, one range one vote; the naive figures are kept beside to show the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import groupby
from pathlib import Path

from db.user_files import UserFileError, read_user_table
from insights.distribution import distribution
from insights.figures import figures
from insights.method import count_rows, method
from insights.model import Group, InsightError, Reference, Report
from insights.rows import Rows, checked, rows_from
from insights.wording import money

COLUMNS = (
    "work_year",
    "experience_level",
    "employment_type",
    "job_title",
    "salary",
    "salary_currency",
    "salary_in_usd",
    "employee_residence",
    "remote_ratio",
    "company_location",
    "company_size",
)
LEVELS = {"EN": "entry", "MI": "mid", "SE": "senior", "EX": "executive"}
EMPLOYMENT = {"FT": "full_time", "PT": "part_time", "CT": "contract", "FL": "freelance"}
REMOTE = {"0": "onsite", "50": "hybrid", "100": "remote"}
LARGEST = Decimal(10) ** 15
"""No salary is larger, in any currency; amounts are kept as 64-bit hundredths."""
DIMENSIONS = ("role", "level", "country", "remote", "employment", "year")
NAME = "aijobs.net salary table"
NOTE = (
    "CC0 salary table of aijobs.net ({ranges:,} ranges and {singles:,} single salaries from {rows:,} rows: the two ends"
    " of a range stand there as two salaries). It names no employers, so no interval is given."
)


@dataclass(frozen=True, slots=True)
class Salary:
    """One entry of the table: a range, or a single salary where `low` equals `high` and `paired` is false."""

    title: str
    level: str | None
    employment: str | None
    country: str
    remote: str | None
    year: str
    currency: str
    low: Decimal
    high: Decimal
    low_usd: Decimal
    high_usd: Decimal
    paired: bool


def read_aijobs(path: Path) -> tuple[Salary, ...]:
    """The entries of a copy of the table (`salaries.csv`), pairs made into ranges.

    Raises `InsightError` for a file that is not that table, naming the line.
    """
    try:
        rows = [_row(path, line, row) for line, row in read_user_table(path, COLUMNS)]
    except UserFileError as error:
        raise InsightError(f"not the aijobs.net table, cannot be read: {error}") from error
    return pair_rows(rows)


Amounts = tuple[Decimal, Decimal]
Row = tuple[tuple[str, ...], Amounts]
"""What must agree in a pair, and the amount in its own currency and in US dollars."""


def _row(path: Path, line: int, row: Mapping[str, str]) -> Row:
    same = tuple(row[name].strip() for name in COLUMNS if name not in {"salary", "salary_in_usd"})
    return same, (_amount(path, line, row["salary"]), _amount(path, line, row["salary_in_usd"]))


def _amount(path: Path, line: int, text: str) -> Decimal:
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not -LARGEST < amount < LARGEST:
        raise InsightError(f"{path}, line {line}: {text[:80]!r} is no salary")
    return amount


def pair_rows(rows: Iterable[Row]) -> tuple[Salary, ...]:
    """Consecutive rows that agree in all but the amount become ranges, two by two, the higher end first.

    In a run of an odd length one row stands alone: the one whose removal leaves the narrowest ranges.

    >>> same = ("2024", "SE", "FT", "Data Engineer", "EUR", "DE", "0", "DE", "M")
    >>> usd = lambda *amounts: [(same, (Decimal(a), Decimal(a))) for a in amounts]
    >>> [(s.low, s.high, s.paired) for s in pair_rows(usd(90, 60, 100, 70, 80))]  # doctest: +NORMALIZE_WHITESPACE
    [(Decimal('60'), Decimal('90'), True), (Decimal('70'), Decimal('100'), True),
     (Decimal('80'), Decimal('80'), False)]
    """
    made: list[Salary] = []
    for same, run in groupby(rows, key=lambda row: row[0]):
        amounts = [amount for _, amount in run]
        alone = _alone(amounts) if len(amounts) % 2 else None
        rest = [amount for i, amount in enumerate(amounts) if i != alone]
        for first, second in zip(rest[0::2], rest[1::2], strict=True):
            made.append(_salary(same, min(first, second), max(first, second), paired=True))
        if alone is not None:
            made.append(_salary(same, amounts[alone], amounts[alone], paired=False))
    return tuple(made)


def _alone(amounts: Sequence[Amounts]) -> int:
    """Which row of a run of odd length is no part of a pair."""

    def cost(left_out: int) -> tuple[int, Decimal, int]:
        rest = [amount for i, (amount, _) in enumerate(amounts) if i != left_out]
        pairs = list(zip(rest[0::2], rest[1::2], strict=True))
        wrong = sum(1 for high, low in pairs if high < low)
        return wrong, sum((abs(high - low) for high, low in pairs), Decimal(0)), -left_out

    return min(range(0, len(amounts), 2), key=cost)


def _salary(same: tuple[str, ...], low: Amounts, high: Amounts, *, paired: bool) -> Salary:
    year, level, employment, title, currency, _, remote, country, _ = same
    return Salary(
        title=title,
        level=LEVELS.get(level),
        employment=EMPLOYMENT.get(employment),
        country=country,
        remote=REMOTE.get(remote),
        year=year,
        currency=currency,
        low=low[0],
        high=high[0],
        low_usd=low[1],
        high_usd=high[1],
        paired=paired,
    )


def reference_rows(salaries: Sequence[Salary], *, in_usd: bool = False, naive: bool = False) -> Rows:
    """The table as rows for `insights.figures`; `naive` counts each end of a range as a salary, as it was published."""

    def records() -> Iterable[tuple[str | int | None, ...]]:
        for s in salaries:
            low, high = (s.low_usd, s.high_usd) if in_usd else (s.low, s.high)
            said = (s.title, s.level, s.country, s.remote, s.employment, s.year, "USD" if in_usd else s.currency, "")
            ends = [(low, low), (high, high)] if naive and s.paired else [(low, high)]
            for a, b in ends:
                yield (*said, int(a * 100), int(b * 100), 1)

    return rows_from(records(), DIMENSIONS, employers_known=False)


def aijobs_reference(path: Path, by: Sequence[str], *, in_usd: bool = False) -> Reference:
    """The table's figures by any of its dimensions, to stand beside ours."""
    salaries = read_aijobs(path)
    with closing(reference_rows(salaries, in_usd=in_usd)) as rows:
        return Reference(NAME, _note(salaries), figures(rows, _known(by), intervals=False))


def aijobs_report(path: Path, *, by: Sequence[str] = ("level",), in_usd: bool = True, now: datetime) -> Report:
    """A report over the table: the corrected figures, the naive ones beside, the difference in the title and method."""
    by = _known(by)
    salaries = read_aijobs(path)
    with (
        closing(reference_rows(salaries, in_usd=in_usd)) as rows,
        closing(reference_rows(salaries, in_usd=in_usd, naive=True)) as doubled,
    ):
        totals = figures(rows, (), intervals=False)
        naive_totals = figures(doubled, (), intervals=False)
        groups, naive = figures(rows, by, intervals=False), figures(doubled, by, intervals=False)
        main = max(totals, key=lambda g: g.n)
        wrong = next(g for g in naive_totals if g.currency == main.currency)
        counts = count_rows(rows, include_estimates=False) | {"employers": 0}
        bars = distribution(rows, main)
    said = method(counts, {}, [], currency="USD" if in_usd else None, fx=None, include_estimates=False, intervals=False)
    said["pairs"] = _note(salaries)
    said["naive_difference"] = difference(main, wrong)
    return Report(
        generated_at=now,
        title=_finding(main, wrong),
        by=by,
        filters={},
        method=said,
        groups=groups,
        totals=totals,
        distribution=bars,
        references=(
            Reference("as published, each end a salary", "What the table gives when pairs stay apart.", naive),
        ),
    )


def difference(corrected: Group, naive: Group) -> dict[str, float | int | None]:
    """What counting both ends as salaries does: naive over corrected, less one, for n and each percentile.

    >>> blank = {"key": {}, "currency": "USD", "companies": 0, "postings": 1, "disclosed_share": 1, "suppressed": False}
    >>> difference(Group(n=10, p10=100.0, **blank), Group(n=20, p10=90.0, **blank))["p10"]
    -0.1
    """
    made: dict[str, float | int | None] = {"n": corrected.n, "n_naive": naive.n}
    for name in ("p10", "p25", "median", "p75", "p90"):
        ours, theirs = getattr(corrected, name), getattr(naive, name)
        made[name] = round(theirs / ours - 1, 6) if ours and theirs else None
    return made


def _finding(corrected: Group, naive: Group) -> str:
    spread = (naive.p90 or 0) - (naive.p10 or 0)
    ours = (corrected.p90 or 0) - (corrected.p10 or 0)
    return (
        f"{corrected.n:,} postings, not {naive.n:,} salaries: half of the pay lies between"
        f" {money(corrected.p25, corrected.currency)} and {money(corrected.p75)}, the median is"
        f" {money(corrected.median)}; counting both ends widened p10 to p90 by {spread / ours - 1:.0%}"
    )


def _note(salaries: Sequence[Salary]) -> str:
    ranges = sum(1 for s in salaries if s.paired)
    return NOTE.format(ranges=ranges, singles=len(salaries) - ranges, rows=len(salaries) + ranges)


def _known(by: Sequence[str]) -> tuple[str, ...]:
    for name in by:
        if name not in DIMENSIONS:
            raise InsightError(f"the table of aijobs.net cannot be grouped by {name!r}; choose from: {DIMENSIONS}")
    return tuple(by) if "year" in by else checked(by)
