"""The child process that speaks to AWS: one verb, one request file, JSON lines, an exit code.

Run as ``python -I -m adapters.cloudformation.client VERB FILE``. Each line is an object: ``say`` is progress, the last
one ``result`` or ``error``.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from adapters.cloudformation import executing, looking, planning
from adapters.cloudformation.cloud import Cloud, Refused, connect, emit, refusal

VERBS: Final[Mapping[str, Callable[[Cloud, Mapping[str, Any]], Mapping[str, Any]]]] = {
    "plan": planning.plan,
    "plan-destroy": planning.plan_destroy,
    "apply": executing.apply,
    "resume": executing.resume,
    "drift": looking.drift,
    "outputs": looking.outputs,
    "validate": looking.validate,
}

#: Objects made before Python looks for those that may go.
_RARELY: Final = 100_000


def main(verb: str, file: str) -> int:
    """Run one verb and return the exit code."""
    # The service's model is half of what this process ever makes, and all of it stays: looking through it for what may
    # go takes longer than the calls.
    gc.freeze()
    gc.set_threshold(_RARELY)
    request = json.loads(Path(file).read_bytes())
    try:
        result = VERBS[verb](connect(str(request["region"])), request)
    except Refused as refused:
        error = refused
    except (ClientError, BotoCoreError) as raised:
        error = refusal(raised)
    except ResponseParserError:
        error = Refused("failed", "the answer is not AWS's own", "look at the endpoint, and at proxies on the way")
    else:
        emit({"result": result})
        return 0
    emit({"error": {"kind": error.kind, "message": error.message, "hint": error.hint}})
    return 1


if __name__ == "__main__":
    try:
        raise SystemExit(main(*sys.argv[1:3]))
    except KeyboardInterrupt:
        # What was asked for goes on at the service; whoever stopped us is told that the outcome is unknown.
        raise SystemExit(130) from None
