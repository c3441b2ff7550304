"""Stacks found from the files: roots, not their modules, and the tool by its marks."""

from __future__ import annotations

import pytest

from orchestrator.config.discover import tool_of
from orchestrator.config.init import find, stacks_text
from orchestrator.config.load import StackFiles

from .conftest import REVISION, SOURCE

ROOT_BLOCK = 'provider "aws" {}\n'


def names(found) -> list[str]:
    assert not found.errors, found.messages
    return [f"{stack.key.short} {stack.tool} {stack.path}" for stack in found.layout.stacks.values()]


def test_with_no_file_at_all_stacks_are_named_by_their_folder(read_files):
    found = read_files({"live/net/main.tf": ROOT_BLOCK, "live/web/main.tofu": ROOT_BLOCK, "README.md": ""})
    assert names(found) == ["live/net terraform live/net", "live/web opentofu live/web"]
    assert found.stack("live/net").policy.mode.name == "PROPOSE"
    assert found.stack("live/net").origins == {"path": "discovered", "tool": "discovered"}
    assert [notice.code for notice in found.layout.notices] == ["HF-1051"]


def test_a_repository_that_is_one_stack_is_called_root(read_files):
    assert names(read_files({"main.tf": ROOT_BLOCK})) == ["root terraform ."]


def test_an_empty_repository_has_no_stacks(read_files):
    assert names(read_files({"README.md": ""})) == []


@pytest.mark.parametrize("folder", ["a b", "web@prod", "a\tb", "e\x1b[31mvil", "\u202elive"])
def test_a_folder_whose_name_no_stack_may_have_is_told_of_and_left_out(read_files, folder):
    found = read_files({f"{folder}/main.tf": ROOT_BLOCK})
    assert not found.layout.stacks
    assert [notice.code for notice in found.layout.notices] == ["HF-1051"]


@pytest.mark.parametrize(
    "path",
    [
        "modules/x/main.tf",
        "live/modules/x/main.tf",
        "examples/x/main.tf",
        ".terraform/x/main.tf",
        "a/.cache/main.tf",
        "tests/x/main.tf",
    ],
)
def test_folders_that_by_custom_hold_no_roots_are_left_out(read_files, path):
    assert names(read_files({path: ROOT_BLOCK})) == []


def test_a_folder_that_another_uses_as_a_module_is_no_root(read_files):
    found = read_files(
        {
            "live/net/main.tf": 'terraform {\n  backend "s3" {}\n}\nmodule "x" {\n  source = "../../parts/x"\n}\n',
            "parts/x/main.tf": 'terraform {\n  required_providers {}\n}\nmodule "y" {\n  source = "./y"\n}\n',
            "parts/x/y/main.tf": 'resource "a" "b" {}\n',
            "alone/main.tf": 'resource "a" "b" {}\n',
        }
    )
    assert names(found) == ["alone terraform alone", "live/net terraform live/net"]


def test_declared_and_found_stacks_add_up(read_files):
    files = {
        "stacks.yaml": "version: 1\ndefaults: {timeout: 5m}\nstacks: {net: {path: live/net}}\n",
        "live/net/main.tf": ROOT_BLOCK,
        "live/net/part/main.tf": ROOT_BLOCK,
        "live/web/main.tf": ROOT_BLOCK,
    }
    found = read_files(files)
    assert names(found) == ["live/web terraform live/web", "net terraform live/net"]
    assert found.stack("live/web").policy.timeout_s == 300.0
    off = read_files({**files, "stacks.yaml": files["stacks.yaml"] + "discover: false\n"})
    assert names(off) == ["net terraform live/net"]


def test_a_stack_without_a_tool_takes_it_from_its_files(read_files):
    found = read_files({"stacks.yaml": "version: 1\nstacks: {hello: {path: .}}\n", "main.tf": "", "x/site.yml": ""})
    assert names(found) == ["hello terraform ."]
    assert found.stack("hello").origins["tool"] == "discovered"


def test_a_tool_is_found_where_the_path_follows_the_environment(read_files):
    found = read_files(
        {
            "stacks.yaml": "version: 1\nenvironments: {dev: }\nstacks: {a: {path: 'live/${env.name}', environments: [dev]}}\n",
            "live/dev/x.tofu": "",
        }
    )
    assert names(found) == ["a@dev opentofu live/dev"]


def test_a_stack_whose_files_say_nothing_is_an_error(read_files):
    found = read_files({"stacks.yaml": "version: 1\nstacks:\n  a:\n    path: nowhere\n", "b/main.tf": ""})
    assert found.told == ["stacks.yaml:4:11 HF-1017"]


def test_the_tool_changes_with_the_files_though_no_yaml_does(tree_of):
    layouts = StackFiles()
    files = {"stacks.yaml": "version: 1\nstacks: {a: {path: a}}\n"}
    first = layouts.at(SOURCE, REVISION, tree_of({**files, "a/main.tf": ""}))
    second = layouts.at(SOURCE, REVISION, tree_of({**files, "a/main.tofu": ""}))
    assert [stack.tool for layout in (first, second) for stack in layout.stacks.values()] == ["terraform", "opentofu"]


def test_a_folder_whose_name_is_taken_is_said_aloud(read_files):
    found = read_files(
        {
            "stacks.yaml": "version: 1\nstacks: {web: {path: other, tool: terraform}}\n",
            "web/main.tf": ROOT_BLOCK,
            "other/x.tf": "",
        }
    )
    assert names(found) == ["web terraform other"]
    assert "HF-1051" in [notice.code for notice in found.layout.notices]


def test_files_that_are_not_text_do_not_stop_the_search(read_files):
    assert names(read_files({"a/main.tf": b"\xff\xfe\n" + ROOT_BLOCK.encode()})) == ["a terraform a"]


def test_folders_are_read_once_while_they_stay(tree_of):
    layouts = StackFiles()
    files = {"a/main.tf": "resource\n", "b/main.tf": ROOT_BLOCK}
    layouts.at(SOURCE, REVISION, tree_of(files))
    tree = tree_of({**files, "c/main.tf": ROOT_BLOCK + "# another\n"})
    assert len(layouts.at(SOURCE, REVISION, tree).stacks) == 3
    assert set(tree.reads) == {"c/main.tf"}


@pytest.mark.parametrize(
    ("files", "tool"),
    [
        (["main.tf"], "terraform"),
        (["main.tf.json"], "terraform"),
        (["main.tf", ".opentofu-version"], "opentofu"),
        (["x.tofu", "main.tf"], "opentofu"),
        (["site.yml"], "ansible"),
        (["ansible.cfg"], "ansible"),
        (["Puppetfile"], "puppet"),
        (["Policyfile.rb"], "chef"),
        (["main.bicep"], "arm"),
        (["template.yaml"], "cloudformation"),
        (["README.md", "main.tf.bak"], ""),
        ([], ""),
    ],
)
def test_the_tool_is_known_by_its_marks(files, tool):
    assert tool_of(files) == tool


# --- holdfast init ------------------------------------------------------------------------------


def test_init_writes_a_file_that_reads_as_what_was_found(tree_of, read_files):
    files = {
        "live/net/main.tf": ROOT_BLOCK,
        "live/web/site.yml": "",
        "edge/net/main.tofu": ROOT_BLOCK,
        "main.tf": ROOT_BLOCK,
    }
    text = stacks_text(find(tree_of(files)), project="acme")
    found = read_files({**files, "stacks.yaml": text})
    assert names(found) == [
        "edge/net opentofu edge/net",
        "live/net terraform live/net",
        "root terraform .",
        "web ansible live/web",
    ]
    assert found.layout.project == "acme"


TEMPLATE = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n"


def test_init_finds_stacks_that_only_their_contents_tell(tree_of, read_files):
    files = {
        "main.tf": ROOT_BLOCK,
        "hosts/web/manifests/site.pp": "",
        "hosts/web/manifests/README.md": "",
        "hosts/web/data/common.yaml": "x: 1\n",
        "modules/motd/manifests/site.pp": "",
        "motd/spec/fixtures/manifests/site.pp": "",
        "cloud/dns/zones.yaml": TEMPLATE,
        "cloud/usual/template.yaml": TEMPLATE,
        "cloud/two/a.json": '{\n  "Resources": {"T": {"Type": "AWS::SNS::Topic"}}\n}\n',
        "cloud/two/b.template": "AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n",
        "cloud/whole/main.yml": TEMPLATE
        + "  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: part.yml}}\n",
        "cloud/whole/part.yml": TEMPLATE,
        "kubernetes/thing.yaml": "kind: Thing\nspec:\n  Resources: {Type: AWS::SNS::Topic}\n",
        "live/net/main.tf": ROOT_BLOCK,
        "live/net/files/stack.yaml": TEMPLATE,
        "odd/bytes.yaml": b"\xff\xfe" + TEMPLATE.encode("utf-16-le"),
    }
    text = stacks_text(find(tree_of(files)))
    found = read_files({**files, "stacks.yaml": text})
    told = [
        f"{line} {stack.settings.get('template', '')}".rstrip()
        for line, stack in zip(names(found), found.layout.stacks.values(), strict=True)
    ]
    assert told == [
        "a cloudformation cloud/two a.json",
        "b cloudformation cloud/two b.template",
        "dns cloudformation cloud/dns zones.yaml",
        "net terraform live/net",
        "root terraform .",
        "usual cloudformation cloud/usual",
        "web puppet hosts/web",
        "whole cloudformation cloud/whole main.yml",
    ]


def test_init_of_an_empty_repository_is_a_file_to_go_on_with(tree_of, read_files):
    text = stacks_text(find(tree_of({"README.md": ""})))
    assert read_files({"stacks.yaml": text}).errors == []


def test_init_gives_odd_folders_names_that_can_be_typed(tree_of, read_files):
    files = {"my stack/main.tf": ROOT_BLOCK, "my@stack/main.tf": ROOT_BLOCK, "ü/main.tf": ROOT_BLOCK}
    text = stacks_text(find(tree_of(files)))
    found = read_files({**files, "stacks.yaml": text})
    assert not found.errors
    assert len(found.layout.stacks) == 3
