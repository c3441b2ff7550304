"""What differs between two versions of a stack: files and settings as written, never values of references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.contract import Json
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.telling.counts import counted
from orchestrator.telling.values import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One version of a stack."""

    #: What people called it.
    label: str
    revision: str
    #: Path -> id of its content.
    files: Mapping[str, str]
    #: Setting -> value as written.
    settings: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two versions and what differs."""

    left: Side
    right: Side

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Each path that differs, with how: ``added``, ``removed``, ``changed``."""
        left, right = self.left.files, self.right.files
        paths = sorted(path for path in left.keys() | right.keys() if left.get(path) != right.get(path))
        return tuple((path, _how(path in left, path in right)) for path in paths)

    @property
    def settings(self) -> tuple[tuple[str, Json, Json], ...]:
        """Each setting that differs, with both values."""
        left, right = self.left.settings, self.right.settings
        names = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
        return tuple((name, left.get(name), right.get(name)) for name in names)

    @property
    def empty(self) -> bool:
        """Whether both are the same."""
        return not (self.files or self.settings)


def _how(was: bool, there: bool) -> str:  # noqa: FBT001 -- two answers to one question each
    if was and there:
        return "changed"
    return "removed" if was else "added"


def page(it: Difference) -> Page:
    """Return the difference in every form."""
    return Page(
        value=lambda: {
            "left": {"name": it.left.label, "revision": it.left.revision},
            "right": {"name": it.right.label, "revision": it.right.revision},
            "files": [{"path": path, "how": how} for path, how in it.files],
            "settings": [{"name": name, "left": left, "right": right} for name, left, right in it.settings],
        },
        records=lambda: [
            *(("file", path, how, "") for path, how in it.files),
            *(
                ("setting", name, text_of(left, whole=True), text_of(right, whole=True))
                for name, left, right in it.settings
            ),
        ],
        view=lambda whole: _view(it, whole=whole),
    )


def _view(it: Difference, *, whole: bool) -> RenderableType:
    head = Text(
        f"{printable(it.left.label)} {it.left.revision[:7]} → {printable(it.right.label)} {it.right.revision[:7]}"
    )
    if it.empty:
        return Group(head, Text("No difference.", style="bold"))
    signs = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
    table = Table.grid(padding=(0, 2, 0, 0))
    for path, how in it.files:
        sign, style = signs[how]
        table.add_row(Text(f"  {sign} {printable(path)}", style=style), Text(how, style="dim"))
    for name, left, right in it.settings:
        table.add_row(Text(f"  ~ {name}"), Text(f"{text_of(left, whole=whole)} → {text_of(right, whole=whole)}"))
    found = [counted(len(some), word) for some, word in ((it.files, "file"), (it.settings, "setting")) if some]
    number = len(it.files) + len(it.settings)
    totals = f"{' and '.join(found)} differ{'s' if number == 1 else ''}."
    return Group(head, table, Text(), Text(totals, style="bold"))
