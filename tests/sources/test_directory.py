"""A plain folder as a source: its revision is its content."""

from __future__ import annotations

import os
from pathlib import PurePosixPath as Path

import pytest
from repositories import directory_source

from orchestrator.effects.directory import DirectoryMirror
from orchestrator.errors import SourceError, SourceUnreachable


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "folder"
    (made / "web").mkdir(parents=True)
    (made / "web" / "main.tf").write_bytes(b"# web\r\n")
    return made


def test_the_revision_is_the_content_and_nothing_else(yard, folder, tmp_path):
    first = yard.sources.read(directory_source(folder))
    assert len(first.id) == 64
    os.utime(folder / "web" / "main.tf", (1, 1))
    assert yard.sources.read(directory_source(folder)).id == first.id
    (folder / "web" / "main.tf").write_bytes(b"# edited\n")
    second = yard.sources.read(directory_source(folder))
    assert second.id != first.id
    (folder / "web" / "main.tf").write_bytes(b"# web\r\n")
    assert yard.sources.read(directory_source(folder)).id == first.id
    (folder / "web" / "main.tf").chmod(0o755)
    assert yard.sources.read(directory_source(folder)).id not in {first.id, second.id}


def test_an_edit_of_the_same_length_in_the_same_moment_is_seen(yard, folder):
    file = folder / "web" / "main.tf"
    seen = set()
    for n in range(5):
        file.write_text(f"# {n}\n")
        seen.add(yard.sources.read(directory_source(folder)).id)
    assert len(seen) == 5


def test_an_earlier_revision_stays_readable_and_comparable(yard, folder):
    source = directory_source(folder)
    first = yard.sources.read(source)
    yard.sources.pin(source, first.id, first.id)
    (folder / "web" / "new.tf").write_text("")
    (folder / "web" / "main.tf").unlink()
    second = yard.sources.read(source)
    old, new = yard.sources.tree(source, first.id), yard.sources.tree(source, second.id)
    assert old.read(Path("web/main.tf")) == b"# web\r\n"
    assert new.changed(old) == {Path("web/main.tf"), Path("web/new.tf")}
    assert yard.sources.revision(source, first.id).tree == first.tree


def test_what_belongs_to_tools_is_left_out_and_attributes_change_no_byte(yard, folder):
    for name in (".git/config", "web/.terraform/x", "web/terraform.tfstate", "web/terraform.tfstate.backup"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / ".gitattributes").write_text("* text eol=lf ident\n")
    (folder / ".gitignore").write_text("*.tf\n")
    source = directory_source(folder)
    tree = yard.sources.tree(source, yard.sources.read(source).id)
    assert sorted(map(str, tree.files(Path()))) == [".gitattributes", ".gitignore", "web/main.tf"]
    assert tree.read(Path("web/main.tf")) == b"# web\r\n"


def test_links_are_kept_as_links_and_odd_names_as_they_are(yard, folder):
    (folder / "web" / "outside").symlink_to("/etc")
    (folder / "web" / "caf\udce9\n.tf").write_text("# odd\n")
    source = directory_source(folder)
    tree = yard.sources.tree(source, yard.sources.read(source).id)
    assert tree.read(Path("web/caf\udce9\n.tf")) == b"# odd\n"
    assert tree.contents([e.id for e in tree.entries(Path("web/outside"))])
    with pytest.raises(SourceError) as error:
        tree.reached(Path("web"))
    assert error.value.code == "HF-3014"


def test_nothing_is_written_into_the_folder(yard, folder):
    before = sorted(folder.rglob("*"))
    yard.sources.read(directory_source(folder))
    assert sorted(folder.rglob("*")) == before


def test_an_emptied_or_missing_folder_is_no_wish_for_nothing(yard, folder):
    source = directory_source(folder)
    last = yard.sources.read(source)
    (folder / "web" / "main.tf").unlink()
    with pytest.raises(SourceUnreachable) as error:
        yard.sources.read(source, last=last.id)
    assert error.value.code == "HF-3005"
    (folder / "web").rmdir()
    folder.rmdir()
    with pytest.raises(SourceUnreachable) as error:
        yard.sources.read(source, last=last.id)
    assert error.value.code == "HF-3001"
    assert yard.sources.tree(source, last.id).read(Path("web/main.tf")) == b"# web\r\n"


def test_an_unknown_revision_of_a_folder_is_named(yard, folder):
    yard.sources.read(directory_source(folder))
    for unknown in ("0" * 64, "main", "--help"):
        with pytest.raises(SourceError) as error:
            yard.sources.revision(directory_source(folder), unknown)
        assert error.value.code in {"HF-3006", "HF-3002"}


def test_of_a_large_folder_people_are_told_its_size_and_how_far_it_is(yard, folder, tmp_path):
    for number in range(10):
        (folder / f"{number}.txt").write_text("x" * 100_000)
    told = []
    mirror = DirectoryMirror(
        folder=tmp_path / "mirror", directory=folder, outer=os.environ, run=yard.sources.run, tell=told.append, many=4
    )
    whole = mirror.keep()
    assert told == [
        f"taking in the folder {folder}: 11 new files, 1 MB",
        "  4 of 11 files are taken in",
        "  8 of 11 files are taken in",
    ]
    # What is known is not worth a word, whatever its size; and taken in by parts it is what it is as a whole.
    assert mirror.keep() == whole == yard.sources.read(directory_source(folder)).id
    assert len(told) == 3


def test_a_folder_in_the_place_of_a_file_is_taken_in_across_parts(yard, folder, tmp_path):
    mirror = DirectoryMirror(
        folder=tmp_path / "mirror", directory=folder, outer=os.environ, run=yard.sources.run, many=1
    )
    (folder / "a").write_text("a file")
    mirror.keep()
    (folder / "a").unlink()
    (folder / "a").mkdir()
    (folder / "a" / "b").write_text("in a folder")
    assert mirror.keep() == yard.sources.read(directory_source(folder)).id
