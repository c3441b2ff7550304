"""docs/api.md names every route with its right, and what it shows can be typed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from inhouse import House
from test_gate import every_route

from orchestrator.web.gate import gate_of

PAGE = Path(__file__).resolve().parents[2] / "docs/api.md"


def rows(house: House) -> list[str]:
    """The table, a row for each route of the API."""
    found = []
    for route in every_route(house.app.routes):
        gate = gate_of(route.endpoint)
        if not gate or gate.right is None or not route.include_in_schema:
            continue
        path = re.sub(r":\w+}", "}", route.path).removeprefix("/api/v1")
        says = (route.endpoint.__doc__ or "").partition("\n")[0].rstrip(".")
        found += [f"| {method} | `{path}` | {gate.right.value} | {says} |" for method in sorted(route.methods)]
    return sorted(found, key=lambda row: (row.split("`")[1], row))


def test_the_page_names_every_route_and_what_it_takes(tmp_path: Path) -> None:
    with House(tmp_path).open() as house:
        shown = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| (GET|POST) ", line)]
        assert shown == rows(house)


@pytest.mark.needs("curl")
def test_every_request_that_the_page_shows_is_answered(tmp_path: Path) -> None:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    commands = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    with House(tmp_path).open() as house:
        house.proposed("web@prod")
        house.logged("web@prod", 1, "a line")
        with house.door() as client:
            url = str(client.base_url).rstrip("/").removesuffix("/api/v1")
            for command in commands:
                typed = command.replace("$HOLDFAST_TOKEN", house.tokens["admin"]).replace("$HOLDFAST_URL", url)
                done = subprocess.run([*shlex.split(typed), "--max-time", "20"], capture_output=True, text=True, check=True, timeout=60)  # fmt: skip
                if "/logs" in command:
                    assert '"line": "a line"' in done.stdout
                else:
                    assert json.loads(done.stdout).get("type") != "about:blank", done.stdout
    assert len(commands) >= 10
