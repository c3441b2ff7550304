"""What hosts tell of who changed what drifted, asked over the connection that the playbook itself takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from adapters.contract import Testifying

if TYPE_CHECKING:
    from conftest import PlaybookRig


def test_the_host_is_asked_about_the_files_that_drifted_and_nothing_is_left_behind(rig: PlaybookRig) -> None:
    subject = rig.converged()
    adapter = subject.adapter
    assert isinstance(adapter, Testifying)
    since = time.time() - 1
    subject.tamper()
    subject.remove()
    found = adapter.drift(subject.workspace)
    first, second = found.items
    assert [one.rpartition("/")[2] for one in first.identities] == ["first"]
    # Its name is a secret.
    assert second.identities == ()
    said = adapter.testify(subject.workspace, found.items, since)
    assert said
    assert {word.address for word in said} == {first.change.address}
    assert all(word.source == "host" and " on localhost" in word.what and word.at for word in said)
    assert not list(subject.workspace.private.glob("traces*"))
    assert subject.canary not in str(said)
    # What is no file costs no run.
    so_far = subject.said()
    assert adapter.testify(subject.workspace, (second,), since) == ()
    assert subject.said() == so_far
