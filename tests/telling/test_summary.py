"""The summary of a CI run: what the comment says, within a limit that counts bytes."""

from __future__ import annotations

from reading import page
from reviews import attribute, change, example, planned, review

from adapters.contract import ChangeKind
from orchestrator.telling.review.comment import comment
from orchestrator.telling.review.sheet import Sheet
from orchestrator.telling.review.summary import summary

LIMIT = 1_048_576


def test_it_says_what_the_comment_says_and_has_no_mark() -> None:
    sheet = Sheet(source="infra")
    assert comment(example(), sheet).partition("\n")[2] == summary(example(), sheet)


def test_bytes_are_counted_not_characters_and_the_cut_is_by_the_stack() -> None:
    wide = "⏳🙂ä" * 3_000
    parts = [
        planned(
            f"s{number}",
            change(f"a{number}", ChangeKind.REPLACE, attribute("text", wide, f"{wide}!", forces_replacement=True)),
        )
        for number in range(40)
    ]
    text = summary(review(*parts), Sheet(source="infra"))
    assert len(text.encode()) <= LIMIT
    # One more stack would not have fitted: nothing is left out for fear.
    assert len(text.encode()) > LIMIT * 0.85
    assert len(text) < LIMIT / 2
    assert "✂️ Left out" in text
    assert text.count("full diff</summary>") == len(page(text).blocks) - 40


def test_what_a_step_wrote_before_counts_too() -> None:
    parts = [
        planned(f"s{number}", change("a", ChangeKind.UPDATE, attribute("t", "x" * 900, "y" * 900)))
        for number in range(900)
    ]
    written = 900_000
    assert summary(review(*parts), Sheet(), written=LIMIT - 100) == ""
    assert written + len(summary(review(*parts), Sheet(), written=written).encode()) <= LIMIT


def test_a_limit_of_the_sheet_is_the_comments_own() -> None:
    parts = [
        planned(f"s{number}", change("a", ChangeKind.UPDATE, attribute("t", "x" * 900, "y"))) for number in range(200)
    ]
    assert len(summary(review(*parts), Sheet(limit=20_000))) > 60_000
