"""A disk that is full, before an apply and in the middle of one: said clearly, and no state is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform", "mount")

#: What is made first fills the disk, so that what is made next cannot be saved.
FILLING = """
variable "size" { default = 1 }
resource "terraform_data" "first" {
  input = "first"
  provisioner "local-exec" { command = "%(note)s; test -e %(filler)s && dd if=/dev/zero of=%(filler)s bs=64k 2>&1 | tail -1; true" }
}
resource "terraform_data" "second" {
  input      = terraform_data.first.output
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "%(note)s" }
}
"""


class Disk:
    """A disk of its own for the home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]

    def mount(self, size: str) -> None:
        self.folder.mkdir()
        options = f"size={size},uid={os.getuid()},gid={os.getgid()},mode=700"
        done = self.call("mount", "-t", "tmpfs", "-o", options, "none", str(self.folder))
        if done.returncode != 0:
            pytest.skip(f"no small disk can be mounted: {done.stderr.strip()}")

    def resize(self, size: str) -> None:
        assert self.call("mount", "-o", f"remount,size={size}", str(self.folder)).returncode == 0

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.sudo, *words], capture_output=True, text=True, check=False)


@pytest.fixture
def disk(yard: Yard) -> Iterator[Disk]:
    made = Disk(yard.folder / "disk")
    yard.extra["HOLDFAST_HOME"] = str(made.folder / "home")
    yield made
    yard.clear()
    made.call("umount", "--lazy", str(made.folder))


def commit(yard: Yard, text: str) -> None:
    stacks = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n"
    yard.commit({"stacks.yaml": stacks, "web/main.tf": text})


def test_a_disk_that_is_nearly_full_starts_no_apply(yard: Yard, disk: Disk) -> None:
    disk.mount("48m")
    commit(yard, 'resource "terraform_data" "this" {}\n')
    yard.apply().ended(1, "HF-5010", "MiB free")
    assert "apply" not in {verb for verb, _ in yard.starts()}
    assert yard.state("web").attempts == 0
    disk.resize("200m")
    yard.apply().ended(0, "1 applied")


def test_a_home_without_any_room_is_named_and_nothing_is_acknowledged(yard: Yard, disk: Disk) -> None:
    disk.mount("64k")
    commit(yard, 'resource "terraform_data" "this" {}\n')
    done = yard.apply().ended(1, "HF-43", "full")
    assert "damaged" not in done.said
    assert "backup" not in done.said
    assert yard.starts() == []
    disk.resize("200m")
    yard.apply().ended(0, "1 applied")
    yard.record_is_sound()


def test_a_disk_that_fills_up_in_the_middle_of_an_apply_loses_no_state(yard: Yard, disk: Disk) -> None:
    disk.mount("100m")
    filler = disk.folder / "filler"
    note = f"echo made >>{yard.folder}/effects"
    kept = 'resource "terraform_data" "old" { input = "old" }\n'
    commit(yard, kept)
    yard.apply().ended(0)
    old = yard.run("status", "-o", "json").ended(0).json["stacks"][0]["revision"]
    commit(yard, kept + FILLING % {"filler": filler, "note": note})
    filler.touch()
    done = yard.apply()
    assert done.code in {1, 5}, done.said
    assert "Traceback" not in done.said
    assert yard.state("web").applied is not None
    assert yard.state("web").applied.revision == old  # type: ignore[union-attr]
    made = (yard.folder / "effects").read_text()
    filler.unlink()
    done = yard.apply()
    if done.code == 5:
        # Nobody can say what was made: nothing is made again until somebody accepts it.
        assert yard.state("web").unknown is not None
        assert "may create a second time" in done.said
        assert "terraform_data.old" not in done.said, "the state from before is not lost"
        assert (yard.folder / "effects").read_text() == made
        done = yard.apply("--accept-duplicates")
    done.ended(0)
    assert yard.status("web")["web"]["sync"] == "Synced"
