"""A workspace made ready for one call: files read, parameters checked, secrets known, the request written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from adapters.cloudformation import answers, commands, deployment, remembered
from adapters.cloudformation.changes import Sides
from adapters.cloudformation.packaging import Package, package, text_of
from adapters.cloudformation.places import misplaced
from adapters.cloudformation.settings import TEMPLATES, Settings, scalar_text, stack_name
from adapters.cloudformation.template import Template, TemplateUnreadable, read
from adapters.contract import InvalidSettings, Problem, Severity, Shell, Workspace
from adapters.files import write_private
from adapters.telling import secret_texts

#: A reference to such a parameter is not worth what is written for it.
_LOOKED_UP: Final = "AWS::SSM::Parameter::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What one call works with."""

    settings: Settings
    shell: Shell
    workspace: Workspace
    stack_name: str
    #: The template's file from the repository's root.
    file: PurePosixPath
    template: Template
    package: Package
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    #: Names of the parameters that hold secrets, and the texts that are secret wherever they turn up.
    secret: frozenset[str]
    secrets: frozenset[str]
    #: What the template allows to be updated, as JSON; empty where the stack says nothing.
    policy: str

    def ask(self, verb: str, **more: Any) -> Mapping[str, Any]:
        """Have the child run a verb that changes nothing and return its answer. Raises what it says of its failure."""
        file, known = self.workspace.private / f"{verb}.json", remembered.read(self.workspace.scratch)
        write_private(file, json.dumps({**self._request(), "known": known, **more}).encode(), durable=False)
        try:
            ended = self.shell.run(commands.ask(verb, file, self.workspace.folder), self.tell)
        finally:
            # It holds the parameters' values.
            file.unlink(missing_ok=True)
        answer = answers.result(ended, self.secrets)
        remembered.keep(self.workspace.scratch, answer, known)
        return answer

    def tell(self, line: str) -> None:
        """Tell people what one line of the child's says, where it says something to them."""
        said = answers.progress(line)
        if said:
            self.shell.report(said)

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What people should know of the files, whatever becomes of the plan."""
        shown = sorted(name for name in self.secret - self.template.no_echo if name in self.template.parameters)
        return tuple(
            Problem(
                severity=Severity.WARNING,
                summary=f'a secret is given to the parameter "{name}", which is not NoEcho',
                detail="whoever may describe the stack reads it: declare NoEcho: true",
                file=str(self.file),
                line=self.template.line("Parameters", name),
            )
            for name in shown
        )

    def sides(self, deployed: Mapping[str, Any] | None) -> Sides:
        """Return what is needed to tell values before and after, and to mask those that are secret."""
        around = {"AWS::StackName": self.stack_name}
        if self.settings.region:
            around["AWS::Region"] = self.settings.region
        standing = _template(deployed["template"]) if deployed else None
        return Sides(
            template=self.template,
            values={**around, **_known(self.template, {**defaults(self.template), **self.parameters})},
            secret=self.secret,
            secrets=self.secrets,
            deployed=standing,
            deployed_values={**around, **_known(standing, deployed["parameters"])} if deployed and standing else {},
        )

    def _request(self) -> dict[str, Any]:
        uploads = {}
        for key, content in self.package.uploads.items():
            file = self.workspace.private / f"upload-{key.rpartition('/')[2]}"
            write_private(file, content)
            uploads[key] = str(file)
        return {
            "region": self.settings.region,
            "stack_name": self.stack_name,
            "template": self.package.text,
            "template_url": self.package.url,
            "uploads": uploads,
            "bucket": self.settings.bucket,
            "nested": self.package.nested,
            "parameters": dict(self.parameters),
            "defaults": defaults(self.template),
            "tags": dict(self.tags),
            "capabilities": list(self.settings.capabilities),
            "role_arn": self.settings.role_arn,
            "notification_arns": list(self.settings.notification_arns),
            "termination_protection": self.settings.termination_protection,
            "stack_policy": bool(self.policy),
        }


def prepare(settings: Settings, shell: Shell, workspace: Workspace) -> Prepared:
    """Read what the stack's files say; starts no program. Raises InvalidSettings."""
    told = _deployment(settings, workspace)
    file = find_template(settings, told, workspace)
    template, packed = package(workspace.root, file, settings, region=settings.region)
    given = {name: scalar_text(one.value) for name, one in workspace.inputs.items()}
    parameters = {**told.parameters, **given}
    hidden = {name for name, one in workspace.inputs.items() if one.sensitive}
    secret = frozenset(hidden | template.no_echo)
    secrets = frozenset(_secrets(workspace, template, parameters))
    shell.conceal(secrets)
    _check_parameters(template, parameters, file)
    return Prepared(
        settings=settings,
        shell=shell,
        workspace=workspace,
        stack_name=stack_name(settings, workspace),
        file=file,
        template=template,
        package=packed,
        parameters=parameters,
        tags={**told.tags, **settings.tags},
        secret=secret,
        secrets=secrets,
        policy=_policy(settings, workspace),
    )


def find_template(settings: Settings, told: deployment.Deployment, workspace: Workspace) -> PurePosixPath:
    """Return the template that the stack names, the deployment file names, or that lies in the stack's folder."""
    named = settings.template or told.template
    if named is not None:
        return named
    for name in TEMPLATES:
        if (workspace.folder / name).is_file():
            return workspace.path / name
    raise InvalidSettings(
        f"there is no template in {workspace.path}", hint=f"write template: FILE, or add {' or '.join(TEMPLATES)}"
    )


def defaults(template: Template) -> dict[str, str]:
    """Return the values that parameters have where nobody gives one."""
    return {name: scalar_text(one["Default"]) for name, one in template.parameters.items() if "Default" in one}


def _deployment(settings: Settings, workspace: Workspace) -> deployment.Deployment:
    if settings.deployment is None:
        return deployment.Deployment()
    return deployment.read(text_of(workspace.root / settings.deployment, settings.deployment), settings.deployment)


def _check_parameters(template: Template, given: Mapping[str, str], file: PurePosixPath) -> None:
    declared = template.parameters
    unknown = sorted(set(given) - set(declared))
    if unknown:
        hint = f"parameters are: {', '.join(sorted(declared)) or 'none'}"
        raise misplaced(file, template.line("Parameters"), f'the template declares no parameter "{unknown[0]}"', hint)
    for name, one in declared.items():
        if name not in given and "Default" not in one:
            line = template.line("Parameters", name)
            raise misplaced(file, line, f'the parameter "{name}" has no value', "give one: parameters: in stacks.yaml")


def _secrets(workspace: Workspace, template: Template, parameters: Mapping[str, str]) -> Iterator[str]:
    for one in workspace.inputs.values():
        if one.sensitive:
            yield from secret_texts(one.value)
            yield from filter(None, (scalar_text(one.value),))
    known = {**defaults(template), **parameters}
    yield from (known[name] for name in template.no_echo if known.get(name))


def _policy(settings: Settings, workspace: Workspace) -> str:
    if settings.stack_policy is None:
        return ""
    text = text_of(workspace.root / settings.stack_policy, settings.stack_policy)
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise misplaced(settings.stack_policy, error.lineno, f"it is no JSON: {error.msg}", "mend the policy") from None
    return text


def _template(text: str) -> Template | None:
    try:
        return read(text)
    except TemplateUnreadable:
        return None


def _known(template: Template | None, values: Mapping[str, str]) -> dict[str, str]:
    declared = template.parameters if template else {}
    return {
        name: value
        for name, value in values.items()
        if not str(declared.get(name, {}).get("Type", "")).startswith(_LOOKED_UP)
    }
