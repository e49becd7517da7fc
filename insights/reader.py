"""Reads a SQLite ledger in a process of its own.

Only `insights.store` starts it, which says why it exists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from insights.store import LISTS, Columns, Unreadable, ask_sqlite, parquet_name
from processes.parent import say


def main(job: Mapping[str, Any]) -> int:
    """Writes the answers into the folder that the job names."""
    questions = [Columns(**given) for given in job["columns"]]
    try:
        answers = ask_sqlite(job["path"], questions, job["lists"])
    except Unreadable as error:
        say({"error": str(error)})
        return 1
    with closing(answers):
        for number, (question, filled) in enumerate(zip(questions, answers.columns, strict=True)):
            file = Path(job["folder"], parquet_name(number))
            filled.execute(f"COPY {question.table} TO '{file}' (FORMAT parquet)")
        Path(job["folder"], LISTS).write_text(json.dumps(answers.lists), "utf-8")
    return 0
