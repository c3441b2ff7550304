"""Alembic's door: runs the migrations on the connection that `record_schema` hands over."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
