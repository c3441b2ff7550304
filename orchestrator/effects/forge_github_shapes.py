"""What we read of GitHub's answers, as its description of the API has them: https://github.com/github/rest-api-description."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, TypeAdapter

from orchestrator.model.pull import Pull, PullState


class User(BaseModel):
    """Somebody; None stands for who has deleted their account."""

    login: str


class Repository(BaseModel):
    """Where commits lie."""

    id: int


class Tip(BaseModel):
    """One end of a pull request."""

    ref: str
    sha: str
    #: None where the fork was deleted.
    repo: Repository | None = None


class PullRequest(BaseModel):
    """A pull request, of a list or by itself."""

    number: int
    title: str
    html_url: str
    user: User | None
    base: Tip
    head: Tip
    state: str
    draft: bool = False
    merged_at: datetime | None = None
    merge_commit_sha: str | None = None

    def pull(self) -> Pull:
        """Return it in our words."""
        merged = self.merged_at is not None
        state = PullState.MERGED if merged else PullState.OPEN if self.state == "open" else PullState.CLOSED
        ours = self.head.repo is not None and self.base.repo is not None and self.head.repo.id == self.base.repo.id
        return Pull(
            number=self.number,
            title=self.title,
            url=self.html_url,
            author=login_of(self.user),
            base=self.base.ref,
            head=self.head.sha,
            branch=self.head.ref,
            ref=f"refs/pull/{self.number}/head",
            fork=not ours,
            draft=self.draft,
            state=state,
            # Before that it is a commit that GitHub tries the merge out with.
            merged_as=(self.merge_commit_sha or "") if merged else "",
            merged_at=self.merged_at.timestamp() if self.merged_at else 0.0,
        )


class Comment(BaseModel):
    """What somebody wrote below an issue; a pull request is one."""

    id: int
    html_url: str
    user: User | None
    body: str | None = None
    created_at: datetime
    updated_at: datetime


class Review(BaseModel):
    """What somebody said of a pull request as a whole."""

    user: User | None
    state: str
    commit_id: str | None


class Target(BaseModel):
    """What a ref points at."""

    sha: str


class Ref(BaseModel):
    """One ref."""

    ref: str
    object: Target


class CheckRun(BaseModel):
    """A check of a commit."""

    id: int
    status: str

    @property
    def ended(self) -> bool:
        """Whether it says how it ended."""
        return self.status == "completed"


class Whatever(BaseModel):
    """An answer of which nothing is needed."""


def login_of(user: User | None) -> str:
    """Return a login, empty where nobody is left who bears it."""
    return user.login if user else ""


PULL: Final = TypeAdapter(PullRequest)
PULLS: Final = TypeAdapter(list[PullRequest])
COMMENT: Final = TypeAdapter(Comment)
COMMENTS: Final = TypeAdapter(list[Comment])
REVIEWS: Final = TypeAdapter(list[Review])
REFS: Final = TypeAdapter(list[Ref])
CHECK_RUN: Final = TypeAdapter(CheckRun)
USER: Final = TypeAdapter(User)
WHATEVER: Final = TypeAdapter(Whatever)
