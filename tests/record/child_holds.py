"""Run as a program: another process with an agenda of its own.

argv: the database's URL, what to do, the stack, and for ``race`` a folder and how many times.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from orchestrator.effects.agenda import open_agenda
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.record_schema import open_database
from orchestrator.errors import Conflict
from orchestrator.ports import Agenda


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def race(agenda: Agenda, stack: str, folder: Path, times: int) -> None:
    """Hold so many times, against whoever wants it too; who is inside makes a file that nobody else may have made."""
    held = 0
    inside = folder / "inside"
    while held < times:
        try:
            with agenda.hold(stack):
                os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
                held += 1
                inside.unlink()
        except Conflict:
            continue
        except FileExistsError:
            say("overlap")
            return
    say(f"held {held}")


url, verb, stack = sys.argv[1:4]
agenda = open_agenda(open_database(url, busy_s=30), SystemClock())
match verb:
    case "race":
        say("ready")
        sys.stdin.readline()
        race(agenda, stack, Path(sys.argv[4]), int(sys.argv[5]))
    case "hold":
        with agenda.hold(stack):
            say("held")
            sys.stdin.readline()
    case "take":
        due = agenda.take(SystemClock().now())
        say(due.stack if due else "nothing")
        sys.stdin.readline()
    case _:
        raise SystemExit(64)
