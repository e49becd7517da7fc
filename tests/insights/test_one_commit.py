"""One report, one commit: a writer that commits between any two reads changes nothing in what is being made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from db.facets import flag_counts
from db.filters import Filters
from db.looking import companies_query, roles_query
from db.queries import count_postings, each_posting, find_postings, list_flags
from db.session import make_engine, reading, writing
from insights import store
from insights.claims import check_claims
from insights.compare import compare_roles
from insights.offer import place_offer
from insights.report import build_report
from insights.trends import market_trends
from tests.insights.market import NOW, article, claim, fill, flag, posting, raw_posting, unpaid

WRITE = """
import sys
from sqlalchemy import text
from db.session import make_engine, writing
engine = make_engine(sys.argv[1])
with writing(engine) as connection:
    for statement in sys.argv[2:]:
        connection.execute(text(statement))
engine.dispose()
"""
"""A writer in a process of its own: two copies of SQLite in one process would undo each other's locks."""
COMMIT = (
    "UPDATE posting SET excluded = true WHERE id <= 'posting-00040'",
    "UPDATE posting SET annual_min = annual_min * 2, annual_max = annual_max * 2, annual_min_usd = annual_min_usd * 3",
    "UPDATE posting SET role = 'Data Scientist' WHERE id > 'posting-00050'",
    "UPDATE posting SET closed_at = last_seen, reposted = reposted + 3",
    "UPDATE posting_flag SET state = 'dismissed'",
    "UPDATE raw_posting SET rules_version = 0",
    "UPDATE article_claim SET amount = amount * 2",
    "UPDATE fx_rate SET usd = usd * 2",
)
"""Makes every figure another one; done again it undoes nothing."""


@pytest.fixture
def market(ledger_url: str) -> str:
    """Postings of two roles, some excluded, some without pay, with claims, pending ads and a rate."""
    made = [
        posting(i, role="Data Engineer" if i % 2 else "Data Analyst", excluded=i % 10 == 0, company=f"Employer {i % 7}")
        for i in range(1, 61)
    ]
    made += [unpaid(i) for i in range(61, 70)]
    flags = [flag(p, "placeholder") for p in made if p.excluded]
    waiting = [raw_posting(n, 0) for n in range(4)] + [raw_posting(n, 1000) for n in range(4, 10)]
    fill(
        ledger_url, made, [*flags, *waiting, article(), claim(1), claim(2, role="Data Analyst", amount=Decimal(60_000))]
    )
    commit(ledger_url, "INSERT INTO fx_rate VALUES ('EUR', '2026-05-29', 1.2, 'test')")
    return ledger_url


def commit(url: str, *statements: str) -> None:
    engine = make_engine(url)
    with writing(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def write_elsewhere(url: str) -> None:
    import subprocess

    subprocess.run([sys.executable, "-c", WRITE, url, *COMMIT], check=True)


MAKERS: dict[str, Callable[[str], Any]] = {
    "report": lambda url: build_report(url, filters=Filters(), currency="USD", alone=True, now=NOW),
    "report of a role": lambda url: build_report(url, filters=Filters(role=("Data Engineer",)), alone=True, now=NOW),
    "salary": lambda url: place_offer(
        url, filters=Filters(), offer=Decimal(70_000), currency="EUR", role="Data Engineer", level="senior", alone=True
    ),
    "compare": lambda url: compare_roles(url, ("Data Engineer", "Data Analyst"), filters=Filters(), alone=True),
    "claims": lambda url: check_claims(url, filters=Filters(), alone=True),
    "trends": lambda url: market_trends(url, filters=Filters(), alone=True),
}


@pytest.mark.parametrize("what", MAKERS)
@pytest.mark.parametrize("before", [True, False], ids=["before each read", "after each read"])
def test_a_writer_between_the_reads_changes_nothing(
    market: str, monkeypatch: pytest.MonkeyPatch, what: str, before: bool
) -> None:
    undisturbed = MAKERS[what](market)
    fill_table, wrote = store._fill, []

    def and_commit(*given: Any) -> None:
        if before:
            write_elsewhere(market)
        fill_table(*given)
        if not before:
            write_elsewhere(market)
        wrote.append(given)

    with monkeypatch.context() as patch:
        patch.setattr(store, "_fill", and_commit)
        disturbed = MAKERS[what](market)
    assert wrote, "nothing was read while the writer wrote: the test says nothing"
    assert disturbed == undisturbed
    assert MAKERS[what](market) != undisturbed, "what the writer wrote shows in no figure: the test says nothing"


def test_the_child_process_reads_one_commit_too(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database_url, [posting(i, company=f"Employer {i % 7}") for i in range(1, 30)])
    undisturbed = build_report(database_url, filters=Filters(), now=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(store, "READER", "tests.insights.disturbed_reader:main")
        disturbed = build_report(database_url, filters=Filters(), now=NOW)
    assert disturbed == undisturbed
    assert build_report(database_url, filters=Filters(), now=NOW) != undisturbed


def test_the_counts_of_a_report_add_up_while_others_write(market: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_table = store._fill

    def and_commit(*given: Any) -> None:
        write_elsewhere(market)
        fill_table(*given)

    monkeypatch.setattr(store, "_fill", and_commit)
    report = build_report(market, filters=Filters(), alone=True, now=NOW)
    assert report.method["counts"]["excluded"] == sum(report.method["exclusions_by_reason"].values()) == 6
    assert report.lifetimes[0].postings == report.method["counts"]["selected"] == 69
    assert report.method["unread_ads"] == 4


def test_what_a_page_shows_beside_a_report_is_of_the_same_commit(market: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_table = store._fill

    def and_commit(*given: Any) -> None:
        write_elsewhere(market)
        fill_table(*given)

    monkeypatch.setattr(store, "_fill", and_commit)
    beside = {"employers": companies_query(Filters(flagged=True)), "roles": roles_query()}
    report = build_report(market, filters=Filters(), beside=beside, alone=True, now=NOW)
    assert sum(row["postings"] for row in report.beside["employers"]) == report.method["counts"]["excluded"] == 6
    assert {row["role"] for row in report.beside["roles"]} == {"Data Engineer", "Data Analyst"}


def test_a_view_shows_one_commit_to_all_questions(market: str) -> None:
    """What a page or a table shows beside each other: rows and their number, flags and their number, an export."""
    engine = make_engine(market)
    with reading(engine) as view:
        rows, _ = find_postings(view, Filters(flagged=True), limit=100)
        write_elsewhere(market)
        assert len(rows) == count_postings(view, Filters(flagged=True)) == 6
        assert len(list_flags(view, state="open")) == sum(flag_counts(view)["open"].values()) == 6
        assert {row["id"] for row in each_posting(view, Filters(flagged=True))} == {row["id"] for row in rows}
    assert count_postings(engine, Filters(flagged=True)) == 42
    engine.dispose()


def test_an_export_is_one_commit_from_its_first_page_to_its_last(market: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from db import queries

    monkeypatch.setattr(queries, "AT_ONCE", 10)
    engine = make_engine(market)
    with reading(engine) as view:
        rows = each_posting(view, Filters(role=("Data Engineer",)), sort="id")
        first = next(rows)
        write_elsewhere(market)
        exported = [first, *rows]
    assert {row["role"] for row in exported} == {"Data Engineer"}
    assert len(exported) == 39
    engine.dispose()
