"""The adapter passes the suite that every adapter passes, against a server that speaks AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.conformance import CASES, Case

if TYPE_CHECKING:
    from conftest import AwsRig


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_conformance(case: Case, rig: AwsRig) -> None:
    case(rig)
