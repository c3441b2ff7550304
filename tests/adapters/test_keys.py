"""How settings are read, whatever the tool."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters import keys
from adapters.contract import InvalidSettings, Json


def test_an_unknown_key_is_refused_with_the_nearest_that_is_known() -> None:
    with pytest.raises(InvalidSettings, match='spade knows no setting "pth"') as refused:
        keys.check_known({"path": ".", "pth": "."}, ("path", "tool"), "spade")
    assert refused.value.hint == 'did you mean "path"?'


def test_an_unknown_key_like_no_other_is_refused_with_all_that_are_known() -> None:
    with pytest.raises(InvalidSettings) as refused:
        keys.check_known({"xyz": 1}, ("path", "tool"), "spade")
    assert refused.value.hint == "keys are: path, tool"


@pytest.mark.parametrize("given", [{}, {"key": None}])
def test_what_is_not_given_has_its_default(given: dict[str, Json]) -> None:
    assert keys.text(given, "key") == ""
    assert keys.text(given, "key", "site.yml") == "site.yml"
    assert keys.texts(given, "key") == ()
    assert keys.flag(given, "key") is False
    assert keys.flag(given, "key", default=True) is True
    assert keys.count(given, "key") is None


def test_what_is_given_is_taken_without_the_blanks_around_it() -> None:
    assert keys.text({"key": " a b\n"}, "key") == "a b"
    assert keys.texts({"key": [" a", "b "]}, "key") == ("a", "b")
    assert keys.flag({"key": False}, "key", default=True) is False
    assert keys.count({"key": 3}, "key") == 3


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        *((keys.text, value) for value in ("", " ", 7, True, [], {}, "a\0b")),
        *((keys.texts, value) for value in ("a", 7, {}, [""], [" "], ["a", 7], [None], ["a\0b"])),
        *((keys.flag, value) for value in ("true", 0, 1, [])),
        *((keys.count, value) for value in (0, -1, True, 1.5, "3")),
    ],
)
def test_what_has_another_form_is_refused_by_the_name_of_its_key(
    reader: Callable[[dict[str, Json], str], object], value: Json
) -> None:
    with pytest.raises(InvalidSettings, match="key must be"):
        reader({"key": value}, "key")
