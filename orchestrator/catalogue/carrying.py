"""HF-16xx: plans that are made in one place and applied in another, and jobs of a build service."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-1600": Entry(
        "plans refused",
        "Plans that were made elsewhere cannot be applied here.",
        "See the message; nothing was applied.",
    ),
    "HF-1601": Entry(
        "no key for plans",
        "Plans hold resolved inputs and, with some tools, secrets: they leave a host encrypted or not at all, and "
        "there is no key.",
        "openssl rand -base64 32; keep it as a secret of the repository and set HOLDFAST_PLAN_KEY to it, in the job "
        "that plans and in the one that applies. An operator's file with encryption: has one already.",
    ),
    "HF-1602": Entry(
        "not a key",
        "What encrypts plans is 32 random bytes in base64, one key or several parted by blanks. A passphrase is none: "
        "whoever has the plans could guess it for as long as they like.",
        "openssl rand -base64 32.",
    ),
    "HF-1603": Entry(
        "other plans",
        "The plans in the folder are not those that the digest names: somebody said yes to others.",
        "Plan again, look at what that prints, and apply with the digest that it prints.",
    ),
    "HF-1604": Entry(
        "another key",
        "The plans were encrypted with another key than the one that is here.",
        "Give the job that applies the same HOLDFAST_PLAN_KEY as the one that plans, or plan again.",
    ),
    "HF-1605": Entry(
        "plans altered",
        "A file of the plans is missing, or is not as it was when they were made.",
        "Find out who could alter it, then plan again.",
    ),
    "HF-1606": Entry(
        "plans of another release",
        "The plans were written in a form that this release does not read.",
        "Plan and apply with the same release of Holdfast.",
    ),
    "HF-1607": Entry(
        "plans of another repository",
        "The plans are for the stacks of another repository than the one that is checked out.",
        "Check out the repository that they were made in, or give both the same project: in stacks.yaml.",
    ),
    "HF-1608": Entry(
        "plans out of date",
        "What a plan was made of has changed since: files, settings, inputs, policy, or the world itself. Only what "
        "was seen is applied.",
        "Plan again.",
    ),
    "HF-1609": Entry(
        "plans too old",
        "The plans are older than policy lets a plan be when it is applied.",
        "Plan again.",
    ),
    "HF-1610": Entry(
        "another record",
        "The plans were made in another record than the one here, which has a history of its own.",
        "Name the same record for both, or apply where there is none yet: --home with a new folder.",
    ),
    "HF-1611": Entry(
        "no place for plans",
        "The folder holds no plans, or holds something else where plans are to be written.",
        "Plan into a folder that is empty or not there yet; apply from the one that holdfast plan --out made.",
    ),
    "HF-1612": Entry(
        "no plan of that stack",
        "The folder holds no plan of the stack that was named.",
        "Leave the name out, or plan again with it.",
    ),
    "HF-1620": Entry(
        "code of a fork",
        "A workflow asked to plan or apply what a pull request from a fork proposes. Planning runs code: providers, "
        "external programs, templates. Nobody of the repository has read it yet.",
        "holdfast validate runs none of it. To plan it, push the commit to a branch of the repository itself; where "
        "the workflow has nothing that could be stolen, set HOLDFAST_RUN_FOREIGN_CODE to true.",
    ),
    "HF-1621": Entry(
        "code of others with our rights",
        "A workflow on pull_request_target, workflow_run or issue_comment has the repository's secrets and its write "
        "token, and was asked to run what somebody proposes: whoever opens a pull request would have both.",
        "on: pull_request, which has neither for a fork.",
    ),
    "HF-1622": Entry(
        "nothing to write at",
        "A comment or an issue was asked for, and there is no workflow of GitHub here, or no token of one.",
        "In a workflow: env: GITHUB_TOKEN: ${{ github.token }}, and the permission pull-requests or issues: write.",
    ),
}
