"""What hooks say is read without ever breaking, and compared with the source that was configured."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signed import PUSHES, mac, sent, standard

from orchestrator.config.operator import HookKind
from orchestrator.model.source import Source, SourceKind
from orchestrator.web.hooking.concern import concerns
from orchestrator.web.hooking.providers import PROVIDERS
from orchestrator.web.hooking.words import Knock, Malformed, Other, Ping, Push, Talk

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = ("x-github-event", "x-gitlab-event", "x-gitea-event", "x-event-key")
EVENTS = ("push", "ping", "Push Hook", "repo:push", "repo:refs_changed", "diagnostics:ping", "")
WORDS = ("ref", "repository", "full_name", "project", "push", "changes", "new", "old", "type", "name", "id", "object_kind", "key", "slug", "default_branch")  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["refs/heads/main", "branch", "push", "tag_push"])  # fmt: skip
BODIES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(WORDS), inner))


def knock(kind: str, body: dict[str, Any], event: str = "") -> Knock:
    raw, headers = sent(kind, body, event)
    return Knock(headers=headers, body=raw, at=time.time())


def source(location: str = "https://forge.example/acme/infra.git", ref: str = "main") -> Source:
    return Source(id="infra", kind=SourceKind.GIT, location=location, ref=ref)


@pytest.fixture(scope="session")
def examples() -> list[dict[str, Any]]:
    """GitHub's own examples of what its hooks say, fetched once."""
    fetched = subprocess.run(
        [REPOSITORY / "scripts/fetch-webhooks"], capture_output=True, text=True, timeout=300, check=False
    )
    if fetched.returncode:
        pytest.skip(f"no examples: {fetched.stderr.strip()}")
    found: list[dict[str, Any]] = json.loads((REPOSITORY / ".tools/github-webhooks.json").read_text())
    return found


def test_github_s_own_examples_are_understood(examples: list[dict[str, Any]]) -> None:
    github = PROVIDERS[HookKind.GITHUB]
    said = {
        (event["name"], type(github.read(knock("github", example, event["name"]))))
        for event in examples
        for example in event["examples"]
    }
    assert {(name, kind) for name, kind in said if name in {"ping", "push"}} == {("ping", Ping), ("push", Push)}
    talk = {"pull_request", "pull_request_review", "issue_comment", "check_run", "check_suite", "merge_group"}
    assert {name for name, kind in said if kind is Talk} == talk & {event["name"] for event in examples}
    assert {kind for name, kind in said if name not in {"ping", "push", *talk}} == {Other}
    assert len(said) > 50
    pushes = [one for event in examples if event["name"] == "push" for one in event["examples"]]
    for body in pushes:
        push = github.read(knock("github", body))
        assert isinstance(push, Push)
        assert (push.refs, push.repository) == ((body["ref"],), body["repository"]["full_name"])
        ref = body["ref"]
        where = f"git@github.com:{body['repository']['full_name']}.git"
        assert concerns(push, source(where, ref))
        assert not concerns(push, source(where, "another"))
        assert not concerns(push, source("https://github.com/octo/other", ref))


def test_gitlab_tells_of_pushes_and_tags_as_its_documentation_shows() -> None:
    tag = {"object_kind": "tag_push", "ref": "refs/tags/v1", "project": {"path_with_namespace": "a/b/c"}}
    push = PROVIDERS[HookKind.GITLAB].read(knock("gitlab", tag, "Tag Push Hook"))
    assert push == Push(refs=("refs/tags/v1",), repository="a/b/c")
    system = {"event_name": "push", "ref": "refs/heads/main", "project": {}}
    assert isinstance(PROVIDERS[HookKind.GITLAB].read(knock("gitlab", system, "System Hook")), Push)


def test_forgejo_s_own_header_goes_before_gitea_s() -> None:
    body, headers = sent("gitea")
    gitea = PROVIDERS[HookKind.GITEA]
    plain = {n: v for n, v in headers.items() if not n.startswith("x-gitea")}
    good = {"x-forgejo-signature": mac(body, "s"), "x-forgejo-event": "push"}
    assert gitea.signed(Knock(headers={**plain, **good}, body=body, at=0), ["s"])
    assert isinstance(gitea.read(Knock(headers={**plain, **good}, body=body, at=0)), Push)
    bad = {"x-forgejo-signature": "0" * 64, "x-gitea-signature": mac(body, "s")}
    assert not gitea.signed(Knock(headers=bad, body=body, at=0), ["s"])


def test_bitbucket_tells_of_every_ref_of_a_push_in_the_cloud_and_in_the_house() -> None:
    bitbucket = PROVIDERS[HookKind.BITBUCKET]
    changes = [
        {"old": {"type": "branch", "name": "gone"}, "new": None},
        {"old": None, "new": {"type": "tag", "name": "v1"}},
    ]
    cloud = bitbucket.read(knock("bitbucket", {"push": {"changes": changes}, "repository": {"full_name": "a/b"}}))
    assert cloud == Push(refs=("refs/heads/gone", "refs/tags/v1"), repository="a/b")
    body = {
        "changes": [{"ref": {"id": "refs/heads/master", "displayId": "master", "type": "BRANCH"}, "type": "UPDATE"}],
        "repository": {"slug": "infra", "project": {"key": "ACME"}},
    }
    house = bitbucket.read(knock("bitbucket", body, "repo:refs_changed"))
    assert house == Push(refs=("refs/heads/master",), repository="ACME/infra")
    assert concerns(house, source("https://bitbucket.example/scm/acme/infra.git", "master"))


@pytest.mark.parametrize(
    ("location", "ref", "yes"),
    [
        ("https://forge.example/acme/infra.git", "main", True),
        ("https://forge.example/acme/infra", "refs/heads/main", True),
        ("https://FORGE.example/ACME/Infra.git/", "main", True),
        ("ssh://git@forge.example:2222/acme/infra.git", "main", True),
        ("git@forge.example:acme/infra.git", "main", True),
        ("https://forge.example/git/acme/infra", "", True),
        ("/srv/git/infra.git", "main", True),
        ("https://forge.example/acme/infra.git", "release", False),
        ("https://forge.example/acme/infra.git", "refs/tags/main", False),
        ("https://forge.example/acme/infra.git", "0" * 40, False),
        ("https://forge.example/acme/other.git", "main", False),
        ("https://forge.example/evilacme/infra.git", "main", False),
    ],
)
def test_a_push_concerns_the_source_that_follows_its_ref(location: str, ref: str, yes: bool) -> None:
    push = Push(refs=("refs/heads/main",), repository="acme/infra", default_branch="main")
    assert concerns(push, source(location, ref)) is yes


def test_what_nobody_can_tell_is_looked_at() -> None:
    assert concerns(Push(), source())
    assert concerns(Push(refs=("refs/heads/x",)), source(ref=""))
    assert not concerns(Push(refs=("refs/heads/x",), default_branch="main"), source(ref=""))


@given(st.sampled_from(HookKind), BODIES, st.sampled_from(EVENTS))
def test_no_body_breaks_a_reader(kind: HookKind, body: Any, event: str) -> None:
    headers = dict.fromkeys(NAMES, event)
    said = Knock(headers=headers, body=json.dumps(body).encode(), at=0)
    try:
        found = PROVIDERS[kind].read(said)
    except Malformed:
        return
    if isinstance(found, Push):
        concerns(found, source())


@given(st.sampled_from(HookKind), st.binary(), st.dictionaries(st.sampled_from([*NAMES, "webhook-id"]), st.text()))
def test_no_bytes_break_a_reader(kind: HookKind, body: bytes, headers: dict[str, str]) -> None:
    said = Knock(headers=headers, body=body, at=0)
    PROVIDERS[kind].delivery(said)
    try:
        PROVIDERS[kind].read(said)
    except Malformed:
        return


SIGNATURES = ("x-hub-signature-256", "x-hub-signature", "x-gitea-signature", "x-forgejo-signature", "x-gitlab-token", "webhook-id", "webhook-timestamp", "webhook-signature")  # fmt: skip


@given(st.sampled_from(HookKind), st.binary(), st.dictionaries(st.sampled_from(SIGNATURES), st.text()))
def test_nobody_guesses_a_signature(kind: HookKind, body: bytes, headers: dict[str, str]) -> None:
    said = Knock(headers=headers, body=body, at=0)
    assert not PROVIDERS[kind].signed(said, ["a secret that nobody guesses"])
    assert not PROVIDERS[kind].signed(said, [])
    assert not PROVIDERS[kind].signed(said, [""])


def test_the_example_of_standard_webhooks_itself_is_accepted() -> None:
    """The values are those that its libraries are tested with."""
    body, secret = b'{"test": 2432232314}', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    generic = PROVIDERS[HookKind.GENERIC]
    assert generic.signed(Knock(headers=headers, body=body, at=1614265330.0), [secret])
    assert not generic.signed(Knock(headers=headers, body=body, at=1614265931.0), [secret])
    several = {**headers, "webhook-signature": f"v1a,x v1,AAAA {headers['webhook-signature']}"}
    assert generic.signed(Knock(headers=several, body=body, at=1614265330.0), [secret])
    assert not generic.signed(Knock(headers=headers, body=body, at=1614265330.0), ["whsec_!"])


def test_every_kind_reads_the_push_that_it_sends() -> None:
    for kind in HookKind:
        found = PROVIDERS[kind].read(knock(kind.value, PUSHES[kind.value]))
        assert isinstance(found, Push)
        assert found.refs == ("refs/heads/main",)
        assert not PROVIDERS[kind].signed(
            Knock(headers=standard(b"", "x"), body=b"", at=time.time()), ["another secret"]
        )


def test_a_button_that_was_pressed_is_read_with_who_is_said_to_have_pressed_it() -> None:
    github = PROVIDERS[HookKind.GITHUB]
    body = {
        "action": "requested_action",
        "requested_action": {"identifier": "replan"},
        "check_run": {"head_sha": "a" * 40},
        "repository": {"full_name": "acme/infra"},
        "sender": {"login": "ana-gh"},
    }
    said = github.read(knock("github", body, "check_run"))
    assert said == Talk(repository="acme/infra", button="replan", head="a" * 40, login="ana-gh")
    for broken in ({"check_run": {"head_sha": "../../x"}}, {"sender": {}}, {"requested_action": {"identifier": 7}}):
        assert github.read(knock("github", body | broken, "check_run")) == Talk(repository="acme/infra")
