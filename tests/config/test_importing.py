"""Files of other tools: what maps is mapped, what does not is listed with its place."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from orchestrator.config.importing import import_atlantis, import_digger
from orchestrator.errors import ConfigError

ATLANTIS = """\
version: 3
automerge: true
projects:
  - name: net
    dir: terraform/net
    workspace: prod
    terraform_distribution: opentofu
    terraform_version: v1.10
    autoplan:
      when_modified: ["*.tf", "../modules/**/*.tf", "!../modules/old/*", "../../../etc/*"]
      enabled: true
    apply_requirements: [approved, mergeable]
    execution_order_group: 1
  - name: my web!
    dir: ./terraform/web/
    branch: /main/
    workflow: custom
    depends_on: [net]
    autoplan: {enabled: false}
    execution_order_group: 2
  - dir: lab
    workspace: default
    silence_pr_comments: [apply]
workflows:
  custom: {plan: {steps: [init, plan]}}
"""

DIGGER = """\
auto_merge: false
projects:
  - name: net
    dir: net
    opentofu: true
    include_patterns: ["net/**", "shared/*.json", "../modules/**", "./own/*"]
    exclude_patterns: ["**/*.md"]
  - name: web
    dir: web
    workspace: staging
    aws_role_to_assume: {state: "arn:aws:iam::1:role/x"}
    depends_on: [net, grunt]
  - name: grunt
    dir: grunt
    terragrunt: true
generate_projects:
  include: "live/**"
"""


def listed(found) -> list[str]:
    return [f"{one.where} {one.key}" for one in found.unmapped]


def test_atlantis_projects_become_stacks(read_text):
    found = read_text(import_atlantis(ATLANTIS.encode(), PurePosixPath("atlantis.yaml")).text)
    net, web, lab = (found.stack(name) for name in ("net", "my-web", "lab"))
    assert (net.tool, str(net.path), net.settings, net.tool_version) == (
        "opentofu",
        "terraform/net",
        {"workspace": "prod"},
        "1.10",
    )
    assert net.watch == ("terraform/modules/**/*.tf",)
    assert [key.short for key in web.depends_on] == ["net"]
    assert [key.short for key in net.depends_on] == ["lab"]
    assert lab.settings == {}
    assert not [notice for notice in found.layout.notices if notice.code == "HF-1050"]


def test_every_key_that_atlantis_has_and_we_have_not_is_listed_with_its_place():
    found = import_atlantis(ATLANTIS.encode(), PurePosixPath("atlantis.yaml"))
    assert listed(found) == [
        "atlantis.yaml:2:1 automerge",
        "atlantis.yaml:24:1 workflows",
        "atlantis.yaml:10:53 projects[net].autoplan.when_modified: !../modules/old/*",
        "atlantis.yaml:10:74 projects[net].autoplan.when_modified: ../../../etc/*",
        "atlantis.yaml:12:5 projects[net].apply_requirements: mergeable",
        "atlantis.yaml:16:5 projects[my-web].branch",
        "atlantis.yaml:17:5 projects[my-web].workflow",
        "atlantis.yaml:19:16 projects[my-web].autoplan.enabled",
        "atlantis.yaml:14:5 projects[my-web].name",
        "atlantis.yaml:23:5 projects[lab].silence_pr_comments",
    ]
    assert all(one.hint for one in found.unmapped)


def test_digger_projects_become_stacks(read_text):
    found = read_text(import_digger(DIGGER.encode(), PurePosixPath("digger.yml")).text)
    net, web = found.stack("net"), found.stack("web")
    assert (net.tool, net.watch) == ("opentofu", ("shared/*.json", "modules/**"))
    assert {key.name for key in found.layout.stacks} == {"net", "web"}
    assert (web.settings, [key.short for key in web.depends_on]) == ({"workspace": "staging"}, ["net"])


def test_every_key_that_digger_has_and_we_have_not_is_listed_with_its_place():
    found = import_digger(DIGGER.encode(), PurePosixPath("digger.yml"))
    assert listed(found) == [
        "digger.yml:1:1 auto_merge",
        "digger.yml:16:1 generate_projects",
        "digger.yml:7:5 projects[net].exclude_patterns",
        "digger.yml:11:5 projects[web].aws_role_to_assume",
        "digger.yml:12:5 projects[web].depends_on",
        "digger.yml:13:5 projects[grunt]",
    ]


@pytest.mark.parametrize(
    ("text", "discover"),
    [
        ("version: 3\n", "true"),
        ("version: 3\nprojects: []\n", "false"),
        ("version: 3\nprojects: []\nautodiscover: {mode: enabled}\n", "true"),
        ("version: 3\nautodiscover: {mode: disabled}\n", "false"),
    ],
)
def test_what_atlantis_would_find_by_itself_is_found(text, discover):
    assert f"discover: {discover}\n" in import_atlantis(text.encode(), PurePosixPath("atlantis.yaml")).text


def test_two_projects_of_one_name_are_told_apart(read_text):
    text = "projects: [{name: a, dir: x}, {name: a, dir: y}]\n"
    found = import_atlantis(text.encode(), PurePosixPath("atlantis.yaml"))
    assert sorted(key.short for key in read_text(found.text).layout.stacks) == ["a", "a-2"]
    assert listed(found) == ["atlantis.yaml:1:31 projects[a-2].name"]


@pytest.mark.parametrize(
    "text", ["", "- a\n", "projects: 3\n", "projects: [3]\n", "projects: [\n", "a: &b c\n", "version: 1\nstacks: {}\n"]
)
def test_a_file_that_is_not_one_of_theirs_is_refused(text):
    with pytest.raises(ConfigError):
        import_atlantis(text.encode(), PurePosixPath("atlantis.yaml"))
