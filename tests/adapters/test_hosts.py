"""What a host's own traces say, read from what real hosts printed (recorded, names changed), and from this one."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest

from adapters import hosts
from adapters.testimony import Confidence

CHANGED = datetime.fromisoformat("2026-11-25T20:00:00+00:00").timestamp()
SINCE = CHANGED - 3600
MOTD = f"file|{int(CHANGED)}|root|/etc/motd\n"
#: Recorded on Debian 12: `last -w --time-format iso`, names and addresses changed.
LAST = """\
login|ana      pts/1        203.0.113.7      2026-11-25T19:50:12+00:00   still logged in
login|bob      pts/0        198.51.100.20    2026-11-25T18:00:01+00:00 - 2026-11-25T18:30:09+00:00  (00:30)
login|reboot   system boot  6.1.0-18-amd64   2026-11-20T07:00:02+00:00   still running
login|
login|wtmp begins 2026-11-01T06:25:02+00:00
"""
#: Recorded on Debian 12: `journalctl _COMM=sudo -o short-unix`, names changed, a password put in.
SUDO = (
    "sudo|1764100500.123456 web1 sudo[812]:      bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; "
    "COMMAND=/usr/bin/mysql --password=c4n4ry\n"
)


def sudo(at: float, words: str, who: str = "bob") -> str:
    return (
        f"sudo|{at:.6f} web1 sudo[812]:      {who} : TTY=pts/0 ; PWD=/home/bob ; USER=root ; "
        f"COMMAND=/usr/bin/vim {words}\n"
    )


def said(printed: str, path: str = "/etc/motd", since: float = SINCE):
    return hosts.testimonies("web1: motd", (path,), "web1", hosts.read(printed), since)


def test_the_only_one_who_was_logged_in_is_likely() -> None:
    (word,) = said(MOTD + LAST)
    assert (word.address, word.who, word.at, word.confidence) == ("web1: motd", "ana", CHANGED, Confidence.LIKELY)
    assert word.what == "was logged in from 203.0.113.7 when /etc/motd on web1 was changed"


def test_of_several_who_were_there_each_is_a_hint() -> None:
    also = (
        "login|eve      pts/3        2001:db8::7      2026-11-25T19:00:00+00:00 - 2026-11-25T21:00:00+00:00  (02:00)\n"
    )
    assert {(word.who, word.confidence) for word in said(MOTD + LAST + also)} == {
        ("ana", Confidence.HINT),
        ("eve", Confidence.HINT),
    }


def test_a_session_that_nobody_saw_end_is_never_more_than_a_hint() -> None:
    lost = "login|root     pts/5        127.0.0.1        2026-11-25T19:23:59+00:00   gone - no logout\n"
    (word,) = said(MOTD + lost)
    assert (word.who, word.confidence) == ("root", Confidence.HINT)
    sure = "login|root     pts/6        127.0.0.1        2026-11-25T19:30:00+00:00   still logged in\n"
    assert [word.confidence for word in said(MOTD + sure + lost)] == [Confidence.LIKELY]


def test_a_command_by_sudo_on_the_very_file_is_likely_and_one_shortly_before_a_hint() -> None:
    (on_it,) = said(MOTD + sudo(CHANGED - 30, "/etc/motd"))
    assert (on_it.who, on_it.confidence) == ("bob", Confidence.LIKELY)
    assert on_it.what == "ran /usr/bin/vim by sudo on /etc/motd on web1"
    (before,) = said(MOTD + sudo(CHANGED - 30, "/etc/hosts"))
    assert before.confidence is Confidence.HINT
    assert before.what == "ran /usr/bin/vim by sudo shortly before /etc/motd on web1 changed"
    assert said(MOTD + sudo(CHANGED - 3000, "/etc/motd") + sudo(CHANGED + 60, "/etc/motd"))[0].who == ""


def test_what_a_command_was_given_is_never_told() -> None:
    traces = hosts.read(SUDO)
    (ran,) = traces.sudo
    assert (ran.who, ran.at, ran.program) == ("bob", 1764100500.123456, "/usr/bin/mysql")
    assert "c4n4ry" not in repr(traces)
    told = hosts.testimonies("a", ("/x",), "web1", hosts.read(SUDO + "file|1764100501|root|/x\n"), 0.0)
    assert told
    assert "c4n4ry" not in str(told)


def test_without_anybody_the_owner_is_a_hint_but_root_is_nobody() -> None:
    (word,) = said(f"file|{int(CHANGED)}|deploy|/etc/motd\n")
    assert (word.who, word.confidence) == ("deploy", Confidence.HINT)
    (word,) = said(MOTD)
    assert (word.who, word.at) == ("", CHANGED)
    assert word.what == "/etc/motd on web1 was changed then; no login and no sudo of that time is to be found"


def test_of_a_file_that_is_gone_its_folder_tells() -> None:
    (word,) = said(f"gone|{int(CHANGED)}|root|/etc/motd\n")
    assert word.what.startswith("/etc/motd on web1 is gone, and its folder was changed then;")


def test_a_time_before_the_last_look_is_no_ones_and_a_host_that_says_nothing_says_nothing() -> None:
    (word,) = said(MOTD + LAST, since=CHANGED + 1)
    assert (word.who, word.confidence) == ("", Confidence.HINT)
    assert "the clocks may differ" in word.what
    assert said("") == ()


@pytest.mark.parametrize("line", ["file|x|root|/a", "file|1", "login|ana", "sudo|no", "odd", "|||", "gone|1|root|"])
def test_lines_of_another_form_are_left_out(line: str) -> None:
    assert hosts.read(line) == hosts.Traces(files={})


def test_this_hosts_own_files_are_read_whatever_they_are_called(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("plain", "with space", "quo'te", "$(touch pwned)", "-n")]
    for path in paths:
        path.write_text("x")
    gone = tmp_path / "gone"
    script = hosts.script([str(path) for path in (*paths, gone)], time.time() - 60)
    ran = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30)
    traces = hosts.read(ran.stdout)
    owner = ran.stdout.split("|")[2]
    for path in paths:
        found = traces.files[str(path)]
        assert (found.owner, found.gone) == (owner, False)
        assert found.changed_at == pytest.approx(os.stat(path).st_ctime, abs=1.0)  # noqa: PTH116
    assert traces.files[str(gone)].gone
    assert not (tmp_path / "pwned").exists()
