"""HF-2xxx: adapters and their tools."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-2000": Entry(
        "adapter error", "An adapter refused without saying more.", "See the run's log: holdfast logs RUN."
    ),
    "HF-2001": Entry(
        "invalid settings", "The stack's settings make no sense to its tool.", "Mend the stack's keys in stacks.yaml."
    ),
    "HF-2002": Entry(
        "tool missing",
        "The program that the stack needs is not installed, or not on PATH.",
        "Install it, then: holdfast doctor.",
    ),
    "HF-2003": Entry(
        "tool version",
        "The installed tool is not the version that the stack asks for.",
        "Install that version or change the constraint.",
    ),
    "HF-2004": Entry(
        "tool failed", "The tool ran and said no, or ran into its time limit.", "Read the log: holdfast logs RUN."
    ),
    "HF-2005": Entry(
        "tool's lock held", "Somebody else holds the tool's own lock on this state.", "Wait, or ask the holder named."
    ),
    "HF-2006": Entry(
        "plan is stale", "The world or the files moved after the plan was made.", "Plan again: holdfast plan STACK."
    ),
    "HF-2007": Entry(
        "unreadable output",
        "The tool answered in a form that this adapter does not know.",
        "Check the tool's version with holdfast doctor.",
    ),
    "HF-2008": Entry(
        "forbidden file",
        "The tree holds a file that would take over the tool.",
        "Remove the file named from the repository.",
    ),
    "HF-2009": Entry(
        "tool stopped",
        "A time limit or a person stopped the tool; what it had begun may or may not be there.",
        "See what it says now: holdfast plan STACK.",
    ),
    "HF-2010": Entry(
        "state is elsewhere",
        "The files name a backend that does not hold the state which was applied last: its backend, workspace or key "
        "changed, or the state is gone. A plan would create everything a second time.",
        "Move the state with the tool (init -migrate-state, or state pull and state push), then plan again.",
    ),
    "HF-2011": Entry(
        "state not saved yet",
        "An apply could not save its state: its backend did not take it. Until it is saved nothing is planned, because "
        "a plan on the older state would create things a second time.",
        "See that the backend answers, then holdfast apply STACK: it saves the state first.",
    ),
    "HF-2012": Entry(
        "state on one host only",
        "The stack declares no backend, and more hosts than this one have it to do: others that share its record, or "
        "the next run of a build service, whose machines begin with nothing. What one of them keeps on its disk the "
        "others would not find, and create everything a second time.",
        'Declare a backend in the files: terraform { backend "s3" { ... } }. Or keep the record in SQLite on one host; '
        "where a build service always runs on the same one and its home is kept, set HOLDFAST_RECORD to lasting.",
    ),
}
