from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from orchestrator.catalogue import CODES
from orchestrator.cli.main import holdfast as group
from orchestrator.cli.menu import COMMANDS
from orchestrator.cli.options import Form, Wish, output_options, wish_of, world_options

HEAVY = ("sqlalchemy", "pydantic", "yaml", "git", "hcl2", "cryptography", "alembic", "rich", "rich_click")


def test_help_imports_no_heavy_library():
    code = (
        "import sys; from orchestrator.cli.main import run\n"
        "try: run(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip() == "[]"


def test_help_names_every_command_under_its_heading(holdfast):
    code, out, _ = holdfast("--help")
    assert code == 0
    for name, entry in COMMANDS.items():
        assert f"{name} " in out
        assert entry.summary in out
    assert out.index("Begin:") < out.index("See:") < out.index("Act:")


def test_without_any_word_the_help_is_printed(holdfast):
    assert holdfast()[:2] == holdfast("--help")[:2]


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"demo"}))
def test_every_command_of_the_menu_is_there_and_has_help(name):
    command = import_module(COMMANDS[name].module).command
    assert isinstance(command, click.Command)
    result = CliRunner().invoke(group, [name, "--help"], prog_name="holdfast")
    assert result.exit_code == 0, result.output
    assert f"holdfast {name}" in result.output


def test_a_mistyped_command_gets_the_nearest_spelling_and_64(holdfast):
    code, out, err = holdfast("plam")
    assert (code, out) == (64, "")
    assert err == 'HF-1900  no command "plam"\n  hint  did you mean "plan"?\n'


@pytest.mark.parametrize("words", [["--frobnicate"], ["plan", "--frobnicate"], ["explain"], ["status", "-o", "xml"]])
def test_wrong_usage_ends_in_64_and_not_in_2(holdfast, words):
    code, _, err = holdfast(*words)
    assert code == 64
    assert err.startswith("HF-1900  ")
    assert "Traceback" not in err


def test_the_version_is_printed(holdfast):
    assert holdfast("--version")[1].startswith("holdfast ")


def test_a_code_is_explained(holdfast):
    code, out, _ = holdfast("explain", "HF-2005", "--json")
    assert code == 0
    assert json.loads(out)["code"] == "HF-2005"
    assert json.loads(out)["remedy"] == CODES["HF-2005"].remedy


@pytest.mark.parametrize("word", ["hf-2005", "2005", "HF2005"])
def test_a_code_may_be_written_in_any_way(holdfast, word):
    assert "HF-2005" in holdfast("explain", word)[1]


def test_an_unknown_code_gets_the_nearest(holdfast):
    code, _, err = holdfast("explain", "HF-2055")
    assert code == 64
    assert "HF-1907" in err
    assert "did you mean" in err
    assert "did you mean" not in holdfast("explain", "HF-9999")[2]


def test_options_work_before_and_after_the_command(tmp_path):
    seen = []

    @click.group()
    @world_options(top=True)
    def top():
        pass

    @top.command()
    @world_options()
    @output_options
    @click.pass_context
    def see(ctx):
        seen.append(wish_of(ctx))

    words = ["-C", str(tmp_path), "-e", "dev", "--no-input", "see", "--ref", "v1", "-e", "prod", "--json", "--no-color"]
    CliRunner().invoke(top, words, catch_exceptions=False)
    expected = Wish(directory=tmp_path, environment="prod", ref="v1", form=Form.JSON, color=False, no_input=True)
    assert seen == [expected]


@pytest.mark.parametrize("name", ["NO_COLOR", "HOLDFAST_NO_INPUT"])
def test_the_environment_is_heard_where_no_option_speaks(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    wish = wish_of(click.Context(group))
    assert (wish.color is False, wish.no_input) == (name == "NO_COLOR", name == "HOLDFAST_NO_INPUT")


def test_every_code_that_the_command_line_raises_is_in_the_catalogue():
    folder = Path(import_module("orchestrator.cli.main").__file__).parent
    raised = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("HF-"):
                raised |= {node.value} if len(node.value) == 7 and node.value[3:].isdigit() else set()
    assert raised
    assert raised - {"HF-9999"} <= set(CODES)


def test_yaml_and_plain_say_the_same_as_json(holdfast):
    value = json.loads(holdfast("explain", "HF-2005", "-o", "json")[1])
    assert yaml.safe_load(holdfast("explain", "HF-2005", "-o", "yaml")[1]) == value
    assert holdfast("explain", "HF-2005", "--plain")[1].rstrip("\n").split("\t") == list(value.values())


def test_a_service_is_not_asked_without_a_token(holdfast, tmp_path):
    code, _, err = holdfast("status", HOLDFAST_URL="https://holdfast.example", HOLDFAST_HOME=str(tmp_path))
    assert code == 64
    assert err.startswith("HF-1961")


def test_what_works_on_a_host_s_own_files_asks_no_service(holdfast, tmp_path):
    away = {"HOLDFAST_URL": "https://holdfast.example", "HOLDFAST_TOKEN": "hf_x", "HOLDFAST_HOME": str(tmp_path)}
    code, _, err = holdfast("mv", "a", "b", **away)
    assert (code, err[:7]) == (64, "HF-1915")
    assert holdfast("status", "--ref", "HEAD~1", **away)[2].startswith("HF-1915")
    assert holdfast("schema", **away)[0] == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(holdfast, shell):
    code, out, _ = holdfast("completion", shell)
    assert code == 0
    assert "_HOLDFAST_COMPLETE" in out


def test_commands_and_stack_names_are_completed_from_the_file(holdfast, tmp_path):
    (tmp_path / "stacks.yaml").write_text(
        "version: 1\nstacks:\n  network:\n    path: a\n  # a comment\n  'web':\n    path: b\ndefaults:\n  nothing: 1\n"
    )
    ask = {"_HOLDFAST_COMPLETE": "bash_complete"}
    assert "plain,plan" in holdfast(COMP_WORDS="holdfast pla", COMP_CWORD="1", **ask)[1]
    words = f"holdfast -C {tmp_path} plan "
    out = holdfast(COMP_WORDS=words, COMP_CWORD="4", **ask)[1]
    assert out.split() == ["plain,network", "plain,web"]


def test_environments_selectors_and_codes_are_completed_too(holdfast, tmp_path):
    (tmp_path / "stacks.yaml").write_text(
        "version: 1\nenvironments:\n  dev: {}\n  prod:\n    apply: approve\nstacks:\n  web: {path: a}\n"
    )

    def completed(*words):
        said = " ".join(("holdfast", "-C", str(tmp_path), *words))
        return holdfast(COMP_WORDS=said, COMP_CWORD=str(len(words) + 2), _HOLDFAST_COMPLETE="bash_complete")[1].split()

    assert completed("plan", "web@") == ["plain,web@dev", "plain,web@prod"]
    assert completed("plan", "-e", "pr") == ["plain,prod"]
    assert completed("plan", "too") == ["plain,tool="]
    assert completed("apply", "--confirm", "w") == ["plain,web"]
    assert completed("explain", "HF-200") == [f"plain,HF-200{figure}" for figure in range(10)]


def test_completion_never_fails_over_a_broken_file(holdfast, tmp_path):
    (tmp_path / "stacks.yaml").write_bytes(b"\xff\xfe stacks:\n  \x00\n")
    words = {"COMP_WORDS": f"holdfast -C {tmp_path} plan ", "COMP_CWORD": "4", "_HOLDFAST_COMPLETE": "bash_complete"}
    code, out, err = holdfast(**words)
    assert (code, out.strip(), err) == (0, "", "")


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_command_whose_libraries_are_not_installed_says_how_to_install_them(command: str, tmp_path: Path) -> None:
    without = "import sys; sys.modules['structlog'] = None; from orchestrator.cli.main import run; run()"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    argv = [sys.executable, "-c", without, command]
    done = subprocess.run(argv, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0][:7]) == (64, "HF-1064")
    assert "pip install 'holdfast[service]'" in done.stderr
