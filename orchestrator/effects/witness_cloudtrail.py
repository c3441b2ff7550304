"""The witness that asks AWS CloudTrail, with the stack's credentials for planning and by a child process."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from adapters.contract import Command, Shell
from adapters.testimony import Testimony
from orchestrator.effects import trail
from orchestrator.model.inquiry import Inquiry

#: A trail that does not answer must not hold a look up (seconds).
_TIMEOUT_S: Final = 60.0
#: No instance role is taken unasked: credentials are those that were granted.
_ENVIRONMENT: Final[Mapping[str, str]] = {"AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudTrail:
    """`ports.Witness` for what is in AWS."""

    name: str = trail.SOURCE

    def testify(self, inquiry: Inquiry, shell: Shell) -> tuple[Testimony, ...]:
        """Ask for each name of what drifted; nothing where there is no name, or no key to AWS."""
        asked = trail.names(inquiry.items, inquiry.region)[: trail.MOST_NAMES]
        if not asked or not any(variable.startswith("AWS_") for variable in inquiry.granted):
            return ()
        if importlib.util.find_spec("boto3") is None:
            return (trail.unknown("not asked: boto3 is not installed, see pip install 'holdfast[cloudformation]'"),)
        answer = _ask(inquiry, asked, shell)
        if "calls" not in answer:
            return (trail.unknown(f"it does not answer: {answer.get('refused') or 'it ended without a word'}"),)
        return trail.testimonies(inquiry.items, answer["calls"], asked, inquiry.ours)


def _ask(inquiry: Inquiry, asked: Sequence[trail.Name], shell: Shell) -> Mapping[str, Any]:
    request = {"names": [asdict(one) for one in asked], "since": inquiry.since, "until": inquiry.until}
    file = inquiry.folder / "cloudtrail.json"
    file.write_text(json.dumps(request))
    # Isolated: neither the repository's files nor the environment choose which code it loads.
    argv = (sys.executable, "-I", "-m", "orchestrator.effects.cloudtrail_client", str(file))
    try:
        ended = shell.run(Command(argv=argv, cwd=inquiry.folder, env=_ENVIRONMENT, timeout=_TIMEOUT_S))
    finally:
        file.unlink(missing_ok=True)
    lines = ended.stdout.decode("utf-8", "replace").splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else {}
    except ValueError:
        answer = {}
    return answer if isinstance(answer, dict) else {}
