"""rejected rows: which row, by which version of the rules, and when it could be read after all

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import db.types

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("rejected", sa.Column("subject", sa.String(), nullable=True))
    op.add_column("rejected", sa.Column("rules_version", sa.Integer(), nullable=True))
    op.add_column("rejected", sa.Column("resolved_at", db.types.UtcTime(timezone=True), nullable=True))
    op.create_index("ix_rejected_subject", "rejected", ["subject"])
    op.create_index("ix_rejected_page", "rejected", ["source", "url"])
    op.drop_index("ix_rejected_source", "rejected")


def downgrade() -> None:
    op.create_index("ix_rejected_source", "rejected", ["source"])
    op.drop_index("ix_rejected_page", "rejected")
    op.drop_index("ix_rejected_subject", "rejected")
    op.drop_column("rejected", "resolved_at")
    op.drop_column("rejected", "rules_version")
    op.drop_column("rejected", "subject")
