"""State of one repository under two ids is found; state of another repository is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.effects.lineage import Lineage
from orchestrator.effects.workspaces import LaidWorkspaces
from orchestrator.errors import RecordError
from orchestrator.model.stack import StackKey


def home(folder: Path, name: str) -> Path:
    (folder / name / "state").mkdir(parents=True)
    (folder / name / "record.db").touch()
    return folder / name


def kept(where: Path, source: str, name: str = "net", content: str = "{}") -> None:
    folder = where / "state" / f"{source}%2F{name}@default"
    folder.mkdir()
    (folder / "terraform.tfstate").write_text(content)


def lineage(where: Path, source: str, *marks: str) -> Lineage:
    return Lineage(home=where, source=source, marks=lambda: frozenset(marks))


def test_state_of_the_same_history_is_found_in_the_home_beside(tmp_path):
    old, new = home(tmp_path, "old"), home(tmp_path, "new")
    lineage(old, "estate", "root1", "/one").leave()
    kept(old, "estate")
    kept(old, "estate", "empty", "")
    found = lineage(new, "mansion", "root1", "/two").strays()
    assert {name: (one.source, one.place) for name, one in found.items()} == {"net@default": ("estate", old)}


def test_state_of_the_same_folder_is_found_whatever_its_history(tmp_path):
    one = home(tmp_path, "one")
    lineage(one, "before-git", "/srv/infra").leave()
    kept(one, "before-git")
    assert set(lineage(one, "infra", "root1", "/srv/infra").strays()) == {"net@default"}


def test_another_repository_in_the_same_home_is_none_of_ours(tmp_path):
    one = home(tmp_path, "one")
    lineage(one, "estate", "root1").leave()
    kept(one, "estate")
    assert lineage(one, "hut", "root2").strays() == {}


def test_history_is_asked_only_where_there_is_something_to_compare(tmp_path):
    def asked() -> frozenset[str]:
        raise AssertionError

    assert Lineage(home=home(tmp_path, "one"), source="estate", marks=asked).strays() == {}


def test_a_lineage_that_cannot_be_read_is_no_proof(tmp_path):
    one = home(tmp_path, "one")
    kept(one, "estate")
    (one / "state" / "estate.lineage").write_text("[")
    assert lineage(one, "hut", "root").strays() == {}


def test_two_states_are_never_put_over_one_another(tmp_path):
    one = home(tmp_path, "one")
    kept(one, "infra", "net")
    kept(one, "infra", "core")
    workspaces = LaidWorkspaces(home=one, lineage=lineage(one, "infra"))
    with pytest.raises(RecordError) as caught:
        workspaces.move(StackKey(source="infra", name="net"), StackKey(source="infra", name="core"))
    assert caught.value.code == "HF-4012"


def test_a_state_that_was_only_locked_gives_way(tmp_path):
    """Locking a state that was never written leaves an empty file."""
    one = home(tmp_path, "one")
    kept(one, "infra", "net", "{}")
    kept(one, "infra", "core", "")
    LaidWorkspaces(home=one, lineage=lineage(one, "infra")).move(
        StackKey(source="infra", name="net"), StackKey(source="infra", name="core")
    )
    assert (one / "state/infra%2Fcore@default/terraform.tfstate").read_text() == "{}"
