"""Every command that the documents show works: runs, or at least exists with these options."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
PROMPT = re.compile(r"^\$ (.+)$", re.MULTILINE)


def console_lines(document: str) -> list[str]:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    return [line for block in CONSOLE.findall(text) for line in PROMPT.findall(block)]


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


def test_the_readme_shows_commands() -> None:
    assert len(console_lines("README.md")) >= 15


def test_the_readmes_commands_run_in_order(playground: Path) -> None:
    """One shell session, as a reader would type it; the first failing line fails the test with its output."""
    script = "set -e\n" + "\n".join(f"echo {shlex.quote(line)} >&2\n{line}" for line in console_lines("README.md"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=playground,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert '"min": 120000' in done.stdout
    assert (playground / "postings.csv").stat().st_size > 1000


COMMANDS = re.compile(r"`(jobledger(?: [a-z][a-z-]*)+)")


@pytest.mark.parametrize(
    "document", ["README.md", *(str(p.relative_to(REPOSITORY)) for p in REPOSITORY.glob("docs/*.md"))]
)
def test_every_command_named_in_a_document_exists(document: str) -> None:
    from typer.main import get_command

    from service.cli import app

    for named in set(COMMANDS.findall((REPOSITORY / document).read_text(encoding="utf-8"))):
        command = get_command(app)
        for word in named.split()[1:]:
            subcommands = getattr(command, "commands", None)
            if not subcommands:
                break
            assert word in subcommands, f"{document} names `{named}`, which does not exist"
            command = subcommands[word]
