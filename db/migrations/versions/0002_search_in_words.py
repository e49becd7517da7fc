"""search in words; the postings of a role in the order in which they are shown; those to match, block by block

Revision: 0002, after 0001

The tables are no models: SQLite and PostgreSQL have them differently. Postings that are there already are indexed here.
A later migration that makes the table posting anew on SQLite must make these anew too: their rows go with postings.
"""

from __future__ import annotations

from alembic import op

from db.words import SCHEMA, fill_words

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_index("ix_posting_role", "posting")
    op.create_index("ix_posting_role", "posting", ["role", "first_seen", "id"])
    op.drop_index("ix_posting_match", "posting")
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
    op.drop_index("ix_posting_role", "posting")
    op.create_index("ix_posting_role", "posting", ["role", "level", "country"])
    op.drop_index("ix_posting_match", "posting")
    op.create_index("ix_posting_match", "posting", ["match_version"])
