"""Asks git about one repository: fixed arguments, our own configuration, nothing of the repository's is run.

Every command here reads. Fetching is `git_fetch`, in a process of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from adapters.contract import Result
from orchestrator.effects.environment import search_path
from orchestrator.errors import SourceError

#: Seconds that a question to a repository on this machine may take.
QUICK: Final = 60.0

#: Variables of ours that git and its transports may see: where proxies, agents and certificates are.
_PASSED: Final = (
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
)

#: Overrides whatever a repository's own configuration says.
_SETTINGS: Final = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "core.askPass": "",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.autoDetach": "false",
    "gpg.x509.program": "false",
    "http.followRedirects": "false",
    "log.showSignature": "false",
    "protocol.ext.allow": "never",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
    # With these git takes a block that holds one for trailers, whatever else is in it: ``BREAKING CHANGE: …`` is none.
    "trailer.deploy-intent.key": "Deploy-Intent",
    "trailer.holdfast-allow.key": "Holdfast-Allow",
    "trailer.incident.key": "Incident",
    "trailer.runbook.key": "Runbook",
}


class Run(Protocol):
    """Runs a program to its end without a shell. Raises ExecutionError where it cannot be started or takes too long."""

    def __call__(
        self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdin: bytes = b"", timeout: float
    ) -> Result:
        """Return the exit code and both outputs; ``timeout`` in seconds."""
        ...


#: What a person's own git reads on top, where the repository is a checkout on this machine.
_OWN: Final = ("HOME", "XDG_CONFIG_HOME")
#: What takes their place everywhere else: libcurl would read ``~/.netrc``.
_NOBODY: Final = {
    "HOME": "/nonexistent",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git_environment(
    outer: Mapping[str, str], *, protocols: str = "", settings: Mapping[str, str] | None = None, own: bool = False
) -> dict[str, str]:
    """Return the whole environment of a git process.

    ``protocols`` are those that it may speak, none by default; ``settings`` go on top of our own. ``own`` is for a
    checkout on this machine: there the person's own git configuration counts (``safe.directory``, ignored files).
    """
    env = {name: outer[name] for name in (*_PASSED, *(_OWN if own else ())) if name in outer}
    env |= {} if own else _NOBODY
    env |= {
        # An empty or relative entry would find git, or what git runs, in the repository that it is asked about.
        "PATH": search_path(outer),
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
    merged = _SETTINGS | dict(settings or {})
    env["GIT_CONFIG_COUNT"] = str(len(merged))
    for index, (key, value) in enumerate(merged.items()):
        env[f"GIT_CONFIG_KEY_{index}"] = key
        env[f"GIT_CONFIG_VALUE_{index}"] = value
    return env


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """One repository, asked through the ``git`` program."""

    #: The repository's own folder (``mirror.git`` or ``…/.git``).
    folder: Path
    env: Mapping[str, str]
    run: Run

    def ask(self, *args: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> Result:
        """Run ``git ARGS`` on the repository and return how it ended; ``extra`` joins the environment."""
        env = {**self.env, "GIT_DIR": str(self.folder), **(extra or {})}
        return self.run(["git", *args], env=env, cwd=self.folder, stdin=stdin, timeout=QUICK)

    def tell(self, *args: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        """Run ``git ARGS`` and return its output. Raises SourceError (HF-3007) where git says no."""
        result = self.ask(*args, stdin=stdin, extra=extra)
        if result.exit_code != 0:
            raise SourceError(
                f"git {args[0]} failed in {self.folder}: {last_line(result.stderr)}",
                code="HF-3007",
                hint="git fsck in that folder says more; once removed it is fetched anew",
            )
        return result.stdout


def last_line(output: bytes) -> str:
    """Return the line of git's messages that says why, without its prefix."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    for line in lines:
        if line.startswith(("fatal:", "error:")):
            return line.partition(":")[2].strip()
    return lines[-1] if lines else "no message"
