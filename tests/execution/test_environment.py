"""What a tool gets to see of the environment, byte for byte, and what nobody may set."""

from __future__ import annotations

from pathlib import Path

import pytest
from execution_yard import Yard

from orchestrator.effects.environment import refused
from orchestrator.errors import ExecutionError

TAKEOVERS = (
    *("TF_CLI_ARGS", "TF_CLI_ARGS_apply", "TF_REATTACH_PROVIDERS", "TF_LOG", "TF_LOG_PATH", "TF_LOG_PROVIDER"),
    *("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GIT_SSH_COMMAND", "GIT_SSH", "GIT_EXEC_PATH", "PYTHONPATH"),
    *("PYTHONSTARTUP", "BASH_ENV", "ENV", "NODE_OPTIONS", "PERL5OPT", "RUBYOPT", "PATH", "HOME", "TMPDIR"),
    *("XDG_CONFIG_HOME", "HOLDFAST_FAILPOINT", "HOLDFAST_ATTEMPT", "IFS", "BASH_FUNC_x%%", "", "A=B", "1A", "A B"),
)
OURS = (
    "TF_DATA_DIR",
    "TF_CLI_CONFIG_FILE",
    "TF_WORKSPACE",
    "TF_PLUGIN_CACHE_DIR",
    "ANSIBLE_CONFIG",
    "GIT_CONFIG_COUNT",
)


def test_a_tool_sees_exactly_the_golden_list(yard: Yard) -> None:
    yard.outer = {
        "PATH": f":relative:{yard.outer['PATH']}:.",
        "LANG": "C.UTF-8",
        "LC_NUMERIC": "C",
        "TZ": "UTC",
        "SSL_CERT_FILE": "/certificates",
        "HTTPS_PROXY": "http://proxy",
        "AWS_SECRET_ACCESS_KEY": "ours",
        "TF_VAR_x": "ours",
        "SSH_AUTH_SOCK": "ours",
        "HOLDFAST_FAILPOINT": "",
        "HOME": "/root",
        "USER": "ours",
        "LD_PRELOAD": "ours",
    }
    path = yard.outer["PATH"].removeprefix(":relative:").removesuffix(":.")
    shell = yard.shell(credentials={"AWS_SECRET_ACCESS_KEY": "theirs", "NO_PROXY": "localhost"})
    env = shell.run(yard.sh("cat /proc/$$/environ", env={"TF_DATA_DIR": "/data"})).stdout.decode()
    seen = dict(line.split("=", 1) for line in env.strip("\0").split("\0"))
    home = seen["HOME"]
    assert home.startswith(f"{yard.home}/spool/")
    assert len(seen["TMPDIR"]) < 40
    assert seen == {
        "AWS_SECRET_ACCESS_KEY": "theirs",
        "HOME": home,
        "LANG": "C.UTF-8",
        "LC_NUMERIC": "C",
        "NO_PROXY": "localhost",
        "PATH": path,
        "SSL_CERT_FILE": "/certificates",
        "TF_DATA_DIR": "/data",
        "TMPDIR": seen["TMPDIR"],
        "TZ": "UTC",
        "XDG_CACHE_HOME": f"{home}/.cache",
        "XDG_CONFIG_HOME": f"{home}/.config",
        "XDG_DATA_HOME": f"{home}/.local/share",
        "XDG_RUNTIME_DIR": f"{Path(home).parent}/runtime",
        "XDG_STATE_HOME": f"{home}/.local/state",
    }


def test_a_changing_tool_sees_its_attempt_besides(yard: Yard) -> None:
    attempt = yard.attempt()
    env = yard.change(attempt, "env").stdout.decode().splitlines()
    assert f"HOLDFAST_ATTEMPT={attempt.folder}" in env
    assert f"HOME={attempt.folder}/1/home" in env


def test_the_private_folders_are_empty_and_for_nobody_else(yard: Yard) -> None:
    script = 'for d in "$HOME" "$TMPDIR" "$XDG_RUNTIME_DIR"; do stat -c "%a" "$d"; ls -A "$d"; done'
    assert yard.shell().run(yard.sh(script)).stdout == b"700\n700\n700\n"


def test_two_stacks_with_different_keys_run_side_by_side(yard: Yard) -> None:
    for key in ("one", "two"):
        assert yard.shell(credentials={"KEY": key}).run(yard.sh('printf %s "$KEY"')).stdout == key.encode()


@pytest.mark.parametrize("name", TAKEOVERS)
def test_what_would_take_a_tool_over_is_refused_from_everybody(yard: Yard, name: str) -> None:
    assert refused(name)
    for giver in ({"credentials": {name: "x"}}, {"env": {name: "x"}}):
        shell = yard.shell(credentials=giver.get("credentials", {}))
        with pytest.raises(ExecutionError) as told:
            shell.run(yard.sh("touch ran", env=giver.get("env", {})))
        assert told.value.code == "HF-5004"
        assert repr(name) in told.value.message
        assert not (yard.work / "ran").exists()


@pytest.mark.parametrize("name", OURS)
def test_what_belongs_to_the_adapter_is_refused_from_everybody_else(yard: Yard, name: str) -> None:
    assert refused(name)
    assert yard.shell().run(yard.sh(f'printf %s "${name}"', env={name: "ours"})).stdout == b"ours"
    with pytest.raises(ExecutionError, match="refused from the credential set"):
        yard.shell(credentials={name: "theirs"}).run(yard.sh("touch ran"))


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "TF_VAR_size", "HTTPS_PROXY", "KUBECONFIG", "SSH_AUTH_SOCK"])
def test_ordinary_names_are_let_through(name: str) -> None:
    assert not refused(name)


def test_a_value_that_would_end_the_environment_early_is_refused(yard: Yard) -> None:
    with pytest.raises(ExecutionError, match="'A' is refused"):
        yard.shell(credentials={"A": "x\0LD_PRELOAD=y"}).run(yard.sh("true"))
