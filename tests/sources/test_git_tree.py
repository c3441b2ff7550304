"""The files of a revision without a checkout: listing, reading, ids, comparison, and links."""

from __future__ import annotations

from pathlib import PurePosixPath as Path

import pytest
from repositories import git_source

from orchestrator.errors import RevisionRejected
from orchestrator.ports import FileMode


@pytest.fixture
def tree(yard, repository):
    """Commits files and returns the tree of the commit."""

    def make(files=None, *, links=None):
        repository.write(files or {})
        for name, target in (links or {}).items():
            path = repository.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(target)
        commit = repository.commit()
        source = git_source(repository.path)
        yard.sources.read(source)
        return yard.sources.tree(source, commit)

    return make


def names(paths) -> list[str]:
    return sorted(map(str, paths))


def test_files_are_listed_below_a_folder_and_from_the_root(tree):
    made = tree({"web/sub/x.tf": "", "webb/y.tf": "", "web-1/z.tf": ""})
    assert names(made.files(Path("web"))) == ["web/main.tf", "web/sub/x.tf"]
    assert "README.md" in names(made.files(Path()))
    assert names(made.files(Path("nowhere"))) == []


def test_bytes_come_as_committed_and_what_is_no_file_is_not_found(tree):
    content = b"\xff\xfe not \x00 text\r\n"
    made = tree({"web/blob.bin": content, "web/empty": b""})
    assert made.read(Path("web/blob.bin")) == content
    assert made.read(Path("web/empty")) == b""
    for nothing in ("web", "nowhere", "web/main.tf/x", "../web/main.tf"):
        with pytest.raises(FileNotFoundError):
            made.read(Path(nothing))


def test_names_that_are_no_utf8_survive(tree, repository):
    (repository.path / "web" / "caf\udce9\nnoir.tf").write_text("# bytes\n")
    made = tree()
    assert made.read(Path("web/caf\udce9\nnoir.tf")) == b"# bytes\n"
    assert Path("web/caf\udce9\nnoir.tf") in list(made.files(Path("web")))


def test_the_files_of_a_folder_are_read_in_one_go(tree, yard):
    made = tree({f"web/{n}.tf": f"# {n}\n" for n in range(20)})
    before = len(yard.runs.seen)
    for path in made.files(Path("web")):
        made.read(path)
    assert len(yard.runs.seen) - before <= 2


def test_ids_are_equal_exactly_where_files_are(tree):
    first = tree({"a/x.tf": "1", "b/x.tf": "1", "c/x.tf": "2"})
    assert first.id_of(Path("a")) == first.id_of(Path("b")) != first.id_of(Path("c"))
    assert first.id_of(Path("nowhere")) == ""
    second = tree({"c/x.tf": "3"})
    assert second.id_of(Path("a")) == first.id_of(Path("a"))
    assert second.id_of(Path("c")) != first.id_of(Path("c"))
    assert second.id_of(Path()) != first.id_of(Path())


def test_added_removed_edited_and_executable_files_have_changed(tree, repository):
    first = tree({"web/gone.tf": "", "web/run.sh": "#!/bin/sh\n", "same.tf": ""})
    (repository.path / "web" / "gone.tf").unlink()
    (repository.path / "web" / "run.sh").chmod(0o755)
    second = tree({"web/main.tf": "# edited\n", "web/new/new.tf": ""})
    expected = ["web/gone.tf", "web/main.tf", "web/new/new.tf", "web/run.sh"]
    assert names(second.changed(first)) == names(first.changed(second)) == expected
    assert second.changed(second) == frozenset()


def test_entries_say_what_each_is(tree, repository):
    (repository.path / "web" / "run.sh").write_text("")
    (repository.path / "web" / "run.sh").chmod(0o755)
    made = tree(links={"web/link": "main.tf"})
    modes = {str(entry.path): entry.mode for entry in made.entries(Path("web"))}
    assert modes == {
        "web/link": FileMode.LINK,
        "web/main.tf": FileMode.FILE,
        "web/run.sh": FileMode.EXECUTABLE,
    }
    assert [str(entry.path) for entry in made.entries(Path("README.md"))] == ["README.md"]


def test_a_link_inside_is_looked_through(tree):
    made = tree({"shared/p.tf": "# one\n"}, links={"web/p.tf": "../shared/p.tf", "web/mod": "../modules/net"})
    assert made.read(Path("web/p.tf")) == b"# one\n"
    assert made.read(Path("web/mod/main.tf")) == b"# net\n"
    assert "web/p.tf" in names(made.files(Path("web")))
    assert names(made.reached(Path("web"))) == ["modules/net", "shared/p.tf"]


def test_what_a_link_leads_to_belongs_to_the_id_and_to_what_has_changed(tree):
    links = {"web/p.tf": "../shared/p.tf", "shared/p.tf": "../deep/p.tf"}
    first = tree({"deep/p.tf": "# one\n"}, links=links)
    second = tree({"deep/p.tf": "# two\n"})
    assert first.id_of(Path("web")) != second.id_of(Path("web"))
    assert {"web/p.tf", "deep/p.tf"} <= set(names(second.changed(first)))
    third = tree({"modules/net/main.tf": "# other\n"})
    assert third.id_of(Path("web")) == second.id_of(Path("web"))


@pytest.mark.parametrize(
    "links",
    [
        {"web/bad": "/etc/passwd"},
        {"web/bad": "../../outside"},
        {"web/bad": "../.."},
        {"web/bad": "bad"},
        {"web/bad": "other", "web/other": "bad"},
        {"web/bad": "../up/../../x"},
        {"web/bad": "../dir/x", "dir": "../.."},
        {"web/hop": "../far", "far/bad": "/etc/passwd"},
    ],
)
def test_a_link_that_leaves_or_goes_in_a_circle_is_refused_with_its_name(tree, links):
    made = tree(links=links)
    with pytest.raises(RevisionRejected) as error:
        made.reached(Path("web"))
    assert error.value.code == "HF-3014"
    assert "bad" in error.value.where
    assert made.reached(Path("modules")) == frozenset()


def test_folders_that_link_to_each_other_end(tree):
    made = tree({"a/x": "", "b/x": ""}, links={"a/b": "../b", "b/a": "../a"})
    assert names(made.reached(Path("a"))) == ["b"]
    assert made.id_of(Path("a"))


def test_a_link_to_what_a_tool_makes_later_may_stay(tree):
    made = tree(links={"web/later": "build/out"})
    assert names(made.reached(Path("web"))) == []
