"""Copies of the ledger that are whole while others write."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

from sqlalchemy import Engine, text

from db.session import LedgerError, bare_cursor


def backup_ledger(engine: Engine, file: Path) -> None:
    """Writes a copy to `file`, which must not exist: `VACUUM INTO` on SQLite, `pg_dump` in its own format else.

    Raises `LedgerError`, and leaves no half file, when the copy cannot be made.
    """
    if file.exists():
        raise LedgerError(f"{file} exists: name a new file, a backup overwrites nothing")
    if not file.resolve().parent.is_dir():
        raise LedgerError(f"the folder of {file} does not exist")
    whole = False
    try:
        if engine.dialect.name == "sqlite":
            _vacuum_into(engine, file)
        else:
            _dump(engine, file)
        whole = True
    finally:
        if not whole:
            file.unlink(missing_ok=True)


def _vacuum_into(engine: Engine, file: Path) -> None:
    with bare_cursor(engine) as cursor:
        cursor.execute("VACUUM INTO ?", (str(file),))


def _dump(engine: Engine, file: Path) -> None:
    url = engine.url
    parts = {"host": url.host, "port": url.port, "username": url.username, "dbname": url.database}
    arguments = [f"--{name}={value}" for name, value in parts.items() if value is not None]
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    done = subprocess.run(  # noqa: S603 - a program found on this machine, arguments from the ledger's URL
        [_pg_dump(engine), "--format=custom", f"--file={file}", "--no-password", *arguments],
        env=os.environ | password,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LedgerError(f"pg_dump failed: {' '.join(done.stderr.split())}")


def _pg_dump(engine: Engine) -> str:
    """A pg_dump at least as new as the server: an older one refuses to read it."""
    with engine.connect() as connection:
        server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    found = {program: _major(program) for program in _programs()}
    fitting = sorted((version, program) for program, version in found.items() if version >= server)
    if not fitting:
        have = ", ".join(f"{program} is of {version}" for program, version in found.items()) or "none was found"
        raise LedgerError(f"a backup needs pg_dump of PostgreSQL {server} or newer: {have}")
    return fitting[0][1]


def _programs() -> Iterator[str]:
    on_path = which("pg_dump")
    if on_path is not None:
        yield on_path
    yield from map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump")))


def _major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - as above
    version = re.search(r"\) (\d+)", said)
    return int(version[1]) if version else 0
