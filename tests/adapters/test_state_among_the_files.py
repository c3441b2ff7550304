"""A state that would lie among files which are laid out anew for each run is refused: it would be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.contract import Goal, InvalidSettings, Json
from adapters.terraform.state import configuration

if TYPE_CHECKING:
    from conftest import LabRig

ONE = 'resource "terraform_data" "one" {}\n'
LOCAL = 'terraform {\n  backend "local" {\n    %s\n  }\n}\n'

terraform = pytest.mark.parametrize("tool", ["terraform"], indirect=True)


@terraform
@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("", {}),
        ('path = "../state/own.tfstate"', {}),
        ("", {"backend_config": {"path": "own.tfstate"}}),
        # The folder of other workspaces stays beside the files whatever the path says.
        ('path = "/nowhere/own.tfstate"', {"workspace": "blue"}),
    ],
)
def test_a_local_backend_among_the_files_is_refused(rig: LabRig, said: str, settings: dict[str, Json]) -> None:
    subject = rig.bare(LOCAL % said + ONE, **settings)
    for _ in range(2):
        with pytest.raises(InvalidSettings) as refused:
            subject.adapter.plan(subject.workspace, Goal.CONVERGE)
        assert "laid out anew" in refused.value.message
    assert "plan" not in subject.commands()


@terraform
def test_a_local_backend_elsewhere_is_the_stacks_own_affair(rig: LabRig) -> None:
    state = rig.folder / "elsewhere" / "own.tfstate"
    subject = rig.bare(LOCAL % f'path = "{state}"' + ONE)
    subject.apply()
    assert state.exists()


@terraform
def test_a_backend_in_a_file_that_the_tool_does_not_read_takes_no_state_away(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    (subject.main.parent / "backend.tofu").write_text(LOCAL % 'path = "/nowhere/own.tfstate"')
    (subject.main.parent / ".hidden.tf").write_text(LOCAL % 'path = "/nowhere/own.tfstate"')
    subject.apply()
    assert (subject.workspace.kept / "terraform.tfstate").exists()


def test_opentofus_own_files_stand_in_the_place_of_those_for_both(tmp_path) -> None:
    for name in ("a.tf", "a.tofu", "b.tf", "c.tofu", "d.tf.json", "d.tofu.json", "e.txt", ".f.tf"):
        (tmp_path / name).touch()
    assert [file.name for file in configuration(tmp_path, "terraform")] == ["a.tf", "b.tf", "d.tf.json"]
    assert [file.name for file in configuration(tmp_path, "opentofu")] == ["a.tofu", "b.tf", "c.tofu", "d.tofu.json"]
