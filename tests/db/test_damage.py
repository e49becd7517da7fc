"""A damaged ledger says so: opening it, reading it, and `check_ledger`, which names what is damaged."""

from __future__ import annotations

import pickle
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from db.checks import CHECKS, check_ledger
from db.errors import LedgerDamaged, LedgerError, is_damage
from db.filters import Filters
from db.looking import find_posting
from db.queries import find_postings, table_counts
from db.session import make_engine, open_ledger
from scheduler.chores import maintenance
from tests.damage import PAGE, damage, folded, pages, zero
from tests.db.records import NOON
from tests.service.web.world import fill


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("damage") / "whole.db"
    engine = open_ledger(f"sqlite:///{path}")
    fill(engine)
    engine.dispose()
    return folded(path)


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    """A file of this test's own, to be damaged."""
    return Path(shutil.copy(whole, tmp_path / "ledger.db"))


def checked(path: Path) -> list[str]:
    engine = make_engine(f"sqlite:///{path}")
    try:
        return check_ledger(engine)
    finally:
        engine.dispose()


UNREADABLE_ALONE = frozenset({"ix_posting_first_seen", "ix_posting_role"})
"""Indexes that are empty on SQLite: their table is named."""


def test_every_table_and_index_is_named_when_its_page_is_lost(whole: Path, tmp_path: Path) -> None:
    roots = pages(whole)
    assert len(roots) > 60
    unnamed = []
    for number, name in roots.items():
        broken = Path(shutil.copy(whole, tmp_path / f"{number}.db"))
        zero(broken, number)
        said = checked(broken)
        wanted = "the table posting," if name in UNREADABLE_ALONE else f" {name} "
        if not any(wanted in problem for problem in said):
            unnamed.append((number, name, said))
        assert all("restore a backup" in p or "db copy" in p for p in said if "damaged" in p)
    assert unnamed == []


def test_damage_in_one_place_hides_nothing_in_another(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE posting SET last_seen = '2000-01-01 00:00:00.000000'")
        connection.execute("DELETE FROM posting_words")
        connection.commit()
    (number,) = (number for number, name in pages(folded(path)).items() if name == "rejected")
    zero(path, number)
    said = checked(path)
    assert any("the table rejected is damaged" in problem for problem in said)
    assert any(problem.startswith("a posting last seen before it was first seen") for problem in said)
    assert any("the search in words does not know" in problem for problem in said)


def test_an_index_whose_pages_are_whole_but_wrong_is_named(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX ix_raw_posting_source_seen ON raw_posting (source_id, url)'"
            " WHERE name = 'ix_raw_posting_source_seen'"
        )
        connection.commit()
    (problem,) = checked(path)
    assert problem.startswith("the index ix_raw_posting_source_seen of the table raw_posting is damaged: row ")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting_fts_data SET block = zeroblob(length(block)) WHERE id > 10",
        "UPDATE posting_fts_content SET c0 = 'other words' WHERE id = 1",
        "DELETE FROM posting_fts_content WHERE id = 2",
    ],
)
def test_a_damaged_search_is_named_and_a_copy_mends_it(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    (problem,) = checked(path)
    assert problem.startswith("the search in words (posting_fts) is damaged")
    assert "db copy" in problem


def test_broken_references_are_counted_by_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE sighting SET page_id = 'nowhere'")
        connection.commit()
    assert "9 broken references in table sighting to page" in checked(path)


def test_counting_rows_notices_a_lost_page_of_a_table(path: Path) -> None:
    """SQLite would count in the smallest index, and never look at the table."""
    zero(path, *(number for number, name in pages(path).items() if name == "raw_posting"))
    engine = make_engine(f"sqlite:///{path}")
    with pytest.raises(LedgerDamaged, match=r"ledger\.db is damaged: .*malformed; `jobledger db check`"):
        table_counts(engine)
    engine.dispose()


def test_a_value_that_is_no_json_is_damage(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE posting SET countries = '[\"DE'")
        connection.commit()
    engine = make_engine(f"sqlite:///{path}")
    with pytest.raises(LedgerDamaged):
        find_postings(engine, Filters())
    engine.dispose()


def test_a_file_cut_inside_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - PAGE // 2)
    engine = make_engine(f"sqlite:///{path}")
    try:
        said = check_ledger(engine)
    except LedgerError as error:
        said = [str(error)]
    assert any("damaged" in problem for problem in said)
    engine.dispose()


def all_postings(engine: Engine) -> Any:
    return find_postings(engine, Filters())


def test_a_page_of_noise_in_every_place_is_never_another_error(whole: Path, tmp_path: Path) -> None:
    """Whatever a page holds, reading says damage or answers; it never falls over a value."""
    noise = bytes((i * 7919 + i // 3) % 251 for i in range(PAGE))
    for number in range(2, whole.stat().st_size // PAGE + 1):
        broken = Path(shutil.copy(whole, tmp_path / "noise.db"))
        with broken.open("r+b") as file:
            file.seek((number - 1) * PAGE)
            file.write(noise)
        engine = make_engine(f"sqlite:///{broken}")
        for ask in (all_postings, table_counts, check_ledger):
            with suppress(LedgerError):
                ask(engine)
        engine.dispose()
        for ending in ("-wal", "-shm"):
            Path(f"{broken}{ending}").unlink(missing_ok=True)


def test_the_scheduler_s_maintenance_names_it_too(path: Path) -> None:
    url = damage(path, "index")
    engine = make_engine(url)
    with pytest.raises(LedgerError, match="the index ix_posting_facets of the table posting is damaged"):
        maintenance(engine, NOON)
    engine.dispose()


def test_the_error_travels_between_processes(path: Path) -> None:
    error = LedgerDamaged("sqlite:///x.db", sqlite3.DatabaseError("database disk image is malformed"), opens=False)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (LedgerDamaged, str(error))


def test_what_is_no_damage() -> None:
    for error in (
        sqlite3.OperationalError("database is locked"),
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.IntegrityError("UNIQUE constraint failed: posting.id"),
        ValueError("database disk image is malformed"),
    ):
        assert not is_damage(error)


def test_a_sound_ledger_stays_sound(store: Engine) -> None:
    fill(store)
    assert check_ledger(store) == []
    assert len(CHECKS) > 10
    rows, _ = find_postings(store, Filters())
    assert all(find_posting(store, row["id"]) for row in rows)
