"""The environment of a tool: an allow-list, private folders, and nothing that could take the tool over."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.errors import ExecutionError

#: What a tool gets of our own environment, besides PATH and ``LC_*``. Proxies come with a credential set or not at all.
_PASSED: Final = ("LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")

#: Nobody sets these, adapters included: they load code, redirect programs or undo what we set.
_NEVER: Final = frozenset(
    {
        *("PATH", "HOME", "TMPDIR", "TMP", "TEMP", "SHELL", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS4"),
        *("CDPATH", "PROMPT_COMMAND", "EDITOR", "VISUAL", "PAGER", "BROWSER", "SSH_ASKPASS", "GCONV_PATH"),
        *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "NODE_OPTIONS", "NODE_PATH", "JAVA_TOOL_OPTIONS", "RUBYOPT"),
        *("RUBYLIB", "PERL5LIB", "PERL5OPT", "PERL5DB", "PERLLIB", "HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS"),
        *("GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXEC_PATH", "GIT_PROXY_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_ASKPASS"),
        *("TF_REATTACH_PROVIDERS", "GLIBC_TUNABLES", "GOTRACEBACK"),
    }
)
_NEVER_BEGINS: Final = ("TF_CLI_ARGS", "TF_LOG", "LD_", "DYLD_", "XDG_", "BASH_FUNC_", "HOLDFAST_", "MALLOC_")

#: An adapter sets these for itself; a stack or a credential set may not.
_ADAPTERS: Final = frozenset({"TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG", "TF_DATA_DIR", "TF_WORKSPACE", "TF_FORK"})
_ADAPTERS_BEGINS: Final = ("TF_PLUGIN_", "TF_SKIP_", "PLUGIN_", "ANSIBLE_", "GIT_", "PYTHON")

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """The folders that a tool takes for its user's own: empty at first, mode 0700, gone when the run ends."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Private:
        """Make them inside the existing ``folder``. Raises OSError."""
        private = cls(folder=folder)
        private.home.mkdir(mode=0o700)
        (folder / "runtime").mkdir(mode=0o700)
        # Short, because programs put sockets there and a socket's path has 107 bytes; found again through the link.
        (folder / "tmp").symlink_to(tempfile.mkdtemp(prefix="hf-"))
        return private

    @property
    def home(self) -> Path:
        """What the tool takes for its user's home."""
        return self.folder / "home"

    @property
    def variables(self) -> dict[str, str]:
        """The variables that lead a tool there."""
        home = self.home
        return {
            "HOME": str(home),
            "TMPDIR": str((self.folder / "tmp").readlink()),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_STATE_HOME": str(home / ".local/state"),
            "XDG_RUNTIME_DIR": str(self.folder / "runtime"),
        }

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders themselves."""
        return (self.home, self.folder / "runtime", (self.folder / "tmp").readlink())

    def remove(self) -> None:
        """Remove them, the whole of ``folder`` with them; what is gone already is fine."""
        with suppress(OSError):
            temporary = (self.folder / "tmp").readlink()
            if temporary.parent == Path(tempfile.gettempdir()) and temporary.name.startswith("hf-"):
                shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def refused(name: str) -> bool:
    """Whether a stack or a credential set may not set the variable ``name``."""
    return _never(name) or name in _ADAPTERS or name.startswith(_ADAPTERS_BEGINS)


def tool_environment(
    *, outer: Mapping[str, str], private: Private, command: Mapping[str, str], credentials: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a tool.

    ``outer`` is our own, ``command`` what the adapter adds, ``credentials`` what the granted set brings. Raises
    ExecutionError (HF-5004) naming the variable that is refused.
    """
    for name, value in command.items():
        _check(name, value, "the adapter", bad=_never(name))
    for name, value in credentials.items():
        _check(name, value, "the credential set", bad=refused(name))
    passed = {name: value for name, value in outer.items() if name in _PASSED or name.startswith("LC_")}
    return {**passed, "PATH": search_path(outer), **private.variables, **command, **credentials}


def search_path(outer: Mapping[str, str]) -> str:
    """Return PATH without its empty and relative entries: they would find programs in a repository."""
    entries = outer.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if entry.startswith("/"))


def _never(name: str) -> bool:
    return not _NAME.match(name) or name in _NEVER or name.startswith(_NEVER_BEGINS)


def _check(name: str, value: str, giver: str, *, bad: bool) -> None:
    if bad or "\0" in value:
        message = f"the variable {name!r} is refused from {giver}"
        raise ExecutionError(message, code="HF-5004", hint="remove it: it would take over the tool or its environment")
