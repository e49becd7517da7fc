"""Every command, walked from the program itself: without a ledger, and with a damaged one.

A command that is added is tried too. What it is called with is made up from its parameters; `VALUES` has what needs to
mean something.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from typer.main import get_command

from db.session import make_engine, open_ledger, writing
from service.cli import app
from service.commands.ledger import Needs, needs_of
from tests.damage import KINDS, UNOPENABLE, damage, folded
from tests.service.test_cli import CAPTURE, Done, run

CREATORS = ("ingest", "crawl", "demo", "db upgrade")
"""What an error about a missing ledger must name."""
STAYS = frozenset({"serve", "mcp", "schedule run"})
"""Commands that go on until they are ended: what they do with a ledger that opens is tried elsewhere."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its words; a group that does something by itself counts as one."""
    waiting = [("", get_command(app))]
    while waiting:
        name, command = waiting.pop()
        below = getattr(command, "commands", {})
        waiting += [(f"{name} {word}".strip(), child) for word, child in below.items()]
        if not below or getattr(command, "invoke_without_command", False):
            yield name, command


COMMANDS = dict(sorted(commands()))
USING = sorted(name for name, command in COMMANDS.items() if needs_of(command.callback) not in {Needs.NOTHING, None})
EXISTING = [name for name in USING if needs_of(COMMANDS[name].callback) in {Needs.READS, Needs.CHANGES}]

VALUES = {
    "title": "Data Engineer",
    "first": "Data Engineer",
    "second": "Data Analyst",
    "--offer": "85000 EUR",
    "--channel": "feed",
    "file": "{folder}/out.csv",
    "paths": "{folder}/capture.txt",
    "names": "captured",
    "files": "{folder}/nothing.warc",
}
MORE = {
    "backfill": ["--store", "{folder}/nothing.warc"],
    "crawl": ["captured", "--sources", "{folder}/sources.toml"],
    "demo": ["--folder", "{folder}/demo"],
    "schedule once": ["--sources", "{folder}/sources.toml"],
    "sources list": ["--sources", "{folder}/sources.toml"],
    "schedule list": ["--sources", "{folder}/sources.toml"],
    "db forget": ["--url", "https://x.example/", "--yes"],
    "db backup": ["{folder}/backup.db"],
    "db prune": ["--days", "0"],
    "rates refresh": ["--url", "http://127.0.0.1:1/"],
    "postings": ["--text", "engineer"],
    "aggregate": ["--all"],
}
"""What commands are called with beside what they require."""


def called(name: str, folder: Path) -> list[str]:
    """The command with a value for everything that it requires."""
    words = name.split()
    if name not in MORE or name == "postings":
        for parameter in COMMANDS[name].params:
            if parameter.required:
                flag = next((word for word in parameter.opts if word.startswith("--")), None)
                value = VALUES.get(flag or parameter.name, "x")
                words += [flag, value] if flag else [value]
    words += MORE.get(name, [])
    return [word.format(folder=folder) for word in words]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a capture and a sources file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "capture.txt").write_text(CAPTURE, "utf-8")
    (tmp_path / "nothing.warc").write_bytes(b"")
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nname = "captured"\nspider = "captures"\nurl = "https://captured.example/"\n'
        f'schedule = "0 0 1 1 *"\noptions = {{ paths = ["{tmp_path / "capture.txt"}"] }}\n',
        "utf-8",
    )
    return tmp_path


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with postings, an article and claims."""
    made = tmp_path_factory.mktemp("filled")
    (made / "capture.txt").write_text(CAPTURE, "utf-8")
    assert run("ingest", str(made / "capture.txt"), db=f"sqlite:///{made / 'ledger.db'}").returncode == 0
    folded(made / "ledger.db")
    return made / "ledger.db"


def test_every_command_says_what_it_needs() -> None:
    assert [name for name, command in COMMANDS.items() if needs_of(command.callback) is None] == []
    assert {name for name in USING if needs_of(COMMANDS[name].callback) is Needs.CREATES} == {
        *CREATORS, "backfill", "schedule run", "schedule once"
    }  # fmt: skip


def is_one_line(done: Done) -> bool:
    """Whether a command says in one line what is wrong, with what was said before it on lines of their own."""
    return "Traceback" not in done.stderr and done.stderr.strip() != ""


@pytest.mark.parametrize("name", EXISTING)
@pytest.mark.parametrize("there", [False, True], ids=["absent", "empty"])
def test_without_a_ledger_it_says_so_and_makes_none(folder: Path, name: str, there: bool) -> None:
    """An absent file, and an empty one: what `touch` or a crash may leave."""
    if there:
        (folder / "typo.db").touch()
    before = sorted(path.name for path in folder.iterdir())
    done = run(*called(name, folder), db=f"sqlite:///{folder / 'typo.db'}")
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "typo.db" in done.stderr
    assert all(f"jobledger {word}" in done.stderr for word in CREATORS)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert not there or (folder / "typo.db").stat().st_size == 0


@pytest.mark.parametrize("name", EXISTING)
def test_a_forgotten_db_makes_no_ledger_in_the_current_folder(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOBLEDGER_DATABASE_URL", raising=False)
    done = run(*called(name, folder))
    assert done.returncode == 2
    assert "jobledger.db" in done.stderr
    assert not (folder / "jobledger.db").exists()


@pytest.mark.parametrize("name", ["sources list", "schedule list"])
def test_what_is_planned_is_shown_without_a_ledger(folder: Path, name: str) -> None:
    done = run(*called(name, folder), "--format", "json", db=f"sqlite:///{folder / 'typo.db'}")
    assert done.returncode == 0
    assert '"captured"' in done.stdout
    assert "no ledger at" in done.stderr
    assert not (folder / "typo.db").exists()


@pytest.mark.parametrize("name", EXISTING)
def test_a_database_of_others_is_no_ledger(postgres_url: str, folder: Path, name: str) -> None:
    done = run(*called(name, folder), db=postgres_url)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "no ledger" in done.stderr


@pytest.mark.parametrize("name", ["postings", "report", "db stats", "salary"])
def test_a_server_that_keeps_something_else_is_named(postgres_url: str, folder: Path, name: str) -> None:
    engine = make_engine(postgres_url)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE invoices (id integer)"))
    done = run(*called(name, folder), db=postgres_url)
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE invoices"))
    engine.dispose()
    assert done.returncode == 2
    assert "invoices" in done.stderr
    assert make_url(postgres_url).database in done.stderr


@pytest.mark.parametrize("name", USING)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in UNOPENABLE])
def test_a_ledger_that_cannot_be_opened_is_one_line(filled: Path, folder: Path, kind: str, name: str) -> None:
    path = Path(shutil.copy(filled, folder / "ledger.db"))
    url = damage(path, kind)
    content = path.read_bytes()
    done = run(*called(name, folder), db=url)
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert "ledger.db" in done.stderr
    assert "restore a backup" in done.stderr
    assert path.read_bytes() == content


UNTOUCHED = frozenset(
    {"backfill", "rates refresh", "db prune", "db upgrade", "schedule once", "sources list", "schedule list"}
)
"""Commands that may end well on damaged data, because they have nothing to read of it here."""


@pytest.mark.parametrize("name", [name for name in USING if name not in STAYS])
def test_damaged_data_is_one_line(filled: Path, folder: Path, name: str) -> None:
    url = damage(Path(shutil.copy(filled, folder / "ledger.db")), "data")
    done = run(*called(name, folder), db=url)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 1 or name in UNTOUCHED, done


@pytest.mark.parametrize(
    "words",
    [
        ["aggregate", "--all", "--workers", "2"],
        ["crawl", "captured", "--parallel", "2"],
        ["report", "--format", "html"],
    ],
    ids=["worker processes", "a child that crawls", "the Arrow driver"],
)
def test_damage_that_another_process_meets_is_one_line(filled: Path, folder: Path, words: list[str]) -> None:
    url = damage(Path(shutil.copy(filled, folder / "ledger.db")), "data")
    more = ["--sources", str(folder / "sources.toml")] if words[0] == "crawl" else []
    done = run(*words, *more, db=url)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "malformed" in done.stderr + done.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
@pytest.mark.parametrize("name", EXISTING)
def test_a_file_without_permission_is_one_line(filled: Path, folder: Path, name: str) -> None:
    path = Path(shutil.copy(filled, folder / "ledger.db"))
    path.chmod(0)
    done = run(*called(name, folder), db=f"sqlite:///{path}")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)
    assert "may not be read" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("name", EXISTING)
def test_a_folder_that_cannot_be_written_is_one_line(filled: Path, folder: Path, name: str) -> None:
    """As a file system that is mounted for reading alone."""
    closed = folder / "closed"
    closed.mkdir()
    shutil.copy(filled, closed / "ledger.db")
    closed.chmod(0o500)
    done = run(*called(name, folder), db=f"sqlite:///{closed / 'ledger.db'}")
    closed.chmod(0o700)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize("name", [name for name in USING if name not in STAYS])
@pytest.mark.parametrize("kind", ["index", "search"])
def test_damage_in_a_part_is_never_a_traceback(filled: Path, folder: Path, kind: str, name: str) -> None:
    url = damage(Path(shutil.copy(filled, folder / "ledger.db")), kind)
    words = called(name, folder) if (name, kind) != ("postings", "index") else ["postings"]
    done = run(*words, db=url)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in {0, 1} or "no saved search" in done.stderr, done
    if name in {"postings", "db check"}:
        assert done.returncode == 1, done


PLACES = {
    "a folder": ("{folder}", "is a folder"),
    "a missing folder": ("{folder}/no/ledger.db", "does not exist"),
    "a device": ("/dev/null", "device"),
}


@pytest.mark.parametrize("name", EXISTING)
@pytest.mark.parametrize(("path", "said"), PLACES.values(), ids=PLACES)
def test_a_place_that_can_hold_no_ledger_is_one_line(folder: Path, name: str, path: str, said: str) -> None:
    done = run(*called(name, folder), db=f"sqlite:///{path.format(folder=folder)}")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert said in done.stderr


def test_copying_asks_the_same_of_its_source(folder: Path, filled: Path) -> None:
    done = run("db", "copy", f"sqlite:///{folder / 'typo.db'}", f"sqlite:///{folder / 'new.db'}")
    assert done.returncode == 2
    assert not (folder / "typo.db").exists()
    assert not (folder / "new.db").exists()
    url = damage(Path(shutil.copy(filled, folder / "ledger.db")), "data")
    done = run("db", "copy", url, f"sqlite:///{folder / 'new.db'}")
    assert done.returncode == 1
    assert "is damaged" in done.stderr


def test_a_copy_mends_indexes_and_the_search(folder: Path, filled: Path) -> None:
    for kind in ("index", "search"):
        url = damage(Path(shutil.copy(filled, folder / f"{kind}.db")), kind)
        checked = run("db", "check", db=url)
        assert "db copy" in checked.stdout
        copied = f"sqlite:///{folder / f'{kind}-new.db'}"
        assert run("db", "copy", url, copied).returncode == 0
        assert run("db", "check", db=copied).returncode == 0
    open_ledger(copied, create=False).dispose()
