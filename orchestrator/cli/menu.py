"""The table of commands: where each lives and what it does in one line.

Nothing else is known of a command until it is asked for, so that ``holdfast --help`` imports no
command, and a command only what it needs itself.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """One command as the help lists it."""

    #: Module that holds the click command under the name ``command``.
    module: str
    summary: str


#: Panel of the help -> its commands, in the order that people meet them.
PANELS: Final[dict[str, dict[str, Entry]]] = {
    "Begin": {
        "demo": Entry("orchestrator.cli.demo.command", "Show the whole way on a repository made for it."),
        "init": Entry("orchestrator.cli.init", "Write a stacks.yaml from what this repository holds."),
        "import": Entry("orchestrator.cli.importing", "Take over the file of another tool (atlantis, digger)."),
        "validate": Entry("orchestrator.cli.validate", "Check files, references and cycles; line and column."),
    },
    "See": {
        "status": Entry("orchestrator.cli.status", "What is as asked for, what is not, and why."),
        "plan": Entry("orchestrator.cli.plan", "Work out what would be done; change nothing."),
        "drift": Entry("orchestrator.cli.drift", "Compare the world with what was applied."),
        "diff": Entry("orchestrator.cli.diff", "Compare a stack at two revisions or in two environments."),
        "show": Entry("orchestrator.cli.show", "Show a run, or what is proposed for a stack."),
        "runs": Entry("orchestrator.cli.runs", "List what was done, newest first."),
        "logs": Entry("orchestrator.cli.logs", "Print what the tool said in a run; -f follows it."),
        "outputs": Entry("orchestrator.cli.outputs", "Print the values that a stack hands to others."),
        "graph": Entry("orchestrator.cli.graph", "Draw which stack waits for which."),
        "explain": Entry("orchestrator.cli.explain", "Say what is next for a stack and why, or what a code means."),
    },
    "Act": {
        "apply": Entry("orchestrator.cli.apply", "Show the plan, ask, and apply exactly it."),
        "approve": Entry("orchestrator.cli.approve", "Say yes to what is proposed."),
        "reject": Entry("orchestrator.cli.reject", "Say no to what is proposed."),
        "cancel": Entry("orchestrator.cli.cancel", "Stop a run."),
        "rollback": Entry("orchestrator.cli.rollback", "Bring a stack back to an earlier revision and hold it there."),
        "suspend": Entry("orchestrator.cli.suspend", "Let stacks rest until a date, or until resumed."),
        "resume": Entry("orchestrator.cli.resume", "End a suspension, a rollback or a destroy."),
        "mv": Entry("orchestrator.cli.mv", "Say that a stack has a new name; nothing is made twice."),
        "forget": Entry("orchestrator.cli.forget", "Give up what a stack made that is gone from its source."),
        "resolve": Entry("orchestrator.cli.resolve", "Say that an attempt is dead where no host can prove it."),
        "unlock": Entry("orchestrator.cli.unlock", "Free a tool's lock that one of our own runs left behind."),
    },
    "Set up": {
        "worker": Entry("orchestrator.cli.worker", "Work for a service on another host; opens no port."),
        "serve": Entry("orchestrator.cli.serve", "Watch sources and keep every stack as asked for, unattended."),
        "token": Entry("orchestrator.cli.token", "Make, list and revoke tokens for the service."),
        "service": Entry("orchestrator.cli.unit", "Install serve as a service of systemd."),
        "wait": Entry("orchestrator.cli.wait", "Wait until stacks are ready."),
        "doctor": Entry("orchestrator.cli.doctor", "Check tools, disk, record and adapters."),
        "secrets": Entry("orchestrator.cli.secrets", "Check that stores answer and hold what stacks name; no value."),
        "rotate-key": Entry("orchestrator.cli.rotate_key", "Exchange the key that what is kept is encrypted under."),
        "audit": Entry("orchestrator.cli.audit", "Check that nobody altered the record; checkpoints and export."),
        "schema": Entry("orchestrator.cli.schema", "Print the JSON Schema of stacks.yaml."),
        "completion": Entry("orchestrator.cli.completion", "Print a script that completes words in your shell."),
    },
}

#: Command -> entry.
COMMANDS: Final[dict[str, Entry]] = {name: entry for panel in PANELS.values() for name, entry in panel.items()}
