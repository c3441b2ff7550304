"""P1 and P2: one stack planned, warm, beside the same done by hand."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.ground import HOLDFAST, TOOL, Ground, lab_stack, stacks_file
from bench.measure import Figure, figure, in_turns, own_cpu, run

AWS = """# {comment}
terraform {{
  required_providers {{
    aws = {{ source = "hashicorp/aws", version = "5.100.0" }}
  }}
}}
provider "aws" {{
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  s3_use_path_style           = true
  endpoints {{
    s3  = "{url}"
    sts = "{url}"
  }}
}}
resource "aws_s3_bucket" "one" {{
  bucket = "{bucket}"
  tags   = {{ made = "{tag}" }}
}}
"""


def p1(folder: Path, rounds: int) -> list[Figure]:
    """One stack of the lab provider: an unchanged world, and one attribute to change."""
    ground = Ground.make(folder)
    hand = folder / "hand"
    stack = lab_stack(folder / "cloud")
    ground.commit({"stacks.yaml": stacks_file(["one"]), "one/main.tf": stack})
    run([HOLDFAST, "apply", "--yes"], cwd=ground.repository, env=ground.env)
    _by_hand(hand, lab_stack(folder / "cloud-by-hand"), ground)

    def ours(tag: str, comment: str) -> float:
        # A new commit each time: otherwise there is nothing to plan, and Holdfast starts no tool at all.
        ground.commit({"one/main.tf": lab_stack(folder / "cloud", tag=tag, comment=comment)})
        return run([HOLDFAST, "plan"], cwd=ground.repository, env=ground.env)

    def rival(tag: str, comment: str) -> float:
        (hand / "main.tf").write_text(lab_stack(folder / "cloud-by-hand", tag=tag, comment=comment))
        begun = time.perf_counter()
        run([TOOL, "plan", "-input=false", "-out=plan"], cwd=hand, env=ground.env)
        run([TOOL, "show", "-json", "plan"], cwd=hand, env=ground.env)
        return time.perf_counter() - begun

    quiet = in_turns(lambda n: ours("one", f"q{n}"), lambda n: rival("one", f"q{n}"), rounds)
    detail = in_turns(lambda n: ours(f"t{n}", ""), lambda n: rival(f"t{n}", ""), rounds)
    ground.commit({"one/main.tf": lab_stack(folder / "cloud", tag="cpu")})
    cpu = own_cpu(["plan"], cwd=ground.repository, env=ground.env)
    return [
        figure("P1", "`plan`, one lab stack, no changes", quiet, 1.3),
        figure("P1", "`plan`, one lab stack, one attribute changes", detail, 1.3),
        Figure(id="P1", work="its own CPU", ours=cpu, target=0.8),
    ]


def p2(folder: Path, rounds: int, mirror: Path) -> list[Figure]:
    """The same with the AWS provider on moto, by hand with `init` first, as every CI run does."""
    config = folder / "aws.tfrc"
    folder.mkdir(parents=True)
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    operator = folder / "holdfast.yaml"
    operator.write_text(
        "version: 1\ncredentials:\n  aws:\n    pass: [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]\n    stacks: ['*']\n"
    )
    ground = Ground.make(folder / "ground", more={**keys, "HOLDFAST_CONFIG": str(operator)})
    ground = Ground(folder=ground.folder, env={**ground.env, "TF_CLI_CONFIG_FILE": str(config)})
    with moto() as url:
        hand = folder / "hand"
        ground.commit({"stacks.yaml": _aws_stacks(), "one/main.tf": _aws(url, "ours")})
        run([HOLDFAST, "apply", "--yes"], cwd=ground.repository, env=ground.env)
        _by_hand(hand, _aws(url, "by-hand"), ground)

        def ours(tag: str, comment: str) -> float:
            ground.commit({"one/main.tf": _aws(url, "ours", tag=tag, comment=comment)})
            return run([HOLDFAST, "plan"], cwd=ground.repository, env=ground.env)

        def rival(tag: str, comment: str) -> float:
            (hand / "main.tf").write_text(_aws(url, "by-hand", tag=tag, comment=comment))
            # A CI run begins on a fresh checkout: state and lock file are there, `.terraform` is not.
            shutil.rmtree(hand / ".terraform")
            begun = time.perf_counter()
            run([TOOL, "init", "-input=false"], cwd=hand, env=ground.env)
            run([TOOL, "plan", "-input=false", "-out=plan"], cwd=hand, env=ground.env)
            run([TOOL, "show", "-json", "plan"], cwd=hand, env=ground.env)
            return time.perf_counter() - begun

        quiet = in_turns(lambda n: ours("one", f"q{n}"), lambda n: rival("one", f"q{n}"), rounds)
        detail = in_turns(lambda n: ours(f"t{n}", ""), lambda n: rival(f"t{n}", ""), rounds)
    return [
        figure("P2", "`plan`, one AWS stack, no changes", quiet, 0.8),
        figure("P2", "`plan`, one AWS stack, one attribute changes", detail, 0.95),
    ]


def _aws(url: str, bucket: str, *, tag: str = "one", comment: str = "") -> str:
    return AWS.format(url=url, bucket=f"bench-{bucket}", tag=tag, comment=comment)


def _aws_stacks() -> str:
    return (
        "version: 1\ndiscover: false\nstacks:\n"
        "  one: {tool: terraform, path: one, credentials: {plan: aws, apply: aws}}\n"
    )


def _by_hand(folder: Path, stack: str, ground: Ground) -> None:
    folder.mkdir()
    (folder / "main.tf").write_text(stack)
    run([TOOL, "init", "-input=false"], cwd=folder, env=ground.env)
    run([TOOL, "apply", "-input=false", "-auto-approve"], cwd=folder, env=ground.env)


@contextmanager
def moto() -> Iterator[str]:
    """Run a moto server for as long as the block runs; yields its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).parent / "moto_server"
    server = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _until_it_answers(url)
        yield url
    finally:
        server.terminate()
        server.wait()


def _until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=1) as answer:  # noqa: S310 -- loopback
                json.load(answer)
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def provider_mirror() -> Path | None:
    """Return the folder with the AWS provider, None where there is none: then P2 is left out, and says so."""
    given = os.environ.get("HOLDFAST_TEST_PROVIDER_MIRROR")
    found = Path(given) if given else Path("/") / "opt" / "tf-plugins"
    return found if found.is_dir() else None
