"""Builds fx_rates.csv, the exchange rates of currencies that the European Central Bank does not quote.

Run by a developer, never at run time:  python aggregator/vocabulary/build_fx_rates.py SALARIES.csv
where SALARIES.csv is the salary table of aijobs.net (foorilla/ai-jobs-net-salaries, CC0) with the columns `work_year`,
`salary`, `salary_currency` and `salary_in_usd`. A row that states pay in another currency and in dollars implies the
rate that the site used in that year; the median over a year's rows is kept.

Two kinds of row have evidence, and no other kind is written: a rate fixed by law or by the central bank (`PEGS`), and a
yearly rate that the table implies. A currency without either has no rate, and its pay is not converted.

fx_rates.csv: currency, day the rate begins, units of `anchor` for one unit of the currency, anchor, origin.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
FIELDS = ("currency", "from", "rate", "anchor", "origin")
PEGS = (
    ("AED", "1997-11-01", "USD", "3.6725"),
    ("BAM", "1999-01-01", "EUR", "1.95583"),
    ("BGN", "1999-07-05", "EUR", "1.95583"),
    ("BHD", "2001-01-01", "USD", "0.376"),
    ("HRK", "2023-01-01", "EUR", "7.53450"),
    ("JOD", "1995-10-23", "USD", "0.709"),
    ("NAD", "1993-09-15", "ZAR", "1"),
    ("OMR", "1986-01-01", "USD", "0.3845"),
    ("PAB", "1904-01-01", "USD", "1"),
    ("QAR", "2001-07-01", "USD", "3.64"),
    ("SAR", "1986-06-01", "USD", "3.75"),
    ("XAF", "1999-01-01", "EUR", "655.957"),
    ("XOF", "1999-01-01", "EUR", "655.957"),
)
"""Currency, day since which, anchor, units of the currency for one unit of the anchor: official fixed rates. BGN and
HRK were changed into euros at these rates."""


def pegged() -> list[dict[str, str]]:
    """The rows of `PEGS`, turned round."""
    return [
        {
            "currency": currency,
            "from": since,
            "rate": f"{1 / Decimal(units):.6g}",
            "anchor": anchor,
            "origin": f"peg of {units} to 1 {anchor}",
        }
        for currency, since, anchor, units in PEGS
    ]


def implied(salaries: Iterable[Mapping[str, str]], quoted: frozenset[str]) -> list[dict[str, str]]:
    """Yearly rates that a salary table implies for currencies that are neither `quoted` by the bank nor pegged.

    >>> table = [{"work_year": "2021", "salary": "2000", "salary_currency": "CLP", "salary_in_usd": "3"}]
    >>> implied(table, frozenset())[0]["rate"], implied(table, frozenset({"CLP"}))
    ('0.0015', [])
    """
    known = quoted | {row[0] for row in PEGS}
    ratios: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for row in salaries:
        if row["salary_currency"] not in known and Decimal(row["salary"]) > 0:
            ratio = Decimal(row["salary_in_usd"]) / Decimal(row["salary"])
            ratios[row["salary_currency"], row["work_year"]].append(ratio)
    return [
        {
            "currency": currency,
            "from": f"{year}-01-01",
            "rate": f"{median(found):.4g}",
            "anchor": "USD",
            "origin": f"implied by aijobs.net salaries, {year}, {len(found)} row{'s' if len(found) > 1 else ''}",
        }
        for (currency, year), found in sorted(ratios.items())
    ]


def main(salaries: Path) -> None:
    from currency_converter import CurrencyConverter  # type: ignore[import-untyped]  # ships no types

    bank = CurrencyConverter()
    ended = {currency for currency in bank.currencies if bank.bounds[currency].last_date < bank.bounds["USD"].last_date}
    with salaries.open(encoding="utf-8", newline="") as lines:
        rows = pegged() + implied(csv.DictReader(lines), frozenset(bank.currencies) - ended | {"USD"})
    with (HERE / "fx_rates.csv").open("w", encoding="utf-8", newline="") as table:
        writer = csv.DictWriter(table, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
