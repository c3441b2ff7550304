"""``outputs``, ``explain STACK`` and ``graph`` of a service."""

from __future__ import annotations

from collections.abc import Sequence

import click

from orchestrator.cli.far.place import asked
from orchestrator.cli.graph import draw
from orchestrator.cli.outputs import tell
from orchestrator.cli.show_explain import page_of
from orchestrator.engine.nodes import Mood, Node
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey
from orchestrator.rules.order import Edge, EdgeKind


def outputs(ctx: click.Context, word: str, name: str, *, reveal: bool) -> None:
    """Print the values that a stack hands to others. Raises OrchestratorError."""
    if reveal:
        raise UsageError(
            "a service hands out no sensitive value", code="HF-1915", hint="--reveal works on its own host"
        )
    with asked(ctx) as far:
        key = far.one(word)
        found = far.server.get(far.of(key, "outputs"))
        if found["revision"] is None:
            raise UsageError(f"{key.short} was never applied", code="HF-1906", hint=f"holdfast apply {key.short}")
        far.read(lambda: tell(far.screen, key, found["outputs"], name, reveal=False))


def explanation(ctx: click.Context, word: str) -> None:
    """Say what is next for a stack and why. Raises OrchestratorError."""
    with asked(ctx) as far:
        document = far.server.get(far.of(far.one(word), "explanation"))
        far.read(lambda: far.screen.emit(page_of(document)))


def graph(ctx: click.Context, words: Sequence[str], drawn: str) -> None:
    """Draw which stack waits for which. Raises OrchestratorError."""
    with asked(ctx) as far:
        found = far.server.get("graph", far.meant(words))

        def make() -> None:
            nodes = {
                StackKey.parse(one["key"]): Node(
                    key=StackKey.parse(one["key"]),
                    tool=one["tool"],
                    state=one["state"],
                    mood=Mood(one["mood"]),
                    why=one["why"],
                )
                for one in found["nodes"]
            }
            edges = {
                key: frozenset(
                    Edge(upstream=StackKey.parse(one["upstream"]), kind=EdgeKind(one["kind"]))
                    for one in found["edges"]
                    if one["stack"] == str(key)
                )
                for key in nodes
            }
            waves = [tuple(StackKey.parse(key) for key in wave) for wave in found["waves"]]
            draw(far.screen, drawn, nodes, edges, waves)

        far.read(make)
