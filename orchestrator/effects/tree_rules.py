"""What of a revision may lie in a tool's folder, and what a tool may leave there. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from adapters.contract import ForbiddenFile
from orchestrator.errors import RevisionRejected
from orchestrator.ports import FileMode, TreeEntry

#: Folders and files that would take the tool over: its own caches, plugins and configuration.
_FORBIDDEN: Final = frozenset({".terraform", "terraform.d", ".terraformrc", "terraform.rc", ".tofurc", "tofu.rc"})
#: State and saved plans, under whatever name they were copied to.
_STATE: Final = ".tfstate"
_PLAN: Final = ".tfplan"
#: Names that git refuses to make, and that a crafted repository may hold all the same.
_UNSAFE: Final = frozenset({"..", ".", ".git", "/"})
#: What a tool takes for its own input wherever it finds it.
_CODE: Final = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars", ".tfvars.json", ".hcl")
#: What a tool may leave in its folder that nobody may lose: the state it could not write elsewhere.
_PRECIOUS: Final = frozenset({"errored.tfstate"})


def check(entry: TreeEntry) -> None:
    """Refuse an entry that must not be laid out. Raises ForbiddenFile, RevisionRejected (HF-3014, HF-3015)."""
    parts = entry.path.parts
    if _UNSAFE.intersection(parts):
        raise RevisionRejected(
            f"the repository holds the path {str(entry.path)!r}, which leads out of it",
            code="HF-3014",
            hint="no git client makes such a path by itself: find out who did",
        )
    if entry.mode is FileMode.SUBMODULE:
        raise RevisionRejected(
            f"{entry.path} is a submodule: its files are not part of this repository",
            code="HF-3015",
            where=f"{entry.path}:1",
            hint="take the files into the repository, or name the module by its own source",
        )
    if takes_over(entry.path):
        raise ForbiddenFile(
            f"{entry.path} is committed and would take over the tool",
            hint=f"git rm -r --cached {entry.path}, and add it to .gitignore",
        )


def takes_over(path: PurePosixPath) -> bool:
    """Whether a file would stand in for the tool's own: plugins, configuration, state, saved plans."""
    if any(part in _FORBIDDEN or _STATE in part for part in path.parts):
        return True
    return path.name.endswith(_PLAN)


def may_stay(path: PurePosixPath, *, same_files: bool) -> bool:
    """Whether a file that a tool left in its folder stays when the stack is laid out again.

    What a plan built (an archive, for one) is needed by its apply, so it stays for as long as the revision's files
    are the same; what would be read as code or state never does, and the one precious file always.
    """
    if path.name in _PRECIOUS:
        return True
    return same_files and not path.name.endswith(_CODE) and not takes_over(path)
