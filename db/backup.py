"""Copies of the ledger that are whole while others write."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from shutil import which

from sqlalchemy import Engine

from db.session import LedgerError


def backup_ledger(engine: Engine, file: Path) -> None:
    """Writes a copy to `file`, which must not exist: `VACUUM INTO` on SQLite, `pg_dump` in its own format else."""
    if file.exists():
        raise LedgerError(f"{file} exists: name a new file, a backup overwrites nothing")
    if not file.resolve().parent.is_dir():
        raise LedgerError(f"the folder of {file} does not exist")
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(file),))
        return
    program = which("pg_dump")
    if program is None:
        raise LedgerError("pg_dump is not on PATH: install the PostgreSQL client programs")
    url = engine.url
    parts = {"host": url.host, "port": url.port, "username": url.username, "dbname": url.database}
    arguments = [f"--{name}={value}" for name, value in parts.items() if value is not None]
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    done = subprocess.run(  # noqa: S603 - a program found on PATH, arguments from the ledger's URL
        [program, "--format=custom", f"--file={file}", "--no-password", *arguments],
        env=os.environ | password,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        file.unlink(missing_ok=True)
        raise LedgerError(f"pg_dump failed: {' '.join(done.stderr.split())}")
