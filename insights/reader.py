"""Reads a SQLite ledger in a process of its own: `python -m insights.reader`, the job as JSON on stdin.

Only `insights.store` calls it, which says why it exists.
"""

from __future__ import annotations

import json
import sys

import duckdb

from insights.model import InsightError
from insights.store import load_sqlite


def main() -> None:
    """Fills the table that the job describes and writes it to the file it names."""
    from adbc_driver_manager import Error

    job = json.load(sys.stdin)
    with duckdb.connect(":memory:", config={"preserve_insertion_order": "false", "threads": "2"}) as connection:
        connection.execute(job["create"])
        try:
            load_sqlite(connection, job["path"], job["query"], job["insert"])
        except (InsightError, Error) as error:
            sys.exit(str(error).splitlines()[0])
        connection.execute(f"COPY {job['table']} TO '{job['out']}' (FORMAT parquet)")


if __name__ == "__main__":
    main()
