"""Each layer overrides the one below, the operator's ceiling tightens the whole, and every value knows its origin."""

from __future__ import annotations

import pytest

from orchestrator.config.layers import ceiling
from orchestrator.config.load import Given
from orchestrator.config.operator import Ceiling, Operator
from orchestrator.model.policy import Approvals, DriftAnswer, DriftPolicy, Group, Mode, Policy
from orchestrator.model.stack import CredentialNames
from orchestrator.rules.narrow import UNLIMITED

LAYERED = """\
version: 1
environments:
  dev: {apply: auto, timeout: 20m}
  prod:
    apply: approve
    approvals: {required: 2, from: [team:ops, team:all], allow_author: false}
    promote_from: dev
    tier: production
    credentials: {plan: "read-${env.name}"}
defaults:
  timeout: 10m
  retries: 5
  drift: {every: 2h, answer: propose}
stacks:
  net:
    path: net
    tool: terraform
    environments: [dev, prod]
    workspace: ${env.name}
    retries: 1
    inputs: {region: eu, size: 1}
    backend_config: {bucket: b, key: "${stack.name}/${env.name}"}
    credentials: {apply: deploy}
    override:
      prod:
        timeout: 60m
        drift: {every: 15m}
        inputs: {size: 9}
        credentials: {plan: other}
"""


def test_the_nearest_layer_wins_and_says_so(read_text):
    found = read_text(LAYERED)
    dev, prod = found.stack("net@dev"), found.stack("net@prod")
    assert (dev.policy.timeout_s, dev.origins["timeout"]) == (1200.0, "stacks.yaml:3")
    assert (prod.policy.timeout_s, prod.origins["timeout"]) == (3600.0, "stacks.yaml:26")
    assert (prod.policy.retries, prod.origins["retries"]) == (1, "stacks.yaml:20")
    assert prod.policy.drift == DriftPolicy(every_s=900.0, answer=DriftAnswer.PROPOSE)
    assert (prod.origins["drift.every"], prod.origins["drift.answer"]) == ("stacks.yaml:27", "stacks.yaml:13")


def test_mappings_are_laid_over_key_by_key(read_text):
    found = read_text(LAYERED)
    assert found.stack("net@dev").inputs == {"region": "eu", "size": 1}
    assert found.stack("net@prod").inputs == {"region": "eu", "size": 9}
    assert found.stack("net@prod").origins["inputs.size"] == "stacks.yaml:28"
    assert found.stack("net@prod").credentials == CredentialNames(plan="other", apply="deploy")
    assert found.stack("net@prod").settings["backend_config"] == {"bucket": "b", "key": "net/prod"}


def test_lists_are_replaced_as_a_whole(read_text):
    found = read_text(
        "version: 1\nstacks:\n  a:\n    path: a\n    tool: terraform\n    owners: [team:a, team:b]\n    var_files: [x, y]\n"
        "    override: {default: {owners: [team:c], var_files: [z]}}\n"
    )
    assert (found.stack("a").owners, found.stack("a").settings["var_files"]) == (("team:c",), ["z"])


def test_backend_files_give_way_to_backend_values_and_back(read_text):
    head = "version: 1\nstacks:\n  a:\n    path: a\n    tool: terraform\n"
    files = head + "    backend_config: [x.tfbackend]\n    override: {default: {backend_config: {bucket: b}}}\n"
    values = head + "    backend_config: {bucket: b}\n    override: {default: {backend_config: [x.tfbackend]}}\n"
    assert read_text(files).stack("a").settings["backend_config"] == {"bucket": "b"}
    assert read_text(values).stack("a").settings["backend_config"] == ["x.tfbackend"]


def test_environments_keep_their_order_and_what_they_say(read_text):
    found = read_text(LAYERED)
    assert found.layout.environments == ("dev", "prod")
    assert (found.stack("net@prod").tier, found.stack("net@prod").promote_from) == ("production", "dev")
    assert found.stack("net@dev").tier == ""


@pytest.mark.parametrize(
    ("text", "mode", "approvals"),
    [
        ("", Mode.PROPOSE, Approvals()),
        ("apply: manual", Mode.PROPOSE, Approvals()),
        ("apply: approve", Mode.PROPOSE, Approvals(required=1)),
        ("apply: approve\n    approvals: {required: 0}", Mode.PROPOSE, Approvals(required=1)),
        ("apply: approve\n    approvals: {required: 2, from: [user:b, user:a]}", Mode.PROPOSE, Approvals(required=2, eligible=("user:a", "user:b"))),
        ("apply: approve\n    approvals: {groups: [{from: [team:b, team:a]}]}", Mode.PROPOSE, Approvals(required=0, groups=(Group(of=("team:a", "team:b")),))),
        ("apply: approve\n    approvals: {required: 1, groups: [{from: [team:a], at_least: 2}], valid_for: 1d}", Mode.PROPOSE, Approvals(required=1, groups=(Group(of=("team:a",), at_least=2),), valid_s=86400.0)),
        ("apply: auto\n    approvals: {from: [team:a], allow_author: false, groups: [{from: [team:b]}]}", Mode.AUTO, Approvals(required=0, eligible=("team:a",), allow_author=False)),
        ("apply: auto", Mode.AUTO, Approvals(required=0)),
        ("apply: auto\n    approvals: {required: 3}", Mode.AUTO, Approvals(required=0)),
    ],
)  # fmt: skip
def test_apply_says_how_far_the_loop_goes_by_itself(read_text, text, mode, approvals):
    found = read_text(f"version: 1\nstacks:\n  a:\n    path: a\n    tool: terraform\n    {text}\n")
    assert (found.stack("a").policy.mode, found.stack("a").policy.approvals) == (mode, approvals)


def test_a_stack_that_says_nothing_has_the_defaults(read_text):
    found = read_text("version: 1\nstacks: {a: {path: a, tool: terraform}}\n")
    assert found.stack("a").policy == Policy()
    assert found.stack("a").origins == {"path": "stacks.yaml:2:14", "tool": "stacks.yaml:2:23"}


def limits(**fields: object) -> Operator:
    return Operator(ceilings={"prod": Ceiling(policy=Policy(**fields), where="holdfast.yaml:3 (ceiling)")})


def test_a_ceiling_tightens_its_environment_and_signs_what_it_changed(read_text):
    strict = {
        **{name: getattr(UNLIMITED, name) for name in ("drift", "retries", "plan_ttl_s")},
        "mode": Mode.PROPOSE,
        "approvals": Approvals(required=1),
        "delete_limit": 5,
        "timeout_s": 60.0,
    }
    auto = LAYERED.replace("    apply: approve\n", "    apply: auto\n")
    found = read_text(auto, operator=limits(**strict))
    prod, dev = found.stack("net@prod"), found.stack("net@dev")
    assert (prod.policy.mode, prod.policy.approvals.required, prod.policy.delete_limit) == (Mode.PROPOSE, 1, 5)
    assert prod.policy.timeout_s == 60.0
    signed = {name for name, origin in prod.origins.items() if origin == "holdfast.yaml:3 (ceiling)"}
    assert signed == {"apply", "approvals.required", "delete_limit", "timeout"}
    assert dev.policy.mode is Mode.AUTO


def test_a_ceiling_that_says_nothing_changes_nothing(read_text):
    operator = Operator(ceilings={"*": Ceiling(policy=ceiling({}), where="holdfast.yaml:3 (ceiling)")})
    assert read_text(LAYERED, operator=operator).layout.stacks == read_text(LAYERED).layout.stacks


def test_a_repository_cannot_loosen_a_ceiling(read_text):
    text = (
        "version: 1\nenvironments: {prod: {apply: auto, delete_limit: 100}}\nstacks:\n"
        "  a: {path: a, tool: terraform, environments: [prod], apply: auto, override: {prod: {apply: auto, retries: 9}}}\n"
    )
    found = read_text(text, operator=limits(mode=Mode.PROPOSE, delete_limit=5, retries=1))
    policy = found.stack("a@prod").policy
    assert (policy.mode, policy.delete_limit, policy.retries, policy.approvals.required) == (Mode.PROPOSE, 5, 1, 1)


def test_a_flag_overrides_every_file_and_is_named_as_origin(read_text):
    given = (
        Given(setting="timeout", value="5m", origin="flag --timeout"),
        Given(setting="drift.answer", value="repair", origin="HOLDFAST_DRIFT_ANSWER"),
        Given(setting="retries", value="7", origin="HOLDFAST_RETRIES"),
    )
    prod = read_text(LAYERED, given=given).stack("net@prod")
    assert (prod.policy.timeout_s, prod.policy.drift.answer, prod.policy.retries) == (300.0, DriftAnswer.REPAIR, 7)
    assert prod.policy.drift.every_s == 900.0
    assert (prod.origins["timeout"], prod.origins["retries"]) == ("flag --timeout", "HOLDFAST_RETRIES")


def test_a_flag_cannot_loosen_a_ceiling(read_text):
    given = (Given(setting="timeout", value="5h", origin="flag --timeout"),)
    prod = read_text(LAYERED, given=given, operator=limits(timeout_s=60.0)).stack("net@prod")
    assert (prod.policy.timeout_s, prod.origins["timeout"]) == (60.0, "holdfast.yaml:3 (ceiling)")


@pytest.mark.parametrize(
    ("setting", "value"), [("timeout", "5"), ("timeuot", "5m"), ("retries", "x"), ("drift.answer", "no")]
)
def test_a_flag_that_makes_no_sense_is_an_error_of_its_own(read_text, setting, value):
    found = read_text(LAYERED, given=(Given(setting=setting, value=value, origin=f"HOLDFAST_{setting}"),))
    assert found.told == [f"HOLDFAST_{setting} HF-1021"]


@pytest.mark.parametrize(
    ("environments", "where", "says"),
    [
        ("{dev: {promote_from: prod}, prod: }", "2:36", "does not stand above it"),
        ("{dev: , prod: {promote_from: deb}}", "2:44", 'there is no "deb"; did you mean "dev"?'),
        ("{dev: {promote_from: dev}}", "2:36", "does not stand above it"),
    ],
)
def test_promotion_goes_from_earlier_to_later(read_text, environments, where, says):
    found = read_text(f"version: 1\nenvironments: {environments}\n")
    assert found.told == [f"stacks.yaml:{where} HF-1010"]
    assert says in found.messages
