"""A service with real stacks behind its door, and the same commands asked on its host and from elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import preloaded
from serviced import Service

#: What the three stacks of the estate make, and with what they wait for whom.
_FILES: Mapping[str, str] = {
    "net": 'resource "terraform_data" "net" {\n  input = "ten"\n}\noutput "cidr" {\n  value = "10.0.0.0/8"\n}\n'
    'output "password" {\n  value     = "c4n4ry-of-net"\n  sensitive = true\n}\n',
    "web": 'variable "cidr" {\n  type = string\n}\nresource "terraform_data" "web" {\n  input = var.cidr\n}\n',
    "db": 'resource "terraform_data" "db" {\n  input = "v1"\n}\n',
}


class Said(NamedTuple):
    """What a command printed and ended in."""

    returncode: int
    stdout: str
    stderr: str


class Estate(Service):
    """Three stacks: `net` is applied by itself, `web` takes its output, and both `web` and `db` wait for a yes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.keys["sources"] = [self.source("lab")]
        self.keys["teams"] = {"platform": ["token:ana"]}
        self.keys["auth"]["roles"]["runner"] = {"can": ["view", "plan", "approve", "apply"], "stacks": ["db@*"]}
        self.write()
        for name, text in _FILES.items():
            (self.lab / name).mkdir()
            (self.lab / name / "main.tf").write_text(text)
        self.declare({})

    def declare(self, more: Mapping[str, object]) -> None:
        """Write what is asked for; ``more``: further stacks."""
        stacks = {
            "net": {"tool": "terraform", "path": "net", "apply": "auto"},
            "web": {"tool": "terraform", "path": "web", "inputs": {"cidr": "${output:net.cidr}"}},
            "db": {"tool": "terraform", "path": "db"},
            **more,
        }
        body = {"version": 1, "discover": False, "defaults": {"apply": "approve"}, "stacks": stacks}
        (self.lab / "stacks.yaml").write_text(json.dumps(body))

    @cached_property
    def ana(self) -> str:
        """The token of a person, whose word counts under their own name."""
        return self.token("ana", "admin", "--for", "ana@acme.example")

    def here(self, *words: str) -> Said:
        """Run a command on the service's own host."""
        return Said(*preloaded.run(["--source", "lab", *words], cwd=self.folder, env=self.environment, timeout=120))

    def far(self, *words: str, token: str = "", **more: str) -> Said:
        """Run a command elsewhere: nothing of the service's host is at hand."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "elsewhere"),
            "HOLDFAST_URL": self.url,
            "HOLDFAST_TOKEN": token or self.ana,
            **more,
        }
        return Said(*preloaded.run(words, cwd=Path("/"), env=env, timeout=120))
