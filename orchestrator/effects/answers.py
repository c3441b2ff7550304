"""What was answered to requests that bear a key, kept so that a repeated request is done once, over restarts too.

A request is claimed before anything is done. Where the process ended in the middle nobody knows how far it came: that
is said, and never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from orchestrator.effects import liveness
from orchestrator.effects.database import Database
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_tables import answers
from orchestrator.errors import Conflict
from orchestrator.ports import Clock

#: Seconds for which an answer is kept.
_KEPT_S: Final = 7 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request that bears a key."""

    who: str
    key: str
    #: SHA-256 of what is asked for.
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered."""

    status: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers of one record. Safe to share between threads and processes."""

    database: Database
    clock: Clock

    def claim(self, asked: Asked) -> Answer | None:
        """Return what was answered before; None where it is the caller's to do, then to `keep` or to `drop`.

        Raises Conflict: HF-4130 where the key stands for another request, HF-4131 where this one is under way, or was
        when its process ended.
        """
        now, mine, made = self.clock.now(), liveness.owner(), list[bool]()

        def work(connection: Connection) -> Answer | None:
            lock_head(connection)
            connection.execute(delete(answers).where(answers.c.at < now - _KEPT_S))
            row = connection.execute(select(answers).where(*_is(asked))).mappings().one_or_none()
            if row is None:
                made.append(True)
                connection.execute(
                    insert(answers).values(
                        who=asked.who, key=asked.key, request=asked.request, owner=mine, at=now, status=None, body=""
                    )
                )
                return None
            if row["request"] != asked.request:
                raise Conflict("this idempotency key stands for another request", code="HF-4130")
            if row["status"] is None and made:
                # The commit had gone through when its connection was lost.
                return None
            if row["status"] is None:
                raise _unanswered(row["owner"])
            return Answer(status=row["status"], body=row["body"])

        return self.database.write(work)

    def keep(self, asked: Asked, answer: Answer) -> None:
        """Keep what was answered."""
        kept = update(answers).where(*_is(asked)).values(status=answer.status, body=answer.body)
        self.database.write(lambda connection: connection.execute(kept))

    def drop(self, asked: Asked) -> None:
        """Forget a request that came to nothing: it may be sent again."""
        gone = delete(answers).where(*_is(asked))
        self.database.write(lambda connection: connection.execute(gone))


def _is(asked: Asked) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return answers.c.who == asked.who, answers.c.key == asked.key


def _unanswered(owner: str) -> Conflict:
    if liveness.orphaned(owner):
        why = "the service ended in the middle of this very request: look at what is there, and send it with a new key"
        return Conflict(why, code="HF-4131")
    return Conflict("this very request is under way", code="HF-4131", hint="wait, and send it again")
