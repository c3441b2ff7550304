"""The agenda's rows know the row of the queue that stands for them, where many hosts share one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column, and indexes for the few rows that somebody works on, or that lack their row of the queue."""
    op.add_column("agenda", sa.Column("job", sa.BigInteger, nullable=True))
    op.create_index("agenda_taken", "agenda", ["taken_by"])
    lacking = sa.text("job IS NULL")
    op.create_index("agenda_lacking", "agenda", ["at"], postgresql_where=lacking, sqlite_where=lacking)
