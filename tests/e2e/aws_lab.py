"""AWS on loopback: moto, as `moto_as_the_service.py` extends it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOTO = Path(__file__).parents[1] / "adapters" / "cloudformation" / "moto_as_the_service.py"
#: What nobody may ever read.
KEY = "c4n4ry-aws-key"


@contextmanager
def serving_aws(folder: Path) -> Iterator[dict[str, str]]:
    """Run the server, its log in ``folder``; yields what a credential set would grant."""
    with (
        (folder / "server.log").open("wb") as errors,
        subprocess.Popen([sys.executable, MOTO], stdout=subprocess.PIPE, stderr=errors) as server,
    ):
        assert server.stdout is not None
        port = json.loads(server.stdout.readline())
        yield {
            "AWS_ACCESS_KEY_ID": "lab",
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        }
        server.terminate()
