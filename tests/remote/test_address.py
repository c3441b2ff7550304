"""Where a service is, as the environment says: what cannot be meant is refused before anything is sent."""

from __future__ import annotations

import pytest

from orchestrator.errors import UsageError
from orchestrator.remote.address import Address

TOKEN = "hf_t"


def address(url: str, token: str = TOKEN, /, **more: str) -> Address:
    return Address.of({"HOLDFAST_URL": url, "HOLDFAST_TOKEN": token, **more})


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example",
        "https://h.example:8443/under/",
        "http://127.0.0.1:1",
        "http://[::1]:8080",
        "http://localhost",
    ],
)
def test_an_address_is_taken_as_it_is(url: str) -> None:
    assert address(url).url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["h.example", "ftp://h.example", "https://", "https://h:x", "https://h:0x1", "https://h?a=b", "https://h#a", "https://h /", "https://h\n.x", "https://[::1", "https://h:99999"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        address(url)
    assert caught.value.code == "HF-1960"


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        address("https://ana:s3cret@h.example")
    assert caught.value.code == "HF-1960"
    assert "s3cret" not in f"{caught.value.message}{caught.value.hint}"


def test_no_token_goes_over_the_network_in_clear_unless_that_is_meant() -> None:
    with pytest.raises(UsageError) as caught:
        address("http://h.example")
    assert (caught.value.code, caught.value.exit_code) == ("HF-1960", 64)
    assert address("http://h.example", HOLDFAST_ALLOW_HTTP="true").url == "http://h.example"


@pytest.mark.parametrize("token", ["", "  ", "a b", "a\nb", "tök"])
def test_without_a_token_nobody_is_asked(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        address("https://h.example", token)
    assert caught.value.code == "HF-1961"


def test_the_token_is_not_shown_with_its_address() -> None:
    assert "hf_secret" not in repr(address("https://h.example", "hf_secret"))
