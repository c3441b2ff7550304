"""What the API tells: the same documents as the commands, and to each only what is theirs to see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from inhouse import CANARY, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")).open() as made:
        made.applied("web@prod")
        made.drifted("web@prod")
        made.proposed("db@prod")
        yield made


def test_a_stack_stands_where_the_status_says_it_stands(house: House) -> None:
    page = house.get("/stacks").json()
    assert [one["key"] for one in page["items"]] == ["lab/db@prod", "lab/net@prod", "lab/web@prod"]
    assert page["next"] is None
    web = house.get("/stacks/lab/web@prod").json()
    assert web == page["items"][2]
    assert (web["sync"], web["health"], web["drifted"], web["tool"]) == ("OutOfSync", "Healthy", 1, "terraform")
    assert house.get("/stacks/lab%2Fweb%40prod").json() == web


def test_lists_hold_what_is_theirs_and_nothing_else(house: House) -> None:
    assert [one["key"] for one in house.get("/stacks", "own").json()["items"]] == ["lab/web@prod"]
    assert [one["key"] for one in house.get("/stacks", "other").json()["items"]] == ["lab/db@prod"]
    assert house.get("/stacks?source=never").json()["items"] == []
    assert {one["key"] for one in house.get("/events", "own").json()["items"]} == {"lab/web@prod"}
    assert {tuple(one["stacks"]) for one in house.get("/runs", "other").json()["items"]} == {("db@prod",)}
    assert [one["key"] for one in house.get("/approvals").json()["items"]] == ["lab/db@prod"]
    assert house.get("/approvals", "own").json()["items"] == []


def test_a_plan_is_shown_masked_and_named(house: House) -> None:
    plan = house.get("/stacks/lab/db@prod/plan").json()
    assert (plan["result"], plan["proposal"], plan["counts"]["replace"]) == ("changes", 1, 1)
    assert plan["changes"][0]["attributes"][0]["after"] == "(sensitive)"
    assert plan["digest"]
    none = house.get("/stacks/lab/web@prod/plan").json()
    assert (none["result"], none["proposal"], none["changes"]) == ("none", None, [])
    assert none["why"]


def test_outputs_are_shown_and_sensitive_ones_are_not(house: House) -> None:
    found = house.get("/stacks/lab/web@prod/outputs").json()
    assert found["outputs"]["name"] == {"value": "web@prod", "sensitive": False}
    assert found["outputs"]["password"] == {"value": "(sensitive)", "sensitive": True}
    assert house.get("/stacks/lab/net@prod/outputs").json() == {"revision": None, "outputs": {}}


def test_drift_is_shown_with_its_history(house: House) -> None:
    drift = house.get("/stacks/lab/web@prod/drift").json()
    assert drift["drifted"] is True
    assert drift["items"][0]["change"]["attributes"][0]["after"] == "nobody"
    history = house.get("/stacks/lab/web@prod/drift/history").json()
    assert [one["address"] for one in history["occurrences"]] == ["lab_object.logs"]
    never = house.get("/stacks/lab/net@prod/drift").json()
    assert (never["drifted"], never["problem"]) == (None, "nobody has looked yet")


def test_what_happened_is_read_on_from_where_one_left_off(house: House) -> None:
    first = house.get("/events?limit=1").json()
    assert (len(first["items"]), first["more"]) == (1, True)
    rest = house.get(f"/events?cursor={first['next']}").json()
    assert (rest["more"], len({one["seq"] for one in (*first["items"], *rest["items"])})) == (
        False,
        len(rest["items"]) + 1,
    )
    house.append("net@prod", *())
    again = house.get(f"/events?cursor={rest['next']}").json()
    assert (again["items"], again["next"]) == ([], rest["next"])
    assert {one["key"] for one in house.get("/events?stack=lab/db@prod").json()["items"]} == {"lab/db@prod"}


def test_runs_are_listed_newest_first_page_by_page(house: House) -> None:
    numbers, cursor = [], ""
    while True:
        page = house.get(f"/runs?limit=1&cursor={cursor}").json()
        numbers += [one["run"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers == [one["run"] for one in house.get("/runs").json()["items"]]
    one = house.get(f"/runs/{numbers[0]}").json()
    assert (one["run"], one["stacks"]) == (numbers[0], ["db@prod"])
    told = house.get(f"/runs/{numbers[0]}/events").json()["items"]
    assert [event["kind"] for event in told] == ["planned", "asked"]


def test_what_waits_says_who_may_say_yes_and_whether_one_s_own_word_counts(house: House) -> None:
    (waiting,) = house.get("/approvals").json()["items"]
    assert (waiting["proposal"], waiting["destructive"], waiting["said"]) == (1, 1, [])
    assert waiting["approvers"]
    assert waiting["unheard"] == ""


@pytest.mark.parametrize("query", ["cursor=eA", "cursor=LTE", "cursor=" + "OTk5" * 20, "limit=0", "stack=a%00b"])
def test_a_cursor_that_is_none_of_ours_is_told(house: House, query: str) -> None:
    assert house.get(f"/events?{query}").status_code == 400


def test_no_secret_is_in_any_answer(house: House) -> None:
    for path in (
        "/stacks",
        "/stacks/lab/db@prod/plan",
        "/stacks/lab/web@prod/outputs",
        "/events",
        "/runs",
        "/approvals",
    ):
        assert CANARY not in house.get(path).text
