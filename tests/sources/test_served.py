"""Two hundred stacks, a real Git server, a signed hook: a push is planned and applied by itself, and quickly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from conftest import HttpsServer, World, free_port
from served import Serving, configured, serving

from orchestrator.model.event import Planned

pytestmark = [pytest.mark.full, pytest.mark.timeout(1500), pytest.mark.needs("git", "terraform", "nginx", "fcgiwrap")]

COUNT, TOUCHED = 200, 20
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
TOKEN = "hunter2-token"
STACK = 'resource "terraform_data" "x" {\n  input = "%s"\n}\n'


def knock(port: int) -> None:
    """Tell of a push, signed as Standard Webhooks are."""
    body, at = b"{}", str(int(time.time()))
    mac = hmac.new(KEY, f"m{at}.{at}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": f"m{at}",
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        "content-type": "application/json",
    }
    answer = httpx2.post(f"http://127.0.0.1:{port}/hooks/estate", content=body, headers=headers)
    assert answer.status_code == 202, answer.text


def push(world: World, https: HttpsServer, files: dict[str, str]) -> str:
    commit = world.commit(files)
    world.git("push", "--quiet", str(https.root / "estate.git"), "main")
    return commit


def planned(world: World, revision: str) -> dict[str, float]:
    """Return when each stack was first planned at a revision."""
    found: dict[str, float] = {}
    for entry in world.entries():
        if isinstance(entry.event, Planned) and entry.event.proposal.revision == revision:
            found.setdefault(entry.stack, entry.at)
    return found


def by_hand(world: World, https: HttpsServer, before: str, folder: Path, names: list[str]) -> list[float]:
    """Fetch, then init and plan each stack, two side by side; returns when each was planned, in seconds."""
    env = {**world.environment, "GIT_SSL_CAINFO": str(https.certificate)}
    url = https.url("estate").replace("https://", f"https://git:{TOKEN}@")
    subprocess.run(["git", "clone", "--quiet", url, folder], env=env, check=True)
    subprocess.run(["git", "reset", "--quiet", "--hard", before], cwd=folder, env=env, check=True)
    begun = time.perf_counter()
    subprocess.run(["git", "pull", "--quiet"], cwd=folder, env=env, check=True)

    def plan(name: str) -> float:
        for words in (["init", "-input=false"], ["plan", "-input=false", "-out=plan"]):
            argv = ["terraform", *words]
            subprocess.run(argv, cwd=folder / name, env=env, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begun

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(plan, names))


def settled(service: Serving, names: list[str], times: int, seconds: float) -> None:
    """Wait until each stack has come to rest so often."""
    deadline = time.monotonic() + seconds
    while True:
        rests = [line["stack"] for line in service.lines("at rest") if line["reason"] == "converged"]
        if all(rests.count(name) >= times for name in names):
            return
        assert time.monotonic() < deadline, service.said[-3000:]
        time.sleep(0.2)


def test_a_push_to_two_hundred_stacks_is_planned_and_applied_by_itself(
    world: World, https: HttpsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"s{n:03}" for n in range(COUNT)]
    lines = "".join(f"  {name}: {{tool: terraform, path: {name}}}\n" for name in names)
    web = "  web: {tool: terraform, path: web, drift: {every: 10s, answer: repair}}\n"
    head = "version: 1\nproject: estate\ndefaults: {apply: auto}\nstacks:\n"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", https.root / "estate.git"], check=True)
    world_object = f'{world.lab}resource "lab_object" "web" {{\n  name = "web"\n}}\n'
    files = {"stacks.yaml": head + lines + web, "web/main.tf": world_object}
    first = push(world, https, files | {f"{name}/main.tf": STACK % "one" for name in names})
    port = free_port()
    git = {"url": https.url("estate"), "branch": "main", "every": "1h", "auth": {"token": "${secret:git-token}"}}
    source = {"name": "estate", "git": git, "hook": {"kind": "generic", "secret": "${secret:hook}"}}
    config = configured(world, listen=f"127.0.0.1:{port}", sources=[source])
    world.extra |= {
        "GIT_SSL_CAINFO": str(https.certificate),
        "HOLDFAST_SECRET_GIT_TOKEN": TOKEN,
        "HOLDFAST_SECRET_HOOK": SECRET,
    }
    keys = [world.key(name) for name in names]
    with serving(world, config) as service:
        settled(service, keys, 1, 900)
        service.until(lambda: [line for line in service.lines("at rest") if line["stack"] == world.key("web")])
        touched = names[:: COUNT // TOUCHED]
        # What was applied a minute ago is about to be looked at: that is not what is measured here.
        second = push(world, https, {f"{name}/main.tf": STACK % "two" for name in touched})
        world.forget_starts()
        begun = time.time()
        knock(port)
        settled(service, [world.key(name) for name in touched], 2, 300)
        ours = sorted(at - begun for at in planned(world, second).values())
        assert len(ours) == TOUCHED, "exactly what was touched"
        world.edit_object("web", size=7)
        service.until(lambda: [line for line in service.lines("doing") if "drift" in line["why"]][0:])
        service.until(lambda: not [one for one in world.objects() if one.get("size") == 7])
        service.stop()
    hand = sorted(by_hand(world, https, first, tmp_path / "hand", touched))
    ratio = statistics.median(ours) / statistics.median(hand)
    with capsys.disabled():
        figures = f"planned p50 {statistics.median(ours):.2f} s, by hand {statistics.median(hand):.2f} s, {ratio:.2f}x"
        print(f"\n{COUNT} stacks, a commit that touches {TOUCHED}: {figures}, on {os.cpu_count()} cores")
    with world.record() as record:
        assert record.verify() is None
