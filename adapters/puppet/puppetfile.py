"""Modules that a Puppetfile names and that nobody has put into the repository: Holdfast installs none. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.contract import Problem, Severity
from adapters.puppet.layout import Layout
from adapters.puppet.settings import MACHINES_MODULES

PUPPETFILE: Final = "Puppetfile"
#: https://github.com/puppetlabs/r10k/blob/main/doc/puppetfile.mkd: an author may stand before the module's name.
_MOD: Final = re.compile(r"^\s*mod\s*\(?\s*['\"](?:[\w.]+[-/])?(?P<name>\w+)['\"]", re.MULTILINE)


def not_installed(found: Layout, root: Path) -> Iterator[Problem]:
    """Yield a note for each module that the environment's Puppetfile names and no folder of the module path holds."""
    file = found.folder / PUPPETFILE
    if MACHINES_MODULES in found.modulepath or not (root / file).is_file():
        # What the machine has is not ours to look through.
        return
    text = (root / file).read_text("utf-8", "replace")
    for one in _MOD.finditer(text):
        if not any((root / folder / one["name"]).is_dir() for folder in found.modulepath):
            yield Problem(
                severity=Severity.NOTE,
                summary=f"the module {one['name']} is not installed: a Puppetfile is not carried out here",
                detail="commit the modules, or have them in the repository as submodules",
                file=str(file),
                line=text.count("\n", 0, one.start("name")) + 1,
            )
