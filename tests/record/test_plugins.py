"""Adapters are found by entry point: other people's distributions, good and broken."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

import pytest

from adapters.contract import InvalidSettings, Shell
from orchestrator.effects.plugins import InstalledAdapters
from orchestrator.errors import AdapterNotFound
from orchestrator.model.policy import Policy
from orchestrator.model.stack import Stack, StackKey

#: No adapter under test runs anything while it is built.
NO_SHELL: Shell = None  # type: ignore[assignment]


def stack(tool: str) -> Stack:
    key = StackKey(source="acme", name="net")
    return Stack(key=key, tool=tool, path=PurePosixPath("live/net"), policy=Policy())


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Lay a distribution out as an installer does."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    before = set(sys.modules)

    def lay(name: str, entry_points: str, module: str = "", code: str = "") -> None:
        folder = site / f"{name.replace('-', '_')}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (folder / "entry_points.txt").write_text(f"[orchestrator.adapters]\n{entry_points}\n")
        if module:
            (site / f"{module}.py").write_text(code)

    yield lay
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", "") and str(site) in str(sys.modules[name].__file__):
            del sys.modules[name]


def test_the_built_in_adapters_use_the_same_door():
    assert {"opentofu", "terraform"} <= set(InstalledAdapters().names())


def test_an_installed_adapter_is_found_without_being_imported_and_built_with_path_and_tool(install):
    install("holdfast-pets", "pets = pets_adapter:build", "pets_adapter", "def build(settings, shell): return settings")
    found = InstalledAdapters()
    assert "pets" in found.names()
    assert "pets_adapter" not in sys.modules
    built = found.build(stack("pets"), {"cats": 2, "path": "elsewhere"}, NO_SHELL)
    assert built == {"cats": 2, "path": "live/net", "tool": "pets"}


def test_two_distributions_that_claim_one_name_are_both_named(install):
    install("first-pets", "pets = one:build")
    install("other-pets", "pets = two:build\nbirds = two:build")
    with pytest.raises(AdapterNotFound) as refused:
        InstalledAdapters().build(stack("pets"), {}, NO_SHELL)
    assert refused.value.code == "HF-4002"
    assert refused.value.message == "adapters clash: first-pets 1.2 and other-pets 1.2 both bring 'pets'"


def test_a_name_that_nobody_brings_gets_the_nearest_or_how_to_install():
    with pytest.raises(AdapterNotFound) as refused:
        InstalledAdapters().build(stack("terrafrom"), {}, NO_SHELL)
    assert (refused.value.code, refused.value.hint) == ("HF-4001", 'did you mean "terraform"?')
    with pytest.raises(AdapterNotFound) as refused:
        InstalledAdapters().build(stack("xyz"), {}, NO_SHELL)
    assert "pip install the package that brings it (installed: " in refused.value.hint


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import a_package_that_is_not_there", "ModuleNotFoundError: No module named 'a_package_that_is_not_there'"),
        ("def build(", "SyntaxError: '(' was never closed (broken_adapter.py, line 1)"),
        ("raise RuntimeError('first line\\nsecond line')", "RuntimeError: first line"),
        ("other = 1", "AttributeError: module 'broken_adapter' has no attribute 'build'"),
        ("build = 7", "broken_adapter:build is not callable"),
    ],
)
def test_a_broken_adapter_is_one_line_with_its_distribution(install, code: str, why: str):
    install("broken-pets", "pets = broken_adapter:build", "broken_adapter", code)
    found = InstalledAdapters()
    with pytest.raises(AdapterNotFound) as refused:
        found.build(stack("pets"), {}, NO_SHELL)
    assert refused.value.code == "HF-4003"
    assert refused.value.message == f"the adapter 'pets' of broken-pets 1.2 cannot be loaded: {why}"


def test_what_the_adapter_itself_refuses_is_passed_on(install):
    code = "from adapters.contract import InvalidSettings\ndef build(settings, shell): raise InvalidSettings('no cats')"
    install("picky-pets", "pets = picky_adapter:build", "picky_adapter", code)
    with pytest.raises(InvalidSettings, match="no cats"):
        InstalledAdapters().build(stack("pets"), {}, NO_SHELL)
