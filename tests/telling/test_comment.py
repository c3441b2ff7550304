"""The comment below a pull request: what it says, in which order, and what is left out where it is too long."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import page
from reviews import attribute, change, example, key, part, plan, planned, proposal, review

from adapters.contract import ChangeKind, Problem, Severity
from orchestrator.model.observed import Counts
from orchestrator.model.pull import Pull, PullState
from orchestrator.model.review import Edit, Fare, Review
from orchestrator.rules.commands import read
from orchestrator.telling.review.comment import comment, marker
from orchestrator.telling.review.sheet import LEAST, Sheet

SHEET = Sheet(source="infra")


def drawn(found: Review, **more: object) -> str:
    return comment(found, replace(SHEET, **more))


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def test_the_first_line_is_the_mark_that_it_is_found_by() -> None:
    assert drawn(example()).splitlines()[0] == marker("infra")


def test_two_sources_on_one_repository_have_marks_that_do_not_hold_each_other() -> None:
    names = ["infra", "infra2", "in-fra", "in--fra", "in%2Dfra", "a -->", "ä", ""]
    marks = [marker(name) for name in names]
    assert len(set(marks)) == len(marks)
    for mark in marks:
        assert mark.startswith("<!-- holdfast:pr")
        assert "--" not in mark[4:-3]
        assert [other for other in marks if mark in other] == [mark]


def test_the_headline_says_revision_environment_and_the_worst_first() -> None:
    head = drawn(example()).splitlines()[1]
    assert head.startswith("### holdfast plan · `3f2a91c` · prod · ⚠️ ")
    assert head.index("1 to replace") < head.index("1 denied") < head.index("1 deferred") < head.index("2 to change")


def test_the_table_comes_first_and_the_worst_stack_first_in_it() -> None:
    text = drawn(example())
    assert text.index("| | stack |") < text.index("<details")
    assert [row.split("|")[2].strip() for row in rows(text)] == ["**`dns`**", "`web`", "`network`", "11 others"]


def test_each_way_to_fare_has_its_place_and_a_word() -> None:
    lost = change("a.b", ChangeKind.DELETE)
    every = review(
        part("empty", Fare.EMPTY),
        part("planning", Fare.PLANNING),
        planned("changes", change("c.d")),
        part("untrusted", Fare.UNTRUSTED),
        part("queued", Fare.QUEUED, why="pull request 12 has it"),
        part("deferred", Fare.DEFERRED, why="waits for dns"),
        planned("loses", lost),
        part("denied", Fare.DENIED, why="no"),
        part("unknown", Fare.UNKNOWN),
        part("failed", Fare.FAILED, code="HF-2004", why="the tool said no"),
    )
    shown = rows(drawn(every))
    names = ["failed", "unknown", "denied", "loses", "deferred", "queued", "untrusted", "changes", "planning"]
    for name, row in zip(names, shown, strict=False):
        assert f"`{name}`" in row
    for word in ("failed", "nobody knows", "denied", "destroys", "deferred", "queued", "trusted", "planned"):
        assert any(word in row for row in shown)
    assert "1 other | no changes" in shown[-1]


def test_where_nothing_changes_there_is_one_row() -> None:
    text = drawn(review(*(part(f"s{number}", Fare.EMPTY) for number in range(14))))
    assert rows(text) == ["| \N{HEAVY MINUS SIGN} | 14 stacks | no changes | | |"]
    assert "no changes" in text.splitlines()[1]
    assert "Apply" not in text


def test_what_is_destroyed_or_replaced_is_never_folded() -> None:
    text = drawn(example())
    section = text[text.index("<details open><summary>❌ <code>dns</code>: what is replaced") :]
    section = section[: section.index("</details>")]
    assert "`AWS::Route53::HostedZone Zone`" in section
    assert '`Name` `"a.example"` → `"b.example"` forces a new one' in section


def test_of_a_plan_whose_detail_is_gone_it_is_said_how_much_would_be_lost() -> None:
    gone = replace(planned("web"), plan=None, proposal=proposal(Counts(delete=3)))
    text = drawn(review(gone))
    assert "**loses something**" in text
    assert "**3** resources" in text


def test_a_diff_that_is_short_is_shown_once_and_a_longer_one_twice() -> None:
    short = planned("web", change("a.b", ChangeKind.UPDATE, attribute("size", 1, 2)))
    text = drawn(review(short))
    assert "<code>web</code>: full diff" in text
    assert "<code>web</code>: changes" not in text
    long = planned("web", change("a.b", ChangeKind.UPDATE, *(attribute(f"size{i}", 1, 2) for i in range(40))))
    text = drawn(review(long))
    assert "… and 32 more attributes" in text
    assert "size39: 1 → 2" in text


def test_texts_of_many_lines_are_compared_line_by_line() -> None:
    before = "".join(f"line {number}\n" for number in range(40))
    text = drawn(review(planned("web", change("a", ChangeKind.UPDATE, attribute("doc", before, f"{before}more\n")))))
    assert "+         more" in text
    assert "line 2\n" not in text.split("full diff")[1].split("```")[1].replace("\\n", "")


def test_sensitive_values_are_masked_again() -> None:
    canary = "s3cr3t-canary"
    changed = change(
        "a", ChangeKind.REPLACE, attribute("p", canary, f"{canary}\n2", sensitive=True, forces_replacement=True)
    )
    text = drawn(review(planned("web", changed)))
    assert canary not in text
    assert "(sensitive)" in text


def test_quietly_there_are_counts_and_links_only() -> None:
    canary = "canary"
    changed = change(canary, ChangeKind.DELETE, attribute(canary, canary, canary), reason=canary)
    problem = Problem(severity=Severity.ERROR, summary=canary, detail=canary, file=canary)
    found = review(
        replace(
            planned("web", changed, url="https://holdfast.example/web", why=canary),
            plan=plan(changed, outputs_changing=(canary,), problems=(problem,)),
        ),
        part("net", Fare.FAILED, why=canary, code="HF-2004", problems=(problem,)),
        part("dns", Fare.DENIED, why=canary),
        edits=(Edit(key=key("web"), setting=canary, before=canary, after=canary, where=canary),),
        problems=(problem,),
    )
    assert canary in drawn(found)
    text = drawn(found, quiet=True)
    assert canary not in text
    assert "`-1`" in text
    assert "HF-2004" in text
    assert "https://holdfast.example/web" in text
    assert "1 setting" in text


def test_an_edit_shows_what_comes_out_differently_and_when_it_counts() -> None:
    found = review(
        edits=(
            Edit(
                key=key("web"),
                setting="apply",
                before="ask",
                after="auto",
                where="stacks.yaml:12",
                only_after_merge=True,
            ),
            Edit(key=key("db"), setting="", before="", after="terraform", where="stacks.yaml:20"),
        )
    )
    text = drawn(found)
    assert "| `web` | `apply` | `ask` | `auto` | `stacks.yaml:12` | counts only once merged |" in text
    assert "the whole stack comes" in text


def test_a_yes_that_does_not_hold_any_more_is_said() -> None:
    text = drawn(review(planned("web", change("a"), voided=True), planned("net", change("b"))))
    assert "does not hold any more" in text
    assert text.split("does not hold any more")[1].splitlines()[0].endswith(": `web`.")


def test_merging_has_it_applied_or_a_command_ready_to_paste_does() -> None:
    two = (planned("web@prod", change("a")), planned("db@prod", change("b"), asks="1 approval from platform"))
    merging = drawn(review(*two))
    assert "**Apply**: merge (prod then asks for 1 approval from platform)." in merging
    assert "holdfast apply" not in merging
    commenting = drawn(review(*two, apply_on="comment"))
    assert "comment `holdfast apply web -e prod`." in commenting
    assert "comment `holdfast approve db -e prod`." in commenting
    both = drawn(review(*two, planned("web@dev", change("a")), apply_on="comment"))
    assert "`holdfast apply web@prod web@dev`" in both
    assert "comment `holdfast apply -e prod`." in drawn(review(two[0], apply_on="comment"))
    assert "comment `holdfast apply`." in drawn(review(planned("web", change("a")), apply_on="comment"))
    strange = review(part("web", Fare.UNTRUSTED), pull=Pull(number=1, head="a" * 40, fork=True))
    assert f"planned by `holdfast plan {'a' * 40}`." in drawn(strange)
    assert "Closed" in drawn(review(*two, pull=Pull(number=1, state=PullState.CLOSED)))


def test_every_command_that_is_shown_to_paste_is_one() -> None:
    two = (planned("web@prod", change("a")), planned("db@dev", change("b"), asks="1 of platform"))
    for code in page(drawn(review(*two, apply_on="comment"))).codes:
        if code.startswith("holdfast ") and "<" not in code:
            (asked,) = read(code)
            assert asked.verb


def test_the_footer_says_when_in_utc_by_which_run_and_what_came_before() -> None:
    text = drawn(example(), help_url="https://holdfast.example/help")
    foot = text.strip().splitlines()[-1]
    assert foot.startswith("<sub>Planned 2026-11-26 14:02 UTC by run [42](https://holdfast.example/runs/42) in 38 s · ")
    assert "earlier plans: [41](https://holdfast.example/runs/41) [40](https://holdfast.example/runs/40)" in foot
    assert '<a href="https://holdfast.example/help">what is this?</a></sub>' in foot


def test_without_a_lasting_record_no_history_is_claimed() -> None:
    assert "earlier plans are not known here" in drawn(review(history_known=False))


def test_while_it_is_planned_nothing_is_green() -> None:
    head = drawn(review(planned_at=0.0)).splitlines()[1]
    assert "✅" not in head
    assert "still being planned" in head
    head = drawn(review(planned("a", change("a")), part("b", Fare.PLANNING))).splitlines()[1]
    assert "✅" not in head


def test_what_cannot_be_planned_says_why_and_where() -> None:
    problem = Problem(severity=Severity.ERROR, summary='unknown key "worksapce"', file="stacks.yaml", line=24)
    text = drawn(review(trouble="stacks.yaml cannot be read", code="HF-1003", problems=(problem,)))
    assert "❌ cannot be planned" in text.splitlines()[1]
    assert "❌ `HF-1003` stacks.yaml cannot be read" in text
    assert "- `stacks.yaml:24` unknown key" in text


def test_our_own_comment_asks_for_nothing() -> None:
    text = drawn(example())
    assert read(text) == ()
    assert read("\n".join(text.splitlines()[1:])) == ()


def estate(stacks: int, destroyed: int = 0, width: int = 20) -> Review:
    parts = [
        planned(
            f"stack-{number}@prod",
            *(change(f"gone.{number}_{one}", ChangeKind.DELETE) for one in range(destroyed if number % 3 == 0 else 0)),
            *(
                change(f"kept.{number}_{one}", ChangeKind.UPDATE, attribute("text", "x" * width, "y" * width))
                for one in range(30)
            ),
            url=f"https://holdfast.example/runs/42/stack-{number}",
        )
        for number in range(stacks)
    ]
    return review(*parts, run_url="https://holdfast.example/runs/{run}")


def test_full_diffs_go_first_and_those_of_the_smallest_risk_before_the_others() -> None:
    text = drawn(estate(24, destroyed=2))
    assert len(text) <= 65_536
    whole = [line for line in text.splitlines() if line.endswith("full diff</summary>")]
    assert 0 < len(whole) < 24
    # The worst are the first of the table; where one of them is left out all that follow have been, too.
    order = [row.split("`")[1] for row in rows(text)]
    shown = [line.split("<code>")[1].split("<")[0] for line in whole]
    assert shown == order[: len(shown)]
    assert len([line for line in text.splitlines() if line.endswith("changes</summary>")]) == 24
    notice = next(line for line in text.splitlines() if line.startswith("✂️"))
    assert f"and {24 - len(shown) - 5} more" in notice
    assert "[run 42](https://holdfast.example/runs/42)" in notice


def test_a_thousand_stacks_are_drawn_quickly_and_the_table_says_how_many_it_leaves_out() -> None:
    found = estate(1_000, destroyed=2)
    started = time.process_time()
    text = drawn(found)
    # A tenth of it here; ten times slower would be a fault.
    assert time.process_time() - started < 5
    assert len(text) <= 65_536
    shown = rows(text)
    assert f"… and {1_000 - (len(shown) - 1)} more in [run 42]" in shown[-1]
    for number in range(0, 1_000, 3):
        assert f"`gone.{number}_0`" in text


def test_even_what_is_destroyed_is_cut_by_the_line_before_the_limit_breaks() -> None:
    text = drawn(estate(60, destroyed=300))
    assert len(text) <= 65_536
    shown = text.count("**destroy** `gone.")
    assert f"and {20 * 300 - shown} more are destroyed" in text
    assert text.count("<details") == text.count("</details>")


@pytest.mark.parametrize("limit", [65_535, 1_000_000])
def test_every_forge_has_its_own_limit(limit: int) -> None:
    text = drawn(estate(200, destroyed=5), limit=limit)
    assert limit * 0.8 < len(text) <= limit


NASTY = st.text(alphabet=st.sampled_from("`~|<>\\@#*_[]()!&$^%\n\r\t /-+a\u202e\u200b🙂ä:."), max_size=60)
CHANGES = st.builds(
    change,
    NASTY,
    st.sampled_from(ChangeKind),
    st.builds(attribute, NASTY, NASTY, NASTY, forces_replacement=st.booleans()),
    reason=NASTY,
)
PARTS = st.one_of(
    st.builds(
        lambda name, changes, fare, why: replace(
            planned("x", *changes, fare=fare, why=why, asks=why), key=replace(key("x"), name=name)
        ),
        NASTY,
        st.lists(CHANGES, max_size=40),
        st.sampled_from([Fare.PLANNED, Fare.DENIED, Fare.APPLYING]),
        NASTY,
    ),
    st.builds(
        lambda name, fare, why: replace(part("x", fare, why=why), key=replace(key("x"), name=name)),
        NASTY,
        st.sampled_from(Fare),
        NASTY,
    ),
)
EDITS = st.builds(
    lambda key_name, setting, before, after: Edit(
        key=replace(key("x"), name=key_name), setting=setting, before=before, after=after
    ),
    NASTY,
    NASTY,
    NASTY,
    NASTY,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PARTS, max_size=30), st.lists(EDITS, max_size=20), st.integers(LEAST, 70_000), NASTY)
def test_cut_or_not_it_is_within_its_limit_and_whole(parts: list, edits: list, limit: int, trouble: str) -> None:
    found = review(*parts, edits=tuple(edits), trouble=trouble, run_url="https://h.example/{run}")
    text = drawn(found, limit=limit)
    assert len(text) <= limit
    read_as = page(text)
    # No cut inside of a block: what comes after all of them is still read as what it is.
    assert any("Planned" in one for one in read_as.texts)
    assert not any(
        "<details" in block or "</details>" in block for _, block in read_as.blocks if "<details" not in repr(parts)
    )
    html = "".join(read_as.html)
    assert html.count("<details") == html.count("</details>")
    # Every row of the tables has the cells of its head.
    if parts:
        assert set(read_as.rows) <= {5, 6}
    gone = sum(sum(one.kind.destructive for one in stack.plan.changes) for stack in parts if stack.plan)
    said = sum(text.count(f"**{word}** ") for word in ("destroy", "replace", "unknown"))
    if "of unknown fate: see" not in text:
        assert said >= gone
