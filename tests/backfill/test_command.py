"""`jobledger backfill` as people and scripts call it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backfill.server import serving
from tests.backfill.test_remote import _wayback
from tests.backfill.warcs import NOTHING, job, member, rows
from tests.test_readme import console_lines

PROGRAM = Path(sys.executable).parent / "jobledger"


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "JOBLEDGER_DATABASE_URL": f"sqlite:///{folder}/ledger.db"}
    return subprocess.run([str(PROGRAM), *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "a.warc.gz").write_bytes(member("http://a.example/1", job("Data Engineer")))
    (folder / "b.warc.gz").write_bytes(member("http://a.example/2", NOTHING.encode()))
    (folder / "notes.txt").write_text("no archive")
    return folder


KEYS = {
    "files", "skipped", "failed", "records", "pages", "pages_with_jobs", "postings", "articles", "rejected", "bytes",
    "seconds", "ends_early", "errors", "poison",
}  # fmt: skip


def test_a_folder_is_read_stored_and_then_skipped(archive: Path, tmp_path: Path) -> None:
    done = run("backfill", "archive", "--out", "out", "--store", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == KEYS | {"stored"}
    assert (told["files"], told["pages"], told["postings"], told["stored"]["new"]) == (2, 2, 1, 1)
    again = run("backfill", "archive", "--out", "out", "--store", "--json", folder=tmp_path)
    told = json.loads(again.stdout)
    assert (told["skipped"], told["stored"]["new"]) == (2, 0)
    listed = run("postings", "--format", "json", folder=tmp_path)
    (posting,) = json.loads(listed.stdout)
    assert (posting["title"], posting["sources"], posting["currency"]) == ("Data Engineer", ["backfill"], "EUR")


def test_failures_are_named_in_one_line_each(archive: Path, tmp_path: Path) -> None:
    (archive / "c.warc.gz").write_bytes(b"")
    some = run("backfill", "archive", "--out", "out", folder=tmp_path)
    assert some.returncode == 0
    assert some.stderr == "failed archive/c.warc.gz: holds no answer of a server: is it a WARC file?\n"
    none = run("backfill", "archive/c.warc.gz", "--out", "out", folder=tmp_path)
    assert none.returncode == 1
    assert none.stderr.splitlines()[-1].startswith("jobledger: nothing could be read: archive/c.warc.gz: ")
    (archive / "d.warc").write_bytes(b"this is no archive, but a text long enough to be taken for a record of one" * 9)
    broken = run("backfill", "archive/d.warc", "--out", "other", folder=tmp_path)
    assert broken.returncode == 1
    assert broken.stderr.splitlines()[-1] == "jobledger: no record could be read: the reasons are in other/rejected"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name WARC files"),
        (("nothing-here",), "no such file or folder"),
        (("archive", "--cdx", "x.example/*"), "name WARC files"),
        (("--cdx", "x.example/*", "--archive", "mine"), "choose from: wayback, commoncrawl"),
        (("--cdx", "x.example/*", "--match", "all"), "choose from: exact, prefix, host, domain"),
    ],
)
def test_wrong_use_is_said_in_one_line(arguments: tuple[str, ...], said: str, archive: Path, tmp_path: Path) -> None:
    done = run("backfill", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_index_is_asked_by_the_command(tmp_path: Path) -> None:
    pattern, files = _wayback(tmp_path)
    with serving(files) as server:
        done = run(
            *("backfill", "--cdx", pattern.url, "--cdx-server", server.base, "--allow-host", "127.0.0.1"),
            *("--pause", "0", "--out", "out", "--json", "--workers", "3"),
            folder=tmp_path,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["postings"] == 2
    assert "one request at a time" in done.stderr
    assert len(rows(tmp_path / "out", "articles", "title")) == 1


def test_the_commands_of_the_document_run(archive: Path, tmp_path: Path) -> None:
    """As written there, but for the addresses: this test has a web server of its own."""
    archive.rename(tmp_path / "crawl")
    _, files = _wayback(tmp_path)
    capture = {"urlkey": "k", "timestamp": "20240506070809", "url": "http://a.example/1", "mime": "text/html"}
    capture |= {"status": "200", "filename": "a.warc.gz", "offset": "0", "length": "100000"}
    files |= {"/CC-MAIN-2024-18-index": json.dumps(capture).encode()}
    files |= {"/a.warc.gz": (tmp_path / "crawl" / "a.warc.gz").read_bytes()}
    lines = console_lines("docs/backfill.md")
    assert len(lines) == 4
    with serving(files) as server:
        here = ["--allow-host", "127.0.0.1", "--pause", "0", "--cdx-server", server.base, "--cdx-data", server.base]
        for line in lines:
            program, *arguments = shlex.split(line.replace("https://data.example", server.base))
            assert program == "jobledger"
            done = run(*arguments, *here, folder=tmp_path)
            assert done.returncode == 0, f"{line}: {done.stderr}"
    titles = [title for (title,) in rows(tmp_path / "backfill", "postings", "title_text")]
    assert sorted(titles) == ["Chef", *["Data Engineer"] * 3, "Senior Data Engineer"]


def test_help_shows_an_example() -> None:
    done = subprocess.run([str(PROGRAM), "backfill", "--help"], capture_output=True, text=True, check=True)
    assert "Example: jobledger backfill" in done.stdout
