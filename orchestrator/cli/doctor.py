"""``holdfast doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click
import rich_click

import orchestrator
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record, screen_of
from orchestrator.errors import EXIT_DONE, EXIT_FAILED, OrchestratorError
from orchestrator.telling.counts import counted

if TYPE_CHECKING:
    from orchestrator.cli.show_doctor import Check

#: An apply is refused below 64 MiB; people should hear of it long before.
_LITTLE_SPACE = 1024**3
_SECONDS_TO_ANSWER = 20.0
_LIBRARY = "boto3"
#: What stacks of a tool need beside Holdfast itself.
_NEEDS = {"ansible": "ansible-playbook", "cloudformation": _LIBRARY, "puppet": "puppet"}
#: Of that, and of the sandbox, how to get it: nobody misses it who has no stack for it.
_NEEDED_BY = {
    "ansible-playbook": "only stacks of Ansible need it: pip install 'holdfast[ansible]'",
    "puppet": "only stacks of Puppet need it: install puppet-agent",
    _LIBRARY: "only stacks of CloudFormation need it: pip install 'holdfast[cloudformation]'",
    "bwrap": "only stacks for which the operator asks for a sandbox need it",
}


@rich_click.command()
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context) -> None:
    """Check tools, adapters, disk and record; exits with 1 where something is bad."""
    from orchestrator.cli.show_doctor import Verdict, page  # noqa: PLC0415 -- rich is heavy
    from orchestrator.cli.unit_exposure import exposure  # noqa: PLC0415 -- likewise

    checks = [*_programs(), *_adapters(), *exposure(_says), *_world(ctx)]
    screen_of(ctx).emit(page(checks))
    ctx.exit(EXIT_FAILED if any(one.verdict is Verdict.BAD for one in checks) else EXIT_DONE)


def _programs() -> Iterator[Check]:
    from orchestrator.cli.show_doctor import Check, Verdict, git, version_in  # noqa: PLC0415 -- rich is heavy

    yield Check(
        name="holdfast", verdict=Verdict.GOOD, found=f"{orchestrator.__version__}, Python {platform.python_version()}"
    )
    yield git(version_in(_says("git", "--version")))
    tools = {name: _says(name, "version").partition("\n")[0] for name in ("tofu", "terraform") if shutil.which(name)}
    for name, said in tools.items():
        verdict = Verdict.GOOD if said else Verdict.BAD
        yield Check(name=name, verdict=verdict, found=said or "does not answer", hint=shutil.which(name) or "")
    if not tools:
        hint = "install one: https://opentofu.org/docs/intro/install"
        yield Check(name="terraform, tofu", verdict=Verdict.WARNING, found="neither is on PATH", hint=hint)
    for name, remedy in _NEEDED_BY.items():
        if name == _LIBRARY:
            said = version(name) if find_spec(name) else ""
        else:
            said = _says(_place_of(name), "--version").partition("\n")[0]
        hint = "" if said else remedy
        yield Check(name=name, verdict=Verdict.GOOD, found=said or "not found", hint=hint)


def _place_of(program: str) -> str:
    """Return where a program lies: what came with a package, beside the Python that runs us."""
    beside = Path(sys.executable).with_name(program)
    return str(beside) if beside.exists() else program


def _says(program: str, *arguments: str) -> str:
    """Return what a program prints of itself, nothing where it is missing or does not answer."""
    from orchestrator.effects.process import quick  # noqa: PLC0415 -- heavy

    if not shutil.which(program):
        return ""
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(Path.home()), "CHECKPOINT_DISABLE": "1"}
    try:
        result = quick((program, *arguments), env=env, cwd=Path("/"), timeout=_SECONDS_TO_ANSWER)
    except OrchestratorError:
        return ""
    return result.stdout.decode("utf-8", "replace").strip()


def _adapters() -> Iterator[Check]:
    from orchestrator.cli.show_doctor import Check, Verdict  # noqa: PLC0415 -- rich is heavy

    found: dict[str, set[str]] = {}
    for point in entry_points(group="orchestrator.adapters"):
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        found.setdefault(point.name, set()).add(origin)
    for name, origins in sorted(found.items()):
        clash = len(origins) > 1
        verdict = Verdict.BAD if clash else Verdict.GOOD
        hint = "two distributions claim it: uninstall one" if clash else ""
        yield Check(name=f"adapter {name}", verdict=verdict, found=", ".join(sorted(origins)), hint=hint)


def _world(ctx: click.Context) -> Iterator[Check]:
    from orchestrator.cli.show_doctor import Check, Verdict  # noqa: PLC0415 -- rich is heavy

    try:
        with at_record(ctx) as place:
            yield from _configuration(place)
            yield from _home(place)
            yield from _sources(place)
    except OrchestratorError as error:
        yield Check(name="configuration", verdict=Verdict.BAD, found=f"{error.code} {error.message}", hint=error.hint)


def _configuration(place: Place) -> Iterator[Check]:
    from orchestrator.cli.show_doctor import Check, Verdict  # noqa: PLC0415 -- rich is heavy

    try:
        reading = place.world.read(ref=place.wish.ref)
    except OrchestratorError as error:
        # The rest can be looked at all the same.
        said = f"{error.code} {error.message}"
        yield Check(name="configuration", verdict=Verdict.BAD, found=said, hint=error.hint or "holdfast validate")
        return
    found = f"{counted(len(reading.layout.stacks), 'stack')} at {reading.revision.short}"
    yield Check(name="configuration", verdict=Verdict.GOOD, found=found)
    for tool in sorted({stack.tool for stack in reading.layout.stacks.values()} & _NEEDS.keys()):
        need = _NEEDS[tool]
        there = find_spec(need) is not None if need == _LIBRARY else bool(shutil.which(_place_of(need)))
        if not there:
            said = f"{need} is not found, and there are such stacks"
            yield Check(name=f"stacks of {tool}", verdict=Verdict.BAD, found=said, hint=_NEEDED_BY[need])


def _home(place: Place) -> Iterator[Check]:
    from orchestrator.cli.show_doctor import Check, Verdict  # noqa: PLC0415 -- rich is heavy

    free = shutil.disk_usage(place.world.home).free
    verdict = Verdict.GOOD if free >= _LITTLE_SPACE else Verdict.WARNING
    yield Check(name="disk", verdict=verdict, found=f"{free // 1024**2} MiB free", hint=str(place.world.home))
    broken = place.outside.record.verify()
    if broken is None:
        yield Check(name="record", verdict=Verdict.GOOD, found="whole")
    else:
        hint = "restore it from a backup"
        yield Check(name="record", verdict=Verdict.BAD, found=f"altered at entry {broken}", hint=hint)


def _sources(place: Place) -> Iterator[Check]:
    from orchestrator.cli.show_doctor import Check, Verdict  # noqa: PLC0415 -- rich is heavy
    from orchestrator.cli.silences import seen_here  # noqa: PLC0415 -- likewise
    from orchestrator.rules.silence import word_of  # noqa: PLC0415 -- likewise

    for glimpse, silence in seen_here(place, place.world.operator.sources):
        verdict = Verdict.GOOD if silence is None else Verdict.BAD
        if glimpse.code and silence is None:
            verdict = Verdict.WARNING
        word = word_of(glimpse, silence or 0.0, place.now).removeprefix(f"source {glimpse.source}: ")
        hint = (
            "" if verdict is Verdict.GOOD else f"holdfast status --source {glimpse.source}; is holdfast serve at work?"
        )
        yield Check(name=f"source {glimpse.source}", verdict=verdict, found=word, hint=hint)
