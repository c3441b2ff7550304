"""Paths stay inside the repository, however they are written."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.paths import below, checked_path

BAD = [
    "",
    " ",
    " a",
    "a ",
    "/",
    "/etc",
    "//etc",
    "~",
    "~/x",
    "~root/x",
    "..",
    "../x",
    "a/..",
    "a/../..",
    "a/../../b",
    "./../x",
    "a/./../../b",
    "..\\x",
    "a\\..\\b",
    "C:",
    "C:/x",
    "c:\\x",
    "\\\\host\\share",
    "file:///etc",
    "https://x.example/y",
    "git::ssh://x/y",
    "a\nb",
    "a\tb",
    "a\x00b",
    "a\x7fb",
    ".git",
    "a/.git/hooks",
    ".GIT/x",
    "a/.terraform",
    ".terraform/modules",
]


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_leaves_the_repository_is_refused(path):
    with pytest.raises(ValueError, match="path"):
        checked_path(path)


@pytest.mark.parametrize("path", [one for one in BAD if one not in {"a\x00b", "a\x7fb", ""}])
def test_stacks_yaml_names_the_place_of_a_bad_path(read_text, path):
    found = read_text(f"version: 1\nstacks:\n  a:\n    tool: terraform\n    path: {json.dumps(path)}\n")
    assert found.told == ["stacks.yaml:5:11 HF-1008"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".", "."),
        ("a", "a"),
        ("./a/", "a"),
        ("a//b/./c", "a/b/c"),
        ("a b/ü", "a b/ü"),
        ("...", "..."),
        (".hidden", ".hidden"),
    ],
)
def test_ordinary_paths_are_tidied(path, expected):
    assert checked_path(path) == PurePosixPath(expected)


@given(st.text(alphabet="ab./\\~: \n", max_size=20))
def test_what_is_let_through_lies_inside(path):
    try:
        found = checked_path(path)
    except ValueError:
        return
    assert not found.is_absolute()
    assert ".." not in found.parts


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("var_files: [ok.tfvars, ../../x.tfvars]", "6:28"),
        ("var_files: [/etc/passwd]", "6:17"),
        ("watch: [../x/*]", "6:13"),
        ("watch: ['/x']", "6:13"),
    ],
)
def test_files_that_leave_the_repository_are_refused(read_text, text, place):
    found = read_text(f"version: 1\nstacks:\n  a:\n    tool: terraform\n    path: a\n    {text}\n")
    assert found.told == [f"stacks.yaml:{place} HF-1008"]


def test_variable_files_may_climb_inside_the_repository(read_text):
    found = read_text("version: 1\nstacks: {a: {path: live/a, tool: terraform, var_files: [../../shared.tfvars]}}\n")
    assert found.stack("a").settings["var_files"] == ["../../shared.tfvars"]
    assert below(PurePosixPath("live/a"), "../../shared.tfvars") == PurePosixPath("shared.tfvars")


def test_an_include_that_leaves_the_repository_is_refused(read_text):
    assert read_text("version: 1\ninclude: [../x/*.yaml]\n").told == ["stacks.yaml:2:11 HF-1008"]
