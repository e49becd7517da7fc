"""What the operator's files run exists: commands and options, and everything that the image must copy."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DEPLOY = REPOSITORY / "docs" / "deploy"


def of_unit() -> list[str]:
    text = (DEPLOY / "jobledger.service").read_text("utf-8").replace("\\\n", " ")
    found = re.search(r"^ExecStart=\S+/jobledger (.*)$", text, re.MULTILINE)
    assert found is not None
    return shlex.split(found[1])


def of_image() -> list[str]:
    found = re.search(r"^CMD (\[.*\])$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return list(json.loads(found[1]))


def of_compose() -> list[str]:
    block = re.search(r"^  command:\n((?:    - .*\n)+)", (DEPLOY / "compose.yaml").read_text("utf-8"), re.MULTILINE)
    assert block is not None
    return [line.removeprefix("    - ") for line in block[1].splitlines()]


@pytest.mark.parametrize("command", [of_unit, of_image, of_compose])
def test_what_is_started_exists(command: object, tmp_path: Path) -> None:
    assert callable(command)
    config = tmp_path / "config.toml"
    config.write_text("", "utf-8")
    words = [word.replace("/etc/jobledger/config.toml", str(config)) for word in command()]
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *words, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "The long-running scheduler" in done.stdout) == (0, True), done.stderr


def test_the_image_copies_all_that_the_build_needs() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    copied = set(re.findall(r"^COPY (?!--)(.*) \S+$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE))
    words = {word for line in copied for word in line.split()}
    wanted = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    assert words == wanted | set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    text = (DEPLOY / "jobledger.service").read_text("utf-8")
    unit = tmp_path / "jobledger.service"
    unit.write_text(text.replace("/opt/jobledger/.venv/bin/jobledger", "/bin/true"), "utf-8")
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, unit.name in done.stderr) == (0, False), done.stderr
