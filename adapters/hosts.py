"""What a host's own traces say of who changed a file: its owner, logins, and the journal of sudo. Pure.

For adapters of tools that work on hosts: they run `script` there, as they run everything else, and hand what it
printed to `testimonies`. It reads and changes nothing; what cannot be read is left out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from adapters.testimony import Confidence, Testimony

SOURCE: Final = "host"
#: How long before a file changed a command may have been started that changed it (seconds).
_WHILE_S: Final = 900.0
#: Entries of the journal, and logins, that are read.
_MOST: Final = 200
#: What `last` lists besides people.
_NOBODY: Final = frozenset({"reboot", "shutdown", "runlevel", "wtmp"})
_LOGIN: Final = re.compile(r"^(?P<who>\S+)\s+(?P<on>\S+)\s+(?P<rest>.*)$")
_SUDO: Final = re.compile(
    r"^(?P<at>\d+(?:\.\d+)?) .*?sudo(?:\[\d+\])?:\s+(?P<who>\S+) : .*?COMMAND=(?P<program>\S+)(?P<words>.*)$"
)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[+-]\d\d:?\d\d|Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file, or where it is gone the folder that it was in."""

    path: str
    owner: str
    #: When its content, owner or mode last changed: nobody can set that time.
    changed_at: float
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Somebody who was logged in; ``until`` is None where they still are."""

    who: str
    since: float
    until: float | None
    origin: str = ""
    #: Nobody saw the session end: it may have been over long before.
    doubtful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sudo:
    """A command that somebody ran by sudo. Its words may hold secrets: they are only looked through for a path."""

    who: str
    at: float
    program: str
    words: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """All that a host told."""

    files: Mapping[str, File]
    logins: tuple[Login, ...] = ()
    sudo: tuple[Sudo, ...] = ()


def script(paths: Iterable[str], since: float) -> str:
    """Return the POSIX shell script that prints a host's traces of what happened to ``paths`` after ``since``."""
    looks = "".join(
        f"stat -c 'file|%Z|%U|%n' -- {path} 2>/dev/null || stat -c 'gone|%Z|%U|'{path} -- {folder} 2>/dev/null\n"
        for path, folder in ((shlex.quote(one), shlex.quote(one.rpartition("/")[0] or "/")) for one in paths)
    )
    return (
        f"{looks}"
        f"last -w --time-format iso -n {_MOST} 2>/dev/null | sed 's/^/login|/'\n"
        f"journalctl -q --no-pager _COMM=sudo --since @{int(since)} -n {_MOST} -o short-unix 2>/dev/null"
        " | grep COMMAND= | sed 's/^/sudo|/'\n"
        "true\n"
    )


def read(printed: str) -> Traces:
    """Read what the script printed; lines of another form are left out."""
    files: dict[str, File] = {}
    logins: list[Login] = []
    sudo: list[Sudo] = []
    for line in printed.splitlines():
        kind, _, rest = line.strip().partition("|")
        if kind in {"file", "gone"}:
            files |= {one.path: one for one in _file(rest, gone=kind == "gone")}
        elif kind == "login":
            logins += _login(rest)
        elif kind == "sudo":
            sudo += _sudo(rest)
    return Traces(files=files, logins=tuple(logins), sudo=tuple(sudo))


def testimonies(address: str, paths: Sequence[str], host: str, traces: Traces, since: float) -> tuple[Testimony, ...]:
    """Return what ``traces`` of ``host`` say of one drifted thing, of whose files ``paths`` are known."""
    found = [traces.files[path] for path in paths if path in traces.files]
    fresh = [one for one in found if one.changed_at >= since]
    said = [word for one in fresh for word in _of_file(address, one, host, traces)]
    if said or not found:
        return tuple(said)
    what = f"{found[0].path} on {host} was last changed before it was last seen as applied: the clocks may differ"
    return (Testimony(address=address, at=found[0].changed_at, what=what, source=SOURCE, confidence=Confidence.HINT),)


def _of_file(address: str, file: File, host: str, traces: Traces) -> Iterator[Testimony]:
    at = file.changed_at
    place = f"{file.path} on {host}"
    ran = [one for one in traces.sudo if one.at - 1 <= at <= one.at + _WHILE_S]
    there = {
        one.who: one
        # Of one person's sessions the one that counts most is told.
        for one in sorted(traces.logins, key=lambda login: not login.doubtful)
        if one.since <= at and (one.until is None or at <= one.until)
    }
    for one in ran:
        named = file.path in one.words
        what = f"ran {one.program} by sudo {'on' if named else 'shortly before'} {place}{'' if named else ' changed'}"
        yield _word(address, one.who, at, what, Confidence.LIKELY if named else Confidence.HINT)
    for who, login in there.items():
        what = f"was logged in{login.origin and f' from {login.origin}'} when {place} was changed"
        sole = len(there) == 1 and not ran and not login.doubtful
        yield _word(address, who, at, what, Confidence.LIKELY if sole else Confidence.HINT)
    if ran or there:
        return
    state = f"{place} is gone, and its folder was changed then" if file.gone else f"{place} was changed then"
    if file.owner not in {"root", "UNKNOWN"} and not file.gone:
        yield _word(address, file.owner, at, f"{state} and belongs to them", Confidence.HINT)
        return
    yield _word(address, "", at, f"{state}; no login and no sudo of that time is to be found", Confidence.HINT)


def _word(address: str, who: str, at: float, what: str, confidence: Confidence) -> Testimony:
    return Testimony(address=address, who=who, at=at, what=what, source=SOURCE, confidence=confidence)


def _file(rest: str, *, gone: bool) -> Iterator[File]:
    at, owner, path = (*rest.split("|", 2), "", "")[:3]
    if at.isdigit() and path:
        yield File(path=path, owner=owner, changed_at=float(at), gone=gone)


def _login(rest: str) -> Iterator[Login]:
    found = _LOGIN.match(rest)
    moments = [datetime.fromisoformat(one).timestamp() for one in _MOMENT.findall(rest)]
    if not found or not moments or found["who"] in _NOBODY:
        return
    origin = found["rest"].split()[0]
    unseen = "gone - no logout" in rest
    lasts = unseen or "still logged in" in rest
    yield Login(
        who=found["who"],
        since=moments[0],
        until=None if lasts or len(moments) == 1 else moments[1],
        origin="" if _MOMENT.match(origin) else origin,
        doubtful=unseen,
    )


def _sudo(rest: str) -> Iterator[Sudo]:
    found = _SUDO.match(rest)
    if found:
        yield Sudo(who=found["who"], at=float(found["at"]), program=found["program"], words=found["words"])
