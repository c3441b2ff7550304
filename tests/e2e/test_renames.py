"""A stack gets a new name, or its repository does: nothing is created a second time, and the way out is named."""

from __future__ import annotations

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform")

#: The reader's file; the writer's is `NET`.
APP = """
variable "net" { type = string }
resource "terraform_data" "app" { input = var.net }
output "app" { value = terraform_data.app.output }
"""
NET = """
resource "lab_object" "net" {
  name = "net"
  size = 1
}
output "id" { value = lab_object.net.id }
"""


def stacks(writer: str, *, said: str = "", project: str = "estate") -> str:
    return (
        f"version: 1\nproject: {project}\nstacks:\n"
        f"  {writer}: {{tool: terraform, path: net{said}}}\n"
        f'  app: {{tool: terraform, path: app, inputs: {{net: "${{output:{writer}.id}}"}}}}\n'
    )


@pytest.fixture
def applied(yard: Yard) -> Yard:
    """Two stacks at rest, the second reads an output of the first."""
    yard.commit({"stacks.yaml": stacks("net"), "net/main.tf": yard.lab + NET, "app/main.tf": APP})
    yard.apply().ended(0)
    assert yard.created() == {"net": 1}
    return yard


def test_a_rename_that_the_file_says_creates_nothing_and_readers_follow(applied: Yard) -> None:
    applied.commit({"stacks.yaml": stacks("core", said=", moved_from: net")})
    applied.forget_starts()
    applied.run("plan").ended(0, "net is core now", "No changes")
    assert ("plan", "net") not in applied.starts(), "what is as it was starts no tool"
    status = applied.status()
    assert sorted(status) == ["app", "core"]
    assert {row["sync"] for row in status.values()} == {"Synced"}
    assert applied.run("outputs", "core", "id").ended(0).out
    # What is changed from here on is a change of what is there.
    applied.commit({"net/main.tf": applied.lab + NET.replace("size = 1", "size = 2")})
    applied.apply().ended(0)
    applied.run("drift").ended(0)
    assert applied.created() == {"net": 1}
    assert len(applied.objects()) == 1
    applied.record_is_sound()


def test_a_rename_that_nobody_says_stops_with_the_ways_out_and_mv_is_one(applied: Yard) -> None:
    applied.commit({"stacks.yaml": stacks("core")})
    planned = applied.run("plan", "core").ended(0, "holdfast mv net core", "moved_from: net", "HF-4014")
    assert "net is core now" not in planned.said
    applied.apply("core").ended(5, "holdfast mv net core")
    applied.apply("core", "--confirm", "core").ended(5)
    assert applied.created() == {"net": 1}
    applied.run("explain", "HF-4014").ended(0, "holdfast mv")
    applied.run("mv", "net", "core").ended(0, "net is core now")
    applied.run("mv", "net", "core").ended(0, "already")
    applied.apply().ended(0)
    assert applied.created() == {"net": 1}
    assert applied.state("core").applied is not None
    assert "moved_to" not in applied.run("status").ended(0).said


def test_what_was_planned_under_the_old_name_is_not_applied_under_the_new_one(applied: Yard) -> None:
    applied.commit({"net/main.tf": applied.lab + NET.replace("size = 1", "size = 2")})
    run = str(applied.run("plan", "net", "-o", "json").ended(0).json["stacks"][0]["run"])
    applied.run("approve", run).ended(0)
    applied.commit({"stacks.yaml": stacks("core", said=", moved_from: net")})
    applied.run("apply", "core").ended(3)
    applied.apply("core").ended(0)
    assert applied.created() == {"net": 1}


def test_what_people_give_up_holds_nobody_back_and_its_state_stays(applied: Yard) -> None:
    applied.commit({"stacks.yaml": "version: 1\nproject: estate\ndiscover: false\nstacks:\n  other: {path: app2}\n"})
    applied.commit({"app2/main.tf": APP.replace("var.net", '"x"').replace('variable "net" { type = string }', "")})
    applied.apply("other").ended(5, "holdfast forget")
    applied.run("forget", "net").ended(64, "HF-1905", "--confirm net")
    kept = applied.state("net").kept
    applied.run("forget", "net", "--confirm", "net", "--reason", "sold").ended(0, kept, "still stands")
    applied.run("forget", "app", "--confirm", "app").ended(0)
    applied.apply("other").ended(0)
    assert len(applied.objects()) == 1, "nothing is destroyed"
    state = applied.home / "state" / "estate%2Fnet@default" / "terraform.tfstate"
    assert "lab_object" in state.read_text()
    # Should the name come back it finds the state that stayed, and nothing is made twice.
    applied.commit({"stacks.yaml": stacks("net")})
    applied.apply("net", "app").ended(0)
    assert applied.created() == {"net": 1}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("mv", "net", "core"), "HF-1917"),
        (("mv", "nett", "core"), "HF-1901"),
        (("forget", "net", "--confirm", "net"), "HF-1917"),
        (("forget", "nett"), "HF-1901"),
    ],
)
def test_a_name_that_is_in_use_is_neither_renamed_nor_forgotten(
    applied: Yard, words: tuple[str, ...], code: str
) -> None:
    applied.run(*words).ended(64, code)


def test_a_new_name_that_is_not_there_or_lives_takes_nothing_over(applied: Yard) -> None:
    applied.commit({"stacks.yaml": stacks("core")})
    applied.run("mv", "net", "croe").ended(64, "HF-1901", "core")
    applied.apply("core", "--accept-duplicates").ended(0)
    assert applied.created() == {"net": 2}, "a person accepted it"
    applied.run("mv", "net", "core").ended(64, "HF-1918")


def test_a_branch_that_is_only_looked_at_renames_nothing(applied: Yard) -> None:
    applied.git("switch", "--quiet", "--create", "feature")
    applied.commit({"stacks.yaml": stacks("core", said=", moved_from: net")})
    applied.git("switch", "--quiet", "main")
    applied.run("plan", "--ref", "feature", "core").ended(0, "HF-4014")
    assert applied.state("net").moved_to == ""
    # Checked out it is the source itself; back on the old one, the old name is the new one.
    applied.git("switch", "--quiet", "feature")
    applied.run("status").ended(0, "net is core now")
    applied.git("switch", "--quiet", "main")
    applied.commit({"net/main.tf": applied.lab + NET.replace("size = 1", "size = 2")})
    applied.apply("net").ended(5, "holdfast mv core net")
    applied.run("mv", "core", "net").ended(0)
    applied.apply("--confirm", "net").ended(0)
    assert applied.created() == {"net": 1}


def test_a_project_under_another_name_stops_and_says_the_old_one(applied: Yard) -> None:
    applied.commit({"stacks.yaml": stacks("net", project="mansion")})
    applied.apply("net").ended(5, "HF-4013", "project: estate")
    assert applied.created() == {"net": 1}
    applied.run("explain", "HF-4013").ended(0, "project:")
    applied.commit({"stacks.yaml": stacks("net")})
    applied.apply().ended(0)
    assert applied.created() == {"net": 1}


def test_a_project_under_another_name_is_known_by_its_history_in_a_home_of_its_own(yard: Yard) -> None:
    """As it is without HOLDFAST_HOME: each id has a home, side by side."""
    yard.commit({"stacks.yaml": stacks("net"), "net/main.tf": yard.lab + NET, "app/main.tf": APP})
    homes = yard.folder / "homes"
    yard.extra["HOLDFAST_HOME"] = str(homes / "estate")
    yard.apply().ended(0)
    yard.commit({"stacks.yaml": stacks("net", project="mansion")})
    yard.extra["HOLDFAST_HOME"] = str(homes / "mansion")
    yard.apply("net").ended(5, "HF-4013", "project: estate", str(homes / "estate"))
    # Another repository with a stack of the same name is none of ours.
    yard.git("checkout", "--quiet", "--orphan", "fresh")
    yard.commit({"stacks.yaml": stacks("net", project="hut")})
    yard.extra["HOLDFAST_HOME"] = str(homes / "hut")
    moved = yard.folder / "elsewhere"
    yard.checkout.rename(moved)
    yard.checkout.symlink_to(moved)
    yard.apply("net").ended(0)
    assert yard.created() == {"net": 2}


WEB = 'resource "lab_object" "web" {\n  name = "web"\n  size = %s\n}\n'


def one(name: str, said: str = "") -> str:
    return f"version: 1\nproject: estate\ndiscover: false\nstacks:\n  {name}: {{tool: terraform, path: {name}{said}}}\n"


@pytest.fixture
def moved(yard: Yard) -> Yard:
    """A stack whose name and folder changed together, and nothing else: no plan is due, so it stands as applied."""
    yard.commit({"readme": "no stack yet", "stacks.yaml": "version: 1\nproject: estate\ndiscover: false\nstacks: {}\n"})
    yard.commit({"stacks.yaml": one("web"), "web/main.tf": yard.lab + WEB % 1})
    yard.apply().ended(0)
    yard.commit({"web/main.tf": yard.lab + WEB % 2})
    yard.apply().ended(0)
    yard.git("mv", "web", "site")
    yard.commit({"stacks.yaml": one("site", ", moved_from: web")})
    return yard


def test_drift_of_a_renamed_stack_is_looked_for_where_it_was_applied(moved: Yard) -> None:
    moved.edit_object("web", size=7)
    moved.run("drift", "site", "--detailed-exitcode").ended(2, "site", "size")
    assert moved.created() == {"web": 1}


def test_a_stack_goes_back_to_before_its_rename_and_forward_again(moved: Yard) -> None:
    moved.run("rollback", "site", "--to", "HEAD~2", "--yes").ended(0, "site is held at")
    assert [one["size"] for one in moved.objects()] == [1]
    moved.run("drift", "site").ended(0)
    moved.run("resume", "site").ended(0)
    moved.apply().ended(0)
    assert [one["size"] for one in moved.objects()] == [2]
    moved.run("rollback", "site", "--yes").ended(0)
    assert moved.created() == {"web": 1}
    moved.record_is_sound()


def test_a_renamed_stack_is_taken_down_with_the_files_it_was_applied_with(moved: Yard) -> None:
    moved.apply("--destroy", "site", "--confirm", "site").ended(0)
    assert moved.objects() == []


def test_a_rename_that_mv_said_is_known_to_a_rollback_too(moved: Yard) -> None:
    moved.run("drift", "site").ended(0)
    moved.commit({"stacks.yaml": one("site")})
    moved.git("mv", "site", "shop")
    moved.commit({"stacks.yaml": one("shop")})
    moved.run("mv", "site", "shop").ended(0)
    moved.run("rollback", "shop", "--to", "HEAD~4", "--yes").ended(0)
    assert [one["size"] for one in moved.objects()] == [1]
    assert moved.created() == {"web": 1}


def test_a_rollback_to_before_the_stack_was_there_is_refused_before_anything_is_recorded(moved: Yard) -> None:
    moved.run("status").ended(0)
    before = moved.entries()
    first = moved.git("rev-list", "--max-parents=0", "HEAD")
    moved.run("rollback", "site", "--to", first, "--yes").ended(64, "HF-1920", "name a later one")
    # Under the old name all would be made a second time.
    moved.run("rollback", "web", "--to", "HEAD~1", "--yes").ended(64, "HF-1901", "site")
    assert moved.entries() == before


def test_a_rollback_to_a_revision_whose_files_make_no_sense_is_refused_likewise(moved: Yard) -> None:
    good = (moved.checkout / "stacks.yaml").read_text()
    moved.commit({"stacks.yaml": "version: 1\nstacks: [\n"})
    moved.commit({"stacks.yaml": good})
    moved.run("rollback", "site", "--to", "HEAD~1", "--yes").ended(64, "HF-10")
    assert moved.state("site").hold is None


def test_a_rollback_that_cannot_be_planned_leaves_no_hold(moved: Yard) -> None:
    good = (moved.checkout / "site/main.tf").read_text()
    moved.commit({"site/main.tf": 'resource "lab_object" {\n'})
    moved.commit({"site/main.tf": good})
    said = moved.run("rollback", "site", "--to", "HEAD~1", "--yes").ended(1, "site stays as it was")
    assert "is held at" not in said.said
    assert moved.state("site").hold is None
    # A hold from before is put back as it was.
    moved.run("rollback", "site", "--to", "HEAD~4", "--yes").ended(0)
    hold = moved.state("site").hold
    moved.run("rollback", "site", "--to", "HEAD~1", "--yes").ended(1)
    assert moved.state("site").hold == hold
    moved.run("drift", "site").ended(0)


def test_a_reader_that_is_held_at_an_earlier_revision_follows_the_rename_of_what_it_reads(applied: Yard) -> None:
    applied.commit({"app/main.tf": APP + 'output "more" { value = 1 }\n'})
    applied.apply().ended(0)
    applied.commit({"stacks.yaml": stacks("core", said=", moved_from: net")})
    applied.apply().ended(0)
    applied.run("rollback", "app", "--to", "HEAD~2", "--yes").ended(0)
    assert applied.created() == {"net": 1}
