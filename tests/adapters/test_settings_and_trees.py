"""A stack's settings, version constraints, and what a stack reads outside its folder."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

from adapters.conformance import MemoryTree
from adapters.contract import InvalidSettings
from adapters.scripted import ForbiddingShell
from adapters.terraform.adapter import build
from adapters.terraform.commands import cli_config
from adapters.terraform.hcl import declares_backend
from adapters.terraform.settings import read
from adapters.versions import allows


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"worksapce": "x"}, 'no setting "worksapce"'),
        ({"tool": "ansible"}, "does not drive"),
        ({"var_files": "one.tfvars"}, "list of texts"),
        ({"var_files": [1]}, "list of texts"),
        ({"var_files": ["../../secrets.tfvars"]}, "leaves the repository"),
        ({"var_files": ["/etc/passwd"]}, "leaves the repository"),
        ({"workspace": 7}, "must be a text"),
        ({"workspace": " "}, "must be a text"),
        ({"parallelism": 0}, "whole number"),
        ({"parallelism": True}, "whole number"),
        ({"parallelism": "4"}, "whole number"),
        ({"test": "yes"}, "true or false"),
        ({"plugin_cache": "cache"}, "absolute path"),
        ({"cli_config_file": "rc"}, "absolute path"),
        ({"backend_config": 3}, "list of texts"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidSettings, match=says):
        build({"tool": "terraform", "path": "net", **settings}, ForbiddingShell())


def test_the_nearest_setting_is_offered() -> None:
    with pytest.raises(InvalidSettings) as caught:
        read({"worksapce": "x"})
    assert caught.value.hint == 'did you mean "workspace"?'


def test_paths_in_settings_are_told_from_the_stack_and_kept_from_the_root() -> None:
    found = read({"path": "live/net", "var_files": ["a.tfvars", "../common.tfvars"], "backend_config": ["b.hcl"]})
    assert found.var_files == (PurePosixPath("live/net/a.tfvars"), PurePosixPath("live/common.tfvars"))
    assert found.backend_files == (PurePosixPath("live/net/b.hcl"),)


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ("1.11.4", ["1.11.4"], ["1.11.5", "1.11.4-rc1"]),
        ("= 1.11", ["1.11.0"], ["1.11.1"]),
        ("~> 1.11", ["1.11.0", "1.12.3"], ["1.10.9", "2.0.0"]),
        ("~> 1.11.2", ["1.11.2", "1.11.9"], ["1.11.1", "1.12.0"]),
        ("~> 1", ["1.0.0", "1.99.0"], ["0.9.0", "2.0.0"]),
        (">= 1.9, < 2.0", ["1.9.0", "1.99.9"], ["1.8.9", "2.0.0"]),
        ("!= 1.11.3", ["1.11.4"], ["1.11.3"]),
        ("> 1.5, <= 1.6", ["1.6.0"], ["1.5.0", "1.6.1"]),
        (">= 1.9", ["1.10.0"], ["1.9.0-beta1"]),
    ],
)
def test_a_version_constraint_is_read_as_terraform_reads_it(constraint: str, good: list[str], bad: list[str]) -> None:
    assert [version for version in good + bad if allows(constraint, version)] == good


@pytest.mark.parametrize("constraint", ["latest", "~>", "=> 1.0", "1.x", ">= 1.0 2.0"])
def test_a_constraint_that_cannot_be_read_is_refused(constraint: str) -> None:
    with pytest.raises(InvalidSettings):
        allows(constraint, "1.0.0")


def tree(**files: str) -> MemoryTree:
    return MemoryTree(held={PurePosixPath(name): text.encode() for name, text in files.items()})


def outside(held: dict[str, str], **settings: Any) -> set[str]:
    adapter = build({"tool": "terraform", "path": "live/net", **settings}, ForbiddingShell())
    return {str(path) for path in adapter.inputs(tree(**held))}


MODULE = 'module "m" {\n  source = "%s"\n}\n'


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ({"live/net/main.tf": 'resource "x" "y" {}'}, set()),
        ({"live/net/main.tf": MODULE % "../../modules/a"}, {"modules/a"}),
        ({"live/net/main.tf": MODULE % "./sub", "live/net/sub/x.tf": MODULE % "../../other"}, {"live/other"}),
        (
            {"live/net/main.tf": MODULE % "../a", "live/a/x.tf": MODULE % "../b", "live/b/x.tf": MODULE % "../a"},
            {"live/a", "live/b"},
        ),
        ({"live/net/main.tf": MODULE % "hashicorp/consul/aws"}, set()),
        ({"live/net/main.tf": MODULE % "git::https://example.org/x.git"}, set()),
        ({"live/net/main.tf": "# " + (MODULE % "../a").replace("\n", " ")}, set()),
        ({"live/net/main.tf": "/*\n" + MODULE % "../a" + "*/"}, set()),
        ({"live/net/main.tf": "locals {\n  x = <<EOT\n" + MODULE % "../a" + "EOT\n}\n"}, set()),
        ({"live/net/main.tf": MODULE % "../../../etc"}, set()),
        ({"live/net/main.tf.json": '{"module": {"m": {"source": "../a"}}}'}, {"live/a"}),
        ({"live/net/main.tf.json": '{"module": [{"m": {"source": "../a"}}]}'}, {"live/a"}),
        ({"live/net/main.tf.json": "not json"}, set()),
        ({"live/net/main.tf": 'locals { x = file("../shared/x.json") }'}, {"live/shared/x.json"}),
        ({"live/net/main.tf": 'locals { x = templatefile("${path.module}/../t.tpl", {}) }'}, {"live/t.tpl"}),
        ({"live/net/main.tf": 'locals { x = file("inside.json") }'}, set()),
        ({"live/net/main.tf": 'locals { x = file("../${var.name}.json") }'}, set()),
        ({"live/net/main.tf": 'locals { x = file("/etc/passwd") }'}, set()),
        (
            {"live/net/main.tf": MODULE % "../m/n", "live/m/n/x.tf": 'locals { x = file("${path.module}/../k.pub") }'},
            {"live/m/n", "live/m/k.pub"},
        ),
        ({"live/net/main.tf": "", ".terraform-version": "1.11.4", ".opentofu-version": "1.6"}, {".terraform-version"}),
        # Syntax that the parser does not know is no reason to lose a module.
        ({"live/net/main.tf": "x = provider::a::b()\n" + MODULE % "../a" + "check {{{"}, {"live/a"}),
        ({"live/net/main.tf": "\ufeff" + MODULE % "../a"}, {"live/a"}),
    ],
)
def test_what_a_stack_reads_outside_its_folder_is_found(held: dict[str, str], found: set[str]) -> None:
    assert outside(held) == found


def test_variable_files_outside_the_folder_come_along() -> None:
    assert outside({"live/net/main.tf": ""}, var_files=["../common.tfvars", "own.tfvars"]) == {"live/common.tfvars"}


@pytest.mark.parametrize(
    ("name", "text", "declared"),
    [
        ("a.tf", 'terraform {\n  backend "s3" {}\n}', True),
        ("a.tf", 'terraform { backend "local" {} }', True),
        ("a.tf", 'terraform {\n  cloud {\n    organization = "x"\n  }\n}', True),
        ("a.tf", 'terraform {\n  # backend "s3" {}\n}', False),
        ("a.tf", 'locals { x = <<EOT\nterraform {\n backend "s3" {}\n}\nEOT\n}', False),
        ("a.tf", 'resource "x" "y" {\n  backend "s3" {}\n}', False),
        ("a.tf", 'terraform {\n  required_version = "}"\n  backend "s3" {}\n}', True),
        ("a.tf.json", '{"terraform": {"backend": {"s3": {}}}}', True),
        ("a.tf.json", '{"terraform": [{"cloud": {}}]}', True),
        ("a.tf.json", '{"resource": {}}', False),
        ("a.tf.json", '[{"resource": {}}, {"terraform": {"backend": {"s3": {}}}}]', True),
        ("a.tf", "terraform {\n  backend local {\n  }\n}", True),
        # What looks like a comment inside a template's string is none.
        ("a.tf", 'locals { a = "${f("/*")}" }\nterraform {\n  backend "s3" {}\n}\nlocals { b = "*/" }', True),
        # A heredoc ends with its mark alone in a line.
        ("a.tf", 'locals { x = <<EOT\nEOT here\nterraform {\n backend "s3" {}\n}\nEOT\n}', False),
        # A line that never ends its strings costs no time.
        ("a.tf", '"' + '${f("x")} ' * 500 + "\n", False),
    ],
)
def test_whether_a_stack_says_where_its_state_is_kept(name: str, text: str, declared: bool) -> None:
    assert declares_backend(name, text) is declared


def test_the_operators_cli_configuration_is_kept_and_never_left_open() -> None:
    assert "direct {}" in cli_config("")
    mirror = 'provider_installation {\n  filesystem_mirror { path = "/m" }\n}'
    assert cli_config(mirror).startswith(mirror)
    assert "direct" not in cli_config(mirror)
    assert "disable_checkpoint = true" in cli_config(mirror)
