"""``holdfast rotate-key``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import at_record
from orchestrator.telling.counts import counted


@rich_click.command()
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context) -> None:
    """Exchange the key that data keys are encrypted with; no plan or state copy is written anew.

    Interrupted, it can be run again. Where the operator keeps the key in a secret, a new one must stand there first.
    """
    with at_record(ctx) as place:
        rotation = place.world.rotation
        with rotation.alone():
            rotation.prepare()
            wrapped = rotation.rewrap()
            renewed = rotation.renew()
            rotation.retire()
        secret = place.world.operator.encryption_secret
        words = [f"{counted(wrapped, 'data key')} under the new key"]
        words += [f"{counted(renewed, 'artifact')} from before encrypted anew"] if renewed else []
        place.screen.did({"data_keys": wrapped, "encrypted_anew": renewed, "remove_from": secret}, *words)
        if secret:
            place.screen.say(f"remove the old key from the secret {secret} now: nothing here needs it any more")
