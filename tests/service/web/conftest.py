"""The service over a small ledger, without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db.session import open_ledger
from service.settings import Settings
from service.web.app import create_app
from service.web.guard import hash_token
from tests.service.web.world import TOKEN, fill


@pytest.fixture(scope="session")
def token_hash() -> str:
    """scrypt is slow on purpose: once for all tests."""
    return hash_token(TOKEN)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with the jobs of the world, to copy or to read."""
    path = tmp_path_factory.mktemp("world") / "ledger.db"
    engine = open_ledger(f"sqlite:///{path}")
    fill(engine)
    engine.dispose()
    return path


@pytest.fixture
def world(tmp_path: Path, filled: Path) -> str:
    """The URL of a ledger of this test's own with the jobs of the world."""
    path = tmp_path / "world.db"
    path.write_bytes(filled.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def client(world: str, token_hash: str) -> Iterator[TestClient]:
    settings = Settings(database_url=world, tokens={"eva": token_hash})
    app = create_app(settings, per_minute=None)
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as made:
        yield made
    engine: Engine = app.state.engine
    engine.dispose()
