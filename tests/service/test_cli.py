"""The command line: exit codes, one line for an expected failure, formats, hostile text."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.main import get_command

from service.cli import app, main

JOBLEDGER = str(Path(sys.executable).parent / "jobledger")

CAPTURE = """Data Analyst vs. Data Scientist

Data Analyst vs Data Scientist: A Comparison

4 min read · Jan. 5, 2025
Data Analyst vs. Data Scientist
Table of contents

Definitions

Two roles.

Featured Job 👀
=HYPERLINK("http://evil.example") Data Scientist

@ [red]Formula[/red] Ltd | Oslo, Norway

Full Time Senior-level / Expert NOK 900K - 1100K
Featured Job 👀
Data Engineer

@ Absurd Ltd | Austin, TX

Full Time Mid-level / Intermediate USD 1111111K - 1111111K
Featured Job 👀
Data Engineer

@ Plain Ltd | Austin, TX

Full Time Mid-level / Intermediate USD 110K - 130K

Salary Insights
"""


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str, db: str | None = None) -> Done:
    """The command in this process, as the console script calls it."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([*(["--db", db] if db else []), *arguments])
    return Done(ended.value.code or 0, out.getvalue(), err.getvalue())  # type: ignore[arg-type]  # always a number here


def piped(*arguments: str, stdin: bytes) -> str:
    """The command in a process of its own, with bytes on its standard input."""
    done = subprocess.run([JOBLEDGER, *arguments], capture_output=True, input=stdin, timeout=120, check=True)
    return done.stdout.decode()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "capture.txt").write_text(CAPTURE, encoding="utf-8")
    url = f"sqlite:///{folder / 'ledger.db'}"
    done = run("ingest", str(folder / "capture.txt"), "--json", db=url)
    assert json.loads(done.stdout)["new"] == 3, done.stderr
    return url


WRONG = {
    "unknown level": (["postings", "--level", "boss"], 2, "internship, entry, mid"),
    "unknown filter": (["postings", "--colour", "red"], 2, "--colour"),
    "unknown role": (["postings", "--role", "Data Enginer"], 2, "did you mean: Data Engineer"),
    "unknown sort": (["postings", "--sort", "colour"], 2, "first_seen, last_seen"),
    "unknown format": (["postings", "--format", "xlsx"], 2, "table, json, jsonl, csv, parquet"),
    "no amount": (["postings", "--min-salary", "lots"], 2, "write 85000"),
    "no country": (["postings", "--country", "UK"], 2, "did you mean GB?"),
    "a country's name": (["report", "--country", "Germany"], 2, "did you mean DE?"),
    "no currency": (["postings", "--currency", "EUX"], 2, "is no ISO 4217 code"),
    "no date": (["postings", "--since", "yesterday"], 2, "write 2026-01-31"),
    "bounds crossed": (["postings", "--min-salary", "9", "--max-salary", "8"], 2, "is above"),
    "no cursor": (["postings", "--after", "!!"], 2, "is no cursor"),
    "no such path": (["ingest", "nowhere"], 2, "no such file or folder"),
    "no such source": (["crawl", "nosuch"], 2, "no source 'nosuch'"),
    "nothing to crawl": (["crawl"], 2, "--all"),
    "unknown group": (["report", "--by", "colour"], 2, "role, family, level"),
    "unknown ending": (["export", "x.docx"], 2, ".csv"),
    "unknown flag code": (["flags", "list", "--code", "ugly"], 2, "placeholder, above_plausible"),
    "no such flag": (["flags", "confirm", "a:b"], 1, "no flag 'a:b'"),
    "backup over a file": (["db", "backup", __file__], 1, "exists"),
}


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_use_is_one_line_that_says_what_is_right(
    filled: str, arguments: list[str], code: int, said: str
) -> None:
    done = run(*arguments, db=filled)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


DATABASES = {
    "a text file": ("sqlite:///{folder}/notes.db", "not a database"),
    "a missing folder": ("sqlite:///{folder}/no/where.db", "does not exist"),
    "a folder": ("sqlite:///{folder}", "is a folder"),
    "another system": ("mysql://localhost/x", "use sqlite:/// or postgresql://"),
    "no url": ("nonsense", "cannot be read"),
}


@pytest.mark.parametrize(("url", "said"), DATABASES.values(), ids=DATABASES)
def test_an_unusable_database_is_one_line(tmp_path: Path, url: str, said: str) -> None:
    (tmp_path / "notes.db").write_text("these are notes, long enough to be read as a header of a database" * 20)
    done = run("postings", db=url.format(folder=tmp_path))
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    done = run("--version")
    assert done.stdout == f"jobledger {project['version']}\n"


def test_global_options_may_stand_anywhere(filled: str) -> None:
    before, after = run("db", "stats", "--json", db=filled), run("db", "stats", "--json", "--db", filled)
    assert json.loads(before.stdout) == json.loads(after.stdout)


def test_every_command_has_help_with_an_example() -> None:
    waiting = [("jobledger", get_command(app))]
    while waiting:
        name, command = waiting.pop()
        below = getattr(command, "commands", None)
        if below:
            waiting += [(f"{name} {word}", child) for word, child in below.items()]
        else:
            assert (command.epilog or "").startswith("Example: "), name
            assert command.help, name


def test_formulas_are_quoted_in_csv_unless_asked_for(filled: str, tmp_path: Path) -> None:
    for raw, start in ((False, "'="), (True, "=")):
        out = tmp_path / f"{raw}.csv"
        assert run("export", str(out), *(["--raw-csv"] if raw else []), db=filled).returncode == 0
        titles = [row["title_text"] for row in csv.DictReader(out.read_text(encoding="utf-8").splitlines())]
        assert any(title.startswith(start + "HYPERLINK") for title in titles)


def test_markup_in_scraped_text_is_printed_as_it_is(filled: str) -> None:
    assert "[red]" in run("postings", db=filled).stdout


def test_all_formats_hold_the_same_rows(filled: str, tmp_path: Path) -> None:
    rows = json.loads(run("postings", "--format", "json", "--sort", "id", db=filled).stdout)
    lines = [
        json.loads(line) for line in run("postings", "--format", "jsonl", "--sort", "id", db=filled).stdout.splitlines()
    ]
    assert rows == lines
    parquet = tmp_path / "all.parquet"
    assert run("export", str(parquet), db=filled).returncode == 0
    import duckdb

    kept = duckdb.sql(f"SELECT id, salary_max FROM '{parquet}' ORDER BY id").fetchall()
    assert [(id_, float(amount)) for id_, amount in kept] == [(row["id"], row["salary_max"]) for row in rows]


def test_pages_of_postings_join_without_gap_or_repeat(filled: str) -> None:
    from db.filters import Filters
    from db.queries import SORTS, find_postings
    from db.session import open_ledger

    engine = open_ledger(filled)
    for sort in [*SORTS, *(f"-{name}" for name in SORTS)]:
        whole, _ = find_postings(engine, Filters(), sort=sort, limit=50)
        joined, after = [], None
        while True:
            page, after = find_postings(engine, Filters(), sort=sort, limit=1, after=after)
            joined += page
            if after is None:
                break
        assert joined == whole, sort


def test_a_decision_moves_a_posting_into_the_statistics_and_back(filled: str) -> None:
    def counted() -> int:
        return sum(g["n"] for g in json.loads(run("report", "--format", "json", db=filled).stdout)["groups"])

    flags = [
        f for f in json.loads(run("flags", "list", "--format", "json", db=filled).stdout) if f["severity"] == "exclude"
    ]
    assert {flag["code"] for flag in flags} == {"placeholder", "above_plausible"}
    assert counted() == 2
    for flag in flags:
        assert run("flags", "dismiss", flag["id"], "--why", "for the test", db=filled).returncode == 0
    assert counted() == 3
    assert run("aggregate", "--all", db=filled).returncode == 0
    assert counted() == 3, "a decision is remembered when the rules are run again"
    for flag in flags:
        assert run("flags", "reopen", flag["id"], db=filled).returncode == 0
    assert counted() == 2
    assert run("db", "check", db=filled).returncode == 0


NORMALISED = {
    "salary": ("USD 120K - 180K\n", {"ok": True, "min": 120000, "max": 180000, "currency": "USD", "period": "year"}),
    "title": ("Sr. Data Engineer (m/w/d)\n", {"role": "Data Engineer", "level": "senior"}),
    "location": ("Berlin, Germany and Remote\n", {"city": "Berlin", "country": "DE", "remote": "remote"}),
    "employment": ("Full Time Freelance Contract\n", {"employment_types": ["full_time", "freelance", "contract"]}),
}


@pytest.mark.parametrize("what", NORMALISED)
def test_normalise_reads_lines_and_writes_objects(what: str) -> None:
    text, wanted = NORMALISED[what]
    made = json.loads(piped("normalise", what, stdin=text.encode()))
    assert {name: made[name] for name in wanted} == wanted
    assert made["text"] == text.strip()
    line = json.dumps({"text": text.strip()}).encode() + b"\n"
    assert json.loads(piped("normalise", what, "--jsonl", stdin=line)) == made


def test_normalise_survives_any_bytes() -> None:
    assert len(piped("normalise", "salary", stdin=b"\xff\xfe 100K\n\x00\n\n").splitlines()) == 3


WRONG_FILES = {
    "nested without end": b"a = 1\nx = " + b"[" * 100_000,
    "a long number": b"report_weeks = " + b"9" * 5000,
    "a key without end": b".".join([b"a"] * 100_000) + b" = 1",
    "no UTF-8": b"sources = 'caf\xe9'",
    "a NUL": b'sources = "a\\u0000b"\nsource = "\\u0000"',
}


@pytest.mark.parametrize("content", WRONG_FILES.values(), ids=WRONG_FILES)
@pytest.mark.parametrize("kind", ["--config", "--sources"])
def test_a_file_with_any_content_is_one_line_in_every_command(kind: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "given.toml"
    file.write_bytes(content)
    ledger = ("--db", f"sqlite:///{tmp_path / 'x.db'}")
    commands = [
        ("sources", "list"),
        ("sources", "check"),
        ("crawl", "--all"),
        ("schedule", "list"),
        ("schedule", "once"),
    ]
    for command in commands:
        done = run(*command, kind, str(file), *ledger)
        assert done.returncode == 2, (command, done.stderr)
        assert str(file) in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "Traceback" not in done.stderr
