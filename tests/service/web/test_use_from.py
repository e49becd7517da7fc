"""The snippets of docs/use-from.md run as they stand, in order, in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "use-from.md"
BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)


def test_every_snippet_runs(tmp_path: Path, filled: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "jobledger.db").write_bytes(filled.read_bytes())
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    blocks = BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert {kind for kind, _ in blocks} == {"console", "python"}
    for kind, text in blocks:
        script = "\n".join(line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ "))
        command = ["bash", "-e", "-c", script] if kind == "console" else [sys.executable, "-c", text]
        done = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True)
        assert done.returncode == 0, f"{text}\n{done.stderr}"
    assert (tmp_path / "postings.parquet").exists()
