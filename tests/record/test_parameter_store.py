"""Secrets in the Parameter Store of AWS, asked through the real boto3 of a moto server."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from orchestrator.effects import secrets_ssm
from orchestrator.effects.secrets import EnvironmentStore, Shelf, StoreSecrets
from orchestrator.effects.secrets_ssm import ParameterStore
from orchestrator.errors import SecretMissing, StoreUnreachable

CANARY = "canary-51c0ff"
KEY = b"k" * 32
ELSEWHERE = EnvironmentStore(environ={"HOLDFAST_SECRET_DB_PASSWORD": "from the store after it"})


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Credentials of nobody, and no file of whoever runs the tests."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def parameters(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a moto server, which the store finds, too."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", f"http://{host}:{port}")
    client = boto3.client("ssm", region_name="eu-central-1")
    client.put_parameter(Name="/holdfast/db/password", Value=CANARY, Type="SecureString")
    client.put_parameter(Name="/holdfast/plain", Value="text", Type="String")
    yield client
    client.delete_parameters(Names=["/holdfast/db/password", "/holdfast/plain"])
    server.stop()


def secrets(region: str = "eu-central-1", prefix: str = "/holdfast/") -> StoreSecrets:
    stores = (ParameterStore(prefix=prefix, region=region), ELSEWHERE)
    return StoreSecrets(shelves=tuple(Shelf(store=one) for one in stores), key=KEY)


def refusal(asked: StoreSecrets, name: str = "db/password") -> SecretMissing:
    with pytest.raises(SecretMissing) as caught:
        asked.get(name)
    return caught.value


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, str]]]:
    """A server in the place of AWS that refuses everything in the words of the list's one item."""
    words: list[tuple[int, str]] = []

    class Refuses(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, code = words[0]
            body = f'{{"__type": "{code}", "message": "no"}}'.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with HTTPServer(("127.0.0.1", 0), Refuses) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", f"http://127.0.0.1:{server.server_port}")
        yield words
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("parameters")
def test_a_parameter_is_found_below_the_prefix_and_decrypted():
    assert secrets().get("db/password").value == CANARY
    assert secrets().get("plain").value == "text"


def test_the_version_changes_with_each_value_that_is_put(parameters: Any):
    first = secrets().get("db/password").version
    assert secrets().get("db/password").version == first
    parameters.put_parameter(Name="/holdfast/db/password", Value=CANARY, Type="SecureString", Overwrite=True)
    assert secrets().get("db/password").version != first


@pytest.mark.usefixtures("parameters")
def test_what_is_absent_is_looked_for_in_the_next_store():
    assert secrets(prefix="/other/").get("db/password").value == "from the store after it"
    assert refusal(secrets(), "none").code == "HF-4400"


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (400, "AccessDeniedException", "HF-4403"),
        (403, "ExpiredTokenException", "HF-4403"),
        (400, "InvalidKeyId", "HF-4403"),
        (400, "ThrottlingException", "HF-4402"),
        (503, "ServiceUnavailable", "HF-4402"),
        (500, "InternalServerError", "HF-4402"),
    ],
)
def test_a_refusal_is_never_taken_for_an_absent_secret(
    answering: list[tuple[int, str]], status: int, said: str, code: str
):
    answering.append((status, said))
    refused = refusal(secrets())
    assert (refused.code, said in refused.message, refused.transient) == (code, True, code == "HF-4402")


def test_an_aws_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9")
    refused = refusal(secrets())
    assert isinstance(refused, StoreUnreachable)
    assert refused.code == "HF-4402"


def test_an_aws_that_says_nothing_is_not_waited_for_longer_than_agreed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(secrets_ssm, "PATIENCE", 0.2)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", f"http://127.0.0.1:{silent.getsockname()[1]}")
        refused = refusal(secrets())
    assert (refused.code, refused.transient) == ("HF-4406", True)


def test_without_credentials_or_region_one_hears_which(monkeypatch: pytest.MonkeyPatch):
    assert refusal(secrets(region="")).code == "HF-4405"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert refusal(secrets()).code == "HF-4403"


def test_without_the_library_one_hears_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    refused = refusal(secrets())
    assert (refused.code, refused.hint) == ("HF-4404", "pip install 'holdfast[aws]'")
