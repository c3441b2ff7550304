"""The first schema: events and their chain, stacks, runs, gates, cache, agenda, holds.

Written out, and never changed again: the tables of `record_tables` move on, this page says how they began.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table and the rows that are there from the first day."""
    _make_history()
    _make_agenda()
    op.execute(sa.text("INSERT INTO meta (name, value) VALUES ('key', :key)").bindparams(key=secrets.token_hex(32)))
    op.execute("INSERT INTO marks (name, number, digest) VALUES ('chain', 0, ''), ('pruned', 0, '')")


def _make_history() -> None:
    op.create_table("meta", sa.Column("name", sa.Text, primary_key=True), _text("value"))
    op.create_table(
        "marks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        _text("digest"),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("stack"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        _text("actor"),
        _text("kind"),
        _text("body"),
        _text("chain"),
        sa.UniqueConstraint("stack", "version", name="events_stack_version"),
    )
    op.create_index("events_run", "events", ["run"])
    op.create_table(
        "stacks",
        sa.Column("key", sa.Text, primary_key=True),
        _text("source"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("fold_version", sa.Integer, nullable=False),
        _text("state"),
        _text("ground"),
        _text("looks"),
    )
    op.create_index("stacks_source", "stacks", ["source"])
    op.create_table(
        "runs",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("trigger"),
        _text("verb"),
        _text("actor"),
        _text("revision"),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        _text("nonce"),
    )
    op.create_table(
        "gates",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("body"),
        sa.Column("lifted_at", sa.Double),
        _text("nonce"),
    )


def _make_agenda() -> None:
    op.create_table(
        "cache",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        _text("value"),
    )
    op.create_table(
        "agenda",
        sa.Column("stack", sa.Text, primary_key=True),
        sa.Column("track", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        _text("why"),
        sa.Column("priority", sa.Integer, nullable=False),
        _text("taken_by"),
        sa.Column("nudged", sa.Boolean, nullable=False),
    )
    op.create_index("agenda_at", "agenda", ["at"])
    op.create_table(
        "holds",
        sa.Column("stack", sa.Text, primary_key=True),
        _text("holder"),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("taken", sa.Boolean, nullable=False),
        sa.Column("entered", sa.Boolean, nullable=False),
        _text("nonce"),
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)
