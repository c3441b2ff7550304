"""One forge and what a test does at it, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.effects.forge_http import Patience
from orchestrator.model.verdict import CheckConclusion
from orchestrator.ports import Forge

MARKER = "<!-- holdfast:pull=1 -->"
LIMIT = {"github": 65_536, "gitlab": 1_000_000, "gitea": 65_536}
#: As patient as a test can wait: nothing here is slow that is not meant to be.
QUICK = Patience(connect_s=2, read_s=2, whole_s=4, pause_s=0.01, longest_s=0.05)


class Imitated(Protocol):
    """What each imitated forge lets a test do."""

    url: str
    requests: list[Any]
    endless: bool
    reactions: dict[int, list[str]]


@dataclass
class Stand:
    """An imitated forge, and our own one on it. What is not found here is the imitation's own."""

    kind: str
    at: Any
    make: Callable[[str, str, str], Forge]
    STATES: Mapping[CheckConclusion, str]
    token: str

    def __post_init__(self) -> None:
        self.forge = self.make(self.at.url, "acme/infra", self.token)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["at"], name)

    def __setattr__(self, name: str, value: object) -> None:
        if name == "endless":
            self.at.endless = value
        else:
            object.__setattr__(self, name, value)

    def elsewhere(self, repository: str) -> Forge:
        return self.make(self.at.url, repository, self.token)

    def with_token(self, token: str) -> Forge:
        return self.make(self.at.url, "acme/infra", token)

    def unreachable(self) -> Forge:
        # Nothing answers at the port of nobody.
        return self.make("http://127.0.0.1:9", "acme/infra", self.token)

    def state(self, told: Mapping[str, Any]) -> str:
        return str(told["state"])

    def before(self, number: int) -> int:
        """Return a number below: only an imitation lets a test choose."""
        return number + 7
