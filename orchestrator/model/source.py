"""Where desired state is versioned, and one immutable version of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.model.forge import AppLogin

#: How often a source is looked at where nobody says otherwise, in seconds.
EVERY_S = 60.0


class SourceKind(StrEnum):
    """The kinds of source that this release reads."""

    GIT = "git"
    DIRECTORY = "directory"


class Verify(StrEnum):
    """What a revision must prove before anybody runs it."""

    NONE = "none"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source as configured. ``id`` is the name in every key of the record."""

    id: str
    kind: SourceKind
    #: URL or absolute path.
    location: str
    #: Branch, tag or full commit id; empty takes the checkout's HEAD or the remote's default branch.
    ref: str = ""
    verify: Verify = Verify.NONE
    #: Files with the public keys that count: ``allowed_signers`` for SSH, an armoured keyring for GPG.
    signers: tuple[str, ...] = ()
    #: Accept a revision that does not descend from the last one; None where nobody has said.
    allow_rewrite: bool | None = None
    #: SSH: the file with pinned host keys, and the private key; empty takes the user's own.
    known_hosts: str = ""
    ssh_key: str = ""
    #: HTTPS: name of the secret with the token, never the token.
    token_secret: str = ""
    #: HTTPS: the GitHub App that is given such a token for an hour at a time.
    app: AppLogin | None = None
    #: Seconds between two looks of the service at it; somebody's nudge makes it sooner.
    every_s: float = EVERY_S
    #: Of a directory: whether the kernel is asked to tell of changes, so that nobody waits for the next look.
    announced: bool = True
    #: Read from a person's own checkout of it: what lies there is not what the source itself has come to.
    checkout: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One immutable version of a source."""

    source: str
    #: Commit id, or the content digest of a directory.
    id: str
    #: Tree id of the root: equal trees hold equal files.
    tree: str
    author: str = ""
    email: str = ""
    #: Author's time, seconds since the epoch; 0 where the source knows none.
    at: float = 0.0
    message: str = ""
    #: True or False where verification was asked for, None where it was not.
    verified: bool | None = None
    #: False for a working tree with uncommitted files: its plan cannot be applied.
    committed: bool = True
    #: ``Deploy-Intent``, ``Incident`` and other trailers of the message.
    trailers: Mapping[str, str] = field(default_factory=dict)

    @property
    def short(self) -> str:
        """The form people read."""
        return self.id[:7]
