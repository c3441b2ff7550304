"""HF-3xxx: where desired state is versioned."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-3000": Entry("source unusable", "A source of desired state cannot be used.", "See the message."),
    "HF-3001": Entry(
        "source unreachable",
        "The source did not answer; the last good revision stays in force.",
        "Check the network and the credentials.",
    ),
    "HF-3002": Entry(
        "location or ref refused",
        "A source's location or ref is malformed, or could make git do more than fetch.",
        "Use https://, ssh:// or an absolute path, and the name of a branch or tag or a full commit id.",
    ),
    "HF-3003": Entry(
        "not let in",
        "The repository refused the token or key, or its host is not the one that is known.",
        "Check the token, the key and the pinned known_hosts file.",
    ),
    "HF-3004": Entry(
        "ref is gone",
        "The source answers, but the ref that is followed is no longer there.",
        "Nothing is destroyed because of it. Restore the ref, or name another.",
    ),
    "HF-3005": Entry(
        "source became empty",
        "The source answers, but holds no file any more.",
        "Nothing is destroyed because of it. Restore the files, or name another ref.",
    ),
    "HF-3006": Entry(
        "no such revision",
        "The source has no commit, tag or branch of that name.",
        "Look for it with git log, then name it in full.",
    ),
    "HF-3007": Entry(
        "mirror damaged",
        "Holdfast's own copy of the repository cannot be read.",
        "Run git fsck in the folder named. Once removed it is fetched anew.",
    ),
    "HF-3008": Entry(
        "working tree unreadable",
        "The files of the checkout cannot be taken as they lie there.",
        "See git status. Without --dirty the last commit is used.",
    ),
    "HF-3010": Entry("revision rejected", "The revision exists, but nobody may run it.", "See the message."),
    "HF-3011": Entry(
        "history rewritten",
        "The newest revision does not descend from the last one that was accepted.",
        "The last good revision stays in force. allow_rewrite: true accepts such a revision.",
    ),
    "HF-3012": Entry(
        "ambiguous ref",
        "The name stands for more than one thing: a branch, a tag, a commit.",
        "Say refs/heads/… or refs/tags/…, or give the full commit id.",
    ),
    "HF-3013": Entry(
        "foreign commit",
        "The commit is not part of the ref that the source follows.",
        "Name a commit of that ref, or merge this one into it.",
    ),
    "HF-3014": Entry(
        "path leaves the repository",
        "A link or a path among the files leads out of the repository, or in a circle.",
        "Replace the link by the file itself, or by a link that stays inside.",
    ),
    "HF-3015": Entry(
        "submodule",
        "A stack reads from a submodule: its files are not part of the repository.",
        "Take the files into the repository, or name the module by its own source.",
    ),
    "HF-3016": Entry(
        "signature missing",
        "The source asks for signed commits, and this one bears no signature that counts.",
        "Sign the commit with a key of the source's signers, or add the key there.",
    ),
    "HF-3017": Entry(
        "stack's folder missing",
        "The revision holds no file in the stack's folder.",
        "Mend the stack's path. An empty folder is never taken for a wish to destroy.",
    ),
    "HF-3018": Entry(
        "workspace unwritable",
        "The stack's files cannot be laid out on this host.",
        "Free some space, or mend the permissions of the folder named.",
    ),
    "HF-3019": Entry(
        "stack not in that revision",
        "A revision that a stack was applied at does not have it, under its present name or an earlier one.",
        "See holdfast show STACK; holdfast plan STACK looks at what is there today.",
    ),
    "HF-3020": Entry(
        "pull request conflicts",
        "A pull request cannot be merged into its base: both change the same lines.",
        "Merge the base into it, or rebase it; it is planned again by itself.",
    ),
    "HF-3021": Entry(
        "pull request without a base",
        "A pull request has no history in common with the branch that it asks to be merged into.",
        "Open it from a branch of this repository, or of a fork of it.",
    ),
}
