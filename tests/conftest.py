"""What every test may use: databases, the optional folder of shared data, and a closed outside network."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Engine

from db.session import make_engine, open_ledger
from tests.postgres import postgres_ledger_url, postgres_server, postgres_template, postgres_url, stoppable

__all__ = ["postgres_ledger_url", "postgres_server", "postgres_template", "postgres_url", "stoppable"]

# How long one example takes says nothing of the code on a busy machine.
hypothesis.settings.register_profile("jobledger")
hypothesis.settings.load_profile("jobledger")

REPOSITORY = Path(__file__).parent.parent
SHARED = Path(os.environ.get("JOBLEDGER_SHARED_DATA", REPOSITORY.parent / "shared"))
"""Real captures and labelled rows; the tests that read them skip where the folder is absent."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not (SHARED / "seeds").is_dir():
        pytest.skip(f"no folder of shared data at {SHARED}: set JOBLEDGER_SHARED_DATA to run this test")
    return SHARED


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def ledger(database_url: str) -> Iterator[Engine]:
    engine = open_ledger(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema, to copy: the migrations take longer than most tests."""
    path = tmp_path_factory.mktemp("schema") / "ledger.db"
    open_ledger(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """A fresh ledger of this test's own, on each store in turn."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_ledger_url"))
    path = request.getfixturevalue("tmp_path") / "ledger.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def store(ledger_url: str) -> Iterator[Engine]:
    """An engine on `ledger_url`: what a test asks for that must hold on both stores."""
    engine = make_engine(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def no_outside_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for another machine fails at once, naming where it went."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host and not str(host).startswith("127.") and host not in {"::1", "localhost"}:
            pytest.fail(f"a test reached for {address}: tests run offline")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
