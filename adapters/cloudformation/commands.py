"""Every command line that this adapter uses, as values. Pure: building one starts nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from adapters.contract import Command

_CLIENT: Final = "adapters.cloudformation.client"
#: No instance role is taken unasked: credentials are those that were granted. A set may grant the metadata, too.
_ENVIRONMENT: Final[Mapping[str, str]] = {"AWS_EC2_METADATA_DISABLED": "true"}


def ask(verb: str, request: Path, folder: Path) -> Command:
    """Have the child look at something, or make a change set; values are in the request's file, never on the line."""
    return Command(argv=_argv(verb, request), cwd=folder, env=_ENVIRONMENT)


def apply(saved: Path, folder: Path, seal: str) -> Command:
    """Have the child do what the saved plan says: the file that was approved, to the byte."""
    return Command(
        argv=_argv("apply", saved), cwd=folder, env=_ENVIRONMENT, mutates=True, sealed={saved: seal} if seal else {}
    )


def lint(program: str, template: Path, folder: Path, region: str) -> Command:
    """Have cfn-lint look at a template, one of another region's limits left aside."""
    regions = ("--regions", region) if region else ()
    return Command(argv=(program, "--format", "json", *regions, "--", str(template)), cwd=folder)


def _argv(verb: str, file: Path) -> tuple[str, ...]:
    # Isolated: neither the repository's files nor the environment choose which code it loads.
    return (sys.executable, "-I", "-m", _CLIENT, verb, str(file))
