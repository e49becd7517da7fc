"""search in words; the postings of a role in the order in which they are shown; those to match, block by block

Revision: 0002, after 0001

The tables are no models: SQLite and PostgreSQL have them differently. Postings that are there already are indexed here.
A later migration that makes the table posting anew on SQLite must make these anew too: their rows go with postings.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from db.words import SCHEMA, fill_words

revision = "0002"
down_revision = "0001"

SEEN = ["first_seen", "id"]
FACETS = [
    "role", "level", "country", "countries", "remote", "employment_types", "currency", "sources",
    "closed_at", "excluded", "salary_is_estimate", "salary_min", "salary_max", "annual_min_usd", "annual_max_usd",
]  # fmt: skip


NEVER, FALSE = text("0"), text("false")
"""Where an index keeps nothing: on SQLite, on PostgreSQL."""


def upgrade() -> None:
    for name in ("ix_posting_role", "ix_posting_first_seen", "ix_posting_facets", "ix_posting_match"):
        op.drop_index(name, "posting")
    op.create_index("ix_posting_role", "posting", ["role", *SEEN], sqlite_where=NEVER)
    op.create_index("ix_posting_first_seen", "posting", SEEN, sqlite_where=NEVER)
    op.create_index("ix_posting_facets", "posting", [*SEEN, *FACETS], postgresql_where=FALSE)
    op.create_index(
        "ix_posting_role_facets", "posting", ["role", *SEEN, "level", "country", "countries"], postgresql_where=FALSE
    )
    op.create_index("ix_posting_match", "posting", ["match_version", "block"])
    connection = op.get_bind()
    for statement in SCHEMA[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    fill_words(connection)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TRIGGER posting_words_gone")
        connection.exec_driver_sql("DROP TABLE posting_fts")
    connection.exec_driver_sql("DROP TABLE posting_words")
    new = (
        "ix_posting_role",
        "ix_posting_first_seen",
        "ix_posting_facets",
        "ix_posting_role_facets",
        "ix_posting_match",
    )
    for name in new:
        op.drop_index(name, "posting")
    op.create_index("ix_posting_role", "posting", ["role", "level", "country"])
    op.create_index("ix_posting_first_seen", "posting", SEEN)
    op.create_index("ix_posting_facets", "posting", FACETS, postgresql_where=FALSE)
    op.create_index("ix_posting_match", "posting", ["match_version"])
