"""What the operator's file says about the door: roles, hooks, proxies."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.operator import Hook, HookKind, Operator
from orchestrator.config.operator_reading import read_operator
from orchestrator.errors import ConfigError
from orchestrator.rules.rights import Right, Role

SOURCE = "sources: [{name: lab, directory: {path: /srv/lab}, hook: %s}]\n"


def operator(tmp_path: Path, text: str) -> Operator:
    file = tmp_path / "holdfast.yaml"
    file.write_text(f"version: 1\n{text}")
    return read_operator(file, {})


def slip(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        operator(tmp_path, text)
    return f"{caught.value.code} {caught.value.message}"


def test_hooks_name_their_secrets_and_stacks_may_not_read_them(tmp_path: Path) -> None:
    found = operator(tmp_path, SOURCE % '{kind: github, secret: ["${secret:new}", "${secret:old}"]}')
    assert found.hooks == {"lab": Hook(kind=HookKind.GITHUB, secrets=("new", "old"))}
    assert {"new", "old"} <= found.reserved_secrets()
    one = operator(tmp_path, SOURCE % '{kind: generic, secret: "${secret:one}"}')
    assert one.hooks["lab"].secrets == ("one",)


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("{kind: github}", 'HF-1006 the key "secret" is missing in sources[0].hook'),
        ("{kind: svn, secret: '${secret:x}'}", "HF-1004"),
        ("{kind: github, secret: hunter2}", "HF-1004 hook.secret: a secret does not stand in this file"),
        ("{kind: github, secret: ['${secret:x}', hunter2]}", "HF-1004 hook.secret: a secret does not stand"),
        ("{kind: github, secret: []}", "HF-1004 hook.secret: without a secret"),
        ("{kind: github, secret: ''}", "HF-1004 hook.secret"),
        ("{kind: github, secret: '${secret:x}', path: /}", "HF-1003"),
    ],
)
def test_a_hook_without_a_secret_is_refused(tmp_path: Path, hook: str, said: str) -> None:
    text = slip(tmp_path, SOURCE % hook)
    assert said in text
    assert "hunter2" not in text


def test_roles_say_what_they_can_and_where(tmp_path: Path) -> None:
    found = operator(tmp_path, "auth: {roles: {ops: {can: [view, apply]}, web: {can: [view], stacks: ['web@*']}}}\n")
    assert found.roles == {
        "ops": Role(name="ops", rights=frozenset({Right.VIEW, Right.APPLY})),
        "web": Role(name="web", rights=frozenset({Right.VIEW}), stacks=("web@*",)),
    }
    assert found.notices == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("auth: {roles: {admin: {can: [view]}}}", "the role admin is built in"),
        ("auth: {roles: {a: {can: [destroy]}}}", "HF-1004"),
        ("auth: {roles: {a: {}}}", "HF-1006"),
        ("auth: {users: {}}", "HF-1003"),
        ("auth: {roles: {a: {group: wbe, can: [view]}}}", 'HF-1004 auth.roles.a.group: no team "wbe"'),
        ("metrics: closed", "HF-1004"),
        ("trusted_proxies: [proxy.example.org]", "is no address"),
    ],
)
def test_slips_about_the_door_are_told(tmp_path: Path, text: str, said: str) -> None:
    assert said in slip(tmp_path, text)


def test_what_needs_a_login_elsewhere_is_said_to_come_later(tmp_path: Path) -> None:
    assert [notice.code for notice in operator(tmp_path, "auth: {oidc: {issuer: x}}").notices] == ["HF-1050"]


def test_the_group_of_a_role_is_a_team_of_the_file_or_everybody(tmp_path: Path) -> None:
    teams = "teams: {web: [ana@acme.example]}\nauth: {roles: {a: {group: %s, can: [view]}}}"
    assert operator(tmp_path, teams % "web").roles["a"].group == "web"
    assert operator(tmp_path, teams % '"*"').roles["a"].group == "*"


def test_metrics_ask_for_a_token_unless_they_are_open(tmp_path: Path) -> None:
    assert not operator(tmp_path, "").metrics_open
    assert operator(tmp_path, "metrics: open\ntrusted_proxies: [10.0.0.0/8]").metrics_open
