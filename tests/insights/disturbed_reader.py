"""The child process that reads a report's columns, while another process commits after each of its readings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from insights import reader, store
from tests.insights.test_one_commit import COMMIT, WRITE


def main(job: Mapping[str, Any]) -> int:
    fill = store._fill

    def and_commit(*given: Any) -> None:
        fill(*given)
        subprocess.run([sys.executable, "-c", WRITE, f"sqlite:///{job['path']}", *COMMIT], check=True)

    store._fill = and_commit
    return reader.main(job)
