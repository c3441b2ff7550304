"""HF-9xxx: our own faults."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-9000": Entry("internal error", "A fault of ours.", "Report it with the debug log named."),
    "HF-9001": Entry(
        "no rest", "A stack does not come to rest: a fault of ours.", "Report it; nothing more was started."
    ),
    "HF-9002": Entry(
        "broken inside",
        "The stack's adapter, or Holdfast around it, met something that it was not made for; other stacks went on.",
        "Update the adapter, or report it with the lines that holdfast logs RUN has of it.",
    ),
}
