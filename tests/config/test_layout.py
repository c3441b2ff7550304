"""What only the whole shows: two of one name, two on one state, files included, and what is read how often."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.config.layers import Setting, ceiling
from orchestrator.config.load import StackFiles
from orchestrator.config.operator import Ceiling, Operator
from orchestrator.errors import ConfigError
from orchestrator.rules.order import edges, waves

from .conftest import REVISION, SOURCE, MemoryTree

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_included_files_add_their_stacks(read_files):
    found = read_files(
        {
            "stacks.yaml": "version: 1\ninclude: [teams/*/stacks.yaml, extra.yaml]\nenvironments: {dev: {apply: auto}}\n"
            "stacks: {a: {path: a, tool: terraform}}\n",
            "teams/x/stacks.yaml": "stacks: {b: {path: b, tool: terraform, environments: [dev], depends_on: [c]}}\n",
            "teams/y/stacks.yaml": "version: 1\nstacks: {c: {path: c, tool: terraform}}\n",
            "teams/y/deeper/stacks.yaml": "not: read\n",
            "extra.yaml": "stacks: {d: {path: d, tool: terraform}}\n",
        }
    )
    assert [key.short for key in found.layout.stacks] == ["a", "b@dev", "c", "d"]
    assert found.stack("b@dev").origins["path"] == "teams/x/stacks.yaml:1:14"
    assert found.stack("b@dev").policy.mode.name == "AUTO"


def test_two_stars_go_through_folders(read_files):
    found = read_files(
        {
            "stacks.yaml": "version: 1\ninclude: ['**/stacks.yaml']\n",
            "x/stacks.yaml": "stacks: {b: {path: b, tool: terraform}}\n",
            "x/y/z/stacks.yaml": "stacks: {c: {path: c, tool: terraform}}\n",
        }
    )
    assert [key.short for key in found.layout.stacks] == ["b", "c"]


@pytest.mark.parametrize("files", [{"stacks.yaml/x": ""}, {"stacks.yaml": "version: 1\ninclude: [a]\n", "a/b": ""}])
def test_a_folder_in_the_place_of_a_file_is_an_error(read_files, files):
    assert [told.split(":")[0] for told in read_files(files).told] in [["stacks.yaml HF-1020"], ["a HF-1020"]]


def test_errors_of_all_files_are_told_together(read_files):
    found = read_files(
        {
            "stacks.yaml": "version: 1\ninclude: [one.yaml, two.yaml, three.yaml, none.yaml]\nstacks: {a: {path: a, tool: terraform, environments: [x]}}\n",
            "one.yaml": "stacks: {b: {pth: b}}\n",
            "two.yaml": "stacks: [\n",
            "three.yaml": "environments: {}\n",
        }
    )
    assert found.told == [
        "one.yaml:1:10 HF-1006",
        "one.yaml:1:14 HF-1003",
        "stacks.yaml:2:43 HF-1018",
        "stacks.yaml:3:55 HF-1010",
        "three.yaml:1:1 HF-1003",
        "two.yaml:2:1 HF-1001",
    ]


def test_two_stacks_of_one_name_are_told_with_both_places(read_files):
    found = read_files(
        {
            "stacks.yaml": "version: 1\ninclude: [more.yaml]\nstacks:\n  a: {path: a, tool: terraform}\n",
            "more.yaml": "stacks:\n  a: {path: b, tool: terraform}\n",
        }
    )
    assert found.told == ["more.yaml:2:3 HF-1009"]
    assert "first at stacks.yaml:4:3" in found.messages


def test_one_file_cannot_hold_a_stack_twice(read_text):
    found = read_text("version: 1\nstacks:\n  a: {path: a, tool: terraform}\n  a: {path: b, tool: terraform}\n")
    assert found.told == ["stacks.yaml:4:3 HF-1005"]


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("", "", True),
        ("", ", workspace: default", True),
        (", workspace: x", ", workspace: x", True),
        ("", ", var_files: [x]", True),
        ("", ", inputs: {a: 1}", True),
        (", workspace: x", ", workspace: y", False),
        ("", ", workspace: y", False),
        (", backend_config: {key: a}", ", backend_config: {key: b}", False),
        (", backend_config: {key: a}", ", backend_config: {key: a}", True),
        ("/../p", "", None),
    ],
)
def test_two_stacks_on_one_path_and_workspace_are_refused(read_text, one, other, clash):
    found = read_text(
        f"version: 1\nstacks:\n  a: {{tool: terraform, path: p{one}}}\n  b: {{tool: opentofu, path: ./p/{other}}}\n"
    )
    told = {True: ["stacks.yaml:4:3 HF-1015"], False: [], None: ["stacks.yaml:3:30 HF-1008"]}
    assert found.told == told[clash]


def test_one_stack_in_two_environments_needs_two_workspaces(read_text):
    text = "version: 1\nenvironments: {dev: , prod: }\nstacks: {a: {path: p, tool: terraform, environments: [dev, prod]}}\n"
    found = read_text(text)
    assert found.told == ["stacks.yaml:3:10 HF-1015"]
    assert '"a@dev" and "a@prod" both work in p' in found.messages
    assert not read_text(text.replace("path: p", "path: p, workspace: '${env.name}'")).errors


def test_a_cloudformation_stack_is_named_after_its_environment_unless_it_says_otherwise(read_text):
    text = "version: 1\nenvironments: {dev: , prod: }\nstacks: {a: {path: p, tool: cloudformation, environments: [dev, prod]}}\n"
    assert not read_text(text).errors
    found = read_text(text.replace("path: p", "path: p, stack_name: web"))
    assert found.told == ["stacks.yaml:3:10 HF-1015"]
    assert "both work in p, on one CloudFormation stack" in found.messages
    assert not read_text(text.replace("path: p", "path: p, stack_name: 'web-${env.name}'")).errors


def test_a_stack_that_was_renamed_keeps_its_old_name(read_text):
    found = read_text("version: 1\nstacks: {network: {path: n, tool: terraform, moved_from: net}}\n")
    assert found.stack("network").moved_from == "net"


def test_an_old_name_that_is_still_in_use_is_refused(read_text):
    found = read_text(
        "version: 1\nstacks:\n  network: {path: n, tool: terraform, moved_from: net}\n  net: {path: o, tool: terraform}\n"
    )
    assert found.told == ["stacks.yaml:3:3 HF-1019"]


def test_a_folder_that_is_not_there_is_said_aloud_and_stops_nobody_else(read_files):
    found = read_files(
        {
            "stacks.yaml": "version: 1\nstacks:\n  a: {path: a, tool: terraform}\n  b: {path: b, tool: terraform}\n",
            "a/main.tf": "",
        }
    )
    assert [f"{notice.where} {notice.code}" for notice in found.layout.notices] == ["stacks.yaml:4:7 HF-1014"]
    assert len(found.layout.stacks) == 2


def test_a_path_that_names_a_file_is_said_once_for_all_environments(read_files):
    text = "version: 1\ndiscover: false\nenvironments: {dev: , prod: }\nstacks:\n  a: {tool: terraform, environments: [dev, prod], "
    found = read_files({"stacks.yaml": text + "path: a/main.tf, workspace: '${env.name}'}\n", "a/main.tf": ""})
    assert [f"{one.where} {one.message}; {one.hint}" for one in found.layout.notices] == [
        'stacks.yaml:5:51 stack "a": a/main.tf is no folder; write path: a'
    ]


def test_the_project_is_the_repository_s_identity(read_text):
    assert read_text("version: 1\nproject: acme-infra\n").layout.project == "acme-infra"
    assert read_text("version: 1\n").layout.project == ""


@pytest.mark.parametrize("name", ["stacks.yaml", "minimal.yaml"])
def test_every_example_loads(read_files, name):
    found = read_files({"stacks.yaml": (EXAMPLES / name).read_bytes(), "main.tf": "", "terraform/network/main.tf": ""})
    assert not found.errors
    assert found.layout.stacks


def test_the_graph_of_the_long_example_is_network_dns_web(read_files):
    found = read_files({"stacks.yaml": (EXAMPLES / "stacks.yaml").read_bytes()})
    order = [{key.name for key in wave} for wave in waves(edges(found.layout.stacks))]
    assert order == [{"network"}, {"dns"}, {"web"}]


# --- how often something is read ----------------------------------------------------------------

TWO = {
    "stacks.yaml": "version: 1\ninclude: ['teams/*.yaml']\nenvironments: {dev: }\n",
    "teams/a.yaml": "stacks: {a: {path: a, tool: terraform}}\n",
    "teams/b.yaml": "stacks: {b: {path: b, tool: terraform, depends_on: [a]}}\n",
    "a/main.tf": "",
    "b/main.tf": "",
}


def test_a_commit_that_touches_no_yaml_reads_nothing_and_gives_the_same_layout():
    layouts = StackFiles()
    first = layouts.at(SOURCE, REVISION, MemoryTree(TWO))
    tree = MemoryTree({**TWO, "a/main.tf": "# changed\n", "README.md": "x"})
    assert layouts.at(SOURCE, REVISION, tree) is first
    assert tree.reads == []


def test_a_commit_that_touches_one_included_file_reads_that_one_only():
    layouts = StackFiles()
    layouts.at(SOURCE, REVISION, MemoryTree(TWO))
    tree = MemoryTree({**TWO, "teams/b.yaml": "stacks: {b: {path: b, tool: terraform}}\n"})
    found = layouts.at(SOURCE, REVISION, tree)
    assert tree.reads == ["teams/b.yaml"]
    assert not any(stack.depends_on for stack in found.stacks.values())


def test_a_commit_that_touches_only_the_defaults_changes_included_stacks_too():
    layouts = StackFiles()
    layouts.at(SOURCE, REVISION, MemoryTree(TWO))
    root = TWO["stacks.yaml"] + "defaults: {timeout: 7m}\n"
    found = layouts.at(SOURCE, REVISION, MemoryTree({**TWO, "stacks.yaml": root}))
    assert {stack.policy.timeout_s for stack in found.stacks.values()} == {420.0}


def test_a_folder_that_vanishes_is_noticed_though_no_yaml_changed():
    layouts = StackFiles()
    layouts.at(SOURCE, REVISION, MemoryTree(TWO))
    found = layouts.at(SOURCE, REVISION, MemoryTree({path: text for path, text in TWO.items() if path != "b/main.tf"}))
    assert [notice.code for notice in found.notices] == ["HF-1014"]
    # A file of that name is no folder either.
    files = {**{path: text for path, text in TWO.items() if path != "b/main.tf"}, "b": ""}
    assert [notice.code for notice in layouts.at(SOURCE, REVISION, MemoryTree(files)).notices] == ["HF-1014"]


def test_an_error_stays_one_until_the_file_is_mended():
    layouts = StackFiles()
    broken = {**TWO, "teams/b.yaml": "stacks: [\n"}
    for _ in range(2):
        with pytest.raises(ConfigError):
            layouts.at(SOURCE, REVISION, MemoryTree(broken))
    assert layouts.at(SOURCE, REVISION, MemoryTree(TWO)).stacks


def test_a_remembered_layout_is_the_same_to_the_last_field(read_files):
    memory: dict[tuple[str, str], object] = {}
    parts = {
        "remembered": lambda topic, key: memory.get((topic, key)),
        "remember": lambda topic, values: memory.update({(topic, key): value for key, value in values.items()}),
    }
    files = {
        "stacks.yaml": (EXAMPLES / "stacks.yaml").read_bytes(),
        "terraform/network/main.tf": "",
        "lab/main.tf": 'provider "x" {}',
    }
    first = read_files(files, **parts)
    again = read_files(files, **parts)
    assert again.tree.reads == []
    assert again.layout.stacks == first.layout.stacks
    assert (again.layout.project, again.layout.environments) == (first.layout.project, first.layout.environments)
    told = [(one.message, one.code, one.hint, one.where) for one in first.layout.notices]
    assert [(one.message, one.code, one.hint, one.where) for one in again.layout.notices] == told


def test_a_memory_that_was_written_by_another_release_is_not_believed(read_files):
    def remembered(_topic, key):
        return "pointer" if key != "pointer" else {"stacks": [{"surprise": 1}]}

    found = read_files(TWO, remembered=remembered, remember=lambda *_: None)
    assert len(found.layout.stacks) == 2


def test_another_ceiling_is_another_layout(read_files):
    memory: dict[tuple[str, str], object] = {}
    parts = {
        "remembered": lambda topic, key: memory.get((topic, key)),
        "remember": lambda topic, values: memory.update({(topic, key): value for key, value in values.items()}),
    }
    files = {"stacks.yaml": "version: 1\ndefaults: {apply: auto}\nstacks: {a: {path: a, tool: terraform}}\n"}
    assert read_files(files, **parts).stack("a").policy.mode.name == "AUTO"
    limit = Ceiling(policy=ceiling({"apply": Setting("manual", "")}), where="x")
    assert read_files(files, **parts, operator=Operator(ceilings={"*": limit})).stack("a").policy.mode.name == "PROPOSE"


def test_a_remembered_layout_needs_no_heavy_library():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import orchestrator.config.load, orchestrator.config.operator\n"
        "print([name for name in ('yaml', 'pydantic', 'ruamel.yaml', 'difflib') if name in sys.modules])\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    out = subprocess.run([sys.executable, "-c", program, root], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_thousand_stacks_are_read_in_well_under_a_second():
    body = "".join(
        f"  s{n}:\n    tool: terraform\n    path: live/s{n}\n    environments: [dev]\n    workspace: ${{env.name}}\n"
        f"    inputs:\n      name: acme-{n}\n      net: {f'${{output:s{n - 1}.id}}' if n else 'none'}\n"
        for n in range(1000)
    )
    tree = MemoryTree({"stacks.yaml": f"version: 1\ndiscover: false\nenvironments: {{dev: }}\nstacks:\n{body}"})
    began = time.process_time()
    found = StackFiles().at(SOURCE, REVISION, tree)
    assert len(found.stacks) == 1000
    assert time.process_time() - began < 1.5
