"""What every test shares: where programs are found, and that nothing is left out in silence."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# Tests are no package: this is how they share `preloaded`.
sys.path.insert(0, str(Path(__file__).parent))

from orchestrator.cli.demo.lab import lay_mirror

# Whoever runs the suite, a build service with a pull request of a fork among them: it is the tests that say so.
for variable in [name for name in os.environ if name.startswith("GITHUB_")]:
    del os.environ[variable]
os.environ["HOLDFAST_RECORD"] = "lasting"

#: Tests that may be left out even in CI, by node id, with the reason why nobody misses them. Keep it empty.
MAY_BE_LEFT_OUT: dict[str, str] = {}


class LeftOut:
    """Keeps the name of each test that was left out and says them at the end; in CI they fail the run."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple | list) else str(report.longrepr)
            self.reasons[report.nodeid] = str(reason).removeprefix("Skipped: ")

    @property
    def missed(self) -> dict[str, str]:
        """Those that nobody has said may be left out."""
        return {name: reason for name, reason in self.reasons.items() if name not in MAY_BE_LEFT_OUT}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.note(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.missed and os.environ.get("CI") == "true" and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.reasons:
            return
        terminalreporter.section("left out")
        for name, reason in sorted(self.reasons.items()):
            terminalreporter.line(f"left out: {name} ({reason})")
        if self.missed and os.environ.get("CI") == "true":
            terminalreporter.line("CI is set: a test that is left out fails the run")


def pytest_configure(config: pytest.Config) -> None:
    """Find servers where distributions hide them, and listen for what is left out."""
    config.addinivalue_line("markers", "needs(*programs): left out, and said so, where one of the programs is missing")
    hidden = [Path("/usr/sbin"), Path("/sbin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    known = os.environ.get("PATH", "").split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([*known, *(str(f) for f in hidden if f.is_dir() and str(f) not in known)])
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(LeftOut(), "left-out")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs a program that is not there, and begin with what takes minutes: nobody waits for it alone."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    for item in items:
        needed = [str(name) for mark in item.iter_markers("needs") for name in mark.args]
        missing = [name for name in needed if shutil.which(name) is None]
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))


#: Shared memory: a folder without a disk behind it; and the bytes that must be free in it.
MEMORY, ROOM = Path("/dev/shm"), 2 << 30
#: Whose tests have their folders there: each step of theirs is synced, and no test loses power.
SYNCED = {"cli", "e2e", "engine", "execution", "record", "report", "sources", "web"}


def has_room_in_memory(folder: Path) -> bool:
    """Whether tests may write there, and start what they write."""
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder of the test's own: in memory where it would wait for the disk most of its time."""
    # Below /dev Puppet makes no folders.
    puppet = any("puppet" in mark.args for mark in request.node.iter_markers("needs"))
    if puppet or request.path.parent.name not in SYNCED or not has_room_in_memory(MEMORY):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="holdfast-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def lab_cli_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a CLI configuration through which Terraform and OpenTofu find the provider ``lab.test/lab/lab``."""
    return lay_mirror(tmp_path_factory.mktemp("lab"))


@dataclass(frozen=True, slots=True)
class PostgresqlServer:
    """A real server, and how to have it crash and start anew."""

    url: str
    restart: Callable[[], None]


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: PostgresqlServer) -> str:
    """Address of a real PostgreSQL server of this worker's own."""
    return postgresql_server.url


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A real PostgreSQL server of this worker's own; it listens on a socket in its folder, on no port."""
    if shutil.which("initdb") is None or shutil.which("pg_ctl") is None:
        pytest.skip("not installed: postgresql (initdb, pg_ctl)")
    # Not below pytest's own folder: that is closed to the user that the server runs as. Short, for the socket's sake.
    folder = Path(tempfile.mkdtemp(prefix="hf-pg-"))
    as_user: dict[str, str | int] = {}
    if os.geteuid() == 0:
        # The server refuses to run as root.
        names = [name for name in ("postgres", "nobody") if name in {one.pw_name for one in pwd.getpwall()}]
        as_user = {"user": names[0], "group": pwd.getpwnam(names[0]).pw_gid}
        shutil.chown(folder, names[0])
    cluster = str(folder / "cluster")

    def run(*argv: str) -> None:
        with (folder.parent / f"{folder.name}.log").open("ab") as log:
            subprocess.run(argv, check=True, cwd="/", stdout=log, stderr=log, timeout=120, **as_user)  # type: ignore[call-overload]

    try:
        run("initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")
        unsafe = "-c fsync=off -c full_page_writes=off -c max_connections=60 -c shared_buffers=32MB"
        run("pg_ctl", "-D", cluster, "-w", "-s", "-o", f"-k {folder} -c listen_addresses= {unsafe}", "start")
        again = ("pg_ctl", "-D", cluster, "-m", "immediate", "-w", "-s", "restart")
        yield PostgresqlServer(f"postgresql://postgres@/postgres?host={folder}", lambda: run(*again))
        run("pg_ctl", "-D", cluster, "-m", "immediate", "-s", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)
