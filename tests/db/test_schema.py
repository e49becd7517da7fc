"""Opening, migrating and refusing ledgers; on both stores where both can fail."""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from db import schema
from db.schema import MIGRATIONS, differences, downgrade, upgrade
from db.session import KNOWN_REVISIONS, SCHEMA_HEAD, LedgerError, make_engine, open_ledger, reading, writing
from db.store import keep
from tests.conftest import REPOSITORY
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


def test_the_migrations_are_one_chain_in_the_order_of_their_names(tmp_path: Path) -> None:
    script = ScriptDirectory.from_config(schema.config(make_engine(f"sqlite:///{tmp_path / 'unused.db'}")))
    chain = [revision.revision for revision in script.walk_revisions()]
    assert tuple(reversed(chain)) == KNOWN_REVISIONS
    assert script.get_heads() == [SCHEMA_HEAD]


class TestWritingAMigration:
    """The command of docs/contributing.md, run in a copy of the package."""

    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        shutil.copytree(MIGRATIONS.parent, tmp_path / "db", ignore=shutil.ignore_patterns("__pycache__"))
        return tmp_path

    def run(self, copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], cwd=copy, capture_output=True, text=True, check=False, timeout=120
        )

    def documented(self) -> list[str]:
        page = (REPOSITORY / "docs" / "contributing.md").read_text("utf-8")
        (line,) = re.findall(r"^\.venv/bin/python (-m db\.migrations\.new .+)$", page, re.MULTILINE)
        return shlex.split(line)

    def test_a_new_column_gives_a_migration_that_brings_it(self, copy: Path) -> None:
        models = copy / "db" / "models.py"
        text = models.read_text("utf-8")
        field = "    title_text: str"
        assert field in text
        models.write_text(text.replace(field, f"    toy_text: str | None = None\n{field}", 1), "utf-8")
        done = self.run(copy, *self.documented())
        assert done.returncode == 0, done.stderr
        assert sum("toy_text" in path.read_text("utf-8") for path in (copy / "db/migrations/versions").iterdir()) == 1
        opened = self.run(
            copy,
            "-c",
            "from db.schema import differences; from db.session import SCHEMA_HEAD, open_ledger;"
            "print(SCHEMA_HEAD, differences(open_ledger('sqlite:///new.db')))",
        )
        assert opened.stdout.split() == [f"{int(SCHEMA_HEAD) + 1:04}", "[]"], opened.stderr

    def test_unchanged_models_give_a_line_and_no_file(self, copy: Path) -> None:
        before = sorted((copy / "db/migrations/versions").iterdir())
        done = self.run(copy, *self.documented())
        assert done.returncode == 1
        assert done.stderr.startswith("no migration written: db/models.py agrees with migration")
        assert sorted((copy / "db/migrations/versions").glob("*.py")) == [p for p in before if p.suffix == ".py"]


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
