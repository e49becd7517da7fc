"""The schema's history: Alembic migrations, run from the package itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine
from sqlmodel import SQLModel

import db.models  # noqa: F401 - the tables register themselves
from db.session import writing
from db.words import is_modelled

MIGRATIONS = Path(__file__).parent / "migrations"


def config(engine: Engine) -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["engine"] = engine
    return made


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Brings the ledger to `revision` in one transaction."""
    _run(engine, lambda made: command.upgrade(made, revision))


def downgrade(engine: Engine, revision: str) -> None:
    """Takes the ledger back to `revision`, "base" for nothing at all."""
    _run(engine, lambda made: command.downgrade(made, revision))


def _run(engine: Engine, action: Callable[[Config], None]) -> None:
    made = config(engine)
    with writing(engine) as connection:
        made.attributes["connection"] = connection
        action(made)


def differences(engine: Engine) -> list[str]:
    """Where the ledger's tables differ from the models; empty when they agree."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": False, "target_metadata": SQLModel.metadata, "include_object": is_modelled},
        )
        return [str(difference) for difference in compare_metadata(context, SQLModel.metadata)]
