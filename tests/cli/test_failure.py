from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import click
import pytest

from adapters.contract import ForbiddenFile, InvalidSettings, Problem, Severity, ToolBusy, ToolFailed
from orchestrator import errors
from orchestrator.cli.failure import report, words
from orchestrator.errors import ConfigError, Denied, OrchestratorError, UsageError


def _tree(cls):
    yield cls
    for child in cls.__subclasses__():
        yield from _tree(child)


@pytest.mark.parametrize("cls", [cls for cls in _tree(OrchestratorError) if cls.__module__ == errors.__name__])
def test_every_error_of_ours_becomes_its_code_and_its_exit(cls):
    lines, code = words(cls("the cause", hint="the remedy"))
    assert lines == (f"{cls.code}  the cause", "  hint  the remedy")
    assert code == cls.exit_code


def test_the_place_stands_between_cause_and_hint():
    lines, code = words(ConfigError("unknown key", code="HF-1003", where="stacks.yaml:4:2", hint="did you mean x?"))
    assert lines == ("HF-1003  unknown key", "  at    stacks.yaml:4:2", "  hint  did you mean x?")
    assert code == 64


def test_all_errors_of_one_reading_are_listed_with_their_places():
    other = ConfigError("no stack", code="HF-1011", where="stacks.yaml:9:1")
    lines, _ = words(ConfigError("unknown key", code="HF-1003", where="stacks.yaml:4:2", hint="look", others=(other,)))
    assert lines == (
        "stacks.yaml:4:2  error HF-1003  unknown key; look",
        "stacks.yaml:9:1  error HF-1011  no stack",
        "2 errors.",
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [(ToolBusy("held"), 75), (InvalidSettings("no"), 64), (ForbiddenFile("no"), 4), (ToolFailed("no"), 1)],
)
def test_an_adapters_error_ends_in_the_exit_that_fits(error, code):
    assert words(error)[1] == code


def test_what_the_tool_said_stands_below_its_error():
    problem = Problem(severity=Severity.ERROR, summary="bad HCL", file="main.tf", line=3)
    lines, _ = words(ToolFailed("terraform said no", problems=(problem,)))
    assert lines[-1] == "  main.tf:3  error: bad HCL"


def _fail(message):
    raise ZeroDivisionError(message)


def test_a_fault_of_ours_leaves_its_traceback_in_a_file_and_nowhere_else(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("HOLDFAST_HOME", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t-canary-value")
    monkeypatch.setenv("HOLDFAST_SECRET_X", 'a "quoted" canary')
    with pytest.raises(ZeroDivisionError) as caught:
        _fail("s3cr3t-canary-value is in here, " + json.dumps('a "quoted" canary'))
    assert report(caught.value) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert "canary" not in err
    found = re.search(r"debug log: (\S+)", err)
    assert found
    path = Path(found[1])
    log = path.read_text()
    assert "Traceback" in log
    assert "ZeroDivisionError" in log
    assert "canary" not in log
    assert path.stat().st_mode & 0o077 == 0


def test_a_home_of_ones_own_takes_the_traceback_too(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lines, _ = words(RuntimeError("x"))
    assert f"{tmp_path / 'home' / 'debug'}/" in lines[1]
    assert not (tmp_path / "state").exists()


def test_without_any_folder_to_write_to_the_fault_is_still_named(monkeypatch, tmp_path):
    monkeypatch.delenv("HOLDFAST_HOME", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "not there"))
    lines, code = words(RuntimeError("x"))
    assert lines[0] == "HF-9000  a fault of ours: RuntimeError"
    assert code == 1


def test_a_full_disk_is_named_as_one():
    lines, code = words(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/var/lib/x"))
    assert lines[0] == "HF-1911  the disk is full at /var/lib/x"
    assert code == 1


def test_ctrl_c_ends_in_130():
    assert words(click.Abort()) == (("interrupted",), 130)


@pytest.mark.parametrize("cls", [UsageError, Denied])
def test_control_characters_of_a_message_do_not_reach_the_terminal(cls):
    (line, *_), _ = words(cls("evil \x1b[2J name \u202e"))
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert r"\x1b[2J" in line
