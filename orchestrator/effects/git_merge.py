"""What a branch would be once a commit is merged into it, worked out without a working tree and without a forge."""

from __future__ import annotations

from typing import Final

from orchestrator.effects.git import Git
from orchestrator.effects.git_history import descends
from orchestrator.errors import RevisionRejected, SourceError

#: How `git merge-tree` says that two sides cannot be put together.
_CONFLICT: Final = 1
_FORMAT: Final = "%an%x00%ae%x00%aD%x00%cn%x00%ce%x00%cD"


def merged(git: Git, base: str, head: str) -> str:
    """Return the commit that merging ``head`` into ``base`` would make; the same two always make the same one.

    One of the two where it leads to the other. The author is that of ``head``. No hook, no driver and no filter of the
    repository is run. See https://git-scm.com/docs/git-merge-tree.
    Raises RevisionRejected (HF-3020) where they conflict.
    """
    if descends(git, head, base):
        return head
    if descends(git, base, head):
        return base
    result = git.ask("merge-tree", "--write-tree", "--name-only", "--no-messages", "--end-of-options", base, head)
    tree, *conflicting = result.stdout.decode("utf-8", "replace").splitlines() or [""]
    if result.exit_code == _CONFLICT:
        files = ", ".join(conflicting[:3]) + (f" and {len(conflicting) - 3} more" if len(conflicting) > 3 else "")  # noqa: PLR2004 -- three
        raise RevisionRejected(
            f"{head[:7]} conflicts with {base[:7]} in {files}",
            code="HF-3020",
            hint="merge or rebase it onto its base; it is planned again by itself",
        )
    if result.exit_code != 0:
        raise SourceError(f"{head[:7]} and {base[:7]} cannot be merged: they have no history in common", code="HF-3021")
    return _commit(git, tree, base, head)


def _commit(git: Git, tree: str, base: str, head: str) -> str:
    said = git.tell("log", "-1", "--encoding=UTF-8", f"--format={_FORMAT}", head, "--").decode("utf-8", "replace")
    names = ("AUTHOR_NAME", "AUTHOR_EMAIL", "AUTHOR_DATE", "COMMITTER_NAME", "COMMITTER_EMAIL", "COMMITTER_DATE")
    people = {f"GIT_{name}": value for name, value in zip(names, said.rstrip("\n").split("\0"), strict=True)}
    argv = ("commit-tree", tree, "-p", base, "-p", head, "-m", f"Merge {head} into {base}")
    return git.tell(*argv, extra=people).decode().strip()
