"""Private files, whatever the tool that reads them."""

from __future__ import annotations

import os
from pathlib import Path

from adapters.files import write_private


def test_a_private_file_is_closed_to_others_and_so_is_the_folder_that_was_made_for_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "made" / "inputs.json", b"{}")
    finally:
        os.umask(before)
    assert (tmp_path / "made/inputs.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


def test_what_stood_open_is_replaced_by_a_file_that_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["inputs.json"]


def test_a_link_is_never_written_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    for name in ("inputs.json", ".inputs.json.part"):
        (tmp_path / name).symlink_to(elsewhere)
    write_private(tmp_path / "inputs.json", b"secret")
    assert elsewhere.read_text() == "untouched"
    assert not (tmp_path / "inputs.json").is_symlink()
