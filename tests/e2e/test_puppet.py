"""A stack of Puppet's the whole way: validate, plan, apply, outputs, drift."""

from __future__ import annotations

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "puppet")

STACKS = """\
version: 1
project: estate
stacks:
  host:
    path: host
    tool: puppet
    inputs:
      where: {where}
      profile::motd::text: "hello\\n"
    facts: {{system: kernel}}
"""
SITE = """\
class profile::motd(String $text) {
  file { "${lookup('where')}/motd": ensure => file, content => $text, mode => '0644' }
}
include profile::motd
"""


@pytest.mark.full  # the example of four tools takes the same way
def test_a_host_is_planned_applied_and_found_drifted(yard: Yard) -> None:
    motd = yard.cloud / "motd"
    yard.commit({"stacks.yaml": STACKS.format(where=yard.cloud), "host/manifests/site.pp": SITE})
    yard.run("validate").ended(0)
    yard.apply().ended(0, f"+ File[{motd}]  (intentional, host/manifests/site.pp:2)")
    assert motd.read_text() == "hello\n"
    assert yard.run("outputs", "host", "system").out == "Linux\n"

    motd.write_text("mallory\n")
    yard.run("drift").ended(0, f"File[{motd}]  changed", 'expected "hello"', 'is "mallory"', 'expected "{sha256}5891')
    yard.record_is_sound()


def test_a_key_that_puppet_does_not_know_is_found_by_validate(yard: Yard) -> None:
    text = STACKS.format(where=yard.cloud).replace("tool: puppet", "tool: puppet\n    modulpath: [site]")
    yard.commit({"stacks.yaml": text, "host/manifests/site.pp": SITE})
    yard.run("validate").ended(64, 'did you mean "modulepath"?', "stacks.yaml:7")
