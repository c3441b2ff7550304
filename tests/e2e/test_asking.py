"""What may lose something is asked about by name, whatever was said beforehand, and the name is that of the stack."""

from __future__ import annotations

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = """\
version: 1
project: estate
environments: {dev: {}, prod: {}}
stacks:
  web: {path: web, environments: [dev, prod], workspace: "${env.name}"}
"""
THREE = 'resource "terraform_data" "web" { count = 3 }\n'
REPLACED = 'resource "terraform_data" "web" {\n  count            = 3\n  triggers_replace = "new"\n}\n'


@pytest.fixture
def three(yard: Yard) -> Yard:
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": THREE})
    yard.apply("-e", "dev").ended(0)
    return yard


@pytest.mark.parametrize(("file", "lost"), [("", "3 to destroy"), (REPLACED, "3 to replace")])
def test_a_plan_that_destroys_or_replaces_asks_for_the_name_though_yes_was_said(
    three: Yard, file: str, lost: str
) -> None:
    three.commit({"web/main.tf": file})
    three.forget_starts()
    three.apply("-e", "dev").ended(3, f"web@dev may lose something ({lost})", "--confirm web@dev")
    assert ("apply", "web") not in three.starts()
    three.apply("-e", "dev", "--confirm", "web@prod").ended(3, "--confirm web@prod is not its name")
    assert ("apply", "web") not in three.starts()
    three.run("apply", "-e", "dev", "--confirm", "web@dev").ended(0)
    assert ("apply", "web") in three.starts()


def test_a_plan_that_only_adds_and_changes_is_covered_by_a_yes(three: Yard) -> None:
    three.commit({"web/main.tf": THREE.replace("3", "4")})
    three.apply("-e", "dev").ended(0)


def test_each_stack_is_confirmed_for_itself(three: Yard) -> None:
    three.apply("-e", "prod").ended(0)
    three.commit({"web/main.tf": ""})
    three.apply("--confirm", "web@dev").ended(3, "--confirm web@prod")
    three.apply("--confirm", "web@dev", "--confirm", "web@prod").ended(0)
