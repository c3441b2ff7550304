"""A callback plugin: one JSON line for each thing that a playbook does, into the file that HOLDFAST_LINES names.

ansible-runner's own events lose whether a result under ``no_log`` changed anything; here it is kept, and
nothing else of such a result. Loaded by ansible-playbook, in its process: it knows nothing of Holdfast.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.release import __version__

DOCUMENTATION = """
name: holdfast_lines
type: aggregate
short_description: one JSON line for each thing that a playbook does
description: for the program that started the playbook
"""

#: What of a result goes into a line.
_KEPT = ("changed", "msg", "reason", "skip_reason", "skipped_reason", "false_condition", "diff")


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Writes the lines."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "holdfast_lines"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, kind: str, **fields: Any) -> None:
        with open(os.environ["HOLDFAST_LINES"], "a", encoding="utf-8") as lines:  # noqa: PTH123 - append in one write
            lines.write(json.dumps({"kind": kind, **fields}, default=str) + "\n")

    def _result(self, kind: str, result: Any, **fields: Any) -> None:
        task = result._task  # noqa: SLF001 - the only way that every supported version has
        host = result._host.get_name()  # noqa: SLF001
        found = result._result  # noqa: SLF001
        hidden = "censored" in found or bool(task.no_log)
        kept = {} if hidden else {key: found[key] for key in _KEPT if key in found}
        items = found.get("results")
        if not hidden and task.loop and isinstance(items, list):
            kept["items"] = [_item(item) for item in items if isinstance(item, dict)]
        kept["changed"] = bool(result.is_changed())
        self._write(kind, host=host, **_named(task), hidden=hidden, result=kept, **fields)

    def v2_playbook_on_start(self, playbook: Any) -> None:  # noqa: ARG002
        """Say which version of the tool is at work."""
        self._write("tool", version=__version__)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Say that a play has no host to work on."""
        self._write("unmatched")

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Say that a host begins a task."""
        self._write("begun", host=host.get_name(), **_named(task))

    def v2_runner_on_ok(self, result: Any) -> None:
        """Say what a task did."""
        self._result("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002
        """Say why a task failed."""
        self._result("failed", result, ignored=bool(ignore_errors))

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Say why a task was passed over."""
        self._result("skipped", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Say that a host did not answer."""
        self._result("unreachable", result, ignored=bool(result._task.ignore_unreachable))  # noqa: SLF001

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Say how it went for each host, and what the playbook hands on."""
        hosts = {host: stats.summarize(host) for host in stats.processed}
        self._write("stats", hosts=hosts, custom=stats.custom)


def _named(task: Any) -> dict[str, Any]:
    action = getattr(task, "resolved_action", None) or task.action
    # `check_mode: false` runs for real even where everything else only looks.
    runs = task.check_mode is False
    return {
        "name": task.get_name(),
        "place": task.get_path() or "",
        "action": action,
        "runs": runs,
    }


def _item(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("_ansible_no_log") or "censored" in item:
        return {"hidden": True, "changed": bool(item.get("changed"))}
    kept = {key: item[key] for key in (*_KEPT, "skipped", "failed") if key in item}
    return {**kept, "changed": bool(item.get("changed"))}
