"""HF-5xxx: processes."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-5000": Entry(
        "execution failed",
        "A process could not be started, or what is left of one cannot be trusted.",
        "See the message.",
    ),
    "HF-5001": Entry(
        "end not recorded",
        "The keeper of a run is gone and left no word of how the tool ended.",
        "The stack waits: look with holdfast plan STACK once its processes are dead.",
    ),
    "HF-5002": Entry(
        "change outside an attempt",
        "A command that may change the world was asked for where nothing may change: a plan, a check, a dry run.",
        "Report it: the adapter marks a command as mutating in a reading step.",
    ),
    "HF-5003": Entry(
        "attempt closed",
        "The attempt was given up or taken over by somebody else, so nothing more may start in it.",
        "See holdfast show STACK for how it ended, then run the command again.",
    ),
    "HF-5004": Entry(
        "variable refused",
        "An environment variable is refused by name, because it would take over the tool or its environment.",
        "Remove it from the settings or the credential set named.",
    ),
    "HF-5005": Entry(
        "sandbox missing",
        "The operator asked for a sandbox and this host cannot give one.",
        "Install bubblewrap (bwrap) and allow user namespaces, or set workers.sandbox to none.",
    ),
    "HF-5006": Entry(
        "waited too long",
        "Another run on this host holds a lock that two tools may not share.",
        "See holdfast runs for what is at work, then run the command again.",
    ),
    "HF-5007": Entry(
        "not started",
        "The program could not be started: no memory, process number, descriptor or disk space was left.",
        "Free what the message names; nothing ran.",
    ),
    "HF-5008": Entry(
        "took too long",
        "A small command that Holdfast runs for itself did not end in time.",
        "Run it by hand to see what it waits for, then run the command again.",
    ),
    "HF-5009": Entry(
        "cannot run",
        "A program or its folder is not there, or may not be used by this user.",
        "Install it or mend its permissions, then: holdfast doctor.",
    ),
    "HF-5010": Entry(
        "disk nearly full",
        "Too little free space to start an apply: a full disk costs the tool its state.",
        "Free some space, then run it again.",
    ),
    "HF-5020": Entry(
        "attempt unknown",
        "Nobody can say how an attempt ended.",
        "Look at what is there: holdfast plan STACK; where it may still be alive elsewhere: holdfast resolve STACK.",
    ),
    "HF-5030": Entry(
        "nothing to compare with",
        "The stack was never applied, so there is no drift to look for.",
        "holdfast apply STACK.",
    ),
}
