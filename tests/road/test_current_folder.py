"""Nothing of the current folder is code: every command runs in a folder whose files would show that they were run."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import typer

from benchmarks.warc_pages import write_warc
from scraper.site import serve, write_captures
from service.cli import app
from tests.conftest import REPOSITORY
from tests.processes.family import family_of, is_ours, until

JOBLEDGER = str(Path(sys.executable).parent / "jobledger")
OURS = ("scraper", "aggregator", "scheduler", "db", "insights", "service", "processes")
BETRAYS = """
import os
open(os.path.join({markers!r}, {name!r}), "a").close()
"""
CONFIGURATION = {
    "scrapy.cfg": "[settings]\ndefault = evil_settings\nshell = python\n",
    "alembic.ini": "[alembic]\nscript_location = .\nprepend_sys_path = .\n",
    "env.py": "import evil_settings\n",
    "setup.cfg": "[scrapy]\ndefault = evil_settings\n",
}
SOURCES = """
[[source]]
name = "sample-careers"
spider = "articles"
url = "{base}/"
schedule = "* * * * *"
allow_hosts = ["127.0.0.1"]
terms = "our own sample site"
"""
LASTING = 0, 130
"""Exit codes of commands that run until they are told to end."""

COMMANDS: dict[str, tuple[Sequence[str], Sequence[int]]] = {
    "ingest": (("captures",), (0,)),
    "crawl": (("sample-careers", "--sources", "sources.toml"), (0,)),
    "aggregate": (("--all", "--workers", "2"), (0,)),
    "backfill": (("0.warc.gz", "1.warc.gz", "--out", "out", "--workers", "2"), (0,)),
    "articles": ((), (0,)),
    "claims": ((), (0,)),
    "compare": (("Data Engineer", "Data Scientist"), (0,)),
    "postings": (("--text", "data"), (0,)),
    "db backup": (("copy.db",), (0,)),
    "db check": ((), (0,)),
    "db copy": (("{url}", "sqlite:///other.db"), (0,)),
    "db forget": (("--company", "Nobody Ltd", "--yes"), (0,)),
    "db prune": ((), (0,)),
    "db stats": ((), (0,)),
    "db upgrade": ((), (0,)),
    "demo": (("--folder", "demo"), (0,)),
    "export": (("all.parquet",), (0,)),
    "flags list": ((), (0,)),
    "rejected list": ((), (0,)),
    "flags confirm": (("1",), (0, 1, 2)),
    "flags dismiss": (("1", "--why", "because"), (0, 1, 2)),
    "flags reopen": (("1",), (0, 1, 2)),
    "mcp": ((), LASTING),
    "normalise employment": ((), (0,)),
    "normalise location": ((), (0,)),
    "normalise salary": ((), (0,)),
    "normalise title": ((), (0,)),
    "postings merge": (("1", "2"), (0, 1, 2)),
    "postings merges": ((), (0,)),
    "postings split": (("1",), (0, 1, 2)),
    "rates list": ((), (0,)),
    "rates refresh": (("--url", "{base}/nothing/"), (1,)),
    "reference": (("table.csv",), (0, 1, 2)),
    "report": (("--format", "html", "--output", "report.html"), (0,)),
    "roles": ((), (0,)),
    "runs": ((), (0,)),
    "salary": (("Data Engineer", "--offer", "100000 USD"), (0,)),
    "schedule list": (("--sources", "sources.toml"), (0,)),
    "schedule once": (("--sources", "sources.toml"), (0, 1)),
    "schedule run": (("--sources", "sources.toml"), LASTING),
    "searches add": (("ml", "--channel", "file:new.txt"), (0,)),
    "searches list": ((), (0,)),
    "searches run": ((), (0,)),
    "searches resend": (("ml",), (0, 1, 2)),
    "searches unsure": (("ml",), (0, 1, 2)),
    "searches drop": (("ml",), (0, 1, 2)),
    "searches remove": (("ml",), (0, 1, 2)),
    "serve": (("--port", "0", "--workers", "2"), LASTING),
    "sources check": (("sample-careers", "--sources", "sources.toml"), (0,)),
    "sources list": (("--sources", "sources.toml"), (0,)),
    "sources new": (("https://boards.greenhouse.io/acme", "--sources", "mine.toml"), (0,)),
    "token": (("eva",), (0,)),
    "trends": ((), (0,)),
}
"""Every command with what it is given, and how it may end: those with a wrong number in them still load their code."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serve() as base:
        yield base


@pytest.fixture(scope="module")
def folder(site: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files with something to do for every command, beside a file for every module that a Python program may import."""
    made = tmp_path_factory.mktemp("hostile")
    write_captures(made / "captures")
    for number in range(2):
        write_warc(made / f"{number}.warc.gz", 40, jobs=0.3, articles=0.02, seed=number)
    (made / "sources.toml").write_text(SOURCES.format(base=site), "utf-8")
    (made / "settings.toml").write_text('rates_url = ""\n', "utf-8")
    (made / "table.csv").write_text("title,salary\n", "utf-8")
    subprocess.run([JOBLEDGER, "ingest", "captures"], cwd=made, check=True, capture_output=True)
    modules = {*sys.stdlib_module_names, *packages_distributions(), *OURS, "tests", "benchmarks", "evil_settings"}
    (made / "markers").mkdir()
    for name in (*modules, "sitecustomize", "usercustomize", "__main__", "conftest"):
        (made / f"{name}.py").write_text(BETRAYS.format(markers=str(made / "markers"), name=name), "utf-8")
    for name, text in CONFIGURATION.items():
        (made / name).write_text(text, "utf-8")
    return made


def start(folder: Path, words: Sequence[str], site: str) -> subprocess.Popen[str]:
    given = [word.format(url=f"sqlite:///{folder / 'jobledger.db'}", base=site) for word in words]
    return subprocess.Popen(
        [JOBLEDGER, "--config", "settings.toml", *given],
        cwd=folder,
        env={**os.environ, "PYTHONSTARTUP": "evil_settings.py"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_files_would_betray_themselves(folder: Path, tmp_path: Path) -> None:
    """What the commands must not do: a module started as usual runs the files of the folder."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    for file in copy.glob("*.py"):
        file.write_text(file.read_text("utf-8").replace(str(folder), str(copy)), "utf-8")
    subprocess.run([sys.executable, "-m", "queue"], cwd=copy, check=False, capture_output=True)
    assert any((copy / "markers").iterdir())


@pytest.mark.parametrize("name", COMMANDS)
def test_no_file_of_the_current_folder_is_run(name: str, folder: Path, site: str) -> None:
    words, codes = COMMANDS[name]
    process = start(folder, [*name.split(), *words], site)
    if codes == LASTING:
        until(lambda: is_ours(process), "the command began")
        if name != "mcp":
            until(lambda: len(family_of(process.pid)) > 1, "its children began")
        process.send_signal(signal.SIGINT)
    _, said = process.communicate("" if codes != LASTING else None, timeout=300)
    assert [marker.name for marker in (folder / "markers").iterdir()] == []
    assert process.returncode in codes, said
    assert "Traceback" not in said


def commands_of(group: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, command in group.commands.items():
        if getattr(command, "invoke_without_command", False) or not hasattr(command, "commands"):
            yield " ".join((*path, name))
        if hasattr(command, "commands"):
            yield from commands_of(command, (*path, name))


def test_every_command_is_tried() -> None:
    assert set(commands_of(typer.main.get_command(app))) - {"postings"} == set(COMMANDS) - {"postings"}


STARTERS = {"subprocess", "multiprocessing", "pty", "ProcessPoolExecutor"}
OF_OS = ("fork", "exec", "spawn", "posix_spawn", "system", "popen", "forkpty")
OTHERS = {
    "db/backup.py": "starts pg_dump, no Python",
}
"""Files outside `processes/` that may start a process, and why."""


@pytest.mark.parametrize("package", sorted({*OURS} - {"processes"}))
def test_only_one_room_starts_processes(package: str) -> None:
    found = set()
    for path in (REPOSITORY / package).rglob("*.py"):
        name = path.relative_to(REPOSITORY).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name.split(".")[0] for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [(node.module or "").split(".")[0], *(alias.name for alias in node.names)]
            of_os = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
            if STARTERS & set(names) or (of_os and node.attr.startswith(OF_OS)):  # type: ignore[attr-defined]
                found.add(name)
    assert found - set(OTHERS) == set()


def test_what_starts_our_modules_by_name_keeps_the_folder_out() -> None:
    """Benchmarks and the like, too: `processes.launch.command` writes such a command line."""
    wrong = [
        path.relative_to(REPOSITORY).as_posix()
        for package in (*OURS, "benchmarks")
        for path in (REPOSITORY / package).rglob("*.py")
        if 'sys.executable, "-m"' in path.read_text("utf-8")
    ]
    assert wrong == []
