"""A forge as a value: what it was told, and what it says of pull requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from orchestrator.model.pull import Candidate, Pull, PullState, Remark
from orchestrator.model.verdict import Check, CheckConclusion
from orchestrator.ports import ForgeTraits


@dataclass
class Forge:
    """`ports.Forge` in memory. Nothing of a real one's ways of failing: those are tested with the real contract."""

    now: Callable[[], float]
    open_: dict[int, Pull] = field(default_factory=dict)
    written: list[Remark] = field(default_factory=list)
    comments: dict[int, list[str]] = field(default_factory=dict)
    checks: dict[tuple[str, str], Check] = field(default_factory=dict)
    statuses: dict[str, tuple[CheckConclusion, str]] = field(default_factory=dict)
    thumbs: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    queue: list[Candidate] = field(default_factory=list)
    failing: Exception | None = None
    #: So many remarks at most are in one answer, None for all.
    most: int | None = None
    #: Number and head -> who approves of it, or why the forge does not say.
    approving: dict[tuple[int, str], tuple[str, ...] | Exception] = field(default_factory=dict)
    traits = ForgeTraits(checks=True, comment_limit=65_536)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.failing:
            raise self.failing

    def put(self, number: int, head: str, **more: object) -> None:
        before = self.open_.get(number, Pull(number=number, author="ana-gh", base="main"))
        self.open_[number] = replace(before, head=head, **more)  # type: ignore[arg-type]

    def remark(self, number: int, by: str, text: str, *, edited: bool = False) -> None:
        id_ = f"r{len(self.written)}"
        self.written.append(Remark(id=id_, pull=number, by=by, text=text, at=self.now(), edited=edited))

    def pulls(self, base: str) -> tuple[Pull, ...]:
        self._call("pulls")
        return tuple(pull for _, pull in sorted(self.open_.items()) if pull.state is PullState.OPEN)

    def pull(self, number: int) -> Pull:
        self._call("pull")
        return self.open_[number]

    def remarks(self, since: float) -> tuple[Remark, ...]:
        self._call("remarks")
        return tuple(one for one in self.written if one.at >= since)[: self.most]

    def approvers(self, number: int, head: str) -> tuple[str, ...]:
        said = self.approving.get((number, head), ())
        if isinstance(said, Exception):
            raise said
        return said

    def candidates(self, base: str) -> tuple[Candidate, ...]:
        return tuple(self.queue)

    def say(self, number: int, body: str, *, marker: str, known: str = "") -> str:
        self._call("say")
        self.comments.setdefault(number, []).append(body)
        return f"c{number}"

    def check(self, head: str, check: Check, *, known: str = "") -> str:
        self._call("check")
        self.checks[head, check.name] = check
        return f"k{head[:4]}{check.name}"

    def status(self, head: str, *, name: str, conclusion: CheckConclusion, title: str, url: str) -> None:
        self._call("status")
        self.statuses[head] = (conclusion, title)

    def thumb(self, remark: Remark) -> None:
        self._call("thumb")
        self.thumbs.append(remark.id)
