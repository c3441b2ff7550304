"""Reads the few things of HCL that decide what must be initialised, without a full parser. Pure.

A full parser (python-hcl2) costs a third of a second to load; here comments and heredocs are taken out, and
what is left is matched. A module or version that is missed costs one more ``init``; that a backend was seen where
there is none, ``Prepared`` notices by what ``init`` made of the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from adapters.contract import Json

#: A string, with the strings inside its templates: what looks like a comment in one of those is none.
_TEXT: Final = r"""(?P<text>"(?>\\.|[$%][$%]\{|[$%]\{(?>[^{}"]|"(?>\\.|[^"\\\n])*+"|\{[^{}]*+\})*+\}|[^"\\\n])*+")"""
_SKIPPED: Final = re.compile(
    _TEXT + r"""|(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<heredoc><<-?(?P<mark>[\w-]+)[^\n]*\n.*?^[ \t]*(?P=mark)[ \t\r]*$)""",
    re.DOTALL | re.MULTILINE,
)
_BRACES: Final = re.compile(_TEXT + r"""|(?P<brace>[{}])""")
#: A label may stand without quotes.
_BACKEND: Final = re.compile(r"""\b(?:backend(?:\s*"|\s+)([\w-]+)"?|cloud)\s*\{""")
_LITERAL: Final = re.compile(r"""\b([\w-]+)\s*=\s*(?:"([^"$%\\]*)\"|(\d[\d.]*)\s*$)""", re.MULTILINE)
_SOURCE: Final = re.compile(r"""\bsource\s*=\s*"([^"]+)\"""")
_MODULE_LINE: Final = re.compile(r"""\b(?:source|version)\s*=\s*"[^"]+\"""")
_READ_CALL: Final = re.compile(
    r"""\b(?:file|templatefile|fileexists|filebase64|filemd5|filesha1|filesha256|filesha512|filebase64sha256"""
    r"""|filebase64sha512)\s*\(\s*"((?:\$\{path\.(?:module|root|cwd)\})?[^"$]+)\""""
)


def code(text: str) -> str:
    """Return ``text`` without comments and heredocs; strings stay."""
    return _SKIPPED.sub(lambda found: found[0] if found["text"] else " ", text.removeprefix("\ufeff"))


def bodies(text: str, head: str) -> Iterator[str]:
    """Yield the body of each block of ``code`` whose head matches the pattern ``head`` at a line's start."""
    for found in re.finditer(rf"^[ \t]*{head}\s*\{{", text, re.MULTILINE):
        depth, end = 1, len(text)
        for brace in _BRACES.finditer(text, found.end()):
            if brace["brace"]:
                depth += 1 if brace["brace"] == "{" else -1
            if depth == 0:
                end = brace.start()
                break
        yield text[found.end() : end]


def declares_backend(name: str, text: str) -> bool:
    """Say whether a file (``.tf``, ``.tofu`` or their JSON form) says where state is kept."""
    if name.endswith(".json"):
        return any("backend" in block or "cloud" in block for block in _json_blocks(text, "terraform"))
    return any(_BACKEND.search(body) for body in bodies(code(text), "terraform"))


def backends(name: str, text: str) -> list[tuple[str, dict[str, Json]]]:
    """Return the kind (``s3``, ``cloud``) and the literal values of each backend that a file declares."""
    if name.endswith(".json"):
        blocks = _json_blocks(text, "terraform")
        named = [(kind, body) for block in blocks for kind, body in _object(block.get("backend")).items()]
        clouds = [("cloud", block["cloud"]) for block in blocks if "cloud" in block]
        return [(kind, _object(body)) for kind, body in (*named, *clouds)]
    found = ((body, head) for body in bodies(code(text), "terraform") for head in _BACKEND.finditer(body))
    return [(head[1] or "cloud", literals(body[head.end() :].partition("}")[0])) for body, head in found]


def literals(text: str) -> dict[str, Json]:
    """Return each ``key = "value"`` and ``key = 12`` of a text whose value is a plain one, as text."""
    return {key: quoted or number for key, quoted, number in _LITERAL.findall(code(text))}


def initialises(name: str, text: str) -> list[str]:
    """Return the parts of a file that ``init`` depends on: terraform blocks, sources and versions of modules."""
    if name.endswith(".json"):
        blocks = [*_json_blocks(text, "terraform"), *_json_blocks(text, "module")]
        return [json.dumps(block, sort_keys=True) for block in blocks]
    plain = code(text)
    modules = [found for body in bodies(plain, r'module\s+"[^"]+"') for found in _MODULE_LINE.findall(body)]
    return [*(" ".join(body.split()) for body in bodies(plain, "terraform")), *modules]


def module_sources(name: str, text: str) -> list[str]:
    """Return the source of each module that the file calls, as far as it is a literal."""
    if name.endswith(".json"):
        calls = [call for block in _json_blocks(text, "module") for call in block.values()]
        return [str(call["source"]) for call in calls if isinstance(call, dict) and "source" in call]
    found = (_SOURCE.search(body) for body in bodies(code(text), r'module\s+"[^"]+"'))
    return [source[1] for source in found if source]


def files_read(text: str) -> list[str]:
    """Return the literal paths that functions like ``file("…")`` read, ``${path.module}`` and its like in front."""
    return _READ_CALL.findall(code(text))


def _object(value: Json) -> dict[str, Json]:
    """Return a JSON object; of a list of them, as the JSON form allows, the first."""
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, dict) else {}


def _json_blocks(text: str, kind: str) -> list[dict[str, Json]]:
    try:
        parsed = json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        return []
    roots = parsed if isinstance(parsed, list) else [parsed]
    found = [body.get(kind) for body in roots if isinstance(body, dict)]
    blocks = [block for one in found for block in (one if isinstance(one, list) else [one])]
    return [block for block in blocks if isinstance(block, dict)]
