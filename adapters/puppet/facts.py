"""Facts as outputs. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from adapters.contract import InvalidSettings, Output, Outputs, OutputUnreadable


def outputs(printed: bytes, wanted: Mapping[str, str], secrets: Collection[str]) -> Outputs:
    """Return each fact under its output's name; one that holds a secret input is sensitive.

    Raises InvalidSettings for a fact that this host does not have.
    """
    try:
        found = json.loads(printed)
    except ValueError as error:
        raise OutputUnreadable("puppet facts told no JSON", hint="install Puppet 7 or 8") from error
    if not isinstance(found, dict):
        raise OutputUnreadable("puppet facts told no mapping", hint="install Puppet 7 or 8")
    outputs: dict[str, Output] = {}
    for name, fact in wanted.items():
        value = found.get(fact)
        if value is None or value == "":
            raise InvalidSettings(f'this host has no fact "{fact}"', hint="puppet facts show lists those that it has")
        text = json.dumps(value, ensure_ascii=False)
        outputs[name] = Output(value=value, sensitive=any(secret in text or secret in str(value) for secret in secrets))
    return outputs
