"""What every adapter masks of a secret, and how each reads a version that a stack asks for."""

from __future__ import annotations

import pytest

from adapters.ansible.settings import read as read_ansible
from adapters.contract import MASK, InvalidSettings
from adapters.puppet.settings import read as read_puppet
from adapters.telling import scrub, secret_texts
from adapters.terraform.attributes import secret_texts as marked_texts
from adapters.terraform.settings import read as read_terraform
from adapters.versions import allows


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("swordfish", {"swordfish"}),
        ("", set()),
        (" \n", set()),
        (None, set()),
        (True, set()),
        (4711, {"4711"}),
        ("-----BEGIN\nMIIE\n}", {"-----BEGIN\nMIIE\n}", "-----BEGIN", "MIIE", "-----BEGIN\\nMIIE\\n}"}),
        ({"a": ["one", {"b": 2.5}], "c": False}, {"one", "2.5"}),
    ],
)
def test_texts_lines_and_the_way_a_file_writes_them_are_secret_and_true_is_not(value, texts) -> None:
    assert set(secret_texts(value)) == texts
    assert set(marked_texts(value, marks=True)) == texts


def test_a_secret_of_several_lines_is_masked_line_by_line() -> None:
    assert scrub("said: MIIE-first", secret_texts("MIIE-first\nMIIE-last")) == f"said: {MASK}"


def test_only_what_is_marked_is_secret_to_terraform() -> None:
    value = {"open": "plain", "closed": ["hidden"]}
    assert set(marked_texts(value, {"closed": [True]})) == {"hidden"}


@pytest.mark.parametrize("read", [read_terraform, read_ansible, read_puppet])
def test_every_tool_reads_a_version_that_is_asked_for_alike(read) -> None:
    for good in ("", "7", "~> 7.1", ">= 7, < 9", "!= 7.1.2", "== 2.19.14", "~= 2.19"):
        assert read({"path": "a", **({"tool_version": good} if good else {})}).tool_version == good
    for bad in ("newest", "~>", "7.x", ">= 7 8", "=> 7"):
        with pytest.raises(InvalidSettings, match=r"^tool_version: "):
            read({"path": "a", "tool_version": bad})


@pytest.mark.parametrize(
    ("constraint", "version", "answer"),
    [
        (">= 2.20", "2.20.0rc1", False),
        (">= 2.20", "2.20.0.dev0", False),
        ("~> 2.19", "2.20.0b1", True),
        ("2.20.0rc1", "2.20.0rc1", True),
        ("~> 8.1", "8.10.0", True),
        ("7", "7.23.0", False),
    ],
)
def test_what_comes_before_a_release_is_older_than_it_however_it_is_written(constraint, version, answer) -> None:
    assert allows(constraint, version) is answer
