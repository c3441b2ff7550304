"""HF-46xx: what is told to people and programs elsewhere."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-4600": Entry(
        "not taken",
        "A receiver of notifications, events or traces did not take what it was sent. It is kept, and sent again.",
        "Mend the receiver, or its URL in the secret; nothing else waits for it.",
    ),
    "HF-4601": Entry(
        "given up",
        "A receiver refused one message again and again, while it takes others: that message was given up.",
        "holdfast runs and holdfast status tell what it said; report it, with what the journal says of it.",
    ),
    "HF-4602": Entry(
        "no Apprise",
        "The operator's file has notifications sent, and the library that sends them is not installed.",
        "pip install 'holdfast[notify]', then start the service anew.",
    ),
    "HF-4603": Entry(
        "no such receiver",
        "The secret that notify: names holds no URL that Apprise knows.",
        "Write one as the pages of Apprise show: slack://TOKEN_A/TOKEN_B/TOKEN_C.",
    ),
    "HF-4604": Entry(
        "not sent there",
        "The URL leads to this network's own machinery, or over the network in clear.",
        "Name an https:// URL, or say allow_http: true of it where that is meant.",
    ),
    "HF-4605": Entry(
        "no signing secret",
        "The secret that events are signed with begins with whsec_, and what follows is no base64.",
        "Write whsec_ and 24 to 64 random bytes in base64, as the receiver shows it.",
    ),
    "HF-4606": Entry(
        "no OpenTelemetry",
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the library that sends traces is not installed.",
        "pip install 'holdfast[tracing]', or unset the variable; then start the service anew.",
    ),
}
