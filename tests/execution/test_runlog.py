"""The log of a run: masked, timed, readable, and never in the way."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from execution_yard import STACK, Yard

from adapters.contract import MASK
from orchestrator.effects.redact import Redactor
from orchestrator.effects.runlog import Follower, log_path

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


def test_each_line_has_its_time_and_no_secret(yard: Yard) -> None:
    shell = yard.shell(secrets=("canary-1234",))
    shell.report("the key is canary-1234\nand a second line")
    shell.conceal(["found-later"])
    shell.report("found-later")
    lines = yard.log.splitlines()
    assert all(STAMP.match(line) for line in lines)
    assert [STAMP.sub("", line) for line in lines] == [f"the key is {MASK}", "and a second line", MASK]
    path = log_path(yard.home, 1, STACK)
    assert path == yard.home / "logs" / "1" / "infra+site=prod.log"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_run_says_what_it_ran_how_it_ended_and_why_it_failed(yard: Yard) -> None:
    shell = yard.shell(secrets=("canary-1234",))
    shell.run(yard.sh("echo not for the log; echo canary-1234 is wrong >&2; exit 3"))
    first, *middle, last = [STAMP.sub("", line) for line in yard.log.splitlines()]
    assert first == f"$ sh -c 'echo not for the log; echo {MASK} is wrong >&2; exit 3'"
    assert middle == [f"{MASK} is wrong"]
    assert re.fullmatch(r"sh -c ended with 3 after \d+\.\d s", last)


def test_followed_lines_are_masked_however_they_come(yard: Yard) -> None:
    seen: list[str] = []
    script = "printf 'a cana'; sleep 0.25; printf 'ry-12'; sleep 0.25; printf '34 b\\n\\033[31mred\\n'"
    result = yard.shell(secrets=("canary-1234",)).run(yard.sh(script), seen.append)
    assert seen == [f"a {MASK} b", r"\x1b[31mred"]
    assert result.stdout == b"a canary-1234 b\n\x1b[31mred\n"


def test_output_that_is_not_utf8_is_no_reason_to_fail(yard: Yard) -> None:
    seen: list[str] = []
    result = yard.shell().run(yard.sh(r"printf '\377\376 ok\n\303'"), seen.append)
    assert seen == ["\ufffd\ufffd ok", "\ufffd"]
    assert result.stdout == b"\xff\xfe ok\n\xc3"


def test_a_line_without_end_is_handed_on_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"x" * 3_000_000)
    seen: list[str] = []
    follower = Follower(path=path, redactor=Redactor(), on_line=seen.append)
    follower.close()
    assert len(seen) == 3
    assert sum(map(len, seen)) == 3_000_000


def test_a_full_log_disk_does_not_stop_a_run_and_leaves_a_mark(yard: Yard) -> None:
    path = log_path(yard.home, 1, STACK)
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/full")
    shell = yard.shell()
    assert shell.run(yard.sh("exit 0")).exit_code == 0
    shell.report("lost")
    path.unlink()
    shell.report("found")
    assert [STAMP.sub("", line) for line in yard.log.splitlines()] == ["(3 lines could not be written here)", "found"]


def test_many_threads_may_report(yard: Yard) -> None:
    shell = yard.shell()
    threads = [threading.Thread(target=shell.report, args=(f"line {n} " + "x" * 300,)) for n in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert min(len(STAMP.sub("", line)) for line in yard.log.splitlines()) > 300


def test_a_shell_masks_what_its_owner_stores(yard: Yard) -> None:
    assert yard.shell(secrets=("canary-1234",)).mask("error: canary-1234\r") == rf"error: {MASK}\r"


def test_a_log_that_is_full_says_so_once_and_takes_no_more(yard: Yard) -> None:
    shell = yard.shell()
    for _ in range(20):
        shell.report("\n".join(["x" * 1000] * 1000))
    yard.shell().report("never seen")
    last = [STAMP.sub("", line) for line in yard.log.splitlines()[-2:]]
    assert last == ["x" * 1000, "(the log is full: no more of this run is kept here)"]
    assert len(yard.log) < 18_000_000
