"""Sends messages to people, by Apprise: https://github.com/caronc/apprise. One URL is one receiver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.errors import Undelivered
from orchestrator.report.happening import Gravity, Happening
from orchestrator.report.message import Message, messages
from orchestrator.report.outbox import MOST_TRIES

#: Seconds that a receiver has to answer in.
_PATIENCE_S: Final = 30.0


@dataclass(slots=True, kw_only=True)
class _Doubt:
    """Whose fault it is that a message is not taken."""

    message: str = ""
    #: How often in a row it was not taken, since the last message without content.
    failures: int = 0
    #: Whether that one was taken.
    others_taken: bool = False


class AppriseSink:
    """`outbox.Sink` on one Apprise URL."""

    def __init__(
        self, name: str, address: Callable[[], str], external_url: str = "", *, patience_s: float = _PATIENCE_S
    ) -> None:
        """``address`` returns the URL, which is a secret: it is asked for each message, so that it can be exchanged."""
        self._name, self._address, self._external_url = name, address, external_url
        self._patience_s = patience_s
        self._known = ""
        self._sender: Any = None
        self._doubt = _Doubt()

    def pack(self, happenings: Sequence[Happening]) -> Sequence[tuple[str, Message]]:
        """Return one message for each stack and run, or one for all of them."""
        return [(one.id, one) for one in messages(happenings, self._name, self._external_url)]

    def send(self, message: Message) -> None:
        """Send one message. Raises Undelivered, SecretMissing.

        Apprise says whether a message was taken, never whose fault it is where it was not. So after some tries a
        message without any content is sent, and after as many again another one: where both were taken and nothing
        between them, the fault is with the message. One alone proves nothing: the receiver may have come back with it.
        """
        sender = self._opened()
        why = self._notified(sender, message)
        if why is None:
            self._doubt = _Doubt()
            return
        if self._doubt.message != message.id:
            self._doubt = _Doubt(message=message.id)
        self._doubt.failures += 1
        offended = False
        if self._doubt.failures >= MOST_TRIES:
            taken = self._notified(sender, _probe(message.id)) is None
            offended = taken and self._doubt.others_taken
            self._doubt = _Doubt(message=message.id, others_taken=taken)
        raise Undelivered(why, hint="check the receiver, and the URL in its secret", offended=offended)

    def _notified(self, sender: Any, message: Message) -> str | None:
        from apprise import NotifyType  # noqa: PLC0415 -- an extra

        said: list[str] = []
        result = sender.notify(
            title=message.title,
            body=message.body,
            notify_type=NotifyType(message.gravity.value),
            body_format="text",
            interpret_escapes=False,
            timeout=self._patience_s,
            log_callback=lambda entry, _: said.append(str(entry.message)),
        )
        if result:
            return None
        # It may quote what the receiver answered, and with it what it was sent: of that only the first line.
        return (said[-1].splitlines() or [""])[0] if said else "it was not taken in time, or not at all"

    def _opened(self) -> Any:
        address = self._address()
        if self._sender is not None and address == self._known:
            return self._sender
        try:
            from apprise import Apprise, AppriseAsset, PersistentStoreMode  # noqa: PLC0415 -- an extra
        except ImportError:
            raise Undelivered(
                "the library that sends messages is not installed",
                code="HF-4602",
                hint="pip install 'holdfast[notify]'",
            ) from None
        asset = AppriseAsset(
            app_id="Holdfast",
            app_desc="Holdfast",
            app_url=self._external_url,
            async_mode=False,
            allow_templates=False,
            http_redirects=False,
            pem_autogen=False,
            pgp_autogen=False,
            storage_mode=PersistentStoreMode.MEMORY,
            secure_logging=True,
        )
        sender = Apprise(asset=asset)
        if not sender.add(address):
            raise Undelivered(
                "the secret holds no URL that Apprise knows",
                code="HF-4603",
                hint="write one as its pages show: slack://TOKEN_A/TOKEN_B/TOKEN_C, mailtos://user:password@host",
            )
        self._known, self._sender = address, sender
        return sender


def _probe(name: str) -> Message:
    body = f"A message cannot be sent here ({name}). See: holdfast status"
    return Message(id=name, gravity=Gravity.NEWS, title="Holdfast", body=body)
