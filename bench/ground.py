"""What is measured on: repositories made for it, with a home of their own, nothing outside one folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cli.demo.lab import lay_mirror

HOLDFAST = Path(sys.executable).parent / "holdfast"
TOOL = shutil.which("terraform") or shutil.which("tofu") or "terraform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One repository with everything around it."""

    folder: Path
    env: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path, *, more: Mapping[str, str] | None = None) -> Ground:
        """Make an empty repository below ``folder``."""
        repository = folder / "infra"
        repository.mkdir(parents=True)
        keep = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "SSL_CERT_FILE"}}
        env = {
            **keep,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "HOLDFAST_HOME": str(folder / "home"),
            "TF_CLI_CONFIG_FILE": str(lay_mirror(folder)),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "GIT_AUTHOR_NAME": "Bench",
            "GIT_AUTHOR_EMAIL": "bench@example.org",
            "GIT_COMMITTER_NAME": "Bench",
            "GIT_COMMITTER_EMAIL": "bench@example.org",
            **(more or {}),
        }
        ground = cls(folder=folder, env=env)
        ground.git("init", "--quiet", "--initial-branch=main")
        ground.git("config", "user.email", "bench@example.org")
        ground.git("config", "gc.auto", "0")
        return ground

    @property
    def repository(self) -> Path:
        """The checkout."""
        return self.folder / "infra"

    def git(self, *args: str) -> None:
        """Run git in the checkout."""
        subprocess.run(["git", *args], cwd=self.repository, env=dict(self.env), check=True, capture_output=True)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of the checkout."""
        for name, text in files.items():
            path = self.repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, files: Mapping[str, str], *, only: bool = False) -> None:
        """Write files and commit them; ``only`` adds no more than these."""
        self.write(files)
        self.git("add", *(["--", *files] if only else ["--all"]))
        self.git("commit", "--quiet", "--message=bench")


def lab_stack(cloud: Path, *, objects: int = 3, tag: str = "one", comment: str = "") -> str:
    """Return a stack of objects of the lab provider, which is Python: a plan takes 0.8 s."""
    return f"""# {comment}
terraform {{
  required_providers {{
    lab = {{ source = "lab.test/lab/lab", version = "0.1.0" }}
  }}
}}
provider "lab" {{ root = "{cloud}" }}
resource "lab_object" "one" {{
  count = {objects}
  name  = "one-${{count.index}}"
  tags  = {{ made = "{tag}" }}
}}
"""


def data_stack(value: str) -> str:
    """Return a stack of Terraform's own ``terraform_data``: a plan takes 0.07 s."""
    return (
        f'resource "terraform_data" "one" {{\n  input = "{value}"\n}}\n'
        'output "value" { value = terraform_data.one.output }\n'
    )


def stacks_file(names: Iterable[str]) -> str:
    """Return a stacks.yaml, or an included file's stacks, for folders of the same name."""
    lines = ["version: 1", "discover: false", "stacks:"]
    lines += [f"  {name}: {{tool: terraform, path: {name}}}" for name in names]
    return "\n".join(lines) + "\n"
