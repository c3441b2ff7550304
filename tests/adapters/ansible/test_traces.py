"""Which files of a host a step speaks of, and how the host is asked about them."""

from __future__ import annotations

from typing import Any

import yaml

from adapters.ansible.attributes import files_of
from adapters.ansible.commands import traces_playbook
from adapters.ansible.said import Step

SECRET = "c4n4ry-hunter2"


def step(*, hidden: bool = False, changed: bool = True, **diff: Any) -> Step:
    return Step(
        verdict="ok",
        host="web1",
        name="x",
        place="site.yml:1",
        action="ansible.builtin.copy",
        runs=False,
        hidden=hidden,
        ignored=False,
        result={"changed": changed, "diff": [diff]},
    )


def files(*, hidden: bool = False, changed: bool = True, **diff: Any) -> tuple[str, ...]:
    return files_of(step(hidden=hidden, changed=changed, **diff), frozenset({SECRET}))


def test_a_file_is_named_by_its_attributes_or_by_the_heads_of_its_difference() -> None:
    attributes = {"before": {"path": "/etc/motd", "mode": "0600"}, "after": {"path": "/etc/motd", "mode": "0644"}}
    assert files(**attributes) == ("/etc/motd",)
    rendered = "/root/.ansible/tmp/ansible-tmp-1-2-3/motd.j2"
    assert files(before_header="/etc/motd", after_header=rendered) == ("/etc/motd",)
    assert files(before_header="/etc/hosts (content)", after_header="/etc/hosts (content)") == ("/etc/hosts",)


def test_what_is_hidden_secret_unchanged_or_no_file_is_not_named() -> None:
    path = {"before": {"path": "/etc/motd"}, "after": {"path": "/etc/motd"}}
    assert files(hidden=True, **path) == ()
    assert files(changed=False, **path) == ()
    assert files(before={"path": f"/srv/{SECRET}"}) == ()
    assert files(before_header="motd", after_header="dynamically generated") == ()
    assert files_of(Step(**{**_fields(step()), "result": {"changed": True}}), frozenset()) == ()


def _fields(one: Step) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Step.__slots__}


def test_a_script_reaches_its_host_as_it_is_whatever_a_path_holds() -> None:
    class Loader(yaml.SafeLoader):
        """Knows the tag that keeps a text from being a template."""

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    scripts = {"web1": "stat '/a \"b\" {{ c }}'\n\ttrue\n", "we: b2": "é"}
    plays = yaml.load(traces_playbook(scripts), Loader)  # noqa: S506 -- it derives from the safe one
    assert [play["hosts"] for play in plays] == [["web1"], ["we: b2"]]
    assert [play["tasks"][0]["raw"] for play in plays] == list(scripts.values())
    assert all(play["tasks"][0]["changed_when"] is False for play in plays)
