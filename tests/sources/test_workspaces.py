"""Laying a revision's files out for one stack, and proving them just before an apply."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from laying import files_of, mode
from repositories import git_source, stack

from adapters.contract import ForbiddenFile, Input, PlanStale
from orchestrator.errors import ExecutionError, RecordError, RevisionRejected
from orchestrator.model.stack import StackKey

ROOT = Path(__file__).resolve().parents[2]
OWN_MOUNTS = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
#: Lays a stack out on a disk that is too small for it, and again once there is room.
FULL_DISK = """
import subprocess, sys
from pathlib import Path
from repositories import Repository, Yard, git_source, stack
from orchestrator.effects.lineage import Lineage
from orchestrator.effects.workspaces import LaidWorkspaces
from orchestrator.errors import ExecutionError
repository, home = Repository(Path(sys.argv[1])), Path(sys.argv[2])
disk = home / "work"
disk.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], check=True)
yard = Yard(home=home)
source = git_source(repository.path)
tree = yard.sources.tree(source, yard.sources.read(source).id)
lineage = Lineage(home=home, source="infra", marks=lambda: frozenset({"here"}))
workspaces = LaidWorkspaces(home=home, lineage=lineage)
kept = home / "state" / "infra%2Fweb@default"
kept.mkdir(parents=True)
(kept / "terraform.tfstate").write_text("{}")
def lay():
    with workspaces.lay(stack(), tree, outside=frozenset(), inputs={}, run=1, track="main") as laid:
        workspaces.verify(laid, stack(), tree, beside=())
        return [(laid.folder / name).stat().st_size for name in ("a.tf", "b.tf")]
try:
    lay()
except ExecutionError as error:
    print(error.code)
print("kept" if (kept / "terraform.tfstate").read_text() == "{}" else "lost")
subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
print("whole" if lay() == [300_002, 300_002] else "broken")
"""


def test_the_stacks_folder_and_what_it_reads_outside_come_along_and_nothing_else(bench):
    with bench.laid({"db/main.tf": "", "vars/a.tfvars": ""}, outside=["modules/net", "vars/a.tfvars"]) as laid:
        assert files_of(laid.root) == ["modules/net/main.tf", "vars/a.tfvars", "web/main.tf"]
        assert laid.folder == laid.root / "web"
        assert (laid.folder / "main.tf").read_text() == "# web\n"


def test_a_stack_lies_at_one_place_and_two_stacks_never_share_one(bench):
    with bench.laid() as first, bench.laid(of=stack(environment="prod")) as other:
        assert other.root != first.root
    with bench.laid({"web/main.tf": "# two\n"}) as second:
        assert second.root == first.root
        assert (second.folder / "main.tf").read_text() == "# two\n"
    with bench.laid(of=stack(name="a/b")) as slash, bench.laid(of=stack(name="a%2Fb")) as percent:
        assert slash.root != percent.root


def test_bytes_names_and_the_executable_bit_survive(bench, repository):
    (repository.path / "web" / "caf\udce9\n.tf").write_bytes(b"\xff\x00\r\n")
    (repository.path / "web" / "run.sh").write_text("#!/bin/sh\n")
    (repository.path / "web" / "run.sh").chmod(0o755)
    with bench.laid() as laid:
        assert (laid.folder / "caf\udce9\n.tf").read_bytes() == b"\xff\x00\r\n"
        assert os.access(laid.folder / "run.sh", os.X_OK)
        bench.workspaces.verify(laid, stack(), bench.tree(), beside=())


@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_everything_is_for_its_owner_alone_whatever_the_umask(bench, umask):
    tree = bench.tree({"web/sub/run.tf": ""})
    before = os.umask(umask)
    try:
        with bench.laid(tree=tree) as laid:
            assert mode(laid.folder / "main.tf") == 0o600
            assert mode(laid.private) == mode(laid.kept) == mode(laid.scratch) == 0o700
            assert mode(laid.folder / "sub") == mode(laid.root) == mode(laid.root.parent) == 0o700
    finally:
        os.umask(before)


def test_the_private_folder_goes_with_the_run_and_scratch_and_kept_stay(bench):
    with bench.laid(inputs={"size": Input(value=3)}) as laid:
        for folder in (laid.private, laid.scratch, laid.kept):
            (folder / "x").write_text("x")
        assert laid.inputs["size"].value == 3
    assert not laid.private.exists()
    with bench.laid() as again:
        assert (again.scratch / "x").exists()
        assert (again.kept / "x").exists()
        assert again.private != laid.private


def test_a_private_folder_that_a_killed_run_left_is_removed(bench):
    with bench.laid() as laid:
        left = laid.root.parent / "private-left"
        left.mkdir()
        (left / "secret.tfvars.json").write_text("canary")
    with bench.laid():
        assert not left.exists()


def test_the_private_folder_goes_with_a_run_that_fails(bench):
    with pytest.raises(RuntimeError), bench.laid() as laid:
        raise RuntimeError
    assert not laid.private.exists()


def test_what_a_tool_edited_removed_or_made_unexecutable_is_put_back(bench, repository):
    (repository.path / "web" / "run.sh").write_text("")
    (repository.path / "web" / "run.sh").chmod(0o755)
    (repository.path / "web" / "gone.tf").write_text("")
    tree = bench.tree()
    with bench.laid(tree=tree) as laid:
        before = (laid.folder / "main.tf").stat()
        (laid.folder / "main.tf").write_text("# evl\n")
        os.utime(laid.folder / "main.tf", ns=(before.st_atime_ns, before.st_mtime_ns))
        (laid.folder / "run.sh").chmod(0o600)
        (laid.folder / "gone.tf").unlink()
    with bench.laid(tree=tree) as laid:
        assert (laid.folder / "main.tf").read_text() == "# web\n"
        assert os.access(laid.folder / "run.sh", os.X_OK)
        assert (laid.folder / "gone.tf").exists()


@pytest.mark.parametrize("stray", ["web/evil.auto.tfvars", "web/x_override.tf", "evil.tf.json", "web/.terraform/x"])
def test_code_that_a_tool_left_never_stays(bench, stray):
    tree = bench.tree()
    with bench.laid(tree=tree) as laid:
        (laid.root / stray).parent.mkdir(exist_ok=True)
        (laid.root / stray).write_text("")
    with bench.laid(tree=tree) as laid:
        assert not (laid.root / stray).exists()


def test_what_a_plan_built_stays_for_its_apply_and_goes_with_the_next_revision(bench):
    tree = bench.tree()
    with bench.laid(tree=tree) as laid:
        (laid.folder / "build").mkdir()
        (laid.folder / "build" / "lambda.zip").write_text("zip")
    with bench.laid(tree=tree) as laid:
        assert (laid.folder / "build" / "lambda.zip").exists()
    with bench.laid({"web/main.tf": "# two\n"}) as laid:
        assert not (laid.folder / "build").exists()


def test_a_state_that_could_not_be_saved_is_never_removed(bench):
    with bench.laid() as laid:
        (laid.folder / "sub").mkdir()
        for place in (laid.folder, laid.folder / "sub"):
            (place / "errored.tfstate").write_text("precious")
    with bench.laid({"web/main.tf": "# two\n"}) as laid:
        assert (laid.folder / "errored.tfstate").read_text() == "precious"
        assert (laid.folder / "sub" / "errored.tfstate").read_text() == "precious"


def test_files_that_the_revision_dropped_are_gone(bench, repository):
    with bench.laid({"web/sub/old.tf": "", "web/swap": "file"}):
        pass
    (repository.path / "web" / "sub" / "old.tf").unlink()
    (repository.path / "web" / "swap").unlink()
    with bench.laid({"web/swap/inner.tf": ""}) as laid:
        assert files_of(laid.folder) == ["main.tf", "swap/inner.tf"]
        assert not (laid.folder / "sub").exists()


def test_a_link_in_the_place_of_a_file_or_folder_is_not_written_through(bench, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "main.tf").write_text("not ours")
    tree = bench.tree({"web/sub/x.tf": ""})
    with bench.laid(tree=tree) as laid:
        (laid.folder / "main.tf").unlink()
        (laid.folder / "main.tf").symlink_to(outside / "main.tf")
        (laid.folder / "sub" / "x.tf").unlink()
        (laid.folder / "sub").rmdir()
        (laid.folder / "sub").symlink_to(outside)
    with bench.laid(tree=tree) as laid:
        assert not (laid.folder / "main.tf").is_symlink()
        assert (laid.folder / "sub" / "x.tf").exists()
    assert [path.name for path in outside.iterdir()] == ["main.tf"]
    assert (outside / "main.tf").read_text() == "not ours"


def test_links_inside_come_with_what_they_lead_to(bench, repository):
    (repository.path / "web" / "net").symlink_to("../modules/net")
    with bench.laid() as laid:
        assert (laid.folder / "net").is_symlink()
        assert (laid.folder / "net" / "main.tf").read_text() == "# net\n"


def test_a_link_that_leaves_the_repository_is_refused_only_where_it_is_read(bench, repository):
    (repository.path / "modules" / "bad").symlink_to("/etc")
    with bench.laid():
        pass
    with pytest.raises(RevisionRejected) as error, bench.laid(outside=["modules"]):
        pass
    assert error.value.code == "HF-3014"


@pytest.mark.parametrize(
    "name",
    [
        "web/.terraform/providers/evil",
        "web/.terraform/environment",
        "web/terraform.d/plugins/evil",
        "web/terraform.tfstate",
        "web/sub/old.tfstate.backup",
        "web/terraform.tfstate.d/prod/x",
        "web/saved.tfplan",
        "web/.terraformrc",
        "web/terraform.rc",
        "modules/net/.terraform/x",
    ],
)
def test_a_committed_file_that_would_take_the_tool_over_is_refused_by_name(bench, name):
    with pytest.raises(ForbiddenFile) as error, bench.laid({name: "x"}, outside=["modules/net"]):
        pass
    assert name in error.value.message
    assert name in error.value.hint
    assert not (bench.yard.home / "work").exists()


def test_the_lock_file_of_providers_is_welcome(bench):
    with bench.laid({"web/.terraform.lock.hcl": "# lock\n"}) as laid:
        assert (laid.folder / ".terraform.lock.hcl").exists()


def test_a_submodule_is_refused_where_a_stack_reads_it(bench, repository):
    commit = repository.head()
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},web/vendored")
    repository.git("commit", "-qm", "submodule")
    source = git_source(repository.path)
    tree = bench.yard.sources.tree(source, bench.yard.sources.read(source).id)
    with pytest.raises(RevisionRejected) as error, bench.laid(tree=tree):
        pass
    assert error.value.code == "HF-3015"
    assert "web/vendored" in error.value.message


@pytest.mark.parametrize("name", ["..", ".git"])
def test_a_crafted_tree_that_leads_out_of_the_folder_is_refused(bench, repository, tmp_path, name):
    blob = repository.git("hash-object", "-w", "--stdin", stdin=b"# evil\n")
    inner = b"100644 evil.tf\0" + bytes.fromhex(blob)
    write = ("hash-object", "-w", "--literally", "-t", "tree", "--stdin")
    inside = repository.git(*write, stdin=inner)
    web = repository.git(*write, stdin=b"40000 " + name.encode() + b"\0" + bytes.fromhex(inside))
    root = repository.git(*write, stdin=b"40000 web\0" + bytes.fromhex(web))
    commit = repository.git("commit-tree", root, "-p", "HEAD", "-m", "crafted")
    repository.git("update-ref", "HEAD", commit)
    source = git_source(repository.path)
    tree = bench.yard.sources.tree(source, bench.yard.sources.read(source).id)
    with pytest.raises(RevisionRejected) as error, bench.laid(tree=tree):
        pass
    assert error.value.code == "HF-3014"


def test_a_stack_whose_folder_holds_nothing_is_refused_and_not_laid_out_empty(bench):
    with pytest.raises(RevisionRejected) as error, bench.laid(of=stack("gone")):
        pass
    assert error.value.code == "HF-3017"
    assert "never taken for a wish to destroy" in error.value.hint


def test_what_cannot_be_written_is_an_error_with_its_folder(bench):
    tree = bench.tree()
    bench.yard.home.mkdir(exist_ok=True)
    (bench.yard.home / "work").write_text("a file in the way")
    with pytest.raises(ExecutionError) as error, bench.laid(tree=tree):
        pass
    assert error.value.code == "HF-3018"
    assert str(bench.yard.home / "work") in error.value.message


def test_an_altered_removed_or_replaced_file_stops_an_apply_by_name(bench, repository):
    (repository.path / "web" / "link.tf").symlink_to("main.tf")
    tree = bench.tree({"web/deploy.sh": "#!/bin/sh\n"})

    def edit(root):
        (root / "web" / "deploy.sh").write_text("#!/bin/sh\nevil\n")

    def remove(root):
        (root / "modules" / "net" / "main.tf").unlink()

    def relink(root):
        (root / "web" / "link.tf").unlink()
        (root / "web" / "link.tf").symlink_to("deploy.sh")

    def replace(root):
        (root / "web" / "main.tf").rename(root / "web" / "moved")
        (root / "web" / "main.tf").symlink_to("moved")

    harms = {"deploy.sh": edit, "net/main.tf": remove, "link.tf": relink, "web/main.tf": replace}
    for name, harm in harms.items():
        with bench.laid(tree=tree, outside=["modules/net"]) as laid:
            bench.workspaces.verify(laid, stack(), tree, beside=())
            harm(laid.root)
            with pytest.raises(PlanStale) as error:
                bench.workspaces.verify(laid, stack(), tree, beside=())
            assert name in error.value.message


def test_what_was_planted_beside_the_files_stops_an_apply_by_name(bench, tmp_path):
    tree = bench.tree({"web/deploy.sh": "#!/bin/sh\n"})
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "main.tf").write_text("# evil\n")

    def plant(name):
        def harm(root):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("# evil\n")

        return harm

    def lead_away(root):
        (root / "web" / "more").symlink_to(tmp_path / "evil")

    def swap_the_folder(root):
        (root / "web").rename(tmp_path / "web")
        (root / "web").symlink_to(tmp_path / "web")

    planted = (
        "web/evil.tf",
        "web/x.auto.tfvars",
        "web/zz_holdfast_override.tf.json",
        "modules/net/x.tofu",
        "web/.terraformrc",
    )
    harms = {**{name: plant(name) for name in planted}, "web/more": lead_away, "web/deploy.sh": swap_the_folder}
    for name, harm in harms.items():
        with bench.laid(tree=tree, outside=["modules/net"]) as laid:
            bench.workspaces.verify(laid, stack(), tree, beside=())
            harm(laid.root)
            with pytest.raises(PlanStale) as error:
                bench.workspaces.verify(laid, stack(), tree, beside=())
            assert name in error.value.message
    with bench.laid(tree=tree, outside=["modules/net"]) as laid:
        bench.workspaces.verify(laid, stack(), tree, beside=())
        (laid.folder / "built.zip").write_text("a plan built it")
        bench.workspaces.verify(laid, stack(), tree, beside=())


def test_a_link_that_a_tool_left_never_stays(bench, tmp_path):
    tree = bench.tree()
    with bench.laid(tree=tree) as laid:
        (laid.folder / "more").symlink_to(tmp_path)
        (laid.folder / "file").symlink_to(tmp_path / "x")
    with bench.laid(tree=tree) as laid:
        assert files_of(laid.root) == ["web/main.tf"]


@pytest.mark.needs("unshare", "mount")
def test_a_full_disk_loses_nothing_and_the_next_run_mends_it(bench, tmp_path):
    bench.yard.home.mkdir(exist_ok=True)
    bench.repository.commit({"web/a.tf": "# " + "a" * 300_000, "web/b.tf": "# " + "b" * 300_000})
    done = subprocess.run(
        [*OWN_MOUNTS, sys.executable, "-c", FULL_DISK, str(bench.repository.path), str(bench.yard.home)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    if "permission denied" in done.stderr.lower() and "mount" in done.stderr:
        pytest.skip("this machine lets nobody mount a file system of their own")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["HF-3018", "kept", "whole"]


def test_laying_out_again_what_lies_there_reads_and_starts_nothing(bench):
    tree = bench.tree({f"web/{n}.tf": "" for n in range(10)})
    with bench.laid(tree=tree) as laid:
        before = {path: path.stat().st_ino for path in laid.folder.iterdir()}
    runs = len(bench.yard.runs.seen)
    started = time.process_time()
    for _ in range(20):
        with bench.laid(tree=tree):
            pass
    assert (time.process_time() - started) / 20 < 0.01
    assert len(bench.yard.runs.seen) == runs
    assert {path: path.stat().st_ino for path in laid.folder.iterdir()} == before


def test_a_renamed_stack_takes_its_kept_state_along_and_two_states_never_merge(bench):
    old, new = StackKey(source="infra", name="web"), StackKey(source="infra", name="shop")
    with bench.laid() as laid:
        (laid.kept / "terraform.tfstate").write_text("state")
    bench.workspaces.move(old, new)
    bench.workspaces.move(old, new)
    with bench.laid(of=stack(name="shop")) as laid:
        assert (laid.kept / "terraform.tfstate").read_text() == "state"
    with bench.laid() as laid:
        (laid.kept / "terraform.tfstate").write_text("another")
    with pytest.raises(RecordError, match="both hold kept state") as refused:
        bench.workspaces.move(old, new)
    assert refused.value.code == "HF-4012"


def test_free_space_is_that_of_the_home(bench):
    with bench.laid():
        assert bench.workspaces.free_bytes() > 0


def test_what_a_working_trees_plan_left_is_not_there_for_a_look_at_what_goes_down(bench):
    scratch = {}
    tree = bench.tree({"web/main.tf": "a"})
    for track in ("tree/1", "down", "main"):
        with bench.laid(tree=tree, track=track) as workspace:
            scratch[track] = workspace.scratch
    assert scratch["down"] == scratch["main"] != scratch["tree/1"]
