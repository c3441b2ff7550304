"""The values that flow into a stack and out of it, and the encrypted copies that outlive a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from secrets import token_hex

from adapters.contract import MASK, Input, Json, Output, Outputs
from orchestrator.engine.former import now_called
from orchestrator.engine.outside import Outside
from orchestrator.errors import RecordError
from orchestrator.model.codec import encode
from orchestrator.model.fingerprint import value_digest
from orchestrator.model.observed import Applied, OutputMark
from orchestrator.model.reference import COMMIT, OutputRef, fill
from orchestrator.model.stack import Stack, StackKey
from orchestrator.ports import Layout
from orchestrator.rules.upstream import locate


class Filling:
    """Fills a stack's references with values, and remembers whether a secret was among them."""

    def __init__(self, outside: Outside, stack: Stack, layout: Layout, commit: str, *, foreign: bool = False) -> None:
        """``layout`` says which stack an output reference means, ``commit`` is what ``${git.commit}`` stands for.

        ``foreign`` is for code that somebody proposes from outside: it reads fewer secrets.
        """
        self._readable = outside.secrets.readable_by(stack.key, foreign=foreign)
        self._commit = commit
        self._outside = outside
        self._stack = stack
        self._layout = layout
        self._fed: dict[StackKey, Outputs] = {}
        #: Every secret text that was filled in, to be masked wherever the tool repeats it.
        self.secrets: set[str] = set()
        self._touched_secret = False
        self._touched_outside = False

    def inputs(self) -> dict[str, Input]:
        """Return the stack's inputs with values. Raises Denied, SecretMissing, RecordError."""
        return {name: self._fill(value) for name, value in self._stack.inputs.items()}

    def settings(self) -> dict[str, Json]:
        """Return the adapter's settings with values: the stack's own keys, ``path`` and ``tool``."""
        filled = {name: self._fill(value).value for name, value in self._stack.settings.items()}
        constraint = {"tool_version": self._stack.tool_version} if self._stack.tool_version else {}
        return {**filled, **constraint, "path": str(self._stack.path), "tool": self._stack.tool}

    def _fill(self, value: Json) -> Input:
        self._touched_secret = self._touched_outside = False
        filled = fill(value, self._look_up)
        return Input(value=filled, sensitive=self._touched_secret, filled=self._touched_outside)

    def _look_up(self, inside: str) -> Json:
        kind, _, path = inside.partition(":")
        self._touched_outside |= kind in {"secret", "output"}
        if kind == "secret":
            secret = self._readable.get(path)
            self._conceal(secret.value)
            return secret.value
        if kind == "output":
            return self._output(OutputRef.parse(path))
        if inside == COMMIT:
            return self._commit
        return "${" + inside + "}"

    def _output(self, ref: OutputRef) -> Json:
        stacks = self._layout.stacks
        key = now_called(self._outside, locate(ref, self._stack.key, stacks), stacks)
        if key not in self._fed:
            applied = self._outside.record.row(str(key)).state.applied
            self._fed[key] = stored_outputs(self._outside, applied) if applied else {}
        found = self._fed[key].get(ref.key)
        if found is None:
            raise RecordError(
                f"{key.short} has no output {ref.key}", code="HF-4010", hint=f"holdfast outputs {key.short}"
            )
        if found.sensitive:
            for text in texts(found.value):
                self._conceal(text)
        return found.value

    def _conceal(self, text: str) -> None:
        self.secrets.add(text)
        self._touched_secret = True


def texts(value: Json) -> Iterator[str]:
    """Yield every text and number inside a value: what to mask where it is secret."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def store_inputs(outside: Outside, inputs: Mapping[str, Input]) -> str:
    """Keep the resolved inputs, encrypted; returns their SHA-256, empty where there are none."""
    if not inputs:
        return ""
    return outside.artifacts.put(_salted(encode(inputs)))


def stored_inputs(outside: Outside, sha256: str) -> dict[str, Input]:
    """Return the inputs that an attempt or a proposal kept."""
    if not sha256:
        return {}
    body: dict[str, dict[str, Json]] = json.loads(outside.artifacts.get(sha256))["values"]
    return {
        name: Input(value=one["value"], sensitive=bool(one.get("sensitive")), filled=bool(one.get("filled")))
        for name, one in body.items()
    }


def store_secrets(outside: Outside, texts: Collection[str]) -> str:
    """Keep texts that an apply has to mask, encrypted; returns their SHA-256, empty where there are none."""
    return outside.artifacts.put(_salted([*sorted(texts)])) if texts else ""


def stored_secrets(outside: Outside, sha256: str) -> list[str]:
    """Return the texts that a proposal kept to be masked."""
    values: list[str] = json.loads(outside.artifacts.get(sha256))["values"] if sha256 else []
    return values


def store_outputs(outside: Outside, found: Outputs, mask: Callable[[str], str]) -> tuple[dict[str, OutputMark], str]:
    """Keep outputs, encrypted; returns what the record may know of them, and their SHA-256.

    One that holds what ``mask`` knows for a secret counts as sensitive, whatever the tool says of it.
    """
    key = outside.record.key()
    outputs = {name: replace(one, sensitive=one.sensitive or _tells(one.value, mask)) for name, one in found.items()}
    marks = {
        name: OutputMark(hmac=value_digest(one.value, key), sensitive=one.sensitive) for name, one in outputs.items()
    }
    if not outputs:
        return marks, ""
    return marks, outside.artifacts.put(_salted(encode(outputs)))


def _tells(value: Json, mask: Callable[[str], str]) -> bool:
    return any(mask(text).count(MASK) > text.count(MASK) for text in texts(value))


def _salted(values: Json) -> bytes:
    """Return the bytes to keep: the record knows their SHA-256, and a short secret must not be guessed from that."""
    return json.dumps({"salt": token_hex(16), "values": values}, sort_keys=True).encode()


def stored_outputs(outside: Outside, applied: Applied) -> Outputs:
    """Return the values of the outputs that a stack had when it was applied."""
    if not applied.outputs_artifact:
        return {}
    body: dict[str, dict[str, Json]] = json.loads(outside.artifacts.get(applied.outputs_artifact))["values"]
    return {name: Output(value=one["value"], sensitive=bool(one.get("sensitive"))) for name, one in body.items()}
