"""HF-47xx: where pull requests live."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-4700": Entry(
        "not understood",
        "A forge refused what it was asked, or answered something that cannot be meant: no such words, too much of it,"
        " a list without an end, or an address elsewhere.",
        "Check api: of the source's forge in the operator's file; what the forge said stands in the message.",
    ),
    "HF-4701": Entry(
        "forge away",
        "A forge does not answer, or not in time. What was asked of it is asked again; nothing else waits for it.",
        "Check that the forge is up, and that this host reaches it.",
    ),
    "HF-4702": Entry(
        "not let in",
        "A forge does not let Holdfast in, or not do what it asked: its token is wrong, has ended, or may not do that.",
        "Renew the token, or give the token or the App the rights that the page on pull requests lists.",
    ),
    "HF-4703": Entry(
        "asked to wait",
        "A forge has counted too many requests and has Holdfast wait; until then it is not asked anything.",
        "Nothing need be done; where it happens often, give Holdfast a token or an App of its own.",
    ),
    "HF-4704": Entry(
        "not at the forge",
        "The forge knows no such repository, pull request, comment or commit, or does not show it to this token.",
        "Check repository: of the source's forge, and that the token or the App may see it.",
    ),
    "HF-4705": Entry(
        "no library for it",
        "A source names a forge, and the library that speaks with it is not installed.",
        "pip install 'holdfast[service]', then start the service anew.",
    ),
    "HF-4706": Entry(
        "too long a comment",
        "What was to be written below a pull request is longer than its forge takes: it was not sent.",
        "Report it: comments are cut to what the forge takes before they are written.",
    ),
}
