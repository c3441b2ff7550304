"""Artifacts can lie in the record, where many hosts share one; and the agenda counts who dies of a row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table and the index."""
    op.create_table(
        "artifacts",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.add_column("agenda", sa.Column("deaths", sa.Integer, nullable=False, server_default="0"))
    op.create_index("agenda_urgent", "agenda", ["priority", "at", "stack", "track"])
