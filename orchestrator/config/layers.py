"""Layers of settings, laid over each other so that each value remembers where it comes from.

defaults < stacks.yaml's defaults < environment < stack < the stack's override < what was given on the
way in. The operator's ceiling is no layer: whatever comes out is narrowed by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic import BaseModel

from orchestrator.config.toolkeys import MERGED_KEYS
from orchestrator.config.yamltree import Node, typed
from orchestrator.model.policy import Approvals, DriftAnswer, DriftPolicy, Group, Ignore, Mode, Policy, RepairLimit
from orchestrator.rules.narrow import UNLIMITED, in_groups, in_order, narrow


class Setting(NamedTuple):
    """One value and its ``file:line``."""

    value: Any
    origin: str


#: Setting -> value. Those that are laid over key by key go by ``drift.every``, ``inputs.region``.
Layer: TypeAlias = Mapping[str, Setting]

_POLICY_KEYS: Final = (
    "apply",
    "approvals.required",
    "approvals.from",
    "approvals.groups",
    "approvals.allow_author",
    "approvals.valid_for",
    "windows",
    "delete_limit",
    "drift.every",
    "drift.answer",
    "drift.confirm",
    "drift.limit.repairs",
    "drift.limit.within",
    "drift.ignore",
    "timeout",
    "retries",
)


def flatten(model: BaseModel, node: Node, file: PurePosixPath, *, without: frozenset[str] = frozenset()) -> Layer:
    """Return what ``model`` sets, leaving out the keys ``without`` and those that it does not mention."""
    return dict(_flatten(model, node, file, without))


def _flatten(
    model: BaseModel, node: Node, file: PurePosixPath, without: frozenset[str]
) -> Iterator[tuple[str, Setting]]:
    fields = type(model).model_fields
    # In the order of the file, so that equal files make equal layers to the byte.
    for key, below in node.children.items() if isinstance(node.children, dict) else ():
        name = _field(type(model), key)
        value = getattr(model, name, None)
        if key in without or value is None:
            continue
        if isinstance(value, BaseModel):
            for inner, setting in _flatten(value, below, file, frozenset()):
                yield f"{key}.{inner}", setting
        elif key in MERGED_KEYS and isinstance(value, dict) and isinstance(below.children, dict):
            for inner, item in value.items():
                yield f"{key}.{inner}", Setting(typed(item), f"{file}:{below.children[inner].key_line}")
        else:
            kept = value if name in fields else typed(value)
            yield key, Setting(tuple(kept) if isinstance(kept, list) else kept, f"{file}:{below.key_line}")


@cache
def _field(model: type[BaseModel], key: str) -> str:
    return next((name for name, field in model.model_fields.items() if field.alias == key), key)


def grouped(layer: Layer, key: str) -> dict[str, Any]:
    """Return the values that are laid over key by key below ``key``, sorted."""
    start = f"{key}."
    return {name.removeprefix(start): layer[name].value for name in sorted(layer) if name.startswith(start)}


def policy(layer: Layer) -> Policy:
    """Return the policy that ``layer`` wishes; what it does not say keeps the default, and the default asks."""
    said = {key: layer[key].value for key in _POLICY_KEYS if key in layer}
    default = Policy()
    apply = said.get("apply", "manual")
    return Policy(
        mode=Mode.AUTO if apply == "auto" else Mode.PROPOSE,
        approvals=_unasked(said) if apply == "auto" else _approvals(said, at_least=1),
        windows=said.get("windows", ()),
        delete_limit=said.get("delete_limit"),
        drift=_drift(said, default.drift),
        retries=said.get("retries", default.retries),
        timeout_s=said.get("timeout", default.timeout_s),
    )


def ceiling(layer: Layer) -> Policy:
    """Return the most that ``layer`` allows; what it does not say is not limited."""
    said = {key: layer[key].value for key in _POLICY_KEYS if key in layer}
    asks = said.get("apply", "auto") != "auto"
    return Policy(
        mode=Mode.PROPOSE if asks else Mode.AUTO,
        approvals=_approvals(said, at_least=1 if asks else 0),
        windows=said.get("windows", ()),
        delete_limit=said.get("delete_limit"),
        drift=_drift(said, UNLIMITED.drift),
        retries=said.get("retries", UNLIMITED.retries),
        timeout_s=said.get("timeout", UNLIMITED.timeout_s),
        plan_ttl_s=UNLIMITED.plan_ttl_s,
    )


def _drift(said: Mapping[str, Any], other: DriftPolicy) -> DriftPolicy:
    """Return what is said about drift; what is not said is as in ``other``."""
    limit = other.limit
    if "drift.limit.repairs" in said or "drift.limit.within" in said:
        # A ceiling that names one of the two means the usual other.
        usual = limit or RepairLimit()
        limit = RepairLimit(
            repairs=said.get("drift.limit.repairs", usual.repairs),
            within_s=said.get("drift.limit.within", usual.within_s),
        )
    return DriftPolicy(
        every_s=said.get("drift.every", other.every_s),
        answer=DriftAnswer(said.get("drift.answer", other.answer)),
        confirm=said.get("drift.confirm", other.confirm),
        limit=limit,
        ignore=in_order(
            Ignore(address=one.address, path=one.path or "", owner=one.owner, reason=one.reason, until=one.until)
            for one in said.get("drift.ignore", ())
        ),
    )


def _approvals(said: Mapping[str, Any], *, at_least: int) -> Approvals:
    groups = in_groups(Group(of=tuple(one.from_), at_least=one.at_least) for one in said.get("approvals.groups", ()))
    # A group asks for somebody already: nobody else is wanted who was not asked for.
    least = 0 if groups else at_least
    return Approvals(
        required=max(least, said.get("approvals.required", least)),
        eligible=tuple(sorted(set(said.get("approvals.from", ())))),
        groups=groups,
        allow_author=said.get("approvals.allow_author", True),
        valid_s=said.get("approvals.valid_for"),
    )


def _unasked(said: Mapping[str, Any]) -> Approvals:
    """Return what is left of approvals where nobody is asked, for what is asked about all the same: taking down."""
    return replace(_approvals(said, at_least=0), required=0, groups=())


def tighten(wish: Policy, limit: Policy, origin: str) -> tuple[Policy, dict[str, str]]:
    """Return ``wish`` narrowed by ``limit``, and ``origin`` for each setting that it changed."""
    found = narrow(limit, wish)
    before, after = _parts(wish), _parts(found)
    return found, {key: origin for key in before if before[key] != after[key]}


def _parts(policy: Policy) -> dict[str, object]:
    return {
        "apply": policy.mode,
        "approvals.required": policy.approvals.required,
        "approvals.from": policy.approvals.eligible,
        "approvals.groups": policy.approvals.groups,
        "approvals.allow_author": policy.approvals.allow_author,
        "approvals.valid_for": policy.approvals.valid_s,
        "windows": policy.windows,
        "delete_limit": policy.delete_limit,
        "drift.every": policy.drift.every_s,
        "drift.answer": policy.drift.answer,
        "drift.confirm": policy.drift.confirm,
        "drift.limit": policy.drift.limit,
        "drift.ignore": policy.drift.ignore,
        "timeout": policy.timeout_s,
        "retries": policy.retries,
    }
