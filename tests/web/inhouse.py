"""The service's app in this very process, over a real home: stacks that were proposed, applied and drifted by record.

No tool runs here: what a tool would have found is put into the record by hand, in the words in which it is found there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from serviced import Service, until
from starlette.testclient import TestClient

from adapters.contract import AttributeChange, Change, ChangeKind, DriftItem, Output, Plan, ToolVersion
from orchestrator.assembly.served import open_served
from orchestrator.config.operator import operator_of
from orchestrator.effects.journal import StreamJournal
from orchestrator.effects.runlog import log_path
from orchestrator.engine.dispatch import Dispatch
from orchestrator.engine.newest import Newest
from orchestrator.engine.outside import Reading
from orchestrator.engine.planning import store_plan
from orchestrator.engine.post import Post
from orchestrator.engine.survey import Survey
from orchestrator.engine.values import store_outputs
from orchestrator.engine.watching import Watcher
from orchestrator.model.event import Asked, Converged, DriftSeen, Event, Planned
from orchestrator.model.observed import Applied, Counts, Proposal
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.ports import Run
from orchestrator.telling.counts import of_plan
from orchestrator.web.app import make_app
from orchestrator.web.door import Door

TOOL = ToolVersion(name="terraform", version="1.9.0", platform="linux_amd64")
CANARY = "c4n4ry-value-of-an-output"
STACKS = ("web@prod", "db@prod", "net@prod")


class House:
    """One app, its record, and the tokens of everybody who asks."""

    def __init__(self, folder: Path) -> None:
        self.made = Service(folder)
        self.made.keys["sources"] = [self.made.source("lab")]
        can = {"own": ["view"], "other": ["view"], "approver": ["view", "approve"], "runner": ["view", "apply"], "operator": ["view", "plan", "approve", "apply", "unlock"]}  # fmt: skip
        over = {"other": "db@*"}
        self.made.keys["auth"] = {"roles": {role: {"can": rights, "stacks": [over.get(role, "web@*")]} for role, rights in can.items()}}  # fmt: skip
        self.made.write()
        names = [one.partition("@")[0] for one in STACKS]
        for name in names:
            (self.made.lab / name).mkdir(exist_ok=True)
            (self.made.lab / name / "main.tf").write_text(f'output "name" {{\n  value = "{name}"\n}}\n')
        stacks = {name: {"tool": "terraform", "path": name, "environments": ["prod"]} for name in names}
        (self.made.lab / "stacks.yaml").write_text(
            json.dumps({"version": 1, "discover": False, "environments": {"prod": {}}, "stacks": stacks})
        )
        self.tokens: dict[str, str] = {}
        self.stopping = threading.Event()

    @contextmanager
    def open(self) -> Iterator[House]:
        operator = operator_of({"HOLDFAST_CONFIG": str(self.made.config)})
        served = open_served(operator, self.made.home, self.made.environment)
        with served as self.served, (self.made.folder / "log").open("a") as log:
            journal = StreamJournal.on(log, {}, lambda: str)
            clock = self.post.outside.clock
            self.dispatch = Dispatch(self.served.posts, self.served.host.agenda, clock, journal)
            self.app: FastAPI = make_app(self.served, self.dispatch, journal, self.stopping.is_set)
            Watcher(self.post).look()
            for role in ("own", "other", "approver", "runner", "operator", "admin"):
                if role not in self.tokens:
                    self.tokens[role] = self.token(f"{role}-token", role, f"{role}@acme.example")
            # What the tests send is counted as coming from one address: none of it is a wrong token.
            with TestClient(self.app, raise_server_exceptions=False) as self.http:
                yield self

    @contextmanager
    def door(self) -> Iterator[httpx2.Client]:
        """Answer over a socket, for what never ends by itself."""
        door = Door.at("127.0.0.1:0", {})
        assert door
        with (self.made.folder / "door-log").open("a") as log:
            door.serve(self.app, StreamJournal.on(log, {}, lambda: str))
            try:
                with httpx2.Client(base_url=f"http://{door.address}/api/v1", timeout=30) as client:
                    yield client
            finally:
                door.close()

    @property
    def post(self) -> Post:
        found = self.served.posts.get("lab")
        assert found
        return found

    @property
    def reading(self) -> Reading:
        found = Newest().of(self.post)
        assert found
        return found

    @staticmethod
    def made_until(holds: Callable[[], object]) -> None:
        until(holds)

    @property
    def journal(self) -> str:
        return (self.made.folder / "log").read_text()

    def token(self, name: str, role: str, person: str = "") -> str:
        return self.served.host.tokens.create(name, role, by="test", person=person)[1]

    def key(self, name: str) -> StackKey:
        return StackKey.parse(f"lab/{name}")

    def ask(self, method: str, path: str, role: str | None = "admin", **more: Any) -> Any:
        """Ask for a path of the API as a role does."""
        headers = {**more.pop("headers", {})}
        if role is not None:
            headers["authorization"] = f"Bearer {self.tokens.get(role, role)}"
        return self.http.request(method, f"/api/v1{path}", headers=headers, **more)

    def get(self, path: str, role: str | None = "admin", **headers: str) -> Any:
        return self.ask("GET", path, role, headers=headers)

    def post_to(self, path: str, body: object = None, role: str | None = "admin", **headers: str) -> Any:
        return self.ask("POST", path, role, headers=headers, json={} if body is None else body)

    def run(self, verb: str = "reconcile", *, ends: bool = True) -> Run:
        record = self.post.outside.record
        run = record.open_run(trigger="service", verb=verb, actor="holdfast", revision=self.reading.revision.id)
        if ends:
            record.close_run(run.number)
        return run

    def append(self, name: str, *events: Event, run: Run | None = None) -> Run:
        record, key = self.post.outside.record, f"lab/{name}"
        run = run or self.run()
        record.append(key, list(events), expected=record.row(key).state.version, run=run.number)
        return run

    def applied(self, name: str) -> Run:
        """Have a stack applied as its files ask for."""
        desired, run = self._desired(name), self.run()
        outputs = {"name": Output(value=name), "password": Output(value=CANARY, sensitive=True)}
        marks, artifact = store_outputs(self.post.outside, outputs, str)
        applied = Applied(
            attempt=0, run=run.number, goal=desired.goal, revision=desired.revision, fingerprint=desired.fingerprint,
            parts=desired.parts, inputs="", tool=TOOL, counts=Counts(), outputs=marks, outputs_artifact=artifact,
            at=self.post.outside.clock.now(),
        )  # fmt: skip
        return self.append(name, Converged(track=MAIN, applied=applied), run=run)

    def proposed(self, name: str) -> int:
        """Have a plan of a stack wait for a yes; returns the proposal's number."""
        desired, run = self._desired(name), self.run()
        before = self.post.outside.record.row(f"lab/{name}").state
        plan = Plan(
            goal=desired.goal,
            changes=(
                Change(
                    address=f"lab_object.{name}_{before.proposals}",
                    kind=ChangeKind.REPLACE,
                    attributes=(AttributeChange(path="secret", before=CANARY, after=CANARY, sensitive=True),),
                ),
            ),
            tool=TOOL,
        )
        proposal = Proposal(
            number=before.proposals + 1, run=run.number, track=MAIN, goal=desired.goal, revision=desired.revision,
            fingerprint=desired.fingerprint, parts=desired.parts, changes_digest=plan.digest, artifact="",
            detail=store_plan(self.post.outside, plan), inputs="", policy_digest=desired.policy_digest, tool=TOOL,
            counts=of_plan(plan), made_at=self.post.outside.clock.now(),
        )  # fmt: skip
        self.append(name, Planned(proposal=proposal), Asked(track=MAIN, proposal=proposal.number), run=run)
        return proposal.number

    def drifted(self, name: str) -> None:
        """Have a look find drift in a stack that was applied."""
        change = Change(
            address="lab_object.logs",
            kind=ChangeKind.UPDATE,
            attributes=(AttributeChange(path="owner", before="ops", after="nobody"),),
        )
        row = self.post.outside.record.row(f"lab/{name}")
        item, now = DriftItem(change=change, will_be_reverted=True), self.post.outside.clock.now()
        self.append(name, DriftSeen(items=(item,), revision=self._desired(name).revision))
        looks = replace(row.looks, drift_at=now, drift_seen_at=now, drift_seen=1)
        self.post.outside.record.look(f"lab/{name}", looks)

    def logged(self, name: str, run: int, *lines: str) -> Path:
        """Have a tool say something in a run."""
        path = log_path(self.made.home, run, f"lab/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as log:
            for line in lines:
                log.write(f"2026-11-23T03:02:01.123Z {line}\n")
        return path

    def _desired(self, name: str) -> Any:
        asked = Survey(self.post.outside, self.reading).look(self.key(name))
        assert asked
        return asked.desired
