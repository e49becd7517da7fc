"""Reading columns from the ledger: the same rows from both stores, one commit, every filter, no injection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from db.filters import Filters
from db.models import Posting
from db.session import LedgerError
from insights import rows as reading
from insights.figures import figures
from insights.model import InsightError
from insights.rows import DIMENSIONS, checked, read_rows
from tests.insights.market import fill, posting, unpaid
from tests.postgres import database


def mixed() -> list[Posting]:
    return [
        posting(1),
        posting(2, salary_max=None, posted_on=None),
        posting(3, salary_min=None, currency="GBP", country=None, countries=["GB", "IE"], company=None),
        unpaid(4, role=None, level=None, country=None, city=None, employment_types=[]),
        posting(5, excluded=True, employment_types=["full_time", "part_time"]),
        posting(6, salary_is_estimate=True, sources=["acme-board", "other-board"]),
        posting(7, annual_min=None, annual_max=None, annual_min_usd=None, annual_max_usd=None, period=None),
        posting(8, title='Büro "O\'Neill" 100% \\ |', company="=cmd|' /C calc'!A0"),
    ]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A filled ledger of either kind; the tests only read it."""
    if request.param == "sqlite":
        yield fill(f"sqlite:///{tmp_path_factory.mktemp('rows') / 'ledger.db'}", mixed())
        return
    server = request.getfixturevalue("postgres_server")
    with database(server, request.getfixturevalue("postgres_template")) as made:
        yield fill(made, mixed())


def contents(
    url: str, dimensions: tuple[str, ...], filters: Filters | None = None, **how: Any
) -> list[tuple[Any, ...]]:
    rows = read_rows(url, filters or Filters(), dimensions, **how)
    names = ", ".join((*dimensions, "currency", "low", "high", "stated", "estimate", "excluded"))
    found = rows.connection.execute(f"SELECT {names} FROM row ORDER BY ALL").fetchall()
    rows.close()
    return found


def test_rows_hold_what_the_ledger_holds(url: str) -> None:
    assert contents(url, ("level", "month")) == [
        ("", "2026-03", "", None, None, False, False, False),
        ("senior", "2026-03", "EUR", 6_000_000, 8_000_000, True, False, False),
        ("senior", "2026-03", "EUR", 6_000_000, 8_000_000, True, False, False),
        ("senior", "2026-03", "EUR", 6_000_000, 8_000_000, True, False, True),
        ("senior", "2026-03", "EUR", 6_000_000, 8_000_000, True, True, False),
        ("senior", "2026-03", "EUR", 6_000_000, None, True, False, False),
        ("senior", "2026-03", "EUR", None, None, True, False, False),
        ("senior", "2026-03", "GBP", None, 8_000_000, True, False, False),
    ]


def test_rows_in_us_dollars_hold_each_postings_own_conversion(url: str) -> None:
    found = contents(url, ("level",), Filters(level=("senior",)), in_usd=True)
    assert {row[1:4] for row in found} == {
        ("USD", 6_600_000, 8_800_000),
        ("USD", 6_600_000, None),
        ("USD", None, 10_000_000),
        ("", None, None),
    }


@pytest.mark.parametrize("dimension", sorted(DIMENSIONS))
def test_every_dimension_can_be_read_and_grouped(url: str, dimension: str) -> None:
    rows = read_rows(url, Filters(), (dimension,))
    groups = figures(rows, (dimension,))
    rows.close()
    assert sum(g.n for g in groups) >= 4
    assert all(set(g.key) == {dimension} for g in groups)


def test_lists_are_spread_over_their_words(url: str) -> None:
    rows = read_rows(url, Filters(), ("country", "employment", "source"))
    countries = {g.key["country"]: g.n for g in figures(rows, ("country",)) if g.n}
    kinds = {g.key["employment"]: g.postings for g in figures(rows, ("employment",))}
    sources = {g.key["source"] for g in figures(rows, ("source",), include_estimates=True)}
    rows.close()
    assert countries == {"DE": 3, "GB": 1, "IE": 1}
    assert kinds == {"full_time": 6, None: 1}
    assert sources == {"acme-board", "other-board"}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), 8),
        (Filters(country=("GB",)), 1),
        (Filters(currency=("EUR",), min_salary=Decimal(90_000)), 0),
        (Filters(min_salary=Decimal(90_000)), 1),
        (Filters(since=date(2026, 3, 5)), 1),
        (Filters(until=date(2026, 3, 5)), 7),
        (Filters(title="o'neill\" 100% \\ |"), 1),
        (Filters(title="'; DROP TABLE posting; --"), 0),
        (Filters(title="%"), 1),
        (Filters(title="_"), 0),
        (Filters(title="?"), 0),
        (Filters(text="büro :x %(y)s"), 0),
        (Filters(company=("=cmd",)), 1),
        (Filters(employment=("part_time",)), 1),
        (Filters(flagged=True), 1),
        (Filters(open=True, has_salary=False), 1),
    ],
    ids=lambda value: str(value.stated()) if isinstance(value, Filters) else str(value),
)
def test_filters_select_and_quote(url: str, filters: Filters, found: int) -> None:
    assert len(contents(url, ("role",), filters)) == found
    assert len(contents(url, ("role",))) == 8


def test_a_nul_in_a_filter_is_refused(database_url: str) -> None:
    fill(database_url, [posting(1)])
    with pytest.raises(InsightError, match="NUL"):
        read_rows(database_url, Filters(title="a\x00b"), ("role",))


def test_both_halves_of_a_split_table_are_read_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SPLIT_FROM", 10)
    fill(database_url, [posting(i, level=None if i % 3 else "mid") for i in range(1, 42)])
    rows = read_rows(database_url, Filters(), ("level",))
    assert rows.connection.execute("SELECT count(*), count(DISTINCT employer) FROM row").fetchone() == (41, 41)
    rows.close()


def test_nulls_before_the_first_value_keep_their_type(database_url: str) -> None:
    many = [unpaid(i, role=None) for i in range(1, 2_500)]
    fill(database_url, [*many, posting(3_000), posting(3_001, salary_min=Decimal("21750.55"))])
    found = contents(database_url, ("role",))
    assert [row[2] for row in found if row[0]] == [2_175_055, 6_000_000]


def test_a_writer_between_two_connections_is_noticed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SPLIT_FROM", 2)
    path = database_url.removeprefix("sqlite:///")
    fill(database_url, [posting(i) for i in range(1, 9)])
    opened, drain = [], reading._drain

    def write_once(stream: Any) -> None:
        drain(stream)
        opened.append(stream)
        if len(opened) == 1:
            with sqlite3.connect(path) as writer:
                writer.execute("UPDATE posting SET annual_min = 1, annual_max = 1")
            writer.close()

    monkeypatch.setattr(reading, "_drain", write_once)
    assert {row[2] for row in contents(database_url, ("role",))} == {1}
    assert len(opened) >= 4


def test_an_endless_writer_ends_in_one_clear_error(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = database_url.removeprefix("sqlite:///")
    fill(database_url, [posting(1)])

    def write(_stream: Any) -> None:
        with sqlite3.connect(path) as writer:
            writer.execute("UPDATE posting SET reopened = reopened + 1")
        writer.close()

    monkeypatch.setattr(reading, "_drain", write)
    with pytest.raises(InsightError, match="being written"):
        read_rows(database_url, Filters(), ("role",))


@pytest.mark.parametrize(
    ("by", "said"),
    [(("salary",), "cannot group by 'salary'; choose from: role, family"), (("role", "role"), "twice")],
    ids=["unknown", "twice"],
)
def test_an_unusable_grouping_names_what_can_be_asked(by: tuple[str, ...], said: str) -> None:
    with pytest.raises(InsightError, match=said):
        checked(by)


def test_a_ledger_in_memory_cannot_be_reported_on() -> None:
    with pytest.raises(InsightError, match="in memory"):
        read_rows("sqlite://", Filters(), ("role",))


def test_a_missing_ledger_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"no ledger at .*absent\.db"):
        read_rows(f"sqlite:///{tmp_path / 'absent.db'}", Filters(), ("role",))


def test_a_path_with_odd_characters_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "a b?c#d%20é"
    folder.mkdir()
    url = fill(f"sqlite:///{folder}/led ger.db", [posting(1)])
    assert len(contents(url, ("role",))) == 1
