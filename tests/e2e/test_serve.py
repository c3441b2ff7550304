"""The service works by itself what its sources ask for, and survives what happens to it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from e2e_yard import Yard
from served import configured, serving

from orchestrator.model.event import ApplyEnded, Outcome

pytestmark = pytest.mark.needs("git", "terraform")

AUTO = "version: 1\nproject: estate\ndefaults: {apply: auto, drift: {every: %s, answer: repair}}\nstacks:\n%s"
OBJECT = 'resource "lab_object" "%s" {\n  name  = "%s"\n  delay = %s\n}\noutput "id" { value = lab_object.%s.id }\n'


def stacks(*names: str, drift: str = "1h") -> str:
    lines = [f"  {name}: {{tool: terraform, path: {name}}}\n" for name in names]
    return AUTO % (drift, "".join(lines))


def an_object(yard: Yard, name: str, delay: float = 0) -> str:
    return yard.lab + OBJECT % (name, name, delay, name)


def outcomes(yard: Yard, stack: str) -> list[Outcome]:
    return [entry.event.outcome for entry in yard.entries(stack) if isinstance(entry.event, ApplyEnded)]


def test_what_is_committed_is_applied_in_order_and_exactly_what_changed_is_planned_again(yard: Yard) -> None:
    dns = '  dns: {tool: terraform, path: dns, inputs: {net: "${output:net.id}"}}\n'
    files = {
        "stacks.yaml": stacks("net", "lone") + dns,
        "net/main.tf": an_object(yard, "net"),
        "lone/main.tf": an_object(yard, "lone"),
        "dns/main.tf": f'variable "net" {{ type = string }}\n{an_object(yard, "dns")}',
    }
    yard.commit(files)
    with serving(yard, configured(yard)) as service:
        for name in ("net", "lone", "dns"):
            service.sees("at rest", stack=yard.key(name), reason="converged")
        assert yard.created() == {"net": 1, "lone": 1, "dns": 1}
        assert {row["sync"] for row in yard.status().values()} == {"Synced"}
        yard.forget_starts()
        yard.commit({"lone/more.tf": 'resource "terraform_data" "more" {}\n'})
        service.until(lambda: [r for r in service.lines("at rest") if r["stack"] == yard.key("lone")][1:])
        assert {folder for verb, folder in yard.starts() if verb != "version"} == {"lone"}
        runs = yard.run("runs", "-o", "json").ended(0).json["runs"]
        assert {run["trigger"] for run in runs} == {"service"}
        second = serving(yard, configured(yard))
        with second as refused:
            assert "HF-4206" in refused.ends(75)
        service.stop()
    yard.record_is_sound()


def test_drift_is_found_on_schedule_and_put_back_as_policy_says(yard: Yard) -> None:
    yard.commit({"stacks.yaml": stacks("web", drift="1s"), "web/main.tf": an_object(yard, "web")})
    with serving(yard, configured(yard)) as service:
        service.sees("at rest", stack=yard.key("web"), reason="converged")
        yard.edit_object("web", size=7)
        service.until(
            lambda: json.loads(next((yard.cloud / "objects").glob("web-*.json")).read_text()).get("size") != 7
        )
        service.stop()
    history = yard.run("drift", "--history", "web", "-o", "json").ended(0).json
    assert "size" in json.dumps(history)


def test_a_source_that_breaks_leaves_the_last_good_revision_in_force(yard: Yard) -> None:
    yard.commit({"stacks.yaml": stacks("web"), "web/main.tf": an_object(yard, "web")})
    with serving(yard, configured(yard)) as service:
        service.sees("at rest", stack=yard.key("web"), reason="converged")
        yard.commit({"stacks.yaml": "version: 1\nstacks: [\n"})
        service.sees("a source cannot be read", source="estate")
        yard.commit({"stacks.yaml": stacks("web", "more"), "more/main.tf": an_object(yard, "more")})
        service.sees("at rest", stack=yard.key("more"), reason="converged")
        service.stop()


def test_told_to_stop_it_lets_an_apply_end_and_begins_nothing_new(yard: Yard) -> None:
    files = {"stacks.yaml": stacks("slow"), "slow/main.tf": an_object(yard, "slow", 4)}
    yard.commit(files)
    with serving(yard, configured(yard)) as service:
        service.until(lambda: yard.created()["slow"])
        service.tell(signal.SIGTERM)
        service.ends(0)
    assert outcomes(yard, "slow") == [Outcome.SUCCEEDED]
    assert yard.status()["slow"]["sync"] == "Synced"


def test_told_twice_to_stop_it_interrupts_once_and_says_that_the_end_is_unknown(yard: Yard) -> None:
    yard.commit({"stacks.yaml": stacks("slow"), "slow/main.tf": an_object(yard, "slow", 12)})
    with serving(yard, configured(yard)) as service:
        service.until(lambda: yard.created()["slow"])
        service.tell(signal.SIGTERM)
        service.sees("draining")
        service.tell(signal.SIGTERM)
        service.ends(0)
    assert outcomes(yard, "slow") == [Outcome.UNKNOWN]
    assert yard.created() == {"slow": 1}


def test_killed_in_the_middle_of_an_apply_the_next_one_adopts_it(yard: Yard) -> None:
    yard.commit({"stacks.yaml": stacks("slow"), "slow/main.tf": an_object(yard, "slow", 4)})
    with serving(yard, configured(yard)) as service:
        service.until(lambda: yard.created()["slow"])
        service.process.kill()
        service.process.wait()
    with serving(yard, configured(yard)) as service:
        service.sees("at rest", stack=yard.key("slow"), reason="converged")
        service.stop()
    assert outcomes(yard, "slow") == [Outcome.SUCCEEDED]
    assert yard.created() == {"slow": 1}
    yard.everything_belongs_to_an_attempt("slow")


def test_what_waits_goes_on_whoever_brings_its_upstream_to_rest(yard: Yard) -> None:
    """A service that adopts what another began, and a person's own apply: neither forgets who waits."""
    waiting = '  {name}: {{tool: terraform, path: {name}, inputs: {{net: "${{output:{of}.id}}"}}}}\n'
    reader = f'variable "net" {{ type = string }}\n{an_object(yard, "%s")}'
    files = {
        "stacks.yaml": stacks("slow")
        + "  asks: {tool: terraform, path: asks, apply: approve}\n"
        + waiting.format(name="dns", of="slow")
        + waiting.format(name="web", of="asks"),
        "slow/main.tf": an_object(yard, "slow", 4),
        "asks/main.tf": an_object(yard, "asks"),
        "dns/main.tf": reader.replace("%s", "dns"),
        "web/main.tf": reader.replace("%s", "web"),
    }
    yard.commit(files)
    config = configured(yard)
    with serving(yard, config) as service:
        service.until(lambda: yard.created()["slow"])
        service.process.kill()
        service.process.wait()
    with serving(yard, config) as service:
        service.sees("at rest", stack=yard.key("dns"), reason="converged")
        # The service may be at work on it, and then whoever comes is told to try again.
        tries = []
        while not tries or (tries[-1].code == 75 and len(tries) < 50):
            tries.append(yard.run("apply", "asks", "--yes", HOLDFAST_CONFIG=str(config)))
        tries[-1].ended(0)
        service.sees("at rest", stack=yard.key("web"), reason="converged")
        service.stop()
    assert yard.created() == {"slow": 1, "asks": 1, "dns": 1, "web": 1}


def test_a_bad_file_at_a_reload_leaves_the_old_one_in_force_and_a_good_one_counts(yard: Yard, tmp_path: Path) -> None:
    yard.commit({"stacks.yaml": stacks("web"), "web/main.tf": an_object(yard, "web")})
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "stacks.yaml").write_text(stacks("spare").replace("project: estate\n", ""))
    (lab / "spare").mkdir()
    (lab / "spare/main.tf").write_text(an_object(yard, "spare"))
    config = configured(yard)
    with serving(yard, config) as service:
        service.sees("at rest", stack=yard.key("web"), reason="converged")
        good = json.loads(config.read_text())
        config.write_text("version: 1\nsources: nonsense\n")
        service.tell(signal.SIGHUP)
        service.sees("the new operator's file is not in force: the old one stays")
        good["sources"].append({"name": "lab", "directory": {"path": str(lab)}})
        config.write_text(json.dumps(good))
        service.tell(signal.SIGHUP)
        service.sees("the operator's file was read anew")
        service.sees("at rest", stack="lab/spare@default", reason="converged")
        # The next look at the folder is a minute away: the kernel tells of it sooner.
        (lab / "spare/more.tf").write_text('resource "terraform_data" "more" {}\n')
        service.until(lambda: [r for r in service.lines("at rest") if r["stack"] == "lab/spare@default"][1:])
        service.stop()


def test_a_stack_whose_every_plan_fails_costs_the_others_nothing(yard: Yard) -> None:
    files = {"stacks.yaml": stacks("bad", "web"), "web/main.tf": an_object(yard, "web"), "bad/main.tf": "nonsense {\n"}
    yard.commit(files)
    with serving(yard, configured(yard)) as service:
        service.sees("at rest", stack=yard.key("bad"), reason="backing_off")
        service.sees("at rest", stack=yard.key("web"), reason="converged")
        service.stop()


@pytest.mark.parametrize(("keys", "code", "word"), [({"sources": []}, 64, "HF-1060"), ({"sources": "x"}, 64, "HF-10")])
def test_a_file_with_nothing_to_serve_is_refused(yard: Yard, keys: dict[str, object], code: int, word: str) -> None:
    with serving(yard, configured(yard, **keys)) as service:
        assert word in service.ends(code)
