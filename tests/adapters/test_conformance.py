"""The adapter passes the suite that every adapter passes, with the real tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.conformance import CASES, Case

if TYPE_CHECKING:
    from conftest import LabRig


#: Where the two tools speak differently; the rest of the suite runs with OpenTofu in `make test-full`.
TELLING = {
    "the_version_is_told",
    "a_plan_changes_nothing_and_repeats",
    "after_an_apply_the_plan_is_empty",
    "a_saved_plan_that_was_swapped_is_stale",
    "drift_is_told_with_attribute_and_values",
    "a_secret_is_never_told",
}
WITH_TOOLS = [pytest.param("terraform", case, id=f"terraform-{case.__name__}") for case in CASES] + [
    pytest.param(
        "opentofu",
        case,
        id=f"opentofu-{case.__name__}",
        marks=[] if case.__name__ in TELLING else [pytest.mark.full],
    )
    for case in CASES
]


@pytest.mark.parametrize(("tool", "case"), WITH_TOOLS, indirect=["tool"])
def test_conformance(tool: str, case: Case, rig: LabRig) -> None:
    case(rig)
