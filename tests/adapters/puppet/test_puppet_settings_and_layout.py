"""What a stack's keys mean to Puppet, and which files it reads, found without running it."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from adapters.conformance import MemoryTree
from adapters.contract import Input, InvalidSettings, Json
from adapters.puppet import commands, hiera
from adapters.puppet.layout import layout, outside
from adapters.puppet.settings import read


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"manifset": "x"}, 'did you mean "manifest"?'),
        ({"manifest": 3}, "manifest must be a text"),
        ({"manifest": "../../../etc"}, "leaves the repository"),
        ({"manifest": "/etc/puppet"}, "leaves the repository"),
        ({"modulepath": [1]}, "modulepath must be a list"),
        ({"modulepath": {"a": 1}}, "modulepath must be a list"),
        ({"modulepath": ["../../.."]}, "leaves the repository"),
        ({"modulepath": ["modules:/etc"]}, "holds a colon"),
        ({"puppet_environment": "../x"}, "is no name of an environment"),
        ({"puppet_environment": "main"}, "is no name of an environment"),
        ({"certname": "web one"}, "will not do"),
        ({"certname": "--confdir"}, "will not do"),
        ({"tool_version": "7.x"}, "tool_version: "),
        ({"facts": ["kernel"]}, "facts must name facts"),
        ({"facts": {"x": "--trace"}}, "is no name of a fact"),
        ({"facts": {"x": 1}}, "is no name of a fact"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings: dict[str, Json], words: str) -> None:
    with pytest.raises(InvalidSettings) as error:
        read({"path": "stacks/web", **settings})
    assert words in f"{error.value.message} {error.value.hint}"
    assert error.value.hint or "must be a text" in error.value.message


@pytest.mark.parametrize(
    ("name", "wanted"), [("default", "default"), ("Prod-EU", "prod_eu"), ("main", "main_"), ("agent", "agent_")]
)
def test_an_environment_gets_a_name_that_puppet_takes(name: str, wanted: str) -> None:
    assert read({"path": "x"}).environment_of(name) == wanted
    assert read({"path": "x", "puppet_environment": "live"}).environment_of(name) == "live"


def tree(**files: str) -> MemoryTree:
    return MemoryTree(held={PurePosixPath(name): text.encode() for name, text in files.items()})


def reads(files: dict[str, str], **settings: Json) -> list[str]:
    return sorted(str(path) for path in outside(tree(**files), read({"path": "stacks/web", **settings})))


def test_what_a_stack_reads_outside_its_folder_is_found() -> None:
    site = {"stacks/web/manifests/site.pp": ""}
    assert reads(site) == []
    assert reads(site, modulepath=["modules", "../../shared", "$basemodulepath"]) == ["shared"]
    assert reads(site, manifest="../../site.pp") == ["site.pp"]
    conf = {**site, "stacks/web/environment.conf": "# ours\nmodulepath = site:../../shared:$basemodulepath # two\n"}
    assert reads(conf) == ["shared"]
    data = "version: 5\ndefaults: {datadir: ../../data}\nhierarchy:\n- {name: n, datadir: '../../nodes/%{fqdn}', path: x}\n"
    assert reads({**site, "stacks/web/hiera.yaml": data}) == ["data", "nodes"]
    assert reads({**site, "hiera/h.yaml": "version: 5\n"}, hiera_config="../../hiera/h.yaml") == [
        "hiera/data",
        "hiera/h.yaml",
    ]


def test_of_environment_folders_each_is_read() -> None:
    files = {
        "environments/dev/environment.conf": "modulepath = ../../dev-modules\n",
        "environments/prod/environment.conf": "modulepath = ../../modules\n",
        "environments/README": "",
    }
    everything = ["dev-modules", "environments/dev", "environments/dev/manifests"]
    everything += ["environments/prod", "environments/prod/manifests", "modules"]
    assert reads(files, environmentpath="../../environments") == everything
    only = reads(files, environmentpath="../../environments", puppet_environment="prod")
    assert only == ["environments/prod", "environments/prod/manifests", "modules"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 3\n", "only version 5"),
        (":backends: [yaml]\n", "only version 5"),
        ("- a\n", "only version 5"),
        ("version: 5\nhierarchy: [\n", "hiera.yaml:3: this is no YAML"),
        ("version: 5\nhierarchy: [{datadir: ../../../etc}]\n", "leaves the repository"),
    ],
)
def test_a_hierarchy_that_cannot_be_used_is_refused_with_its_file(text: str, words: str) -> None:
    with pytest.raises(InvalidSettings) as error:
        reads({"stacks/web/hiera.yaml": text})
    assert words in error.value.message
    assert "stacks/web/hiera.yaml" in error.value.message


def test_a_hierarchy_that_is_named_must_be_there() -> None:
    with pytest.raises(InvalidSettings, match=r"there is no stacks/web/h\.yaml"):
        reads({}, hiera_config="h.yaml")


def test_the_manifest_is_found_as_puppet_finds_it() -> None:
    settings = read({"path": "s"})
    folder = PurePosixPath("s")
    assert str(layout(tree(**{"s/site.pp": ""}), settings, folder).manifest) == "s/site.pp"
    both = tree(**{"s/site.pp": "", "s/manifests/a.pp": ""})
    assert str(layout(both, settings, folder).manifest) == "s/manifests"
    said = tree(**{"s/site.pp": "", "s/environment.conf": "manifest = nodes\n"})
    assert str(layout(said, settings, folder).manifest) == "s/nodes"


def test_inputs_reach_hiera_as_they_are_and_secrets_as_sensitive() -> None:
    written = json.loads(
        hiera.inputs({"a": Input(value=["50%{x}", {"k": "%{y}"}, 1]), "pw": Input(value="s", sensitive=True)})
    )
    assert written["a"] == ["50%{literal('%')}{x}", {"k": "%{literal('%')}{y}"}, 1]
    assert written["lookup_options"] == {"pw": {"convert_to": "Sensitive"}}


def test_the_repositorys_hierarchy_keeps_its_meaning_at_another_place() -> None:
    text = "version: 5\nhierarchy:\n- {name: a, path: a.yaml}\n- {name: b, datadir: ../x, glob: '*.yaml'}\n"
    found = layout(tree(**{"s/hiera.yaml": text}), read({"path": "s"}), PurePosixPath("s")).hierarchy
    assert found is not None
    written = json.loads(hiera.environment_layer(found, Path("/r")))
    assert written["defaults"] == {"data_hash": "yaml_data", "datadir": "/r/s/data"}
    assert [level.get("datadir") for level in written["hierarchy"]] == [None, "/r/s/../x"]


def test_commands_say_all_that_they_do() -> None:
    place = commands.Place(
        own=Path("/own"),
        folder=Path("/s"),
        environment="prod",
        manifest=Path("/s/manifests"),
        modulepath=("/s/modules", "$basemodulepath"),
        certname="web1",
    )
    shared = ("puppet", "apply", "--confdir", "/own", "--modulepath", "/s/modules:$basemodulepath")
    look = commands.look(place)
    assert look.argv == (*shared, "--noop", "--catalog_cache_terminus", "json", "/s/manifests")
    assert not look.mutates
    apply = commands.apply(place)
    assert apply.argv == (*shared, "--detailed-exitcodes", "/s/manifests")
    assert apply.mutates
    assert apply.exclusive
    folders = [line.split(" = ")[1] for line in commands.configuration(place).splitlines() if " = /" in line]
    assert folders
    assert all(folder.startswith("/own/") for folder in folders)
    # Exit codes do not tell of drift: the report does, and it is looked for where Puppet was told to write it.
    assert f"lastrunreport = {place.report}\n" in commands.configuration(place)
    assert f"statedir = {place.state_file.parent}\n" in commands.configuration(place)
    # Root without the power to give files away could not even begin.
    assert "manage_internal_file_permissions = false\n" in commands.configuration(place)
