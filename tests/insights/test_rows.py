"""Reading columns from the ledger: the same rows from both stores, one commit, every filter, no injection."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from db.filters import Filters
from db.models import Posting
from db.session import LedgerError
from insights import store
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


def paid(url: str, dimensions: tuple[str, ...], filters: Filters | None = None, **how: Any) -> list[tuple[Any, ...]]:
    """Every posting with pay: its place, low, high, whether an estimate."""
    with closing(read_rows(url, filters or Filters(), dimensions, **how)) as rows:
        names = ", ".join((*dimensions, "currency", "low", "high", "estimate"))
        return rows.connection.execute(f"SELECT {names} FROM row ORDER BY ALL").fetchall()


def counts(url: str, dimensions: tuple[str, ...], filters: Filters | None = None, **how: Any) -> list[tuple[Any, ...]]:
    """Every place with its numbers of postings."""
    with closing(read_rows(url, filters or Filters(), dimensions, **how)) as rows:
        return rows.connection.execute("SELECT * EXCLUDE (id) FROM place ORDER BY ALL").fetchall()


def selected(url: str, filters: Filters, **how: Any) -> int:
    return sum(row[2] for row in counts(url, ("role",), filters, **how))


@pytest.mark.parametrize("alone", [False, True], ids=["in a child", "here"])
def test_rows_hold_what_the_ledger_holds(url: str, alone: bool) -> None:
    assert paid(url, ("level", "month"), alone=alone) == [
        ("senior", "2026-03", "EUR", 6_000_000, 8_000_000, False),
        ("senior", "2026-03", "EUR", 6_000_000, 8_000_000, False),
        ("senior", "2026-03", "EUR", 6_000_000, 8_000_000, True),
        ("senior", "2026-03", "EUR", 6_000_000, None, False),
        ("senior", "2026-03", "GBP", None, 8_000_000, False),
    ]
    assert counts(url, ("level",), alone=alone) == [
        ("", "", 1, 0, 0, 1, 0, 0),
        ("senior", "EUR", 6, 1, 4, 0, 1, 1),
        ("senior", "GBP", 1, 0, 1, 0, 0, 0),
    ]


def test_rows_in_us_dollars_hold_each_postings_own_conversion(url: str) -> None:
    assert {row[1:4] for row in paid(url, ("level",), in_usd=True)} == {
        ("USD", 6_600_000, 8_800_000),
        ("USD", 6_600_000, None),
        ("USD", None, 10_000_000),
    }


def test_a_separator_in_scraped_words_stays_in_them(database_url: str) -> None:
    fill(database_url, [posting(1, city="Ber\x1flin", company="A\x1fB")])
    assert paid(database_url, ("city", "company"))[0][:3] == ("Ber lin", "A B", "EUR")


@pytest.mark.parametrize("dimension", sorted(DIMENSIONS))
def test_every_dimension_can_be_read_and_grouped(url: str, dimension: str) -> None:
    rows = read_rows(url, Filters(), (dimension,), alone=True)
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
    assert selected(url, filters, alone=True) == found
    assert selected(url, Filters(), alone=True) == 8


def test_a_nul_in_a_filter_is_refused(database_url: str) -> None:
    fill(database_url, [posting(1)])
    with pytest.raises(InsightError, match="NUL"):
        read_rows(database_url, Filters(title="a\x00b"), ("role",))


def test_both_halves_of_a_split_table_are_read_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SPLIT_FROM", 10)
    fill(database_url, [posting(i, level=None if i % 3 else "mid") for i in range(1, 42)])
    with closing(read_rows(database_url, Filters(), ("level",), alone=True)) as rows:
        assert rows.connection.execute("SELECT count(*), count(DISTINCT employer) FROM row").fetchone() == (41, 41)


def test_nulls_before_the_first_value_keep_their_type(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BATCH", {"adbc.sqlite.query.batch_rows": "8"})
    many = [unpaid(i, role=None) for i in range(1, 40)]
    fill(database_url, [*many, posting(9_001), posting(9_002, salary_min=Decimal("21750.55"))])
    assert [row[2] for row in paid(database_url, ("role",), alone=True)] == [2_175_055, 6_000_000]


def write(path: str, statement: str) -> None:
    """What another process does to the ledger."""
    command = [
        sys.executable,
        "-c",
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()",
    ]
    subprocess.run([*command, path, statement], check=True)


def test_a_writer_between_two_connections_is_noticed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SPLIT_FROM", 2)
    fill(database_url, [posting(i) for i in range(1, 9)])
    seen: list[str] = []
    first = store._first

    def and_write(engine: Any, connection: Any, query: str) -> int:
        found = first(engine, connection, query)
        seen.append(query)
        if sum("max(rowid)" in said for said in seen) == 1 and "max(rowid)" in query:
            write(database_url.removeprefix("sqlite:///"), "UPDATE posting SET annual_min = 1, annual_max = 1")
        return found

    monkeypatch.setattr(store, "_first", and_write)
    assert {row[2] for row in paid(database_url, ("role",), alone=True)} == {1}
    assert sum("max(rowid)" in said for said in seen) >= 4


def test_an_endless_writer_ends_in_one_clear_error(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database_url, [posting(1)])
    versions = iter(range(1_000))
    first = store._first

    def ever_newer(engine: Any, connection: Any, query: str) -> int:
        return next(versions) if "data_version" in query else first(engine, connection, query)

    monkeypatch.setattr(store, "_first", ever_newer)
    with pytest.raises(InsightError, match="being written"):
        read_rows(database_url, Filters(), ("role",), alone=True)


def test_a_child_that_fails_gives_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database at all, but long enough to look like one " * 40)
    with pytest.raises(InsightError, match=r"text\.db cannot be read: .*not a database"):
        read_rows(f"sqlite:///{tmp_path / 'text.db'}", Filters(), ("role",))


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
    assert selected(url, Filters()) == selected(url, Filters(), alone=True) == 1
