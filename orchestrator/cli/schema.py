"""``holdfast schema``."""

from __future__ import annotations

import json

import click
import rich_click


@rich_click.command()
def command() -> None:
    """Print the JSON Schema (draft-07) of stacks.yaml, for editors.

    With the YAML extension of most editors: `# yaml-language-server: $schema=stacks.schema.json`.
    """
    from orchestrator.config.published import json_schema  # noqa: PLC0415 -- pydantic is heavy

    click.echo(json.dumps(json_schema(), indent=2))
