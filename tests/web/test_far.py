"""The same commands on the service's own host and from elsewhere: what they print and end in is the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fared import Estate

#: What each command is asked with; none of them changes anything.
READING = [
    ["status"],
    ["status", "-o", "wide", "--check"],
    ["status", "-o", "json"],
    ["status", "--plain", "web"],
    ["status", "n*", "-o", "yaml", "--check"],
    ["status", "nope"],
    ["status", "tool=ansible"],
    ["status", "-e", "nowhere"],
    ["runs"],
    ["runs", "--all", "-n", "3", "-o", "json"],
    ["runs", "--failed"],
    ["runs", "--since", "1h", "--plain"],
    ["show", "2"],
    ["show", "2", "-o", "json"],
    ["show", "999"],
    ["logs", "2"],
    ["logs", "2", "-o", "json"],
    ["logs", "-f", "2", "net", "--plain"],
    ["logs", "net"],
    ["logs", "77"],
    ["show", "db"],
    ["show", "db", "-o", "json"],
    ["show", "net"],
    ["plan"],
    ["plan", "db", "-o", "json"],
    ["plan", "--plain", "--detailed-exitcode"],
    ["plan", "nope"],
    ["plan", "net", "--with-dependents"],
    ["plan", "--destroy", "net", "-o", "json"],
    ["approve", "db"],
    ["approve", "db", "--proposal", "99"],
    ["reject", "net"],
    ["approve", "999"],
    ["wait", "net"],
    ["wait", "net", "-o", "json"],
    ["wait", "web", "--timeout", "0s"],
]


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Estate(tmp_path_factory.mktemp("estate")).at_work() as made:
        made.until(lambda: len(made.get("/api/v1/approvals", made.first).json()["items"]) == 2)
        yield made


def alike(text: str) -> str:
    """Leave out how long ago something was: it goes on between two commands, and widens its column."""
    return re.sub(r" +", " ", re.sub(r"\b\d+ (s|min)\b", "AGE", text))


@pytest.mark.needs("terraform")
@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_what_is_read_is_the_same_from_elsewhere(estate: Estate, words: list[str]) -> None:
    here, far = estate.here(*words), estate.far(*words)
    assert (far.returncode, alike(far.stdout)) == (here.returncode, alike(here.stdout)), far.stderr
    if here.returncode:
        assert far.stderr.splitlines()[:1] == here.stderr.splitlines()[:1]


@pytest.mark.needs("terraform")
def test_a_token_that_does_not_count_is_refused_and_never_shown(estate: Estate) -> None:
    found = estate.far("status", token="hf_c4n4ry_of_nobody")
    assert (found.returncode, found.stdout, found.stderr[:7]) == (4, "", "HF-4121")
    assert "c4n4ry" not in found.stderr


@pytest.mark.needs("terraform")
def test_what_only_this_host_or_that_one_has_is_said_so(estate: Estate) -> None:
    for words in (
        ["plan", "--dirty"],
        ["plan", "--changed-since", "HEAD"],
        ["mv", "a", "b"],
        ["show", "db", "--track", "x"],
    ):
        found = estate.far(*words)
        assert (found.returncode, found.stderr[:7]) == (64, "HF-1915"), words


@pytest.mark.needs("terraform")
def test_what_is_another_s_is_not_there(estate: Estate) -> None:
    token = estate.token("far-runner", "runner")
    for words in (["show", "net"], ["plan", "net"], ["apply", "net", "--yes"], ["approve", "web", "--proposal", "1"]):
        found = estate.far(*words, token=token)
        absent = estate.far(*[word.replace("net", "nix").replace("web", "nix") for word in words], token=token)
        assert (found.returncode, found.stdout) == (absent.returncode, absent.stdout) == (64, "")
        name = next(word for word in words if word in {"net", "web"})
        assert found.stderr.replace(name, "nix") == absent.stderr
    assert [line.split()[0] for line in estate.far("status", "--plain", token=token).stdout.splitlines()] == ["db"]
    found = estate.far("plan", token=estate.token("far-viewer", "view"))
    assert (found.returncode, found.stderr[:7]) == (4, "HF-4122")


@pytest.mark.needs("terraform")
def test_a_plan_is_shown_asked_about_and_applied_as_it_was_seen(tmp_path: Path) -> None:
    with Estate(tmp_path).at_work() as made:
        made.until(lambda: len(made.get("/api/v1/approvals", made.first).json()["items"]) == 2)
        asked = made.far("apply", "db")
        assert (asked.returncode, "waits for a yes" in asked.stdout) == (3, True)
        assert "--yes says it beforehand" in asked.stderr
        done = made.far("apply", "db", "--yes", "--reason", "seen")
        assert (done.returncode, "✓ done" in done.stdout) == (0, True), done.stderr
        assert "+ terraform_data.db" in done.stderr
        assert "db: applying" in done.stderr
        # What was approved is applied by the service itself.
        (number,) = re.findall(r"approve web --proposal (\d+)", made.far("show", "web").stderr)
        yes = made.far("approve", "web", "--proposal", number, "--reason", "fine", "-o", "json")
        assert '"by": "token:first"' in yes.stdout
        assert made.far("wait", "--timeout", "60s").returncode == 0
        again = made.far("apply")
        assert (again.returncode, again.stdout) == (0, made.here("apply").stdout)
        # A plan of what is newest: the service looks at its source first.
        (made.lab / "db" / "main.tf").write_text('resource "terraform_data" "db" {\n  triggers_replace = "x"\n}\n')
        assert "replaces" in made.far("plan", "db").stdout or "±1" in made.far("plan", "db").stdout
        grave = made.far("apply", "db", "--yes")
        assert (grave.returncode, "asks for its name: --confirm db" in grave.stderr) == (3, True)
        (number,) = re.findall(r"approve db --proposal (\d+)", made.far("show", "db").stderr)
        no = made.far("reject", "db", "--proposal", number)
        assert (no.returncode, no.stderr.splitlines()[0]) == (0, "rejected db  as token:first")
        assert made.far("apply", "db", "--confirm", "db").returncode == 4
        assert made.far("plan", "db").returncode == 0
        assert made.far("apply", "db", "--confirm", "db").returncode == 0
        assert made.far("runs", "--failed").stdout == made.here("runs", "--failed").stdout
    assert "Traceback" not in made.said
