"""The repository that `holdfast demo` makes: two stacks, of which the second takes an output of the first."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

from orchestrator.cli.demo.lab import SOURCE, VERSION

_STACKS = Template("""\
# What there is in this repository, and how the stacks hang together.
version: 1
project: holdfast-demo

stacks:
  network:
    tool: $tool
    path: network
    inputs:
      cloud: $cloud

  web:
    tool: $tool
    path: web
    inputs:
      cloud: $cloud
      cidr: $${output:network.cidr}      # a reference is a dependency: network goes first
""")

_HEAD = Template("""\
terraform {
  required_providers {
    lab = {
      source  = "$source"
      version = "$version"
    }
  }
}

variable "cloud" {
  type        = string
  description = "The folder that stands for a cloud: each object is a file in it."
}

provider "lab" {
  root = var.cloud
}

""")

_NETWORK = """\
resource "lab_object" "lan" {
  name = "office-lan"
  size = 24
  tags = {
    cidr  = "10.20.0.0/24"
    owner = "platform"
  }
}

output "cidr" {
  value = lab_object.lan.tags["cidr"]
}
"""

_WEB = """\
variable "cidr" {
  type        = string
  description = "Where the servers stand; comes from the stack network."
}

resource "lab_object" "server" {
  count = 2
  name  = "web-${count.index + 1}"
  size  = 2
  tags = {
    address = cidrhost(var.cidr, 10 + count.index)
    role    = "web"
  }
}

output "addresses" {
  value = [for server in lab_object.server : server.tags["address"]]
}
"""

#: The object that is changed by hand, and how: attribute path, before, after.
HAND_CHANGE = ("office-lan", "owner", "platform", "nobody")


def files(*, tool: str, cloud: Path) -> dict[str, str]:
    """Return the repository's files, path to content. ``tool`` is ``terraform`` or ``opentofu``."""
    head = _HEAD.substitute(source=SOURCE, version=VERSION)
    return {
        "stacks.yaml": _STACKS.substitute(tool=tool, cloud=json.dumps(str(cloud))),
        "network/main.tf": head + _NETWORK,
        "web/main.tf": head + _WEB,
    }


def change_by_hand(cloud: Path) -> Path:
    """Change one object behind the tool's back, as somebody in a console would; return the file that was edited."""
    name, tag, _, after = HAND_CHANGE
    for path in sorted((cloud / "objects").glob("*.json")):
        held = json.loads(path.read_text("utf-8"))
        if held["name"] == name:
            held["tags"][tag] = after
            path.write_text(json.dumps(held, indent=2, sort_keys=True) + "\n", "utf-8")
            return path
    raise FileNotFoundError(cloud / "objects")
