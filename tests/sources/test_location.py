"""What could be more than a place or a ref is refused before any git process starts."""

from __future__ import annotations

import pytest
from repositories import Yard, git_source

from orchestrator.effects.location import Transport, check_ref, locate, normalised
from orchestrator.effects.mirror import ssh_command
from orchestrator.errors import SourceError
from orchestrator.model.source import Source, SourceKind

DANGEROUS = [
    "",
    "-",
    "--upload-pack=touch marker",
    "--upload-p=touch marker",
    "-uX",
    "ext::sh -c touch% marker",
    "fd::17",
    "EXT::sh -c touch% marker",
    "transport::https://host/repo",
    "https://host/repo\n--upload-pack=touch marker",
    "https://host/repo\0",
    "https://host/re po",
    "http://host/repo",
    "git://host/repo",
    "ftp://host/repo",
    "gopher://host/repo",
    "https://",
    "https:///repo",
    "https://-oProxyCommand=touch/repo",
    "https://host:port/repo",
    "https://ada@host$(touch marker)/repo",
    "https://ada:secret@host/repo",
    "ssh://-oProxyCommand=touch marker/repo",
    "ssh://ada;touch@host/repo",
    "ssh://host/-repo",
    "ssh://[host/repo",
    "-oProxyCommand=touch@host:repo",
    "host:-repo",
    "user@-host:repo",
    "file://host/repo",
    "file:///repo%00",
    "file:///re%0apo",
    "relative/path",
    "./path",
    "~/path",
]
BAD_REFS = [
    "--upload-pack=touch marker",
    "--upload-p=touch marker",
    "-uX",
    "main\n--upload-pack=touch marker",
    "main\0",
    "ma in",
    "main:refs/heads/other",
    "+main",
    "^main",
    "main~1",
    "main^{tree}",
    "a..b",
    "@{upstream}",
    "@",
    "*",
    "ref?",
    "[a]",
    "a\\b",
    ".hidden",
    "a/.b",
    "a//b",
    "/a",
    "a/",
    "a.",
    "a.lock",
    "a.lock/b",
]


@pytest.mark.parametrize("location", DANGEROUS)
def test_a_dangerous_location_starts_no_git_process(yard: Yard, location: str) -> None:
    sources = yard.sources
    for ask in (sources.read, lambda source: sources.revision(source, "main")):
        with pytest.raises(SourceError) as refused:
            ask(git_source(location))
        assert refused.value.code == "HF-3002"
        assert refused.value.hint
    assert not yard.runs.seen


@pytest.mark.parametrize("ref", [ref for ref in BAD_REFS if ref != "+main"])
def test_a_dangerous_ref_starts_no_git_process(yard: Yard, ref: str) -> None:
    sources = yard.sources
    asks = (
        lambda: sources.read(git_source("https://host/repo", ref=ref)),
        lambda: sources.revision(git_source("https://host/repo"), ref),
        lambda: sources.pin(git_source("https://host/repo"), "0" * 40, ref),
    )
    for ask in asks:
        with pytest.raises(SourceError) as refused:
            ask()
        assert refused.value.code == "HF-3002"
    assert not yard.runs.seen


def test_a_plus_is_part_of_a_branch_name_and_forces_nothing() -> None:
    assert check_ref("+main") == "+main"


def test_the_password_in_a_location_is_in_no_error() -> None:
    with pytest.raises(SourceError) as refused:
        locate("https://ada:hunter2@host/repo")
    assert "hunter2" not in f"{refused.value.message}{refused.value.hint}"


@pytest.mark.parametrize(
    ("text", "transport", "url", "user"),
    [
        ("https://host/a/b.git", Transport.HTTPS, "https://host/a/b.git", ""),
        ("https://ada@host:8443/b", Transport.HTTPS, "https://ada@host:8443/b", "ada"),
        ("https://[::1]:8443/b", Transport.HTTPS, "https://[::1]:8443/b", ""),
        ("https://host/$HOME", Transport.HTTPS, "https://host/$HOME", ""),
        ("ssh://git@host:2222/b", Transport.SSH, "ssh://git@host:2222/b", "git"),
        ("git@host:a/b.git", Transport.SSH, "git@host:a/b.git", "git"),
        ("host:b", Transport.SSH, "host:b", ""),
        ("/srv/a repo", Transport.FILE, "/srv/a repo", ""),
        ("file:///srv/a%20repo", Transport.FILE, "/srv/a repo", ""),
    ],
)
def test_places_that_people_name_are_read(text: str, transport: Transport, url: str, user: str) -> None:
    found = locate(text)
    assert (found.transport, found.url, found.user) == (transport, url, user)


@pytest.mark.parametrize("ref", ["main", "feature/a-b", "v1.2.3", "refs/heads/x", "a" * 40, "ümlaut", "", "a@b"])
def test_refs_that_people_name_are_accepted(ref: str) -> None:
    assert check_ref(ref) == ref


def test_every_way_to_one_repository_has_one_name_without_credentials() -> None:
    ways = [
        "https://ada:token@Host.Lab/team/infra.git",
        "https://host.lab:443/team/infra/",
        "ssh://git@host.lab:22/team/infra.git",
        "git@host.lab:team/infra.git",
    ]
    assert {normalised(way) for way in ways} == {"host.lab/team/infra"}
    assert normalised("https://host.lab:8443/team/infra") == "host.lab:8443/team/infra"
    assert normalised("/srv/git/infra.git") == "/srv/git/infra"


def test_ssh_never_asks_and_takes_paths_as_they_are() -> None:
    plain = Source(id="infra", kind=SourceKind.GIT, location="git@host:b")
    assert "StrictHostKeyChecking=yes" in ssh_command(plain)
    assert "BatchMode=yes" in ssh_command(plain)
    pinned = Source(id="i", kind=SourceKind.GIT, location="git@host:b", known_hosts="/e c/%h", ssh_key="/k'ey;x")
    command = ssh_command(pinned)
    assert '"/e c/%%h"' in command
    assert """'/k'"'"'ey;x'""" in command


@pytest.mark.parametrize(
    "text",
    [
        "https://ada:hunter2@[bad",
        "ext::https://ada:hunter2@host/x",
        "http://hunter2@host/x",
        "ada:hunter2@host:x",
        "ftp://hunter2@host/ x",
        "https://hunter2@ho st/x",
    ],
)
def test_a_refused_location_shows_nothing_that_could_let_anybody_in(text):
    with pytest.raises(SourceError) as refused:
        locate(text)
    assert "hunter2" not in f"{refused.value.message} {refused.value.hint}"
