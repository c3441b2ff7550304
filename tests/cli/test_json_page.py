"""docs/json.md is a promise: each example on it has exactly the keys that the command prints."""

from __future__ import annotations

from dataclasses import replace

import pytest
import test_explain
import test_pages
import test_runs
from cli_values import applied, key
from promised import EXAMPLES, shape

from adapters.testimony import Confidence, Testimony
from orchestrator.catalogue import CODES
from orchestrator.cli import (
    show_diff,
    show_doctor,
    show_drift,
    show_explain,
    show_graph,
    show_history,
    show_plan,
    show_problems,
    show_resolved,
    show_runs,
    show_secrets,
    show_stack,
    show_status,
    show_tokens,
)
from orchestrator.effects.tokens import Token
from orchestrator.errors import ConfigError
from orchestrator.model.drift import Ignored, seen
from orchestrator.model.event import AttemptDead
from orchestrator.model.observed import Looks, State
from orchestrator.model.policy import Ignore
from orchestrator.rules.judged import Judged
from orchestrator.rules.order import waves

WORD = Testimony(who="eve", at=1.0, what="w", source="CloudTrail", confidence=Confidence.LIKELY)

TOKEN = Token(id="i", name="n", role="view", created_at=1.0, created_by="a", until=None, revoked_at=None)


def _side(tree, size):
    return show_diff.Side(label="a", revision="r", files={"f": tree}, settings={"size": size})


def printed():
    stacks, edges = test_pages.graph()
    row = test_runs.Row(
        run=test_runs.run(), entries=test_runs.entries(("a", test_runs.PLANNED), ("a", test_runs.INTENDED))
    )
    problem = test_pages.Problem(severity=test_pages.Severity.WARNING, summary="s")
    error = ConfigError("m", where="f:1:2")
    rule = Ignore(address="r.c", owner="team:net", reason="autoscaled")
    judged = Judged(
        drift=test_pages.DRIFT,
        unconfirmed=test_pages.DRIFT.items,
        ignored=(Ignored(item=test_pages.DRIFT.items[0], rule=rule),),
        expired=(rule,),
        occurrences=tuple(
            replace(one, asked_at=1.0, testimonies=(WORD,)) for one in seen((), test_pages.DRIFT.items, "r", 1.0)
        ),
    )
    drift = show_drift.Row(
        key=key("web"),
        judged=judged,
        looks=Looks(drift_at=1.0, drift_seen_at=1.0, drift_seen=1),
        blind_spots=("what nobody sees",),
    )
    return {
        "status": show_status.page([test_pages.status_row("a", State(applied=applied()))], 1.0),
        "plan, apply, rollback": show_plan.page(
            [
                replace(
                    test_pages.row("a", test_pages.UPDATE, problems=(problem,), outputs_changing=("cidr",)),
                    warnings=("w",),
                )
            ]
        ),
        "show STACK": show_stack.page(
            show_stack.Shown(key=key("a"), proposed=test_runs.INTENDED.intent, applied=test_runs.INTENDED)
        ),
        "drift": show_drift.page([drift], 1.0),
        "drift --history": show_history.page([show_history.History(key=key("web"), judged=judged)]),
        "runs": show_runs.page([row], 1.0),
        "show RUN": show_runs.timeline(row),
        "graph": show_graph.page(test_pages.nodes(stacks), edges, waves(edges)),
        "diff": show_diff.page(show_diff.Difference(left=_side("x", 1), right=_side("y", 2))),
        "explain STACK": show_explain.page(
            replace(test_explain.explained(), approvers=("ana",), drift=("d",)), test_explain.NOW
        ),
        "explain CODE": show_explain.code_page("HF-2005", CODES["HF-2005"]),
        "resolve": show_resolved.page(
            show_resolved.Resolved(key=key("web"), said=AttemptDead(attempt=3, by="ana"), why="w", state=State())
        ),
        "validate": show_problems.page(show_problems.of_error(error), 1),
        "secrets check": show_secrets.page(
            show_secrets.Checked(
                stores=[show_secrets.StoreCheck(store="s")],
                stacks={key("web"): [show_secrets.Named(name="n", used="inputs", store="s")]},
                operator=[show_secrets.Named(name="n", used="operator", code="HF-4400", why="w")],
            )
        ),
        "token list": show_tokens.page([TOKEN], 1.0),
        "doctor": show_doctor.page([show_doctor.git((2, 45, 0))]),
    }


#: What these print is compared where they are run for real: `tests/e2e/test_for_programs.py`, `tests/web`, `tests/deploy`.
RUN_FOR_REAL = {
    "outputs",
    *(
        "approve, reject",
        "cancel",
        "suspend",
        "resume",
        "unlock",
        "wait",
        "audit verify",
        "audit checkpoint",
        "audit export",
        "rotate-key",
    ),
    *("mv", "forget", "init", "import", "logs"),
    *("token create", "token revoke", "service install"),
}


@pytest.mark.parametrize("heading", sorted(set(EXAMPLES) - RUN_FOR_REAL))
def test_the_example_has_the_keys_that_are_printed(heading):
    assert shape(EXAMPLES[heading]) == shape(printed()[heading].value())


def test_every_page_has_an_example():
    assert set(EXAMPLES) == {*printed(), *RUN_FOR_REAL}


@pytest.mark.parametrize(("version", "verdict"), [((2, 43, 6), "warning"), ((2, 43, 7), "good"), (None, "bad")])
def test_an_old_git_is_warned_of(version, verdict):
    assert show_doctor.git(version).verdict == verdict
