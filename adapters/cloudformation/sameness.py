"""Whether the files ask for what is deployed already. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.cloudformation.template import Template, TemplateUnreadable, read

#: In doubt the service is asked: a word in a comment costs a change set, and no more.
_ELSEWHERE: Final = ("AWS::CloudFormation::Stack", "AWS::SSM::Parameter::Value", "Transform")


def same(request: Mapping[str, Any], deployed: Mapping[str, Any]) -> bool:
    """Say whether a change set of the request would hold nothing. In doubt it says no: then the service is asked."""
    return (
        same_template(str(request["template"]), str(deployed["template"]))
        and not reads_elsewhere(str(request["template"]))
        and same_parameters(request["parameters"], deployed["parameters"], request["defaults"])
        and request["tags"] == deployed["tags"]
    )


def same_template(left: str, right: str) -> bool:
    """Whether two texts are the same template."""
    if left == right:
        return True
    one, other = _read(left), _read(right)
    return one is not None and other is not None and one.body == other.body


def reads_elsewhere(text: str) -> bool:
    """Whether what a template comes to is decided elsewhere, too: in a nested one, a macro, the parameter store."""
    return any(word in text for word in _ELSEWHERE)


def same_parameters(given: Mapping[str, str], standing: Mapping[str, str], defaults: Mapping[str, str]) -> bool:
    """Whether the parameters have the values that stand; one that the service stars out cannot be compared."""
    for name, value in {**defaults, **given}.items():
        found = standing.get(name)
        if found is None or (found != value and set(found) != {"*"}):
            return False
    return True


def _read(text: str) -> Template | None:
    try:
        return read(text)
    except TemplateUnreadable:
        return None
