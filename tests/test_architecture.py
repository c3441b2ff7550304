"""The rules of the house that no linter knows. ARCHITECTURE.md says them in prose."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from orchestrator.catalogue import CODES

ROOT = Path(__file__).resolve().parent.parent
SOURCE = sorted(path for room in ("adapters", "orchestrator") for path in (ROOT / room).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EVERYTHING = [*SOURCE, *TESTS, *sorted((ROOT / "bench").rglob("*.py"))]

#: Blank lines are not counted: air costs a reader nothing.
MOST_LINES = 400
FORBIDDEN_PARTS = frozenset(
    [
        "manager",
        "helper",
        "helpers",
        "util",
        "utils",
        "common",
        "base",
        "misc",
        "data",
        "info",
        "handler",
        "processor",
        "service",
        "context",
        "executor",
        "job",
        "task",
    ]
)
#: Names that a library asks for.
GIVEN_NAMES = {"get_data_sources": "the provider framework's own", "get_route_handler": "FastAPI's own"}
HEAVY = {"sqlalchemy", "fastapi", "boto3", "structlog", "azure", "pydantic", "git", "alembic", "hcl2", "cryptography"}
SECRET_WORDS = frozenset(["secret", "token", "password", "passphrase", "signature"])

#: Codes that no test can reach, with the reason. Everything else is named by a test.
UNREACHABLE: dict[str, str] = {
    "HF-2000": "the root of the adapters' errors: a class of its own is raised in its place",
    "HF-3000": "the root of the sources' errors: a class of its own is raised in its place",
}


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def words(name: str) -> list[str]:
    """``RunSummary_of2`` -> ``run``, ``summary``, ``of2``."""
    return [part.lower() for part in re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).split("_") if part]


@pytest.mark.parametrize("path", EVERYTHING, ids=short)
def test_a_file_says_one_thing(path: Path) -> None:
    count = sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    assert count <= MOST_LINES, f"{short(path)} has {count} lines: split it by concept"


def defined_names() -> Iterator[tuple[str, str]]:
    for path in SOURCE:
        yield short(path), path.stem
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{short(path)}:{node.lineno}", node.name


def test_names_say_what_a_thing_is() -> None:
    vague = [f"{place} {name}" for place, name in defined_names() if FORBIDDEN_PARTS & set(words(name))]
    assert not [name for name in vague if name.split()[1] not in GIVEN_NAMES]


def test_the_rooms_import_in_one_direction() -> None:
    """`pyproject.toml` holds the contracts; ARCHITECTURE.md says them in words."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def drawn_tree() -> list[str]:
    """The paths of ARCHITECTURE.md's tree: one name a line, two spaces for each level."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    block = text.split("```tree\n", 1)[1].split("```", 1)[0]
    paths, above = [], []
    for line in block.splitlines():
        name = line.split()[0]
        level = (len(line) - len(line.lstrip())) // 2
        above = [*above[:level], name]
        paths.append("".join(above))
    return paths


def test_the_tree_in_the_architecture_page_is_there() -> None:
    paths = drawn_tree()
    assert len(paths) > 20
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_every_room_is_in_the_architecture_page() -> None:
    rooms = {
        f"{short(init.parent)}/"
        for room in ("adapters", "orchestrator")
        for init in (ROOT / room).glob("*/__init__.py")
    }
    assert not rooms - set(drawn_tree())


def test_help_imports_no_heavy_library() -> None:
    script = (
        "import json, sys\n"
        "from orchestrator.cli.main import run\n"
        "sys.argv = ['holdfast', '--help']\n"
        "try:\n"
        "    run()\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert "apply" in done.stdout
    assert not HEAVY & set(json.loads(done.stderr.splitlines()[-1]))


def test_no_program_is_started_through_a_shell() -> None:
    through = []
    for path in EVERYTHING:
        starts = re.search(r"^import subprocess$", path.read_text(encoding="utf-8"), re.MULTILINE)
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                asked = [key.value for key in node.keywords if key.arg == "shell"]
                if any(starts or (isinstance(value, ast.Constant) and value.value) for value in asked):
                    through.append(f"{short(path)}:{node.lineno}")
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
                through += [f"{short(path)}:{node.lineno}"] * (node.attr in {"system", "popen"})
    assert not through


def names_a_secret(node: ast.expr) -> bool:
    name = {ast.Name: "id", ast.Attribute: "attr"}.get(type(node))
    return name is not None and bool(SECRET_WORDS & set(words(getattr(node, name))))


def test_secrets_are_compared_in_constant_time() -> None:
    compared = [
        f"{short(path)}:{node.lineno}"
        for path in SOURCE
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        if not any(isinstance(side, ast.Constant) for side in (node.left, *node.comparators))
        if any(names_a_secret(side) for side in (node.left, *node.comparators))
    ]
    assert not compared, "use hmac.compare_digest"


def codes_in(paths: list[Path]) -> set[str]:
    """Codes that stand in the source as values of their own; those that prose mentions are not meant."""
    values = (node.value for path in paths for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant))
    return {value for value in values if isinstance(value, str) and re.fullmatch(r"HF-\d{4}", value)}


RAISING = [path for path in SOURCE if path.name != "catalogue.py" and path.parent.name != "catalogue"]


def test_every_code_that_is_raised_has_a_page() -> None:
    assert sorted(codes_in(RAISING) - set(CODES)) == []


def test_every_code_with_a_page_is_raised() -> None:
    assert sorted(set(CODES) - codes_in(RAISING)) == []


def test_every_code_has_its_meaning_and_remedy_in_whole_sentences() -> None:
    for code, page in CODES.items():
        assert page.title
        assert page.meaning.endswith("."), code
        assert page.remedy.endswith("."), code


def classes_by_code() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in SOURCE:
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.ClassDef):
                continue
            for line in node.body:
                target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
                value = getattr(line, "value", None)
                if isinstance(target, ast.Name) and target.id == "code" and isinstance(value, ast.Constant):
                    found.setdefault(str(value.value), set()).add(node.name)
    return found


def test_every_error_is_reached_by_a_test() -> None:
    """A code counts as reached where a test names it, or the class whose own code it is."""
    others = [path for path in TESTS if path != Path(__file__)]
    text = "\n".join(path.read_text(encoding="utf-8") for path in others)
    named = set(re.findall(r"\w+", text))
    reached = set(re.findall(r"HF-\d{4}", text)) | {
        code for code, classes in classes_by_code().items() if classes & named
    }
    assert sorted(set(CODES) - reached - set(UNREACHABLE)) == []
    assert not set(UNREACHABLE) - set(CODES), "an exception for a code that is gone"
