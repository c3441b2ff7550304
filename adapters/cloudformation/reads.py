"""Which files outside its own folder a stack reads. Pure: works on a tree, without a checkout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from adapters.cloudformation import deployment
from adapters.cloudformation.artifacts import artifacts
from adapters.cloudformation.settings import TEMPLATES, Settings
from adapters.cloudformation.template import Template, TemplateUnreadable, read
from adapters.contract import InvalidSettings, Tree
from adapters.keys import inside


def outside(tree: Tree, settings: Settings) -> frozenset[PurePosixPath]:
    """Return deployment file, template, nested templates and packaged files outside the stack's folder."""
    named = {file for file in (settings.deployment, settings.stack_policy, settings.template) if file}
    waiting = list(_templates(tree, settings))
    found = {*named, *waiting}
    while waiting:
        file = waiting.pop()
        template = _template(tree, file)
        for path, nested in () if template is None else _named(file, template):
            if path not in found and nested:
                waiting.append(path)
            found.add(path)
    return frozenset(path for path in found if not path.is_relative_to(settings.path))


def _templates(tree: Tree, settings: Settings) -> Iterator[PurePosixPath]:
    if settings.template:
        yield settings.template
        return
    if settings.deployment:
        text = _text(tree, settings.deployment)
        try:
            told = deployment.read(text or "{}", settings.deployment).template
        except InvalidSettings:
            # What is wrong with it is for a plan to tell.
            return
        if told:
            yield told
            return
    for name in TEMPLATES:
        if _text(tree, settings.path / name) is not None:
            yield settings.path / name
            return


def _named(file: PurePosixPath, template: Template) -> Iterator[tuple[PurePosixPath, bool]]:
    for artifact in artifacts(template):
        try:
            yield inside(file.parent, artifact.source, ""), artifact.nested
        except InvalidSettings:
            continue


def _template(tree: Tree, file: PurePosixPath) -> Template | None:
    text = _text(tree, file)
    try:
        return None if text is None else read(text)
    except TemplateUnreadable:
        return None


def _text(tree: Tree, file: PurePosixPath) -> str | None:
    try:
        return tree.read(file).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
