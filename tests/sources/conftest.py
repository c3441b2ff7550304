"""Repositories, and real servers that hand them out: Git over HTTPS and over SSH, on ports of their own."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

# Tests are no package: this is how they share `repositories`, and the yard around the installed program.
sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).parent))

from e2e_yard import Yard as World
from ports import free_port
from repositories import Repository, Yard


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(home=tmp_path / "home")


@pytest.fixture
def world(tmp_path: Path, lab_cli_config: Path) -> Iterator[World]:
    """The installed program, with a repository, a home and an operator's file of its own."""
    made = World(folder=tmp_path / "world", cli_config=lab_cli_config)
    made.folder.mkdir()
    made.lay()
    yield made
    made.clear()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.make(tmp_path / "repository")
    made.commit({"web/main.tf": "# web\n", "modules/net/main.tf": "# net\n", "README.md": "read me\n"}, "first")
    return made


def until_it_answers(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port}")


@contextmanager
def server(argv: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "server.log").open("ab") as log:
        child = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(timeout=20)


@dataclass(frozen=True)
class HttpsServer:
    """Serves each ``<root>/<name>.git`` to user ``git`` with the password ``hunter2-token``."""

    root: Path
    port: int
    certificate: Path
    log: Path

    def url(self, name: str) -> str:
        return f"https://localhost:{self.port}/{name}.git"

    def publish(self, repository: Repository, name: str) -> str:
        subprocess.run(["git", "clone", "-q", "--bare", repository.path, self.root / f"{name}.git"], check=True)
        return self.url(name)


NGINX = """
daemon off; pid {w}/pid; error_log {w}/error.log; {user} worker_processes 1;
events {{}}
http {{
  access_log {w}/access.log combined; client_body_temp_path {w}/b; fastcgi_temp_path {w}/f;
  proxy_temp_path {w}/p; uwsgi_temp_path {w}/u; scgi_temp_path {w}/s;
  log_format seen '$host $status $remote_user $request';
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {w}/cert.pem; ssl_certificate_key {w}/key.pem;
    location /moved {{ rewrite ^/moved/(.*)$ https://127.0.0.1:{other}/$1 redirect; }}
    location / {{
      auth_basic git; auth_basic_user_file {w}/htpasswd;
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME {backend}; fastcgi_param GIT_PROJECT_ROOT {w}/root;
      fastcgi_param GIT_HTTP_EXPORT_ALL ""; fastcgi_param PATH_INFO $uri; fastcgi_param REMOTE_USER $remote_user;
      fastcgi_pass unix:{w}/cgi.sock;
    }}
  }}
  server {{
    listen 127.0.0.1:{other} ssl; ssl_certificate {w}/cert.pem; ssl_certificate_key {w}/key.pem;
    access_log {w}/elsewhere.log combined;
    location / {{ return 401; }}
  }}
}}
"""


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(pem)


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsServer]:
    folder = tmp_path_factory.mktemp("https")
    (folder / "root").mkdir()
    write_certificate(folder)
    digest = base64.b64encode(hashlib.sha1(b"hunter2-token").digest()).decode()  # noqa: S324 -- what htpasswd calls {SHA}
    (folder / "htpasswd").write_text(f"git:{{SHA}}{digest}\nx-access-token:{{SHA}}{digest}\n")
    exec_path = subprocess.run(["git", "--exec-path"], capture_output=True, check=True, text=True).stdout.strip()
    port, other = free_port(), free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    backend = f"{exec_path}/git-http-backend"
    (folder / "nginx.conf").write_text(NGINX.format(w=folder, port=port, other=other, backend=backend, user=user))
    socket_path = folder / "cgi.sock"
    with ExitStack() as stack:
        cgi = ["env", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"]
        stack.enter_context(server([*cgi, "fcgiwrap", "-s", f"unix:{socket_path}"], folder))
        nginx = stack.enter_context(server(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], folder))
        until_it_answers(port, nginx)
        yield HttpsServer(folder / "root", port, folder / "cert.pem", folder / "elsewhere.log")


@dataclass(frozen=True)
class SshServer:
    """A real sshd for the user who runs the tests, with its host key pinned in ``known_hosts``."""

    port: int
    user: str
    key: Path
    known_hosts: Path

    def url(self, repository: Repository) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}{repository.path}"


SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {w}/host_key
AuthorizedKeysFile {w}/authorized_keys
PidFile {w}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    port = free_port()
    host_key = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    (folder / "sshd_config").write_text(SSHD.format(w=folder, port=port))
    if os.geteuid() == 0:
        # Where sshd drops its privileges; a service's start makes it as a rule.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd")
    assert program
    with server([program, "-D", "-e", "-f", str(folder / "sshd_config")], folder) as sshd:
        until_it_answers(port, sshd)
        user = subprocess.run(["id", "-un"], capture_output=True, check=True, text=True).stdout.strip()
        yield SshServer(port, user, folder / "user_key", folder / "known_hosts")


@pytest.fixture
def bench(yard, repository):
    """A repository, and what comes of laying its newest commit out."""
    from laying import Bench  # noqa: PLC0415 -- on the path only once this file has run

    return Bench(yard, repository)
