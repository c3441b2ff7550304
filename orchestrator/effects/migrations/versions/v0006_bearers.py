"""Tokens know whose they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column: nobody said of the tokens that are there whose they are."""
    op.add_column("tokens", sa.Column("person", sa.Text, nullable=False, server_default=""))
