"""Opening, migrating and refusing ledgers; on both stores where both can fail."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from db import schema
from db.schema import MIGRATIONS, differences, downgrade, upgrade
from db.session import KNOWN_REVISIONS, SCHEMA_HEAD, LedgerError, make_engine, open_ledger, reading, writing
from db.store import keep
from tests.db.records import ad


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'new.db'}"


def test_migrations_go_up_down_and_up_and_agree_with_the_models(empty_url: str) -> None:
    engine = make_engine(empty_url)
    upgrade(engine)
    assert differences(engine) == []
    downgrade(engine, "base")
    with reading(engine) as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    engine.dispose()
    engine = open_ledger(empty_url)
    assert differences(engine) == []
    assert keep(engine, [ad(1)]).new == 1
    engine.dispose()


def test_the_head_is_the_newest_migration() -> None:
    files = sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert tuple(files) == KNOWN_REVISIONS
    assert files[-1] == SCHEMA_HEAD


def test_opening_twice_keeps_what_is_there(empty_url: str) -> None:
    for expected in (1, 0):
        engine = open_ledger(empty_url)
        assert keep(engine, [ad(1)]).new == expected
        engine.dispose()


def test_a_failed_migration_leaves_the_ledger_as_it_was(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine(empty_url)

    def broken(*_: object) -> None:
        with schema.config(engine).attributes["engine"].connect():
            raise RuntimeError("killed in the middle")

    with pytest.raises(RuntimeError):
        schema._run(engine, broken)
    with reading(engine) as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()


def test_a_newer_ledger_is_refused_with_one_line(empty_url: str) -> None:
    engine = open_ledger(empty_url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(LedgerError, match=r"written by a newer jobledger \(schema 9999, here") as error:
        open_ledger(empty_url)
    assert "\n" not in str(error.value)


def test_a_foreign_database_is_refused_and_left_alone(empty_url: str) -> None:
    engine = make_engine(empty_url)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE invoices (id integer)"))
    with pytest.raises(LedgerError, match="not a jobledger ledger"):
        open_ledger(empty_url)
    with reading(engine) as connection:
        assert inspect(connection).get_table_names() == ["invoices"]
    engine.dispose()


class TestFiles:
    @pytest.mark.parametrize(
        "content",
        [b"hello, this is a letter\n" * 100, b"\x89PNG\r\n" + bytes(4096), b"SQLite format 3\x00" + bytes(4096)],
    )
    def test_a_file_that_is_no_database(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "letter.db"
        path.write_bytes(content)
        with pytest.raises(LedgerError, match=r"letter\.db") as error:
            open_ledger(f"sqlite:///{path}")
        assert "\n" not in str(error.value)
        assert path.read_bytes() == content

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="is a folder"):
            open_ledger(f"sqlite:///{tmp_path}")

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="does not exist"):
            open_ledger(f"sqlite:///{tmp_path}/no/such/place.db")

    def test_reading_makes_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="no ledger at"):
            open_ledger(f"sqlite:///{tmp_path / 'none.db'}", create=False)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("jobs.db", "cannot be read"),
            ("mysql://localhost/jobs", "not supported"),
            ("postgresql://x@127.0.0.1:1/none", "cannot use the ledger"),
        ],
    )
    def test_a_url_that_leads_nowhere(self, url: str, message: str) -> None:
        with pytest.raises(LedgerError, match=message) as error:
            open_ledger(url)
        assert "\n" not in str(error.value)

    def test_a_password_is_never_shown(self) -> None:
        with pytest.raises(LedgerError) as error:
            open_ledger("postgresql://jobs:secret@127.0.0.1:1/none")
        assert "secret" not in str(error.value)

    def test_the_file_is_in_wal_mode(self, tmp_path: Path) -> None:
        open_ledger(f"sqlite:///{tmp_path / 'a.db'}").dispose()
        connection = sqlite3.connect(tmp_path / "a.db")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()
