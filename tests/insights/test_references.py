"""Other people's figures: pairs made ranges again, the BLS read as released, purchasing power."""

from __future__ import annotations

import gzip
import json
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.filters import Filters
from insights import render
from insights.figures import figures
from insights.model import InsightError
from insights.oews import installed_copy, occupations_in, oews_reference
from insights.purchasing_power import read_factors
from insights.reference import COLUMNS, aijobs_reference, aijobs_report, pair_rows, read_aijobs, reference_rows
from insights.report import build_report
from tests.insights.market import NOW, fill, posting

SAME = ("2025", "SE", "FT", "Data Engineer", "EUR", "AT", "0", "AT", "M")


def usd(*amounts: int) -> list[tuple[tuple[str, ...], tuple[Decimal, Decimal]]]:
    return [(SAME, (Decimal(amount), Decimal(amount))) for amount in amounts]


def ranges(*amounts: int) -> list[tuple[int, int, bool]]:
    return [(int(s.low), int(s.high), s.paired) for s in pair_rows(usd(*amounts))]


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ((90, 60), [(60, 90, True)]),
        ((90,), [(90, 90, False)]),
        ((45, 45), [(45, 45, True)]),
        ((90, 60, 100, 70), [(60, 90, True), (70, 100, True)]),
        ((60, 90), [(60, 90, True)]),
        ((265, 140, 212), [(140, 265, True), (212, 212, False)]),
        ((200, 90, 60), [(60, 90, True), (200, 200, False)]),
        ((90, 60, 77, 120, 100), [(60, 90, True), (100, 120, True), (77, 77, False)]),
        ((), []),
    ],
    ids=str,
)
def test_rows_become_ranges_again(amounts: tuple[int, ...], expected: list[tuple[int, int, bool]]) -> None:
    assert ranges(*amounts) == expected


@given(st.lists(st.integers(1, 9), max_size=25))
def test_pairing_loses_and_invents_no_amount(amounts: list[int]) -> None:
    made = ranges(*amounts)
    ends = [end for low, high, paired in made for end in ((low, high) if paired else (low,))]
    assert sorted(ends) == sorted(amounts)
    assert all(low <= high for low, high, _ in made)


def table(path: Path, rows: list[tuple[object, ...]]) -> Path:
    lines = [",".join(COLUMNS), *(",".join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pairs(n: int) -> list[tuple[object, ...]]:
    made: list[tuple[object, ...]] = []
    for i in range(n):
        for amount in (80_000 + 1_000 * i, 60_000 + 1_000 * i):
            made.append(("2025", "SE", "FT", f"Data Engineer {i % 2}", amount, "EUR", amount * 1.1, "AT", 0, "AT", "M"))
    return made


def test_the_naive_figures_are_wider_and_their_n_doubled(tmp_path: Path) -> None:
    report = aijobs_report(table(tmp_path / "t.csv", pairs(20)), by=("level",), in_usd=False, now=NOW)
    (ours,), (naive,) = report.groups, report.references[0].groups
    assert (ours.n, naive.n) == (20, 40)
    assert ours.median == pytest.approx(79_500)
    assert naive.p10 is not None
    assert ours.p10 is not None
    assert naive.p10 < ours.p10
    moved = report.method["naive_difference"]
    assert (moved["n"], moved["n_naive"]) == (20, 40)
    assert moved["p10"] < 0 < moved["p90"]
    assert "not 40 salaries" in report.title
    assert "20 ranges and 0 single salaries from 40 rows" in report.method["pairs"]
    for kind in ("html", "md", "json", "csv", "svg"):
        assert getattr(render, kind)(report)


def test_the_table_names_no_employers_so_none_are_counted(tmp_path: Path) -> None:
    reference = aijobs_reference(table(tmp_path / "t.csv", pairs(20)), ("role", "country"))
    assert [(g.n, g.companies, g.median_ci, g.suppressed) for g in reference.groups] == [(10, 0, None, False)] * 2
    with pytest.raises(InsightError, match="cannot be grouped by 'company'"):
        aijobs_reference(tmp_path / "t.csv", ("company",))


@pytest.mark.parametrize(
    ("content", "said"),
    [("a,b\n1,2\n", "not the aijobs.net table"), (",".join(COLUMNS) + "\n2025,SE,FT,X,many,EUR,1,A,0,A,M\n", "line 2")],
    ids=["other columns", "no amount"],
)
def test_another_file_is_refused_by_name_and_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(content)
    with pytest.raises(InsightError, match=said):
        read_aijobs(path)
    with pytest.raises(InsightError, match="cannot be read"):
        read_aijobs(tmp_path / "absent.csv")


def test_the_real_table_is_pairs(shared_data: Path) -> None:
    salaries = read_aijobs(shared_data / "data" / "aijobs-salaries.csv")
    paired = sum(1 for s in salaries if s.paired)
    assert 2 * paired + (len(salaries) - paired) == 74_301
    assert paired > 36_000
    rows, naive = reference_rows(salaries, in_usd=True), reference_rows(salaries, in_usd=True, naive=True)
    (ours,), (theirs,) = figures(rows, (), intervals=False), figures(naive, (), intervals=False)
    rows.close()
    naive.close()
    assert theirs.n == 74_301
    assert ours.n == len(salaries)
    assert ours.p10 is not None
    assert theirs.p10 is not None
    assert ours.p90 is not None
    assert theirs.p90 is not None
    assert theirs.p10 < ours.p10
    assert theirs.p90 > ours.p90


def wages(path: Path) -> Path:
    """A data file in the shape of the package's: one occupation whole, one with a top-coded end, one not released."""
    source = sqlite3.connect(":memory:")
    names = [f"v{i:02d}" for i in range(1, 18)] + [f"f{i:02d}" for i in range(1, 18)]
    source.execute(f"CREATE TABLE cell (key TEXT PRIMARY KEY, {', '.join(f'{n} TEXT' for n in names)}) WITHOUT ROWID")
    source.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)")
    source.execute("INSERT INTO meta VALUES ('release', 'May 2031')")
    for soc, pay, notes in (
        ("151243", ("70000", "90000", "120000", "150000", "190000"), (None,) * 5),
        ("291215", ("90000", "150000", "220000", "239200", "239200"), (None, None, None, "5", "5")),
        ("272011", ("-",) * 5, ("4",) * 5),
    ):
        values = dict.fromkeys(names) | {"v01": "1200"}
        values |= {f"v{11 + i}": pay[i] for i in range(5)} | {f"f{11 + i}": notes[i] for i in range(5)}
        row = [f"OEUN0000000000000{soc}", *values.values()]
        source.execute(f"INSERT INTO cell VALUES ({', '.join('?' * len(row))})", row)
    source.commit()
    path.write_bytes(gzip.compress(source.serialize()))
    source.close()
    return path


def test_bls_wages_stand_beside_as_released(tmp_path: Path) -> None:
    roles = {"Data Engineer": "15-1243", "Doctor": "29-1215", "Actor": "27-2011", "Odd": "x", "Absent": "99-9999"}
    reference = oews_reference(roles, wages(tmp_path / "oews-2031.sqlite.gz"))
    assert reference is not None
    found = {g.key["role"]: g for g in reference.groups}
    assert set(found) == {"Data Engineer", "Doctor", "Actor"}
    assert (found["Data Engineer"].n, found["Data Engineer"].median, found["Data Engineer"].p90) == (
        1200,
        120_000,
        190_000,
    )
    assert (found["Doctor"].median, found["Doctor"].p75, found["Doctor"].p90) == (220_000, None, None)
    assert (found["Actor"].median, found["Actor"].suppressed) == (None, True)
    assert "May 2031" in reference.note


def test_without_the_package_there_is_no_reference() -> None:
    if installed_copy() is None:
        assert oews_reference({"Data Engineer": "15-1243"}) is None


def test_occupations_come_from_the_ledger(database_url: str) -> None:
    url = fill(database_url, [posting(1), posting(2, soc=None), posting(3, role="Cook", soc="35-2014")])
    assert occupations_in(url) == {"Data Engineer": "15-1243", "Cook": "35-2014"}


def factors(path: Path, text: str) -> Path:
    path.write_text("country,currency,factor,year\n" + text, encoding="utf-8")
    return path


def test_purchasing_power_divides_by_the_countrys_own_factor(database_url: str, tmp_path: Path) -> None:
    here = [posting(i) for i in range(6)]
    there = [
        posting(i, country="PL", currency="PLN", salary_min=Decimal(180_000), salary_max=Decimal(180_000))
        for i in range(6, 12)
    ]
    foreign = posting(20, country="PL", currency="EUR")
    file = factors(tmp_path / "p.csv", "DE,EUR,0.70,2024\nde,eur,0.60,2019\nPL,PLN,1.80,2024\n")
    url, known = fill(database_url, [*here, *there, foreign]), read_factors(file)
    report = build_report(url, filters=Filters(), by=("country",), purchasing_power=known, alone=True, now=NOW)
    found = {g.key["country"]: (g.currency, g.n, g.median) for g in report.groups}
    assert found == {"DE": ("Int$", 6, pytest.approx(100_000)), "PL": ("Int$", 6, pytest.approx(100_000))}
    assert report.method["counts"]["not_comparable"] == 1
    assert "international dollars" in json.loads(render.json(report))["method"]["currency"]


@pytest.mark.parametrize("text", ["DE,EUR,zero,2024\n", "DE,EUR,0,2024\n", "DE,EUR,nan,2024\n", "DE,EUR,-1,2024\n"])
def test_a_bad_factor_names_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(InsightError, match="line 2"):
        read_factors(factors(tmp_path / "p.csv", text))
