"""What a change set says -> changes of the contract, property by property. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.cloudformation import expressions
from adapters.cloudformation.attributes import Veil, differences, holds_secret, pointed
from adapters.cloudformation.expressions import COMPUTED, references, resolved
from adapters.cloudformation.template import Template
from adapters.contract import AttributeChange, Change, ChangeKind, Json, Output

_KINDS: Final[Mapping[str, ChangeKind]] = {
    "Add": ChangeKind.CREATE,
    "Remove": ChangeKind.DELETE,
    "SyncWithActual": ChangeKind.UPDATE,
}
_REPLACEMENT: Final[Mapping[str, ChangeKind]] = {
    "True": ChangeKind.REPLACE,
    "Conditional": ChangeKind.REPLACE,
    "False": ChangeKind.UPDATE,
}
#: People see first what may be lost.
_ORDER: Final = (ChangeKind.DELETE, ChangeKind.REPLACE, ChangeKind.UNKNOWN, ChangeKind.UPDATE, ChangeKind.CREATE)
_RETAINED: Final = frozenset({"Retain", "RetainExceptOnCreate"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is needed to tell values where the service does not, and to mask those that are secret."""

    template: Template
    #: Parameters of the new template, and everything else that a reference may name.
    values: Mapping[str, str]
    #: Names of the parameters that hold secrets.
    secret: frozenset[str]
    #: Texts that are secret wherever they turn up.
    secrets: frozenset[str]
    deployed: Template | None = None
    deployed_values: Mapping[str, str] = field(default_factory=dict)

    def veil(self, name: str) -> Veil:
        """Return what of a resource nobody may read, on either side."""
        places = [*expressions.secret_places(self.template, self.secret).get(name, ())]
        if self.deployed is not None:
            secret = self.secret | self.deployed.no_echo
            places += expressions.secret_places(self.deployed, secret).get(name, ())
        return Veil(secrets=self.secrets, places=tuple(places))

    def properties(self, name: str, *, after: bool) -> Any:
        """Return a resource's properties as the template has them, references filled in as far as that goes."""
        template, values = (self.template, self.values) if after else (self.deployed, self.deployed_values)
        resource = template.resources.get(name) if template else None
        return {} if resource is None else resolved(resource.get("Properties") or {}, values)


def changes(told: Iterable[Mapping[str, Any]], sides: Sides) -> tuple[Change, ...]:
    """Return the changes of a change set, the destructive ones first; what is only taken over is left out."""
    found = [_change(one, sides) for one in told if one.get("Action") != "Import"]
    return tuple(sorted(found, key=lambda change: (_ORDER.index(change.kind), change.address)))


def _change(told: Mapping[str, Any], sides: Sides) -> Change:
    kind, reason = _kind(told)
    return Change(
        address=f"{told.get('Prefix', '')}{told['LogicalResourceId']}",
        kind=kind,
        attributes=_attributes(told, sides, kind),
        reason=reason,
    )


def _kind(told: Mapping[str, Any]) -> tuple[ChangeKind, str]:
    action, replacement = str(told.get("Action")), str(told.get("Replacement", ""))
    kind_of = str(told.get("ResourceType", ""))
    if action == "Remove" and str(told.get("PolicyAction")) == "Retain":
        return ChangeKind.UPDATE, f"{kind_of}: leaves the stack, and stays as it is (DeletionPolicy)"
    if action in _KINDS:
        return _KINDS[action], kind_of
    if action != "Modify":
        return ChangeKind.UNKNOWN, f"{kind_of}: the service can tell only at work what it does ({action})"
    if replacement not in _REPLACEMENT:
        return ChangeKind.UNKNOWN, f"{kind_of}: the service does not say whether it is replaced"
    may = "may be replaced" if replacement == "Conditional" else ""
    return _REPLACEMENT[replacement], ": ".join(filter(None, (kind_of, may)))


def _attributes(told: Mapping[str, Any], sides: Sides, kind: ChangeKind) -> tuple[AttributeChange, ...]:
    name, details = str(told["LogicalResourceId"]), told.get("Details") or ()
    nested = bool(told.get("Prefix"))
    veil = Veil(secrets=sides.secrets) if nested else sides.veil(name)
    forcing = frozenset(
        str(one["Target"].get("Name"))
        for one in details
        if one.get("Target", {}).get("RequiresRecreation") in {"Always", "Conditionally"}
    )
    before, after = _side(told.get("BeforeContext")), _side(told.get("AfterContext"))
    if before is not None or after is not None:
        return differences(before or {}, after or {}, veil, forcing=forcing)
    valued = tuple(_detailed(details, veil))
    if valued or nested:
        return valued
    return differences(
        {} if kind is ChangeKind.CREATE else sides.properties(name, after=False),
        {} if kind is ChangeKind.DELETE else sides.properties(name, after=True),
        veil,
        forcing=forcing,
    )


def _side(written: Any) -> Any:
    """Return the properties of a context, which the service writes as JSON inside a text; None where there is none."""
    if not written:
        return None
    try:
        found = json.loads(written)
    except ValueError:
        return None
    return found.get("Properties") or {} if isinstance(found, dict) else None


def _detailed(details: Iterable[Mapping[str, Any]], veil: Veil) -> Iterable[AttributeChange]:
    for one in details:
        target = one.get("Target", {})
        if "BeforeValue" not in target and "AfterValue" not in target:
            continue
        path = pointed(str(target.get("Path") or target.get("Name") or target.get("Attribute")))
        before, after = loose(target.get("BeforeValue")), loose(target.get("AfterValue"))
        yield veil.attribute(
            path,
            before,
            after,
            computed=after == COMPUTED,
            forces_replacement=target.get("RequiresRecreation") in {"Always", "Conditionally"},
        )


def loose(text: Any) -> Any:
    """Return a value that the service wrote as a text: a number, a list, or the text that it is."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def outputs_changing(sides: Sides, found: Iterable[Change]) -> tuple[str, ...]:
    """Return the outputs that are new, gone, written otherwise, or told of something that changes."""
    touched = {change.address.partition("/")[0]: change.kind for change in found}
    made_anew = {name for name, kind in touched.items() if kind is not ChangeKind.UPDATE}
    # What the service stars out cannot be compared: then it is how the output is written that counts.
    starred = {name for name, value in sides.deployed_values.items() if value and set(value) == {"*"}}
    before, after = (
        {name: value for name, value in values.items() if name not in starred}
        for values in (sides.deployed_values, sides.values)
    )
    standing = {} if sides.deployed is None else sides.deployed.outputs
    changing = set(standing) - set(sides.template.outputs)
    for name, output in sides.template.outputs.items():
        if name not in standing or _told(output, after) != _told(standing[name], before):
            changing.add(name)
        for referred, attribute in references(output.get("Value")):
            if referred in made_anew or (attribute and referred in touched):
                changing.add(name)
    return tuple(sorted(changing))


def _told(output: Mapping[str, Any], values: Mapping[str, str]) -> Any:
    """Return an output with its parameters filled in; what only the service knows stays as it is written."""
    value = resolved(output.get("Value"), values)
    return [output.get("Value") if expressions.COMPUTED in str(value) else value, output.get("Export")]


def outputs(values: Mapping[str, Json], sides: Sides) -> dict[str, Output]:
    """Return the outputs by name; one that is made of a secret, or holds one, is marked."""
    found = {}
    for name, value in values.items():
        told = sides.template.outputs.get(name, {}).get("Value")
        marked = any(referred in sides.secret for referred, _ in references(told))
        found[name] = Output(value=value, sensitive=marked or holds_secret(value, sides.secrets))
    return found


def stack_change(
    name: str, wanted: Mapping[str, Any], standing: Mapping[str, Any] | None, secrets: frozenset[str]
) -> Change | None:
    """Return what changes of the stack itself: protection, policy, tags. None where nothing does."""
    before = {key: value for key, value in (standing or {}).items() if key in wanted}
    attributes = differences(before, wanted, Veil(secrets=secrets))
    if not attributes:
        return None
    kind = ChangeKind.CREATE if standing is None else ChangeKind.UPDATE
    return Change(address=f"stack {name}", kind=kind, attributes=attributes, reason="AWS::CloudFormation::Stack")


def destroyed(
    resources: Iterable[Mapping[str, Any]], template: Template | None
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """Return the deletions that come of removing a stack, and the addresses of what stays."""
    policies = {} if template is None else {name: one.get("DeletionPolicy") for name, one in template.resources.items()}
    listed = sorted(resources, key=lambda one: str(one["LogicalResourceId"]))
    stays = tuple(
        str(one["LogicalResourceId"]) for one in listed if str(policies.get(one["LogicalResourceId"])) in _RETAINED
    )
    gone = tuple(
        Change(
            address=str(one["LogicalResourceId"]),
            kind=ChangeKind.DELETE,
            reason=": ".join(
                filter(None, (str(one.get("ResourceType", "")), str(one.get("PhysicalResourceId") or "")))
            ),
        )
        for one in listed
        if one["LogicalResourceId"] not in stays
    )
    return gone, stays
