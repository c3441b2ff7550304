"""Which properties of a template name files beside it, and how an uploaded file is written there. Pure.

The list is that of ``aws cloudformation package``:
https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from adapters.cloudformation.template import Path, Template

#: The type whose file is itself a template.
NESTED: Final = "AWS::CloudFormation::Stack"


class Form(Enum):
    """How a property names an uploaded file."""

    #: ``https://bucket.s3.region.amazonaws.com/key``.
    HTTPS = "https"
    #: ``s3://bucket/key``.
    S3 = "s3"
    #: ``{S3Bucket, S3Key}``.
    S3_BUCKET = "S3Bucket"
    #: ``{Bucket, Key}``.
    BUCKET = "Bucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One property that names a file or folder of the repository."""

    #: From the template's top.
    path: Path
    #: As it is written there, from the template's folder.
    source: str
    form: Form
    #: Whether it is handed over as an archive.
    zipped: bool
    nested: bool


#: Type -> path below Properties, form, zipped.
_PROPERTIES: Final[Mapping[str, tuple[Path, Form, bool]]] = {
    NESTED: (("TemplateURL",), Form.HTTPS, False),
    "AWS::Serverless::Application": (("Location",), Form.HTTPS, False),
    "AWS::Lambda::Function": (("Code",), Form.S3_BUCKET, True),
    "AWS::Lambda::LayerVersion": (("Content",), Form.S3_BUCKET, True),
    "AWS::Serverless::Function": (("CodeUri",), Form.S3, True),
    "AWS::Serverless::LayerVersion": (("ContentUri",), Form.S3, True),
    "AWS::Serverless::Api": (("DefinitionUri",), Form.S3, False),
    "AWS::Serverless::HttpApi": (("DefinitionUri",), Form.S3, False),
    "AWS::Serverless::StateMachine": (("DefinitionUri",), Form.S3, False),
    "AWS::StepFunctions::StateMachine": (("DefinitionS3Location",), Form.BUCKET, False),
    "AWS::ApiGateway::RestApi": (("BodyS3Location",), Form.BUCKET, False),
    "AWS::ApiGatewayV2::Api": (("BodyS3Location",), Form.BUCKET, False),
    "AWS::AppSync::GraphQLSchema": (("DefinitionS3Location",), Form.S3, False),
    "AWS::AppSync::Resolver": (("CodeS3Location",), Form.S3, False),
    "AWS::ElasticBeanstalk::ApplicationVersion": (("SourceBundle",), Form.S3_BUCKET, True),
    "AWS::Glue::Job": (("Command", "ScriptLocation"), Form.S3, False),
}
_ELSEWHERE: Final = ("http://", "https://", "s3://")


def artifacts(template: Template) -> Iterator[Artifact]:
    """Yield each property that names a local file."""
    for name, resource in template.resources.items():
        kind = str(resource.get("Type"))
        if kind not in _PROPERTIES:
            continue
        path, form, zipped = _PROPERTIES[kind]
        source = _at(resource.get("Properties"), path)
        if isinstance(source, str) and source and not source.startswith(_ELSEWHERE):
            nested = form is Form.HTTPS
            whole = ("Resources", name, "Properties", *path)
            yield Artifact(path=whole, source=source, form=form, zipped=zipped, nested=nested)
    for path, source in _included(template.body, ()):
        yield Artifact(path=path, source=source, form=Form.S3, zipped=False, nested=False)


def _included(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the place and the text of each local file that the transform ``AWS::Include`` names, wherever it stands.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
    """
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        # At the template's top it goes by its short name, and may be one of several.
        named = step == "Fn::Transform" or (path in {(), ("Transform",)} and isinstance(inner, dict))
        if named and isinstance(inner, dict) and inner.get("Name") == "AWS::Include":
            source = _at(inner, ("Parameters", "Location"))
            if isinstance(source, str) and source and not source.startswith(_ELSEWHERE):
                yield (*path, step, "Parameters", "Location"), source
        else:
            yield from _included(inner, (*path, step))


def written(form: Form, *, bucket: str, key: str, region: str) -> Any:
    """Return what stands in the property once the file is uploaded."""
    if form is Form.HTTPS:
        return url(bucket=bucket, key=key, region=region)
    if form is Form.S3:
        return f"s3://{bucket}/{key}"
    if form is Form.BUCKET:
        return {"Bucket": bucket, "Key": key}
    return {"S3Bucket": bucket, "S3Key": key}


def url(*, bucket: str, key: str, region: str) -> str:
    """Return the address by which the service fetches a template."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    place = f"s3.{region}.{suffix}" if region else f"s3.{suffix}"
    return f"https://{place}/{bucket}/{key}" if "." in bucket else f"https://{bucket}.{place}/{key}"


def with_value(body: Mapping[str, Any], artifact: Artifact, value: Any) -> dict[str, Any]:
    """Return the template with ``value`` in the artifact's place."""
    found: dict[str, Any] = _replaced(body, artifact.path, value)
    return found


def _replaced(body: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    inner = _replaced(body[first], tuple(rest), value)
    if isinstance(body, list):
        return [inner if position == first else item for position, item in enumerate(body)]
    return {**body, first: inner}


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value
