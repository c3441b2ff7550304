"""Finds adapters by the entry-point group ``orchestrator.adapters``. Built-in ones use the same door.

Looked for when the first stack needs one, without importing any, and loaded one by one: what is installed and
not used costs nothing, and an adapter that is broken breaks only its own stacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Final, cast

from adapters.contract import Adapter, AdapterFactory, Json, Shell
from orchestrator.errors import AdapterNotFound
from orchestrator.model.stack import Stack
from orchestrator.nearest import did_you_mean

GROUP: Final = "orchestrator.adapters"


@dataclass(frozen=True, kw_only=True)
class InstalledAdapters:
    """`ports.Adapters` over the entry points of this environment."""

    #: Tool -> settings that the operator gives on this host; they win over the repository's.
    given: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)

    @cached_property
    def found(self) -> Mapping[str, tuple[EntryPoint, ...]]:
        """Name -> each entry point that claims it, sorted; more than one is a clash."""
        found: dict[str, set[EntryPoint]] = {}
        for one in entry_points(group=GROUP):
            found.setdefault(one.name, set()).add(one)
        return {name: tuple(sorted(found[name], key=_brought_by)) for name in sorted(found)}

    def build(self, stack: Stack, settings: Mapping[str, Json], shell: Shell) -> Adapter:
        """Build the stack's adapter.

        Raises AdapterNotFound where no distribution brings it (HF-4001), two do (HF-4002), or the one that does
        cannot be loaded (HF-4003), and whatever the adapter itself raises of the contract's errors.
        """
        factory = _load(self._claimed(stack.tool))
        return factory(
            {**settings, **self.given.get(stack.tool, {}), "path": str(stack.path), "tool": stack.tool}, shell
        )

    def names(self) -> Sequence[str]:
        """Return the names of the installed adapters, sorted."""
        return tuple(self.found)

    def _claimed(self, name: str) -> EntryPoint:
        claims = self.found.get(name, ())
        if not claims:
            raise _missing(name, self.names())
        if len(claims) > 1:
            rivals = " and ".join(_brought_by(one) for one in claims)
            raise AdapterNotFound(
                f"adapters clash: {rivals} both bring {name!r}", code="HF-4002", hint="uninstall one of them"
            )
        return claims[0]


def _load(point: EntryPoint) -> AdapterFactory:
    try:
        factory = point.load()
    except Exception as error:
        # Other people's code: whatever it raises is said in one line.
        line = str(error).strip().partition("\n")[0]
        raise _broken(point, f"{type(error).__name__}: {line}") from error
    if not callable(factory):
        raise _broken(point, f"{point.value} is not callable")
    return cast("AdapterFactory", factory)


def _brought_by(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _missing(name: str, names: Sequence[str]) -> AdapterNotFound:
    install = f"pip install the package that brings it (installed: {', '.join(names) or 'none'})"
    return AdapterNotFound(f"no adapter is called {name!r}", hint=did_you_mean(name, names) or install)


def _broken(point: EntryPoint, why: str) -> AdapterNotFound:
    return AdapterNotFound(
        f"the adapter {point.name!r} of {_brought_by(point)} cannot be loaded: {why}",
        code="HF-4003",
        hint="update or reinstall that package",
    )
