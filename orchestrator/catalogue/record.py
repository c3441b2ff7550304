"""HF-4xxx: the record, policy, people, secrets."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-4001": Entry(
        "no adapter", "No adapter goes by that name, or two do.", "See holdfast doctor for those installed."
    ),
    "HF-4002": Entry("adapters clash", "Two packages bring an adapter of the same name.", "Uninstall one of them."),
    "HF-4003": Entry(
        "adapter broken", "The package that brings the adapter cannot be loaded.", "Update or reinstall that package."
    ),
    "HF-4010": Entry(
        "output missing",
        "A stack does not have the output that another one reads.",
        "See holdfast outputs STACK; mend the name.",
    ),
    "HF-4011": Entry(
        "stack gone",
        "The stack is no longer in its source.",
        "Bring it back, or destroy what it made: holdfast apply --destroy STACK.",
    ),
    "HF-4012": Entry(
        "two kept states",
        "A stack is to take over another one's name, and both hold state that Holdfast keeps.",
        "Destroy one of the two first; holdfast outputs shows what each has.",
    ),
    "HF-4013": Entry(
        "state under another repository id",
        "This repository kept state for a stack of this name under another id: its project: or its origin changed.",
        "Say project: with the old id in stacks.yaml; or accept that it is made anew with --accept-duplicates.",
    ),
    "HF-4014": Entry(
        "maybe renamed",
        "The stack is new, and one beside it is gone from the source and still holds state: it may be the same.",
        "Say moved_from: OLD in stacks.yaml, or holdfast mv OLD NEW; if it is not: holdfast forget OLD.",
    ),
    "HF-4015": Entry(
        "another repository's name",
        "Two repositories with nothing in common claim one project: one would destroy what the other made.",
        "Give this one a project: of its own in stacks.yaml, or another HOLDFAST_HOME.",
    ),
    "HF-4020": Entry(
        "did not converge",
        "The first look after an apply still shows what the apply should have changed.",
        "See holdfast show STACK; something else changes it, or the tool cannot.",
    ),
    "HF-4100": Entry("denied", "Policy says no, or a person has not said yes.", "See holdfast explain STACK."),
    "HF-4101": Entry(
        "word does not count",
        "Policy asks for somebody else: approvals.from names people or teams, and the operator's teams: say who is in.",
        "Ask one of those named; holdfast explain STACK lists them.",
    ),
    "HF-4110": Entry(
        "credentials not granted",
        "The operator has not granted this credential set to the stack.",
        "Ask the operator to grant it.",
    ),
    "HF-4111": Entry(
        "no such credential set",
        "The stack names a credential set that the operator has not defined.",
        "Mend the name in stacks.yaml, or ask the operator to define it.",
    ),
    "HF-4112": Entry(
        "another source's name",
        "A repository goes by the name of a source that the operator's file declares elsewhere.",
        "Give it a project: of its own, or have the operator name its URL for that source.",
    ),
    "HF-4200": Entry("record moved", "Somebody else changed the stack while we looked.", "Run the command again."),
    "HF-4202": Entry(
        "gates moved", "A gate was closed or lifted while an apply was being decided.", "Run the command again."
    ),
    "HF-4203": Entry(
        "stack held",
        "Somebody else is working on the stack.",
        "Wait for them, or see holdfast runs; where their host or container is gone: holdfast resolve STACK.",
    ),
    "HF-4204": Entry(
        "record busy", "Another process keeps writing to the record.", "Run the command again, or end that process."
    ),
    "HF-4205": Entry(
        "attempt alive",
        "Somebody says that an attempt is dead of which processes are alive on this host.",
        "Wait for its end, or stop it: holdfast cancel RUN.",
    ),
    "HF-4206": Entry(
        "home served already",
        "Another service works in the same home: two of them would work the same stacks.",
        "Stop the other one, or give this one a --home of its own.",
    ),
    "HF-4207": Entry(
        "no longer to be applied",
        "While an apply was being prepared a yes expired, or whoever gave it lost their say.",
        "Run the command again: it says what is missing.",
    ),
    "HF-4300": Entry(
        "record unusable", "The record cannot be read or written.", "Check the disk, then holdfast doctor."
    ),
    "HF-4301": Entry(
        "no room left",
        "The record or an artifact could not be stored; nothing was acknowledged that is not there.",
        "Free space on the disk, then run the command again.",
    ),
    "HF-4302": Entry(
        "record from a newer release",
        "The record holds what only a newer release of Holdfast can read.",
        "Update Holdfast on this host.",
    ),
    "HF-4303": Entry(
        "record on a network file system",
        "SQLite's locks do not hold on a network file system.",
        "Keep the record on a local disk, or in PostgreSQL.",
    ),
    "HF-4304": Entry(
        "driver missing", "The driver for PostgreSQL is not installed.", "pip install 'holdfast[postgresql]'."
    ),
    "HF-4305": Entry(
        "home open to everybody",
        "The folder that holds record, state and plans is open to everybody on this host, and holds other things.",
        "chmod 700 the folder, or name another home.",
    ),
    "HF-4310": Entry(
        "artifact missing or altered",
        "A stored plan, state copy or input is gone, or is not what was stored.",
        "Plan again: plans and inputs are made anew.",
    ),
    "HF-4311": Entry(
        "encryption key unusable",
        "The key file is missing, open to others, damaged, or not the one that encrypted this.",
        "Put the right key into the key file, one a line, with mode 0600.",
    ),
    "HF-4312": Entry(
        "no key to rotate to",
        "The operator keeps the encryption key in a secret, and it holds one key.",
        "Put a new key on a line above the old one, run holdfast rotate-key, then remove the old line.",
    ),
    "HF-4320": Entry(
        "record altered",
        "An entry of the record was edited, removed or put in: the chain does not hold from there on.",
        "Restore the record from a backup, and find out who could write to it.",
    ),
    "HF-4321": Entry(
        "record behind a checkpoint",
        "A checkpoint saw an entry that the record does not hold: it was cut off, rewritten or restored.",
        "Restore a record that holds it; what the checkpoint saw did happen.",
    ),
    "HF-4322": Entry(
        "checkpoint not ours",
        "The checkpoint was not made by this record's keys, was altered, or cannot be checked any more.",
        "Give the newest checkpoint that holdfast audit checkpoint printed here.",
    ),
    "HF-4400": Entry("secret missing", "No secret store knows the name.", "Put it into a store, or mend the name."),
    "HF-4410": Entry(
        "secret of a credential set",
        "A stack's inputs or settings name a secret that is for credential sets or for Holdfast itself.",
        "Name the credential set under credentials:, or keep a secret of its own for the stack.",
    ),
    "HF-4411": Entry(
        "secret not granted",
        "The operator has not granted the secret's store to this stack, or not to what is not merged yet.",
        "Ask the operator to grant it: stacks: and pull_requests: of the store.",
    ),
    "HF-4401": Entry(
        "secret unsafe",
        "The secret's name or its file is not safe to use: it is open to everybody, leaves its folder, or is no text.",
        "Let its file be read by Holdfast's user alone (chmod 600); give it a name of letters, digits, _ . / and -.",
    ),
    "HF-4402": Entry(
        "secret store unreachable",
        "A secret store did not answer. Stores after it were not asked: it may be the one that knows the name.",
        "Run the command again; see holdfast secrets check.",
    ),
    "HF-4403": Entry(
        "secret store denies",
        "A secret store did not let Holdfast in, or not near this secret.",
        "Give Holdfast the store's key or token, or grant it to read the secret there.",
    ),
    "HF-4404": Entry(
        "store's library or program missing",
        "What speaks to this kind of secret store is not installed.",
        "Install what the message names.",
    ),
    "HF-4405": Entry(
        "secret store not as described",
        "A secret store answers what cannot be meant: there is no such mount, no file matches, or a file is damaged.",
        "Mend the store's entry under secrets: in the operator's file, or the file that the message names.",
    ),
    "HF-4406": Entry(
        "secret store too slow",
        "A secret store took longer than it is given. Stores after it were not asked.",
        "Run the command again; see holdfast secrets check.",
    ),
}
