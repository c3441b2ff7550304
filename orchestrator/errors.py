"""Every error that the orchestrator raises on purpose, and the exit code each ends in.

    OrchestratorError                            transient?   exit
    ├── UsageError           HF-1900  a word on the command line makes no sense   no   64
    ├── ConfigError          HF-10xx  file:line, key, hint                        no   64
    ├── SourceError          HF-30xx                                              no    1
    │   ├── SourceUnreachable         the repository did not answer               yes   1
    │   │   └── SourceGone            it answers, and what was named is not in it yes  64
    │   ├── NoSuchRevision            no commit, tag or branch of that name       no   64
    │   └── RevisionRejected          unsigned, rewritten, unsafe: nobody runs it no    4
    ├── AdapterNotFound      HF-4001  no adapter, or two, under that name         no    4
    ├── Denied               HF-41xx  policy or a person's missing word           no    4
    ├── PlanRefused          HF-16xx  plans from elsewhere that nobody may apply  no    4
    ├── Conflict             HF-42xx  the record moved under us: look again       yes  75
    ├── RecordError          HF-43xx  the record cannot be read or written        no    1
    │   ├── RecordAway                its database is: nothing is known of stacks yes   1
    │   └── AnothersRecord            it is kept for another repository           no   64
    ├── SecretMissing        HF-44xx  no store knows the name                     no    1
    │   └── StoreUnreachable          a store did not answer: nobody knows        yes   1
    ├── Undelivered          HF-46xx  a receiver did not take a message            yes   1
    ├── ForgeError           HF-47xx  a forge says no, or what cannot be meant     no    1
    │   └── ForgeAway                 it does not answer, or has us wait           yes   1
    ├── Unreached            HF-48xx  a service that is asked does not answer     yes   1
    └── ExecutionError       HF-50xx  a process could not be started or trusted   no    1
        └── NotStarted                nothing ran, for certain                    yes   1

Adapters have their own tree in ``adapters.contract``; codes of both are in ``orchestrator.catalogue``.
One question per error, *could the same attempt succeed later?*, drives retries and nothing else does.
"""

from __future__ import annotations

from typing import ClassVar, Final

#: The command line's exit codes, as the README lists them. Never reused for another meaning.
EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_CHANGES: Final = 2
EXIT_WAITS: Final = 3
EXIT_DENIED: Final = 4
EXIT_UNKNOWN: Final = 5
EXIT_USAGE: Final = 64
EXIT_LOCKED: Final = 75
EXIT_INTERRUPTED: Final = 130


class OrchestratorError(Exception):
    """The root: one line of cause, one of remedy, a code, and a place where there is one."""

    code: str = "HF-9000"
    exit_code: ClassVar[int] = EXIT_FAILED
    transient: ClassVar[bool] = False

    def __init__(self, message: str, *, code: str = "", hint: str = "", where: str = "") -> None:
        """``where`` is ``file:line:column``; ``code`` overrides the class's own with a more exact one."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        if code:
            self.code = code


class UsageError(OrchestratorError):
    """A word on the command line makes no sense here."""

    code = "HF-1900"
    exit_code = EXIT_USAGE


class ConfigError(OrchestratorError):
    """A configuration file says something that cannot be meant."""

    code = "HF-1000"
    exit_code = EXIT_USAGE

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        hint: str = "",
        where: str = "",
        others: tuple[ConfigError, ...] = (),
    ) -> None:
        """``others`` are the further errors of the same reading: people mend them in one go."""
        super().__init__(message, code=code, hint=hint, where=where)
        self.others = others


class SourceError(OrchestratorError):
    """A source of desired state cannot be used."""

    code = "HF-3000"


class SourceUnreachable(SourceError):
    """The source did not answer; the last good revision stays in force."""

    code = "HF-3001"
    transient = True


class SourceGone(SourceUnreachable):
    """The source answers, and holds nothing of what it is configured to hold; never read as "nothing desired"."""

    code = "HF-3004"
    exit_code = EXIT_USAGE


class NoSuchRevision(SourceError):
    """The source has no commit, tag or branch of that name."""

    code = "HF-3006"
    exit_code = EXIT_USAGE


class RevisionRejected(SourceError):
    """The revision exists, but nobody may run it."""

    code = "HF-3010"
    exit_code = EXIT_DENIED


class AdapterNotFound(OrchestratorError):
    """No adapter goes by that name, or two do."""

    code = "HF-4001"
    exit_code = EXIT_DENIED


class Denied(OrchestratorError):
    """Policy says no, or a person has not said yes."""

    code = "HF-4100"
    exit_code = EXIT_DENIED


class PlanRefused(OrchestratorError):
    """Plans that were made elsewhere are not those that were seen, or no longer fit: none of them is applied."""

    code = "HF-1600"
    exit_code = EXIT_DENIED


class Conflict(OrchestratorError):
    """The record moved while we looked: read again and decide again."""

    code = "HF-4200"
    exit_code = EXIT_LOCKED
    transient = True


class RecordError(OrchestratorError):
    """The record cannot be read or written."""

    code = "HF-4300"


class RecordAway(RecordError):
    """The record's database cannot be used just now: that says nothing of any stack, and is no failure of one."""

    transient = True


class AnothersRecord(RecordError):
    """The record under this home is kept for another repository of the same name."""

    code = "HF-4015"
    exit_code = EXIT_USAGE


class SecretMissing(OrchestratorError):
    """No secret store knows the name."""

    code = "HF-4400"


class StoreUnreachable(SecretMissing):
    """A secret store did not answer: whether it knows the name, nobody knows."""

    code = "HF-4402"
    transient = True


class Undelivered(OrchestratorError):
    """A receiver did not take a message; it is kept, and sent again."""

    code = "HF-4600"
    transient = True

    def __init__(self, message: str, *, code: str = "", hint: str = "", offended: bool = False) -> None:
        """``offended``: it is this message that the receiver does not take, whatever it does with others."""
        super().__init__(message, code=code, hint=hint)
        self.offended = offended


class ForgeError(OrchestratorError):
    """A forge does not do what it was asked to, or says what nobody can make sense of."""

    code = "HF-4700"

    def __init__(self, message: str, *, code: str = "", hint: str = "", until: float = 0.0) -> None:
        """``until``: when it may be asked again, in seconds since the epoch; 0 where it has not said."""
        super().__init__(message, code=code, hint=hint)
        self.until = until


class ForgeAway(ForgeError):
    """A forge does not answer just now, or has us wait (HF-4703): what was asked of it may have been done."""

    code = "HF-4701"
    transient = True


class Unreached(OrchestratorError):
    """The service that HOLDFAST_URL names does not answer, or something else does."""

    code = "HF-4800"
    transient = True


class ExecutionError(OrchestratorError):
    """A process could not be started, or what is left of one cannot be trusted."""

    code = "HF-5000"


class NotStarted(ExecutionError):
    """The program could not be started for want of memory, descriptors or disk: nothing ran."""

    code = "HF-5007"
    transient = True
