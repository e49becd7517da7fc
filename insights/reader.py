"""Reads a SQLite ledger in a process of its own.

Only `insights.store` starts it, which says why it exists.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from insights.model import InsightError
from insights.store import load_sqlite
from processes.parent import say


def main(job: Mapping[str, str]) -> int:
    """Fills the table that the job describes and writes it to the file it names."""
    from adbc_driver_manager import Error

    with duckdb.connect(":memory:", config={"preserve_insertion_order": "false", "threads": "2"}) as connection:
        connection.execute(job["create"])
        try:
            load_sqlite(connection, job["path"], job["query"], job["insert"])
        except (InsightError, Error) as error:
            say({"error": str(error).splitlines()[0]})
            return 1
        connection.execute(f"COPY {job['table']} TO '{job['out']}' (FORMAT parquet)")
    return 0
