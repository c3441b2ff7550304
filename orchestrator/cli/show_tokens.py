"""The table of tokens."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from orchestrator.cli.moments import age
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.effects.tokens import Token
from orchestrator.model.moment import stamp


def page(tokens: Sequence[Token], now: float) -> Page:
    """Return the tokens in every form; ``now`` in seconds since the epoch."""
    return Page(
        value=lambda: {
            "tokens": [
                {
                    "id": one.id,
                    "name": one.name,
                    "role": one.role,
                    "person": one.person or None,
                    "state": _state(one, now),
                    "created_at": stamp(one.created_at),
                    "created_by": one.created_by,
                    "until": stamp(one.until or 0.0) or None,
                    "revoked_at": stamp(one.revoked_at or 0.0) or None,
                }
                for one in tokens
            ]
        },
        records=lambda: [_record(one, now) for one in tokens],
        view=lambda _: _view(tokens, now),
    )


def _record(one: Token, now: float) -> tuple[str, ...]:
    return one.name, one.role, _state(one, now), one.id, stamp(one.until or 0.0), one.person


def _state(token: Token, now: float) -> str:
    if token.counts(now):
        return "counts"
    return "revoked" if token.revoked_at else "over"


def _view(tokens: Sequence[Token], now: float) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("token", "of", "role", "state", "made", "until", "id"):
        table.add_column(heading)
    for one in tokens:
        made = f"{age(now - one.created_at)} ago by {printable(one.created_by)}"
        table.add_row(
            one.name, printable(one.person), one.role, _state(one, now), made, stamp(one.until or 0.0), one.id
        )
    return table
