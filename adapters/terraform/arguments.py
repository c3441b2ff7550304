"""python-terraform as a builder of arguments, and as nothing else.

Its ``cmd`` runs the tool with our whole environment and a pipe, and it reads the state after each success;
both are switched off here.
"""

from __future__ import annotations

from typing import Any, Final

from python_terraform import IsFlagged, Terraform

#: Stands for an option without a value: ``-json``.
FLAG: Final = IsFlagged


class Arguments(Terraform):  # type: ignore[misc]  # the library is not typed
    """Builds a command line; running one is refused."""

    def read_state_file(self, file_path: str | None = None) -> None:
        """Read nothing: the state is secret, and often not in a file."""

    def cmd(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        """Refuse: only the shell runs programs."""
        raise NotImplementedError(cmd)


def build(program: str, verb: str, *words: str, **options: Any) -> tuple[str, ...]:
    """Return the command line for ``verb``; an option that is None is left out, a list repeats it."""
    built: list[str] = Arguments(terraform_bin_path=program).generate_cmd_string(verb, *words, **options)
    return tuple(built)
