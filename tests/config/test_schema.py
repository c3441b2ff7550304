"""What stacks.yaml may say, and what it is told when it says something else."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest
from jsonschema import Draft7Validator

from orchestrator.config.published import json_schema
from orchestrator.config.yamltree import read, typed

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

HEAD = "version: 1\n"


def stack(text: str) -> str:
    return f"{HEAD}environments: {{dev: , prod: }}\nstacks:\n  net:\n    path: net\n    tool: terraform\n    {text}\n"


def test_every_error_of_a_file_is_reported_at_once_each_with_its_place(read_text):
    found = read_text(
        "version: 2\n"
        "projct: x\n"
        "environments:\n"
        "  dev: {aply: auto}\n"
        "stacks:\n"
        "  network:\n"
        "    path: net\n"
        "    tool: terraform\n"
        "    retries: many\n"
        "  web: {tool: terraform}\n"
    )
    assert found.told == [
        "stacks.yaml:1:10 HF-1004",
        "stacks.yaml:2:1 HF-1003",
        "stacks.yaml:4:9 HF-1003",
        "stacks.yaml:9:14 HF-1004",
        "stacks.yaml:10:3 HF-1006",
    ]
    assert 'unknown key "projct"; did you mean "project"?' in found.messages
    assert 'unknown key "aply" in environment "dev"; did you mean "apply"?' in found.messages
    assert "stacks.network.retries: a whole number is expected" in found.messages
    assert 'the key "path" is missing in stack "web"' in found.messages


@pytest.mark.parametrize(
    ("text", "code", "column", "says"),
    [
        ("worksapce: x", "HF-1003", 5, 'unknown key "worksapce" in stack "net"; did you mean "workspace"?'),
        ("timeuot: 1h", "HF-1003", 5, 'did you mean "timeout"?'),
        ("override: {default: {worksapce: x}}", "HF-1003", 26, 'did you mean "workspace"?'),
        ("override: {default: {path: x}}", "HF-1003", 26, "may not stand in an override"),
        ("override: {stage: {}}", "HF-1010", 16, 'no environment "stage" to override'),
        ("playbook: site.yml", "HF-1007", 5, 'the key "playbook" belongs to ansible'),
        ("parameters: {a: b}", "HF-1007", 5, 'the key "parameters" belongs to cloudformation'),
        ("timeout: 30", "HF-1004", 14, 'did you mean "30m" or "30s"?'),
        ("timeout: -5m", "HF-1004", 14, "a duration such as 30m"),
        ("timeout: 10:30", "HF-1004", 14, 'not "10:30"'),
        ("retries: 1.5", "HF-1004", 14, "a whole number is expected, not 1.5"),
        ("retries: -1", "HF-1004", 14, "greater than or equal to 0"),
        ("retries: '2'", "HF-1004", 14, 'a whole number is expected, not "2"'),
        ("retries: true", "HF-1004", 14, "a whole number is expected, not true"),
        ("apply: yes", "HF-1004", 12, "one of auto, approve, manual is expected"),
        ("apply: autom", "HF-1004", 12, 'did you mean "auto"?'),
        ("owners: team:web", "HF-1004", 13, "a list is expected"),
        ("inputs: [a]", "HF-1004", 13, "a mapping is expected, not a list"),
        ("var_files: {a: b}", "HF-1004", 16, "a list is expected, not a mapping"),
        ("backend_config: 3", "HF-1004", 21, "a mapping, or a list of files"),
        ("approvals: {allow_author: on}", "HF-1004", 31, 'true or false is expected, not "on"'),
        ("approvals: {of: [x]}", "HF-1003", 17, 'unknown key "of" in stack "net", approvals'),
        ("windows: [Mon 9-5]", "HF-1016", 15, "is no window"),
        ("environments: []", "HF-1010", 19, "has no environment"),
        ("environments: [dev, prd]", "HF-1010", 25, 'no environment "prd"; did you mean "prod"?'),
        ("moved_from: a b", "HF-1004", 17, "are allowed"),
        ("workspace: [x]", "HF-1004", 16, "text is expected, not a list"),
        ("approvals: {from: [platform]}", "HF-1004", 24, '"platform" names neither a team nor a user'),
        ("approvals: {groups: [{at_least: 1}]}", "HF-1006", 26, "from"),
        ("approvals: {groups: [{from: []}]}", "HF-1004", 33, ""),
        ("approvals: {groups: [{from: [team:a], at_least: 0}]}", "HF-1004", 53, "greater than or equal to 1"),
        ("approvals: {valid_for: 24}", "HF-1004", 28, 'did you mean "24m"'),
        ("owners: [group:web]", "HF-1004", 14, '"group:web" names neither a team nor a user'),
        ("inputs: {w: 1.10}", "HF-1022", 17, "1.10 reads as the number 1.1"),
        ("inputs: {w: {v: [0x1F]}}", "HF-1022", 17, "0x1F reads as the number 31"),
        ("inputs: {w: 1e3}", "HF-1022", 17, "1e3 reads as the number 1000.0"),
        ("backend_config: {w: +5}", "HF-1022", 21, "+5 reads as the number 5"),
    ],
)
def test_a_slip_in_a_stack_is_told_with_its_place(read_text, text, code, column, says):
    found = read_text(stack(text))
    assert found.told == [f"stacks.yaml:7:{column} {code}"]
    assert says in found.messages


def test_what_is_wrong_further_on_is_said_at_once(read_text):
    found = read_text(
        "version: 1\nenvironments: {dev: {aply: auto}, prod: {promote_from: dve}}\nstacks:\n"
        "  a: {paht: a}\n"
        "  b:\n"
        "    path: b\n"
        "    worksapce: x\n"
        "    time_out: 1m\n"
        "    drift: {evry: 1h}\n"
        "    timeout: 30\n"
        "    environments: [dve]\n"
        "  c: {path: c, tool: terraform, inputs: {x: '${outptu:a.b}'}, environments: [dev, 3]}\n"
        "  d: {path: d, tool: terraform, inputs: {x: '${outptu:a.b}'}, retries: many}\n"
    )
    assert found.told == [
        "stacks.yaml:2:22 HF-1003",
        "stacks.yaml:2:56 HF-1010",
        "stacks.yaml:4:3 HF-1006",
        "stacks.yaml:4:7 HF-1003",
        "stacks.yaml:7:5 HF-1003",
        "stacks.yaml:8:5 HF-1003",
        "stacks.yaml:9:13 HF-1003",
        "stacks.yaml:10:14 HF-1004",
        "stacks.yaml:11:20 HF-1010",
        "stacks.yaml:12:45 HF-1012",
        "stacks.yaml:12:83 HF-1010",
        "stacks.yaml:13:45 HF-1012",
        "stacks.yaml:13:72 HF-1004",
    ]


def test_numbers_that_come_out_as_they_stand_stay_numbers(read_text):
    found = read_text(stack("inputs: {a: 1.5, b: -3, c: 0, d: 1.0, e: 12345678901234567890, f: 010}"))
    assert found.stack("net").inputs == {"a": 1.5, "b": -3, "c": 0, "d": 1.0, "e": 12345678901234567890, "f": "010"}


def test_a_tier_that_nobody_knows_is_refused(read_text):
    found = read_text("version: 1\nenvironments:\n  prod: {tier: prodution}\n")
    assert found.told == ["stacks.yaml:3:16 HF-1004"]
    assert 'did you mean "production"?' in found.messages


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("apply: autom", "write auto"),
        ("apply: yes", "write auto or approve or manual"),
        ("retries: '2'", "write it in digits: 3"),
        ("timeout: 30", "write a whole number and s, m, h, d or w"),
        ("owners: team:web", "write a list: [first, second]"),
        ("owners: [web]", "write team:web or user:web"),
        ("inputs: {w: 1.10}", 'write "1.10" for the text, or 1.1'),
        ("worksapce: x", "mend its spelling, or remove it"),
    ],
)
def test_the_hint_says_what_is_accepted(read_text, text, hint):
    assert [error.hint for error in read_text(stack(text)).errors] == [hint]


def test_a_missing_version_is_written_out(read_text):
    assert [error.hint for error in read_text("stacks: {}\n").errors] == ["write version: 1"]


@pytest.mark.parametrize("name", ["a b", "a@b", "-a", "../a", "a/../b", ".", "", "a//b", "a*", "/a", "é"])
def test_a_name_that_no_one_could_type_is_refused(read_text, name):
    found = read_text(f"{HEAD}stacks:\n  {json.dumps(name)}: {{path: x, tool: terraform}}\n")
    assert found.told == ["stacks.yaml:3:3 HF-1004"]
    assert "is no name" in found.messages


@pytest.mark.parametrize("text", ["", "stacks: {}", "version: 1.0\n", "- a\n", "version: '1'\n", "just text"])
def test_a_file_that_does_not_say_its_version_is_refused(read_text, text):
    assert read_text(text).errors


def test_a_key_with_nothing_behind_it_says_nothing(read_text):
    assert read_text(stack("timeout:")).stack("net") == read_text(stack("")).stack("net")


def test_versions_keep_their_text(read_text):
    found = read_text(stack("tool_version: 1.10"))
    assert found.stack("net").tool_version == "1.10"


def test_text_fields_take_text_that_looks_like_something_else(read_text):
    found = read_text(
        stack("workspace: 0644") + "    inputs: {a: on, b: '1.10', c: true, d: 10:30, e: '7', f: [1, {g: ~}]}\n"
    )
    assert found.stack("net").settings["workspace"] == "0644"
    assert found.stack("net").inputs == {
        "a": "on",
        "b": "1.10",
        "c": True,
        "d": "10:30",
        "e": "7",
        "f": [1, {"g": None}],
    }


def test_a_tool_that_is_not_built_in_judges_its_own_keys(read_text):
    found = read_text(
        f"{HEAD}environments: {{dev: }}\n"
        "stacks:\n"
        "  x:\n"
        "    path: x\n"
        "    tool: pulumi\n"
        "    environments: [dev]\n"
        "    project_name: 'p-${env.name}'\n"
        "    refresh: true\n"
        "    nested: {a: [1, '${stack.name}']}\n"
        "    inputs: {size: 3, of: '${output:y.id}'}\n"
        "    override: {dev: {refresh: false}}\n"
        "  y: {path: y, tool: pulumi}\n"
    )
    x = found.stack("x@dev")
    assert x.settings == {"project_name": "p-dev", "refresh": False, "nested": {"a": [1, "x"]}}
    assert x.inputs == {"size": 3, "of": "${output:y.id}"}


def test_vaults_and_keys_of_ansible_are_handed_over_by_names_of_their_own(read_text):
    found = read_text(
        f"{HEAD}stacks:\n"
        "  x:\n"
        "    path: x\n"
        "    tool: ansible\n"
        "    tags: [a]\n"
        "    extra_vars: {prod: 1}\n"
        "    vault_ids: {prod: '${secret:vault}'}\n"
        "    ssh: {private_key: '${secret:key}'}\n"
    )
    x = found.stack("x")
    assert x.settings == {"tags": ["a"]}
    assert x.inputs == {"prod": 1, "vault_ids.prod": "${secret:vault}", "ssh.private_key": "${secret:key}"}


def test_inputs_of_a_tool_that_is_not_built_in_are_a_mapping_too(read_text):
    found = read_text(f"{HEAD}stacks:\n  x: {{path: x, tool: pulumi, inputs: 3}}\n")
    assert found.told == ["stacks.yaml:3:38 HF-1004"]


def test_what_comes_later_is_read_and_said_aloud(read_files):
    found = read_files({"stacks.yaml": (EXAMPLES / "stacks.yaml").read_bytes()})
    assert not found.errors
    later = [f"{notice.where} {notice.message}" for notice in found.layout.notices if notice.code == "HF-1050"]
    assert [text.split(" not supported yet")[0] for text in later] == [
        'stacks.yaml:57:5 stack "web": checks:',
        "stacks.yaml:63:1 policies:",
        "stacks.yaml:67:1 notify:",
    ]


def test_keys_that_come_later_are_checked_all_the_same(read_text):
    found = read_text(f"{HEAD}policies: [{{regoo: x}}]\nnotify: [{{to: x, evnts: []}}]\n")
    assert found.told == ["stacks.yaml:2:12 HF-1006", "stacks.yaml:2:13 HF-1003", "stacks.yaml:3:18 HF-1003"]


def test_the_checked_in_schema_is_the_one_of_the_models():
    checked_in = json.loads((ROOT / "schema" / "stacks.schema.json").read_text())
    assert checked_in == json_schema(), "write it anew: holdfast schema > schema/stacks.schema.json"


@pytest.mark.parametrize("name", ["stacks.yaml", "minimal.yaml"])
def test_the_examples_fit_the_published_schema(name):
    schema = json_schema()
    Draft7Validator.check_schema(schema)
    document = typed(read((EXAMPLES / name).read_bytes(), PurePosixPath(name)).value)
    assert list(Draft7Validator(schema).iter_errors(document)) == []


@pytest.mark.parametrize(
    "document",
    [
        {"stacks": {}},
        {"version": 1, "stakcs": {}},
        {"version": 1, "stacks": {"a": {"path": "x", "worksapce": "y"}}},
        {"version": 1, "stacks": {"a": {"path": "x", "timeout": 30}}},
        {"version": 1, "stacks": {"a b": {"path": "x"}}},
        {"version": 1, "stacks": {"a": {"path": "x", "retries": -1}}},
        {"version": 1, "stacks": {"a": {"tool": "terraform"}}},
    ],
)
def test_the_published_schema_refuses_slips(document):
    assert list(Draft7Validator(json_schema()).iter_errors(document))


def test_the_published_schema_leaves_other_tools_their_keys():
    document = {"version": 1, "stacks": {"a": {"path": "x", "tool": "pulumi", "project_name": "y"}}}
    assert not list(Draft7Validator(json_schema()).iter_errors(document))
