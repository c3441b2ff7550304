"""The files below deploy/ are what systemd takes them for, and no more open than is said."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.cli.unit_exposure import MOST
from orchestrator.config.operator_reading import read_operator

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SYSTEM = ("holdfast.service", "holdfast-worker.service")
PAGE = (DEPLOY.parent / "docs" / "service-on-systemd.md").read_text("utf-8")

systemd = pytest.mark.needs("systemd-analyze")


def verified(folder: Path, name: str, *words: str) -> str:
    """What systemd has to say of a unit whose program is there; it says so of wrong keys, too, and ends with 0."""
    (folder / name).write_text((DEPLOY / name).read_text().replace("/usr/bin/holdfast", "/bin/true"))
    for other in SYSTEM:
        if not (folder / other).exists():
            shutil.copy(DEPLOY / other, folder)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *words, folder / name],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    # What is wrong with units of this machine's own is not ours.
    return "".join(line for line in (done.stdout + done.stderr).splitlines(keepends=True) if name in line)


@systemd
@pytest.mark.parametrize("name", SYSTEM)
def test_systemd_finds_nothing_to_say_of_a_unit(name: str, tmp_path: Path) -> None:
    assert verified(tmp_path, name) == ""


@systemd
def test_systemd_finds_nothing_to_say_of_a_persons_own_unit(tmp_path: Path) -> None:
    (tmp_path / "user").mkdir()
    assert verified(tmp_path, "user/holdfast.service", "--user") == ""


@systemd
def test_a_key_that_systemd_does_not_know_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "odd.service").write_text("[Service]\nExecStart=/bin/true\nProtectEverything=yes\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "odd.service"], capture_output=True, text=True, check=False, timeout=60
    )
    assert "ProtectEverything" in done.stdout + done.stderr


@systemd
@pytest.mark.parametrize("name", SYSTEM)
def test_a_unit_is_no_more_exposed_than_is_promised(name: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={MOST * 10:.0f}", DEPLOY / name],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    # The figure itself differs a little between releases of systemd.
    assert f"**{MOST}**" in PAGE


def keys(name: str) -> list[str]:
    lines = (DEPLOY / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_worker_is_shut_in_as_the_service_is() -> None:
    differ = set(keys("holdfast.service")) ^ set(keys("holdfast-worker.service"))
    assert {line.partition("=")[0] for line in differ} == {"Description", "Conflicts", "ExecStart"}


def test_every_setting_that_would_break_a_promise_is_absent() -> None:
    # A crash must not end keepers; tools in the sandbox need a whole /proc; a holder that cannot be seen counts as dead.
    for name in SYSTEM:
        there = keys(name)
        assert "KillMode=process" in there
        assert "TimeoutStartSec=infinity" in there
        for broken in ("ProtectKernelTunables", "ProtectKernelLogs", "ProtectHostname", "ProtectProc", "ProcSubset"):
            assert not [line for line in there if line.startswith(broken)]
            assert f"`{broken}=`" in PAGE
        assert not [line for line in there if line.startswith("MemoryDenyWriteExecute")]


@pytest.mark.parametrize("name", [*SYSTEM, "user/holdfast.service"])
def test_systemd_never_gives_up_on_a_service_whose_database_is_away(name: str) -> None:
    unit = (DEPLOY / name).read_text()
    assert re.findall(r"^StartLimit\w+=.*$", unit, re.MULTILINE) == ["StartLimitIntervalSec=0"]
    assert "\nRestart=on-failure\n" in unit


def test_a_stop_waits_longer_than_the_service_lets_applies_end() -> None:
    from orchestrator.engine.dispatch import LAST_S  # noqa: PLC0415 -- heavy
    from orchestrator.model.workers import Workers  # noqa: PLC0415 -- likewise

    for name in SYSTEM:
        (minutes,) = [line for line in keys(name) if line.startswith("TimeoutStopSec=")]
        assert int(minutes.removeprefix("TimeoutStopSec=").removesuffix("min")) * 60 > Workers().grace_s + LAST_S


def test_the_example_of_the_operators_file_is_read_without_a_word(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "holdfast.yaml", tmp_path)
    found = read_operator(tmp_path / "holdfast.yaml", {})
    assert found.notices == ()
    assert found.sources == ()


def test_every_key_that_the_example_offers_may_be_taken(tmp_path: Path) -> None:
    text = re.sub(r"^#(?! \S)(?=.)", "", (DEPLOY / "holdfast.yaml").read_text(), flags=re.MULTILINE)
    (tmp_path / "holdfast.yaml").write_text(text)
    found = read_operator(tmp_path / "holdfast.yaml", {"CREDENTIALS_DIRECTORY": "/run/credentials/holdfast.service"})
    assert found.notices == ()
    assert [source.id for source in found.sources] == ["infra"]
    assert found.plugin_cache == Path("/var/cache/holdfast/plugins")
    assert set(found.credentials) == {"aws-prod"}
    assert len(found.stores) == 2


@pytest.mark.needs("bwrap", "unshare", "setpriv")
@pytest.mark.full
def test_the_sandbox_really_cannot_be_had_where_a_part_of_proc_is_covered() -> None:
    """Why the settings above are absent. Inside systemd-nspawn it works all the same: the booted test cannot tell."""
    program = (
        "setpriv --reuid 65534 --regid 65534 --clear-groups bwrap --unshare-pid --proc /proc --dev /dev --ro-bind / /"
    )
    for cover, code in (("true", 0), ("mount --bind /dev/null /proc/kmsg", 1)):
        shell = f"mount --make-rprivate / && mount -t proc proc /proc && {cover} && {program} true"
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "sh", "-c", shell],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if "unshare failed" in done.stderr:
            pytest.skip("only root may cover a part of /proc here")
        assert done.returncode == code, done.stderr
