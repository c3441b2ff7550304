"""A template made ready to be sent: files it names are gathered, by digest, and named as they will be in the bucket.

Equal files give equal names, so that a second plan uploads nothing and changes nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from adapters.cloudformation.artifacts import NESTED, Artifact, artifacts, url, with_value, written
from adapters.cloudformation.places import misplaced
from adapters.cloudformation.settings import Settings
from adapters.cloudformation.template import Template, TemplateUnreadable, read
from adapters.keys import inside

#: Bytes of a template that a call may carry, and that the service reads at all.
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_INLINE: Final = 51_200
MOST_BYTES: Final = 1_048_576
_DEEPEST: Final = 5
_NAME_ONE: Final = "write bucket: NAME in stacks.yaml, a bucket in the stack's region"
_ARCHIVES: Final = (".zip", ".jar")
#: The earliest moment that an archive can hold: the same files make the same bytes.
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A template, and the files that must be in the bucket before it is sent."""

    text: str
    #: Where the template itself will be; empty where it is small enough to be sent as it is.
    url: str = ""
    #: Content by key.
    uploads: Mapping[str, bytes] = field(default_factory=dict)
    nested: bool = False


@dataclass(slots=True, kw_only=True)
class _Packing:
    """One template on its way, with those it names."""

    root: Path
    settings: Settings
    region: str
    uploads: dict[str, bytes] = field(default_factory=dict)
    nested: bool = False

    def packed(self, text: str, template: Template, file: PurePosixPath, depth: int = 0) -> str:
        """Return the text to send. One that names no file is sent as it is written, comments and all."""
        body: Mapping[str, Any] = template.body
        # Those elsewhere too: without a change set of its own, a nested stack takes whatever lies there at the apply.
        self.nested = self.nested or any(one.get("Type") == NESTED for one in template.resources.values())
        found = list(artifacts(template))
        for artifact in found:
            line = template.line(*artifact.path)
            content, suffix = self._content(artifact, file, line, depth)
            key = self._upload(content, suffix)
            value = written(artifact.form, bucket=self.settings.bucket, key=key, region=self.region)
            body = with_value(body, artifact, value)
        return json.dumps(body, indent=1, sort_keys=False) if found else text

    def _content(self, artifact: Artifact, file: PurePosixPath, line: int, depth: int) -> tuple[bytes, str]:
        name = inside(file.parent, artifact.source, f"{file}:{line}")
        path = self.root / name
        if not path.exists():
            raise misplaced(file, line, f"there is no {name}", "name a file from the template's folder")
        if not self.settings.bucket:
            raise misplaced(file, line, f"{artifact.source} must be uploaded, and no bucket is named", _NAME_ONE)
        if artifact.nested:
            if depth >= _DEEPEST:
                raise misplaced(file, line, f"templates are nested too deep, {_DEEPEST} at most")
            self.nested = True
            inner = text_of(path, name)
            return self.packed(inner, parsed(inner, name), name, depth + 1).encode(), ".template"
        if path.is_dir():
            return archive(path), ".zip"
        content = path.read_bytes()
        if artifact.zipped and path.suffix not in _ARCHIVES:
            return _zipped({path.name: (content, _mode(path))}), ".zip"
        return content, path.suffix

    def _upload(self, content: bytes, suffix: str) -> str:
        key = "/".join(filter(None, (self.settings.bucket_prefix, hashlib.sha256(content).hexdigest() + suffix)))
        self.uploads[key] = content
        return key

    def finished(self, text: str, file: PurePosixPath) -> Package:
        """Return the package, with the template itself in the bucket where it is too large to be sent."""
        content = text.encode()
        if len(content) > MOST_BYTES:
            raise misplaced(
                file, 1, f"the template has {len(content)} bytes, {MOST_BYTES} at most", "split it: nested stacks"
            )
        if len(content) <= MOST_INLINE:
            return Package(text=text, uploads=self.uploads, nested=self.nested)
        if not self.settings.bucket:
            message = f"a template of more than {MOST_INLINE} bytes must be uploaded, and no bucket is named"
            raise misplaced(file, 1, message, _NAME_ONE)
        key = self._upload(content, ".template")
        place = url(bucket=self.settings.bucket, key=key, region=self.region)
        return Package(text=text, url=place, uploads=self.uploads, nested=self.nested)


def package(root: Path, file: PurePosixPath, settings: Settings, *, region: str) -> tuple[Template, Package]:
    """Read the template ``file`` and gather what it names. Raises InvalidSettings, with file and line."""
    text = text_of(root / file, file)
    template = parsed(text, file)
    packing = _Packing(root=root, settings=settings, region=region)
    return template, packing.finished(packing.packed(text, template, file), file)


def parsed(text: str, file: PurePosixPath) -> Template:
    """Return the template. Raises InvalidSettings, with file and line."""
    try:
        return read(text)
    except TemplateUnreadable as error:
        raise misplaced(file, error.line, error.message, "mend the template") from None


def text_of(path: Path, file: PurePosixPath) -> str:
    """Return a file's text. Raises InvalidSettings."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise misplaced(file, 1, "it is no text", "write it in UTF-8") from None
    except OSError as error:
        raise misplaced(file, 1, f"it cannot be read: {error.strerror}", "name a file of the repository") from None


def archive(folder: Path) -> bytes:
    """Return a folder as an archive: the same files, in whatever order and of whatever age, give the same bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return _zipped({path.relative_to(folder).as_posix(): (path.read_bytes(), _mode(path)) for path in files})


def _zipped(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        for name, (content, mode) in files.items():
            entry = zipfile.ZipInfo(name, date_time=_LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            into.writestr(entry, content)
    return made.getvalue()


def _mode(path: Path) -> int:
    # Only what a program needs to run: group and others differ from one checkout to the next.
    return 0o100755 if path.stat().st_mode & 0o100 else 0o100644
