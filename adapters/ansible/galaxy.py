"""Collections and roles that a stack's requirements ask for, installed once for each state of the requirements."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.ansible import commands
from adapters.ansible.texts import message
from adapters.contract import InvalidSettings, Result, Shell, ToolFailed

#: Requirements that come from beside the file: then what lies there counts, too.
_LOCAL: Final = re.compile(
    r"^\s*(?:-\s+)?(?:name|source|src):\s*[\"']?(?:\.{0,2}/|file:)|type:\s*(?:dir|file|subdirs)", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What is there for a playbook to use."""

    folder: Path | None = None
    #: Digest of the installed code, empty where there is none.
    digest: str = ""


def install(
    shell: Shell, program: Path, requirements: Path, cache: Path, *, tree: bytes, scrub: Callable[[bytes], str]
) -> Installed:
    """Install into ``cache`` where these requirements are not there yet; ``tree`` digests the stack's files.

    Raises InvalidSettings, ToolFailed.
    """
    text = requirements.read_text("utf-8", "replace")
    kinds = _kinds(text, requirements.name)
    if not kinds:
        return Installed()
    key = hashlib.sha256(text.encode() + (tree if _LOCAL.search(text) else b"")).hexdigest()[:32]
    target = cache / key
    if not target.is_dir():
        draft = cache / f".{key}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        # Empty, and there: without it the tool would take the repository's.
        (draft / "ansible.cfg").touch(mode=0o600)
        for kind in kinds:
            result = shell.run(commands.install(program, kind, requirements, draft / f"{kind}s"))
            if result.exit_code != 0:
                raise _refused(kind, result, scrub)
        for old in cache.iterdir():
            if old != draft:
                shutil.rmtree(old, ignore_errors=True)
        draft.replace(target)
    return Installed(folder=target, digest=_digest(target))


def _kinds(text: str, name: str) -> list[str]:
    """Return which kinds the file asks for: a plain list is of roles."""
    import yaml  # noqa: PLC0415 - only a stack with requirements pays for it

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise InvalidSettings(f"{name}{line}: this is no YAML", hint="mend the requirements") from error
    if isinstance(found, list):
        return ["role"] if found else []
    if isinstance(found, dict):
        return [kind for kind in ("collection", "role") if found.get(f"{kind}s")]
    if found is None:
        return []
    raise InvalidSettings(f"{name} must hold collections: and roles:", hint="see ansible-galaxy's documentation")


def _refused(kind: str, result: Result, scrub: Callable[[bytes], str]) -> ToolFailed:
    lines = [line for line in scrub(result.stderr or result.stdout).splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith(("[ERROR]", "ERROR"))), lines[-1] if lines else "")
    why = message(said, ()) or f"it ended with exit code {result.exit_code}"
    return ToolFailed(
        f"ansible-galaxy could not install a {kind}: {why}", hint="check the requirements and the network"
    )


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if (
            path.is_file()
            and "__pycache__" not in path.parts
            and not path.name.endswith((".pyc", ".galaxy_install_info"))
        ):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()} {len(content)} ".encode())
            digest.update(content)
    return digest.hexdigest()
