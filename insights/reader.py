"""Reads a SQLite ledger in a process of its own: `python -m insights.reader`, the questions as JSON on stdin.

Only `insights.store` calls it, which says why it exists.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

from insights.store import LISTS, Columns, Unreadable, ask_sqlite, parquet_name


def main() -> None:
    """Writes the answers into the folder that the job names."""
    job = json.load(sys.stdin)
    questions = [Columns(**given) for given in job["columns"]]
    try:
        answers = ask_sqlite(job["path"], questions, job["lists"])
    except Unreadable as error:
        sys.exit(str(error))
    with closing(answers):
        for number, (question, filled) in enumerate(zip(questions, answers.columns, strict=True)):
            file = Path(job["folder"], parquet_name(number))
            filled.execute(f"COPY {question.table} TO '{file}' (FORMAT parquet)")
        Path(job["folder"], LISTS).write_text(json.dumps(answers.lists), "utf-8")


if __name__ == "__main__":
    main()
