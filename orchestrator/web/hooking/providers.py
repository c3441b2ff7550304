"""Which module speaks for which kind of hook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from orchestrator.config.operator import HookKind
from orchestrator.web.hooking import bitbucket, generic, gitea, github, gitlab
from orchestrator.web.hooking.words import Provider

PROVIDERS: Final[Mapping[HookKind, Provider]] = {
    HookKind.GITHUB: cast("Provider", github),
    HookKind.GITLAB: cast("Provider", gitlab),
    HookKind.GITEA: cast("Provider", gitea),
    HookKind.BITBUCKET: cast("Provider", bitbucket),
    HookKind.GENERIC: cast("Provider", generic),
}
