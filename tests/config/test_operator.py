"""The operator's file: what counts now is a value, what comes later is said aloud, slips are told with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.operator import Operator, Sandbox, StoreKind, VaultPlace
from orchestrator.config.operator_reading import read_operator
from orchestrator.errors import ConfigError
from orchestrator.model.forge import AppLogin
from orchestrator.model.policy import Mode
from orchestrator.model.source import SourceKind, Verify
from orchestrator.model.workers import Limit

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "holdfast.yaml"


@pytest.fixture
def operator_of(tmp_path):
    def read(text: str, **environment: str) -> Operator:
        file = tmp_path / "holdfast.yaml"
        file.write_text(text)
        return read_operator(file, environment)

    return read


@pytest.fixture
def slips_of(operator_of):
    def read(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            operator_of(text)
        found = (caught.value, *caught.value.others)
        return [f"{error.where.split('/')[-1]} {error.code} {error.message}" for error in found]

    return read


def test_the_example_is_read_whole():
    found = read_operator(EXAMPLE, {"CREDENTIALS_DIRECTORY": "/run/credentials/holdfast"})
    assert [(store.kind, store.location) for store in found.stores] == [
        (StoreKind.CREDENTIALS, "/run/credentials/holdfast"),
        (StoreKind.SOPS, str(EXAMPLE)),
        (StoreKind.VAULT, "https://vault.example.org"),
        (StoreKind.AWS_SSM, "/holdfast/"),
    ]
    assert found.stores[1].files == (f"{EXAMPLE.parent}/secrets/*.enc.yaml",)
    assert found.stores[2].vault == VaultPlace(mount="kv", path="holdfast", auth="approle")
    assert found.stores[3].region == "eu-central-1"
    deploy = found.credentials["aws-deploy-prod"]
    assert deploy.environment["AWS_ACCESS_KEY_ID"] == "${secret:aws/prod/id}"
    assert (deploy.passed, deploy.granted_to) == (("HTTPS_PROXY",), ("infra/*@prod",))
    infra, lab = found.sources
    assert (infra.id, infra.kind, infra.ref, infra.verify) == ("infra", SourceKind.GIT, "main", Verify.SIGNED)
    assert (lab.kind, lab.location) == (SourceKind.DIRECTORY, "/srv/lab")
    assert (found.sandbox, found.encryption_secret) == (Sandbox.BWRAP, "data-key")
    assert found.database == "sqlite:////var/lib/holdfast/holdfast.db"
    assert found.teams_of("ana@acme.example") == ("platform",)
    limit = found.ceilings["prod"]
    assert (limit.policy.mode, limit.policy.delete_limit) == (Mode.PROPOSE, 5)
    assert limit.where.endswith("holdfast.yaml:57 (ceiling)")
    assert found.forges["infra"].app == infra.app == AppLogin(id="12345", key_secret="github-app-key")
    assert found.person_at("infra", "Ana-GH") == "ana@acme.example"


def test_what_comes_later_is_named_one_by_one():
    found = read_operator(EXAMPLE, {})
    told = [(notice.code, notice.message.split(":")[0]) for notice in found.notices]
    assert told == [
        ("HF-1050", name)
        for name in (
            "retention",
            "credentials.aws-read-prod.assume_role",
            "the source s3",
            "the source azure_blob",
            "the source oci",
            "auth.oidc",
        )
    ]
    assert all(notice.where.split(":")[1].isdigit() for notice in found.notices)


def test_a_file_that_says_nothing_decides_nothing(operator_of):
    found = operator_of("version: 1\n")
    assert (found.stores, found.credentials, found.ceilings, found.sources, found.notices) == ((), {}, {}, (), ())
    assert found.sandbox is Sandbox.NONE


def test_stores_keep_their_order(operator_of):
    found = operator_of(
        "version: 1\nsecrets:\n  - files: /etc/holdfast/secrets\n  - environment: {prefix: HOLDFAST_SECRET_}\n  - environment:\n"
        "  - credentials: ${NOWHERE}\n"
    )
    assert [(store.kind, store.location) for store in found.stores] == [
        (StoreKind.FILES, "/etc/holdfast/secrets"),
        (StoreKind.ENVIRONMENT, "HOLDFAST_SECRET_"),
        (StoreKind.ENVIRONMENT, ""),
        (StoreKind.CREDENTIALS, ""),
    ]


def test_a_git_source_takes_everything_it_is_given(operator_of):
    found = operator_of(
        "version: 1\nsources:\n  - name: infra\n    git:\n      url: ssh://git@example.org/infra.git\n      tag: v1\n"
        "      allow_rewrite: true\n      auth: {ssh_key: /k, known_hosts: /h, token: '${secret:t}'}\n"
        "      verify: {commits: signed, signers: [/etc/signers]}\n"
    ).sources[0]
    assert (found.ref, found.allow_rewrite, found.ssh_key, found.known_hosts) == ("v1", True, "/k", "/h")
    assert (found.token_secret, found.signers) == ("t", ("/etc/signers",))


@pytest.mark.parametrize(
    ("text", "slips"),
    [
        ("versoin: 1", ['1:1 HF-1006 the key "version" is missing', '1:1 HF-1003 unknown key "versoin"; did you mean "version"?']),
        ("version: 1\nworkers: {sandbox: docker}", ['2:20 HF-1004 workers.sandbox: one of none, bwrap is expected, not "docker"']),
        ("version: 1\ndatabase: postgresql://u:hunter2@db/holdfast", ["2:1 HF-1004 database: a password does not stand in this file"]),
        ("version: 1\nencryption: {key: hunter2}", ["2:14 HF-1004 encryption.key: a secret does not stand in this file"]),
        ("version: 1\nsecrets: [{files: x}]", ['2:12 HF-1004 "x" is no absolute path']),
        ("version: 1\nsecrets: [{}]", ["2:11 HF-1004 secrets[0]: exactly one of credentials, files, environment, sops, vault, aws_ssm is expected, not 0"]),
        ("version: 1\nsources: [{name: a, git: {url: x}, oci: {}}]", ["2:11 HF-1004 sources[0]: exactly one of git, directory, s3, azure_blob, oci is expected, not 2"]),
        ("version: 1\nsources: [{name: a, directory: {path: /x}}, {name: a, directory: {path: /y}}]", ['2:45 HF-1004 two sources go by "a"']),
        ("version: 1\nsources: [{name: a, git: {url: x, tag: t, branch: b}}]", ["2:21 HF-1004 only one of branch, tag and commit may be named"]),
        ("version: 1\nsources: [{name: a/b, directory: {path: /x}}]", ["2:18 HF-1004 sources[0].name: letters, digits, _ and - are allowed, and what begins with a letter, a digit or _"]),
        ("version: 1\ncredentials: {a: {environment: {LD_PRELOAD: x}, stacks: []}}", ["2:33 HF-1004 LD_PRELOAD would take over the tool"]),
        ("version: 1\ncredentials: {a: {pass: [PATH], stacks: []}}", ["2:19 HF-1004 PATH would take over the tool"]),
        ("version: 1\ncredentials: {a: {pass: [TF_CLI_ARGS_plan], stacks: []}}", ["2:19 HF-1004 TF_CLI_ARGS_plan would take over the tool"]),
        ("version: 1\ncredentials: {a: {pass: [HOME]}}", ['2:15 HF-1006 the key "stacks" is missing in credentials.a']),
        ("version: 1\nceilings: {prod: {aply: auto}}", ['2:19 HF-1003 unknown key "aply" in ceilings.prod; did you mean "apply"?']),
    ],
)  # fmt: skip
def test_slips_are_told_with_their_place(slips_of, text, slips):
    assert sorted(slips_of(text)) == sorted(f"holdfast.yaml:{slip}" for slip in slips)


def test_a_slip_never_repeats_a_secret(slips_of):
    assert "hunter2" not in "".join(slips_of("version: 1\nencryption: {key: hunter2}"))


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(ConfigError) as caught:
        read_operator(tmp_path / "none.yaml", {})
    assert caught.value.code == "HF-1020"
    with pytest.raises(ConfigError) as caught:
        read_operator(tmp_path, {})
    assert caught.value.code == "HF-1020"


def test_a_member_of_a_team_is_one_word(slips_of):
    (slip,) = slips_of('version: 1\nteams:\n  platform: ["ana, bob@acme.example"]\n')
    assert slip.startswith("holdfast.yaml:3:")
    assert "HF-1004" in slip


def test_only_the_operator_says_who_is_in_a_team(operator_of):
    found = operator_of("version: 1\nteams: {platform: [ana@acme.example], web: [ana@acme.example, bob], none: []}\n")
    assert found.teams_of("ana@acme.example") == ("platform", "web")
    assert found.teams_of("bob") == ("web",)
    assert found.teams_of("eve@acme.example") == ()


def test_the_service_is_told_where_to_live_what_to_answer_at_and_how_much_to_do(operator_of):
    found = operator_of(
        "version: 1\nhome: /var/lib/holdfast\nlisten: '[::1]:9000'\nexternal_url: https://holdfast.example.org/\n"
        "workers:\n  count: 8\n  grace: 5m\n  limits:\n    - {stacks: 'infra/*@prod', at_once: 2, drift_at_once: 1}\n"
        "sources:\n  - {name: lab, directory: {path: /srv/lab, watch: false, every: 10s}}\n"
    )
    assert (str(found.home), found.listen, found.external_url) == (
        "/var/lib/holdfast",
        "[::1]:9000",
        "https://holdfast.example.org",
    )
    assert (found.workers.count, found.workers.grace_s) == (8, 300.0)
    assert found.workers.limits == (Limit(stacks="infra/*@prod", at_once=2, drift_at_once=1),)
    assert (found.sources[0].every_s, found.sources[0].announced) == (10.0, False)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("listen: 8080", "address and port"),
        ("listen: 'host:99999'", "address and port"),
        ("home: var/lib", "absolute"),
        ("external_url: ftp://x", "no URL"),
        ("external_url: https://user:word@x", "no URL"),
        ("workers: {count: 0}", "count"),
        ("workers: {limits: [{stacks: a, at_once: 0}]}", "at_once"),
        ("workers: {limits: [{at_once: 1}]}", "stacks"),
        ("sources: [{name: a, git: {url: 'https://h/r', every: 1s}}]", "5s"),
    ],
)
def test_a_setting_of_the_service_that_cannot_be_is_refused(operator_of, text, word):
    with pytest.raises(ConfigError) as caught:
        operator_of(f"version: 1\n{text}\n")
    assert word in str(caught.value.message) + caught.value.hint


def test_what_lets_holdfast_into_a_store_is_nobodys_input(operator_of):
    found = operator_of(
        "version: 1\nsecrets:\n"
        "  - vault: {address: 'https://v.example', path: kv/team/holdfast, auth: approle, role_id: r,"
        ' secret_id: "${secret:vault/id}", ca: /etc/ca.pem, namespace: ops}\n'
        "    stacks: [infra/*]\n    pull_requests: true\n"
    )
    assert found.reserved_secrets() == {"vault/id"}
    (store,) = found.stores
    assert (store.vault.mount, store.vault.path, store.vault.ca) == ("kv", "team/holdfast", "/etc/ca.pem")
    assert (store.granted_to, store.pull_requests) == (("infra/*",), True)


def test_sops_files_may_be_several_and_lie_anywhere(operator_of, tmp_path):
    found = operator_of("version: 1\nsecrets:\n  - sops: {files: [/srv/*.enc.json, ../up.enc.yaml]}\n")
    assert found.stores[0].files == ("/srv/*.enc.json", f"{tmp_path.parent}/up.enc.yaml")


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("vault: {address: 'http://vault.example', path: kv/x}", "a token would go over the network in clear"),
        ("vault: {address: 'https://v.example', path: kv/x, token: s.abc}", "a secret does not stand in this file"),
        ("vault: {address: 'https://v.example', path: kv/x, auth: approle, secret_id: abc}", "a secret does not stand"),
        ("vault: {address: 'https://v.example', path: kv}", "path"),
        ("vault: {address: 'https://v.example', path: kv/x, ca: ca.pem}", "is no absolute path"),
        ("vault: {address: 'ftp://v.example', path: kv/x}", "address"),
        ("vault: {path: kv/x}", "address"),
        ("vault: {address: 'https://v.example', path: kv/x, auth: ldap}", "auth"),
        ("sops: {files: []}", "no files are named"),
        ("sops: {}", "files"),
        ("aws_ssm: {prefix: holdfast}", "prefix"),
        ("aws_ssm: {prefix: /holdfast/, regoin: x}", "regoin"),
    ],
)
def test_a_slip_in_a_store_is_told_with_its_place(slips_of, store: str, said: str):
    slips = slips_of(f"version: 1\nsecrets:\n  - {store}\n")
    assert any(said in one and one.startswith("holdfast.yaml:3:") for one in slips), slips


def test_vault_may_be_spoken_to_in_clear_on_this_host_alone(operator_of):
    found = operator_of("version: 1\nsecrets:\n  - vault: {address: 'http://127.0.0.1:8200', path: kv/x}\n")
    assert found.stores[0].vault.auth == "token"
