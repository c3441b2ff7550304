"""What validate finds out, through the installed program; no tool is started."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_world import make, value

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEAD = "version: 1\nproject: small\ndiscover: false\nstacks:\n"


@pytest.fixture
def small(tmp_path):
    return make(tmp_path)


def found(small, code, *words):
    """Return each finding as ``place severity code``."""
    findings = value(small.ends(code, "validate", "--dirty", "--json", *words))["findings"]
    return [f"{one['file']}:{one['line']}:{one['column']} {one['severity']} {one['code']}" for one in findings]


def test_the_long_example_has_notes_and_no_error(small):
    for folder in ("network", "web"):
        shutil.rmtree(small.repo / folder)
    shutil.copy(EXAMPLES / "stacks.yaml", small.repo / "stacks.yaml")
    for folder in ("terraform/network", "cloudformation/dns", "ansible/web"):
        (small.repo / folder).mkdir(parents=True)
        (small.repo / folder / "README.md").write_text("")
    (small.repo / "terraform/network/envs").mkdir()
    for name in ("dev", "prod"):
        (small.repo / f"terraform/network/envs/{name}.tfvars").write_text("")
    for name in ("site.yml", "requirements.yml", "inventories/dev/hosts", "inventories/prod/hosts"):
        (small.repo / "ansible/web" / name).parent.mkdir(parents=True, exist_ok=True)
        (small.repo / "ansible/web" / name).write_text("")
    (small.repo / "cloudformation/dns/deployments").mkdir()
    for name in ("dev", "prod"):
        (small.repo / f"cloudformation/dns/deployments/{name}.yaml").write_text("template-file-path: dns.yaml\n")
    (small.repo / "terraform/network/main.tf").write_text(
        'output "vpc_id" { value = 1 }\noutput "cidr" { value = 2 }\nvariable "site_name" {}\nvariable "region" {}\n'
    )
    notes = found(small, 0, "network", "dns", "web")
    assert {note.partition(" ")[2] for note in notes} == {"note HF-1050"}
    found(small, 64, "--strict")


def test_a_tool_of_a_later_release_holds_its_stack_by_name(small):
    small.commit(stacks="version: 1\nstacks:\n  old: {tool: chef, path: network}\n")
    held = small.ends(5, "plan", "old").stdout
    assert "no adapter is called 'chef'" in held


def test_a_path_that_is_no_folder_is_an_error_by_line_and_column(small):
    text = "  network: {path: network/main.tf, tool: terraform}\n  web: {path: wbe, tool: terraform}\n"
    (small.repo / "stacks.yaml").write_text(f"{HEAD}{text}")
    assert found(small, 64) == ["stacks.yaml:5:13 error HF-1014", "stacks.yaml:6:9 error HF-1014"]


def test_a_tool_that_nobody_brings_is_named_by_line_and_column(small):
    (small.repo / "stacks.yaml").write_text(f"{HEAD}  web: {{tool: terrafrom, path: web}}\n")
    assert "stacks.yaml:5:9 error HF-4001" in found(small, 64)


NETWORK = "  network: {path: network, tool: terraform}\n"


@pytest.mark.parametrize(
    ("keys", "files", "told"),
    [
        ('inputs: {cidr: "${output:network.cdir}"}', {}, "stacks.yaml:8:0 error HF-1025"),
        ("var_files: [nope.tfvars]", {}, "stacks.yaml:8:0 error HF-1026"),
        ("backend_config: [nope.tfbackend]", {}, "stacks.yaml:8:0 error HF-1026"),
        ("parallelism: 0", {}, "stacks.yaml:8:0 error HF-2001"),
        (
            "retries: 1",
            {"web/.terraform/plugins/x": "", "web/.terraform/y": ""},
            "web/.terraform/plugins/x:1:0 error HF-2008",
        ),
        ("retries: 1", {"web/extra.tf": b"# caf\xe9\n"}, "web/extra.tf:1:6 error HF-1023"),
        ("retries: 1", {"web/extra.tf": 'output "x" {\n'}, "web/extra.tf:2:1 warning HF-1024"),
        ("retries: 1", {"web/extra.tf.json": "{\n"}, "web/extra.tf.json:2:1 warning HF-1024"),
    ],
)
def test_what_can_be_known_without_a_tool_is_said_by_line(small, keys, files, told):
    (small.repo / "stacks.yaml").write_text(f"{HEAD}{NETWORK}  web:\n    path: web\n    {keys}\n    tool: terraform\n")
    for name, content in files.items():
        (small.repo / name).parent.mkdir(parents=True, exist_ok=True)
        (small.repo / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert found(small, 0 if "warning" in told else 64) == [told]


@pytest.mark.parametrize(
    ("tool", "keys", "files", "told"),
    [
        ("ansible", "", (), "6:5 error HF-1026"),
        ("ansible", "", ("site.yml",), ""),
        ("ansible", "playbook: nope.yml", ("site.yml",), "8:0 error HF-1026"),
        ("ansible", "inventory: nope.ini", ("site.yml",), "8:0 error HF-1026"),
        ("ansible", "inventory: 'a,b'", ("site.yml",), ""),
        ("ansible", "inventory: [here.ini, nope.ini]", ("site.yml", "here.ini"), "8:0 error HF-1026"),
        ("ansible", "requirements: nope.yml", ("site.yml",), "8:0 error HF-1026"),
        ("ansible", "roles_path: [nope]", ("site.yml",), "8:0 warning HF-1026"),
        ("puppet", "", (), "6:5 error HF-1026"),
        ("puppet", "", ("site.pp",), ""),
        ("puppet", "", ("manifests/site.pp",), ""),
        ("puppet", "manifest: nope.pp", ("site.pp",), "8:0 error HF-1026"),
        ("puppet", "environmentpath: nope", (), "8:0 error HF-1026"),
        ("puppet", "modulepath: [nope, $basemodulepath]", ("site.pp",), "8:0 warning HF-1026"),
        ("puppet", "hiera_config: nope.yaml", ("site.pp",), "8:0 error HF-2001"),
        ("cloudformation", "", (), "6:5 error HF-1026"),
        ("cloudformation", "template: nope.yaml", ("template.yaml",), "8:0 error HF-1026"),
        ("cloudformation", "deployment: nope.yaml", (), "8:0 error HF-1026"),
    ],
)
def test_files_that_a_tool_needs_and_does_not_find_are_said_by_line(small, tool, keys, files, told):
    (small.repo / "stacks.yaml").write_text(f"{HEAD}  lamp:\n    path: lamp\n    tool: {tool}\n    {keys}\n")
    for name in ("README.md", *files):
        (small.repo / "lamp" / name).parent.mkdir(parents=True, exist_ok=True)
        (small.repo / "lamp" / name).write_text("")
    assert found(small, 64 if "error" in told else 0) == ([f"stacks.yaml:{told}"] if told else [])


def test_a_link_that_leaves_the_repository_is_named(small):
    (small.repo / "web" / "passwd").symlink_to("/etc/passwd")
    assert found(small, 64) == ["web/passwd:1:0 error HF-3014"]


def test_an_output_of_files_that_nobody_can_read_is_not_called_unknown(small):
    text = f"{HEAD}{NETWORK}  web: {{path: web, tool: terraform, inputs: {{cidr: '${{output:network.new}}'}}}}\n"
    (small.repo / "stacks.yaml").write_text(text)
    (small.repo / "network" / "more.tf").write_text('output "new" {\n')
    assert found(small, 0) == ["network/more.tf:2:1 warning HF-1024"]
    (small.repo / "network" / "more.tf").write_text('output "new" { value = 1 }\n')
    assert found(small, 0) == []


def test_the_nearest_output_is_named(small):
    text = f"{HEAD}{NETWORK}  web: {{path: web, tool: terraform, inputs: {{cidr: '${{output:network.cdir}}'}}}}\n"
    (small.repo / "stacks.yaml").write_text(text)
    assert 'declares no output "cdir"; did you mean "cidr"?' in small.ends(64, "validate", "--dirty").stdout
