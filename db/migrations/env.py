"""Alembic's entry: runs on the connection that `db.schema` hands over, so a migration is whole or absent."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import db.models  # noqa: F401 - the tables register themselves
from db.words import is_modelled

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, include_object=is_modelled
)
context.run_migrations()
