"""Lays out the lab provider as a Terraform mirror, so that nothing is downloaded.

Used by the demo, the tests and the benchmark alike; the provider itself is ``terraform-provider-lab.py``.
"""

from __future__ import annotations

import json
import platform
import shlex
import sys
from pathlib import Path
from typing import Final

#: What a stack writes into ``required_providers``.
SOURCE: Final = "lab.test/lab/lab"
VERSION: Final = "0.1.0"


def lay_mirror(folder: Path, *, python: str = sys.executable) -> Path:
    """Fill ``folder`` with a provider mirror and return the CLI configuration that points at it.

    ``python`` must have the package ``tf`` (extra ``demo``). Laying it out again changes nothing, so that
    lock files keep their hashes.
    """
    mirror = folder / "mirror"
    binary = mirror / SOURCE / VERSION / this_platform() / f"terraform-provider-lab_v{VERSION}"
    provider = Path(__file__).with_name("terraform-provider-lab.py")
    keys = folder / "keys"
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A shell line and not a shebang to Python: shebangs have a length limit, and paths may hold spaces.
    _write(
        binary,
        f"#!/bin/sh\nLAB_KEYS={shlex.quote(str(keys))} "
        f'exec {shlex.quote(python)} -I {shlex.quote(str(provider))} "$@"\n',
        mode=0o755,
    )
    config = folder / "cli.tfrc"
    _write(
        config,
        "disable_checkpoint = true\n"
        "provider_installation {\n"
        f"  filesystem_mirror {{\n    path = {json.dumps(str(mirror))}\n  }}\n"
        "}\n",
        mode=0o644,
    )
    return config


def this_platform() -> str:
    """Return operating system and architecture in the words of the provider registry: ``linux_amd64``."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"


def _write(path: Path, text: str, *, mode: int) -> None:
    if path.is_file() and path.read_text("utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)
