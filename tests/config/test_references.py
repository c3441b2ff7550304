"""References: filled in, kept for later, or refused with the place where they stand; and the order they make."""

from __future__ import annotations

import pytest

from orchestrator.model.stack import StackKey
from orchestrator.rules.order import edges, waves

NETS = "version: 1\nenvironments: {dev: , prod: }\nstacks:\n  network: {path: n, tool: terraform, environments: [dev, prod], workspace: '${env.name}'}\n  shared: {path: s, tool: terraform}\n"


def web(text: str) -> str:
    """A stack after six lines; what is given stands in line 10."""
    return f"{NETS}  web:\n    path: w\n    tool: terraform\n    environments: [dev]\n    {text}\n"


def test_what_is_known_is_filled_in_and_the_rest_is_kept(read_text):
    found = read_text(
        web(
            "inputs: {a: '${env.name}-${stack.name}', b: '${output:network.vpc}', c: '${secret:x/y}', d: 'p-${output:shared.id}',"
            " e: '$${env.name}', f: ['${env.name}', {g: '${git.commit}'}]}"
        )
    )
    assert found.stack("web@dev").inputs == {
        "a": "dev-web",
        "b": "${output:network.vpc}",
        "c": "${secret:x/y}",
        "d": "p-${output:shared.id}",
        "e": "$${env.name}",
        "f": ["dev", {"g": "${git.commit}"}],
    }


def test_settings_are_filled_in_to_the_end(read_text):
    found = read_text(web("workspace: 'w-${env.name}-$${x}'\n    watch: [shared/*.json]"))
    assert found.stack("web@dev").settings["workspace"] == "w-dev-${x}"
    assert found.stack("web@dev").watch == ("shared/*.json",)


def test_a_path_may_follow_the_environment(read_text):
    found = read_text(
        "version: 1\nenvironments: {dev: , prod: }\nstacks:\n"
        "  a: {path: 'live/${env.name}', tool: terraform, environments: [dev, prod]}\n"
    )
    assert [str(stack.path) for stack in found.layout.stacks.values()] == ["live/dev", "live/prod"]


@pytest.mark.parametrize(
    ("text", "place", "code", "says"),
    [
        ("inputs: {a: x, b: [1, '${output:netwrok.id}']}", "10:27", "HF-1011", 'no stack "netwrok"; did you mean "network"?'),
        ("inputs: {a: '${output:network@stage.id}'}", "10:17", "HF-1011", 'no environment "stage", only dev, prod'),
        ("inputs: {a: '${output:network}'}", "10:17", "HF-1012", "does not name a stack and an output"),
        ("inputs: {a: '${output:}'}", "10:17", "HF-1012", "does not name a stack and an output"),
        ("inputs: {a: '${secret:}'}", "10:17", "HF-1012", "an empty reference"),
        ("inputs: {a: '${ouptut:network.id}'}", "10:17", "HF-1012", 'did you mean "output"?'),
        ("inputs: {a: '${env:HOME}'}", "10:17", "HF-1012", "is no reference"),
        ("inputs: {a: '${env.nam}'}", "10:17", "HF-1012", 'did you mean "env.name"?'),
        ("inputs: {a: '${}'}", "10:17", "HF-1012", "is no reference"),
        ("inputs: {a: {b: {c: '${git.branch}'}}}", "10:25", "HF-1012", "is no reference"),
        ("inputs: {a: 'x ${env.name'}", "10:17", "HF-1012", "does not end"),
        ("workspace: ${output:network.id}", "10:16", "HF-1012", "inputs, parameters and extra_vars only"),
        ("workspace: ${secret:x}", "10:16", "HF-1012", "inputs, parameters and extra_vars only"),
        ("backend_config: {key: '${secret:x}'}", "10:27", "HF-1012", "inputs, parameters and extra_vars only"),
        ("var_files: [a, '${git.commit}']", "10:20", "HF-1012", "inputs, parameters and extra_vars only"),
        ("credentials: {plan: '${secret:x}'}", "10:25", "HF-1012", "inputs, parameters and extra_vars only"),
        ("depends_on: [shared, '${output:x.y}']", "10:26", "HF-1012", "inputs, parameters and extra_vars only"),
        ("depends_on: [shared, netwok]", "10:26", "HF-1011", 'no stack "netwok"; did you mean "network"?'),
        ("depends_on: [network@stage]", "10:18", "HF-1011", 'no environment "stage"'),
        ("depends_on: [shared@dev]", "10:18", "HF-1011", 'no environment "dev", only default'),
        ("override: {dev: {inputs: {a: '${output:nope.id}'}}}", "10:34", "HF-1011", 'no stack "nope"'),
    ],
)  # fmt: skip
def test_a_reference_that_cannot_be_meant_is_told_with_its_place(read_text, text, place, code, says):
    found = read_text(web(text))
    assert f"stacks.yaml:{place} {code}" in found.told
    assert says in found.messages


def test_a_slip_is_told_once_however_many_environments_it_is_in(read_text):
    found = read_text(web("inputs: {a: '${env.nam}'}").replace("[dev]", "[dev, prod]"))
    assert found.told == ["stacks.yaml:10:17 HF-1012"]


def test_order_is_the_same_environment_else_the_stack_without_one(read_text):
    found = read_text(web("depends_on: [network, shared, network@prod]"))
    assert [key.short for key in found.stack("web@dev").depends_on] == ["network@dev", "network@prod", "shared"]


def test_the_order_of_the_layout(read_text):
    found = read_text(web("depends_on: [shared]\n    inputs: {a: '${output:network.id}'}"))
    order = [[key.short for key in wave] for wave in waves(edges(found.layout.stacks))]
    assert order == [["network@dev", "network@prod", "shared"], ["web@dev"]]


def test_a_ring_is_told_with_the_place_of_each_edge(read_text):
    found = read_text(
        "version: 1\nstacks:\n"
        "  a:\n    path: a\n    tool: terraform\n    inputs: {x: '${output:b.id}'}\n"
        "  b:\n    path: b\n    tool: terraform\n    depends_on: [c]\n"
        "  c:\n    path: c\n    tool: terraform\n    inputs:\n      y: [1, '${output:a.id}']\n"
        "  d: {path: d, tool: terraform, depends_on: [a]}\n"
    )
    assert found.told == ["stacks.yaml:6:17 HF-1013"]
    assert found.messages == (
        "stacks wait for each other: a (stacks.yaml:6:17) -> b (stacks.yaml:10:18) -> c (stacks.yaml:15:14) -> a"
    )


def test_two_rings_are_both_told(read_text):
    found = read_text(
        "version: 1\nstacks:\n"
        "  a: {path: a, tool: terraform, depends_on: [b]}\n  b: {path: b, tool: terraform, depends_on: [a]}\n"
        "  c: {path: c, tool: terraform, depends_on: [c]}\n"
    )
    assert found.told == ["stacks.yaml:3:46 HF-1013", "stacks.yaml:5:46 HF-1013"]


def test_a_ring_across_environments_is_found(read_text):
    found = read_text(
        "version: 1\nenvironments: {dev: , prod: }\nstacks:\n"
        "  a: {path: 'a/${env.name}', tool: terraform, environments: [dev, prod], depends_on: ['a@dev']}\n"
    )
    assert found.told == ["stacks.yaml:4:87 HF-1013"]


def test_a_reference_to_a_stack_that_was_found_from_the_files_is_good(read_files):
    found = read_files(
        {
            "stacks.yaml": "version: 1\nstacks: {web: {path: web, tool: terraform, inputs: {a: '${output:live/net.id}'}}}\n",
            "live/net/main.tf": 'provider "x" {}\n',
        }
    )
    assert not found.errors
    assert StackKey(source="infra", name="live/net") in found.layout.stacks
