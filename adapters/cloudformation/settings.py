"""What a stack's own keys mean to CloudFormation: read once, refused early. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from adapters.contract import InvalidSettings, Json, Workspace
from adapters.keys import check_known, flag, inside, text, texts

#: Where the template is looked for where neither the stack nor a deployment file names it.
TEMPLATES: Final = ("template.yaml", "template.yml", "template.json")

_KEYS: Final = (
    "tool",
    "path",
    "region",
    "stack_name",
    "template",
    "deployment",
    "capabilities",
    "tags",
    "role_arn",
    "notification_arns",
    "stack_policy",
    "termination_protection",
    "bucket",
    "bucket_prefix",
    "revert_drift",
    "lint",
)
_CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
_STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_REGION: Final = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ARN: Final = re.compile(r"arn:[\w-]+:[\w-]+:\S+")
_MOST_TAGS: Final = 50
_MOST_ARNS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One stack's settings."""

    #: The stack's folder from the repository's root.
    path: PurePosixPath
    #: Empty takes the region that the credentials come with.
    region: str = ""
    #: Empty has it made from the names of stack and environment.
    stack_name: str = ""
    #: From the repository's root; None has it looked for.
    template: PurePosixPath | None = None
    #: A deployment file of AWS Git sync, from the repository's root.
    deployment: PurePosixPath | None = None
    capabilities: tuple[str, ...] = ()
    #: Laid over the deployment file's.
    tags: Mapping[str, str] = field(default_factory=dict)
    role_arn: str = ""
    notification_arns: tuple[str, ...] = ()
    #: From the repository's root.
    stack_policy: PurePosixPath | None = None
    #: None leaves it as it is.
    termination_protection: bool | None = None
    #: Where nested templates, packaged files and large templates are put.
    bucket: str = ""
    bucket_prefix: str = ""
    #: Whether the region offers change sets that put drift back.
    revert_drift: bool = True
    #: Whether ``validate`` also asks cfn-lint, where it is installed.
    lint: bool = True


def read(settings: Mapping[str, Json]) -> Settings:
    """Return the settings as a value. Raises InvalidSettings, naming the key."""
    check_known(settings, _KEYS, "cloudformation")
    if settings.get("tool", "cloudformation") != "cloudformation":
        raise InvalidSettings(f'this adapter does not drive "{settings["tool"]}"', hint="tool is cloudformation")
    path = PurePosixPath(text(settings, "path") or ".")
    return Settings(
        path=path,
        region=_like(settings, "region", _REGION, "a region, as in eu-central-1"),
        stack_name=_like(
            settings, "stack_name", _STACK_NAME, "letters, digits and hyphens, a letter first, 128 at most"
        ),
        template=_file(settings, "template", path),
        deployment=_file(settings, "deployment", path),
        capabilities=_capabilities(settings),
        tags=_tags(settings),
        role_arn=_like(settings, "role_arn", _ARN, "the ARN of a role"),
        notification_arns=_arns(settings),
        stack_policy=_file(settings, "stack_policy", path),
        termination_protection=None
        if settings.get("termination_protection") is None
        else flag(settings, "termination_protection"),
        bucket=_like(settings, "bucket", _BUCKET, "the name of a bucket"),
        bucket_prefix=text(settings, "bucket_prefix").strip("/"),
        revert_drift=flag(settings, "revert_drift", default=True),
        lint=flag(settings, "lint", default=True),
    )


def stack_name(settings: Settings, workspace: Workspace) -> str:
    """Return what CloudFormation calls the stack. Raises InvalidSettings where no name can be made."""
    if settings.stack_name:
        return settings.stack_name
    name = workspace.stack.rpartition("/")[2].partition("@")[0]
    whole = name if workspace.environment in {"", "default"} else f"{name}-{workspace.environment}"
    made = re.sub(r"[^A-Za-z0-9-]+", "-", whole).strip("-")
    if not _STACK_NAME.fullmatch(made):
        raise InvalidSettings(
            f'"{whole}" makes no name for a CloudFormation stack', hint="write stack_name: it begins with a letter"
        )
    return made


def _like(settings: Mapping[str, Json], key: str, form: re.Pattern[str], said: str) -> str:
    given = text(settings, key)
    if given and not form.fullmatch(given):
        raise InvalidSettings(f"{key} is {given!r}", hint=f"it must be {said}")
    return given


def _file(settings: Mapping[str, Json], key: str, path: PurePosixPath) -> PurePosixPath | None:
    given = text(settings, key)
    return inside(path, given, key) if given else None


def _capabilities(settings: Mapping[str, Json]) -> tuple[str, ...]:
    found = texts(settings, "capabilities")
    for one in found:
        if one not in _CAPABILITIES:
            raise InvalidSettings(
                f'capabilities: there is no "{one}"', hint=f"capabilities are: {', '.join(_CAPABILITIES)}"
            )
    return found


def _arns(settings: Mapping[str, Json]) -> tuple[str, ...]:
    found = texts(settings, "notification_arns")
    wrong = next((one for one in found if not _ARN.fullmatch(one)), "")
    if wrong or len(found) > _MOST_ARNS:
        said = f"{wrong!r} is no ARN" if wrong else f"{len(found)} are too many"
        raise InvalidSettings(f"notification_arns: {said}", hint=f"name the ARNs of up to {_MOST_ARNS} SNS topics")
    return found


def _tags(settings: Mapping[str, Json]) -> dict[str, str]:
    value = settings.get("tags")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidSettings("tags must be a mapping", hint="write tags: {owner: ops}")
    return checked_tags({str(key): item for key, item in value.items()}, "tags")


def checked_tags(tags: Mapping[str, Json], place: str) -> dict[str, str]:
    """Return the tags as texts. Raises InvalidSettings where CloudFormation would refuse them."""
    if len(tags) > _MOST_TAGS:
        raise InvalidSettings(f"{place}: {len(tags)} tags, {_MOST_TAGS} at most")
    for key, value in tags.items():
        if key.startswith("aws:") or not key or not isinstance(value, str | int | float):
            raise InvalidSettings(f'{place}: the tag "{key}" is refused', hint="tags are texts, and none begins aws:")
    return {key: scalar_text(value) for key, value in tags.items()}


def scalar_text(value: Json) -> str:
    """Return a value as CloudFormation takes it: texts only, ``true`` for True."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(scalar_text(item) for item in value)
    return "" if value is None else str(value)
