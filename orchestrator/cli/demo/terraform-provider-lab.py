# ruff: noqa: N999 - Terraform finds providers by this form of name
"""A real Terraform provider whose cloud is a folder: for the demo, the tests and the benchmark.

Terraform starts this file as a plugin (protocol 6, spoken by the PyPI package ``tf``). Below the provider's
``root``:

    objects/<id>.json   one file per object; edit or remove one by hand and drift is real
    ledger.jsonl        one line per create, update and delete, only ever appended to
    <name>.refuse       while it exists, every change to the object of that name fails with the file's text

Objects are kept by id and not by name, as a cloud keeps them: creating one name twice makes two objects, so
that a duplicate is seen. ``delay`` spends half of its seconds before the effect and half after it, so that a
killed create leaves either nothing, or an object that the state does not know.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from tf import iface, runner, types
from tf.schema import Attribute, Schema
from tf.utils import Diagnostics

Values = dict[str, Any]


class Cloud:
    """The folder that stands for a cloud."""

    def __init__(self, root: Path) -> None:
        """Make the folder where it is missing."""
        self.root = root
        self.objects = root / "objects"
        self.objects.mkdir(parents=True, exist_ok=True)

    def read(self, identity: str) -> Values | None:
        """Return an object's attributes, None where it is gone."""
        try:
            held: Values = json.loads((self.objects / f"{identity}.json").read_text("utf-8"))
        except FileNotFoundError:
            return None
        return held

    def write(self, held: Values) -> None:
        """Put an object's attributes in one step: a reader sees the old file or the new one."""
        target = self.objects / f"{held['id']}.json"
        part = target.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(held, indent=2, sort_keys=True) + "\n", "utf-8")
        part.replace(target)

    def remove(self, identity: str) -> None:
        """Remove an object; one that is gone already is no fault."""
        (self.objects / f"{identity}.json").unlink(missing_ok=True)

    def note(self, act: str, held: Values) -> None:
        """Append one line to the ledger: a single write in append mode, so that lines never mix."""
        line = {"at": time.time(), "act": act, "id": held["id"], "name": held["name"], "pid": os.getpid()}
        with (self.root / "ledger.jsonl").open("ab", buffering=0) as ledger:
            ledger.write(json.dumps(line).encode() + b"\n")

    def refusal(self, name: str) -> str | None:
        """Return why changes to ``name`` fail just now, None where they do not."""
        try:
            return (self.root / f"{name}.refuse").read_text("utf-8").strip() or "refused"
        except FileNotFoundError:
            return None


def plain(values: Values) -> Values:
    """Return ``values`` with whole numbers as integers: the wire gives floats, people edit integers."""
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value for key, value in values.items()
    }


class LabObject(iface.Resource):  # type: ignore[misc]  # the framework is not typed
    """The resource ``lab_object``."""

    def __init__(self, provider: LabProvider) -> None:
        """Keep the provider: its cloud is known only once it is configured."""
        self.provider = provider

    @classmethod
    def get_name(cls) -> str:
        """Return the name after the provider's prefix."""
        return "object"

    @classmethod
    def get_schema(cls) -> Schema:
        """Return the attributes."""
        return Schema(
            version=1,
            attributes=[
                Attribute("id", types.String(), computed=True),
                Attribute("name", types.String(), required=True, requires_replace=True),
                Attribute("size", types.Number(), optional=True),
                Attribute("tags", types.Map(types.String()), optional=True),
                Attribute("secret", types.String(), optional=True, sensitive=True),
                Attribute("delay", types.Number(), optional=True),
            ],
        )

    def create(self, ctx: iface.CreateContext, planned: Values) -> Values | None:
        """Make an object under a new id."""
        held = {**plain(planned), "id": f"{planned['name']}-{secrets.token_hex(4)}"}
        return held if self._perform(ctx.diagnostics, "create", held) else None

    def read(self, ctx: iface.ReadContext, current: Values) -> Values | None:  # noqa: ARG002 - the framework's signature
        """Return what is there now."""
        held = self.provider.cloud.read(current["id"])
        return None if held is None else {**dict.fromkeys(current), **held}

    def update(self, ctx: iface.UpdateContext, current: Values, planned: Values) -> Values | None:
        """Write the planned attributes over the object."""
        held = {**plain(planned), "id": current["id"]}
        return held if self._perform(ctx.diagnostics, "update", held) else current

    def delete(self, ctx: iface.DeleteContext, current: Values) -> None:
        """Remove the object."""
        self._perform(ctx.diagnostics, "delete", plain(current))

    def import_(self, ctx: iface.ImportContext, id: str) -> Values | None:  # noqa: A002 - the framework's signature
        """Take over the object with this id."""
        held = self.provider.cloud.read(id)
        if held is None:
            ctx.diagnostics.add_error("no such object", id)
        return held

    def upgrade(self, ctx: iface.UpgradeContext, version: int, old: Values) -> Values:  # noqa: ARG002 - as above
        """Return the state as it is: there has been one version only."""
        return old

    def _perform(self, diagnostics: Diagnostics, act: str, held: Values) -> bool:
        cloud = self.provider.cloud
        why = cloud.refusal(held["name"])
        if why is not None:
            diagnostics.add_error(f"{act} of {held['name']} refused", why)
            return False
        half = float(held.get("delay") or 0) / 2
        time.sleep(half)
        if act == "delete":
            cloud.remove(held["id"])
        else:
            cloud.write(held)
        cloud.note(act, held)
        time.sleep(half)
        return True


class LabProvider(iface.Provider):  # type: ignore[misc]  # the framework is not typed
    """The provider ``lab.test/lab/lab``."""

    cloud: Cloud

    def get_model_prefix(self) -> str:
        """Return the prefix of every resource type."""
        return "lab_"

    def full_name(self) -> str:
        """Return the source address."""
        return "lab.test/lab/lab"

    def get_provider_schema(self, diags: Diagnostics) -> Schema:  # noqa: ARG002 - the framework's signature
        """Return the provider block's attributes."""
        return Schema(attributes=[Attribute("root", types.String(), required=True)])

    def validate_config(self, diags: Diagnostics, config: Values) -> None:
        """Accept every configuration that has the right types."""

    def configure_provider(self, diags: Diagnostics, config: Values) -> None:
        """Open the folder."""
        try:
            self.cloud = Cloud(Path(config["root"]))
        except OSError as error:
            diags.add_error("the root folder cannot be made", str(error))

    def get_data_sources(self) -> list[type[iface.DataSource]]:
        """Return none: there are no data sources."""
        return []

    def get_resources(self) -> list[type[iface.Resource]]:
        """Return the one resource."""
        return [LabObject]


def keep_keys() -> None:
    """Take the certificate of earlier starts: a tool has a home of its own each time, and making one takes long."""
    keys = os.environ.get("LAB_KEYS", "")
    if os.access(keys, os.W_OK):
        # The framework keeps it below its user's home. Who looks for this process by its home still finds it.
        os.environ["HOME"] = keys


if __name__ == "__main__":
    keep_keys()
    runner.run_provider(LabProvider())
