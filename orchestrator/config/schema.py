"""The keys of stacks.yaml. What stands here is what editors complete and what `holdfast schema` prints.

Keys that only one tool knows stand in `orchestrator.config.toolkeys`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from orchestrator.config.values import (
    Duration,
    Filled,
    Glob,
    Keys,
    Moment,
    Name,
    Path,
    Times,
    Truth,
    Version,
    Who,
    Whole,
    Window,
    said,
)

Apply = Literal["auto", "approve", "manual"]
Answer = Literal["report", "propose", "repair"]
#: As forges name them; a tier that nobody knows would be a guard that nobody keeps.
Tier = Literal["production", "staging", "testing", "development", "other"]

#: How people name a stack. No blank, no @, nothing that a glob or a selector would read.
STACK_NAME: Final = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"
ProjectName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=100)]
StackName = Annotated[str, Field(pattern=STACK_NAME, max_length=200)]


class RepairLimitKeys(Keys):
    """How often drift is put back before people must see who keeps changing things."""

    repairs: Times | None = said("Repairs within the time, after which the next drift is left to people.")
    within: Duration | None = said("The time that they are counted in.")


class IgnoreKeys(Keys):
    """A difference that somebody answers for and has left alone."""

    address: Annotated[str, Field(min_length=1)] = Field(
        description="The resource as drift shows it; * and ? are wild, brackets are not."
    )
    path: str | None = said("The attribute, wild in the same way; left out, whatever is with the resource.")
    owner: Who = Field(description="team:NAME or user:NAME who answers for it.")
    reason: Annotated[str, Field(min_length=1)] = Field(description="Everybody who meets the difference reads it.")
    until: Moment | None = said("Until when, in UTC; what it hid counts again afterwards.")


class DriftKeys(Keys):
    """How often drift is looked for, and what follows."""

    every: Duration | None = said("How long to wait between looks; 0s never looks.")
    answer: Answer | None = said("What happens without anybody being asked.")
    confirm: Times | None = said("How many looks in a row must see a difference before it counts as drift.")
    limit: RepairLimitKeys | None = None
    ignore: list[IgnoreKeys] | None = said("What is left alone. A list takes the place of one further up.")


class GroupKeys(Keys):
    """People of whom somebody has to say yes, too."""

    from_: Annotated[list[Who], Field(min_length=1)] = Field(alias="from", description="team:NAME or user:NAME.")
    at_least: Times = Field(default=1, description="How many of them; who counts here counts nowhere else.")


class ApprovalKeys(Keys):
    """Who has to say yes."""

    required: Whole | None = said("How many people have to say yes; left out beside groups, no more than those.")
    from_: list[Who] | None = said("team:NAME or user:NAME; without it, anybody.", alias="from")
    groups: list[GroupKeys] | None = said("Further people. A list takes the place of one further up.")
    allow_author: Truth | None = said("Whether who wrote what is new may be one of them.")
    valid_for: Duration | None = said("How long a yes is good for; left out, until something changes.")


class CredentialKeys(Keys):
    """The operator's credential sets that a stack asks for."""

    plan: str | None = said("For reading: plan, drift, validate.")
    apply: str | None = said("For changing.")


class PolicyKeys(Keys):
    """What is allowed. Each key may stand in defaults, an environment, a stack and a stack's override."""

    apply: Apply | None = said("auto: by itself; approve: after a yes; manual: when somebody asks.")
    approvals: ApprovalKeys | None = None
    windows: list[Window] | None = said('When applies may start: "Mon-Fri 09:00-16:00 UTC".')
    delete_limit: Whole | None = said("Most deletions and replacements that one apply may hold.")
    drift: DriftKeys | None = None
    timeout: Duration | None = said("Wall-clock time for one run of the tool.")
    retries: Whole | None = said("Further tries after a failure that could pass.")


class DefaultKeys(PolicyKeys):
    """What counts for every stack that says nothing else."""

    credentials: CredentialKeys | None = None


class EnvironmentKeys(DefaultKeys):
    """One environment. Their order in the file is the order of promotion."""

    tier: Tier | None = said("production counts for the DORA metrics, and is asked about twice.")
    promote_from: Name | None = said("The environment that must be at rest on a revision first.")


class CheckKeys(Keys):
    """What must hold after an apply. Not supported yet."""

    http: str | None = None
    status: Whole | None = None
    for_: Duration | None = said("How long it must hold.", alias="for")


class OverrideKeys(DefaultKeys):
    """What a stack says for one environment only."""

    # The keys of a tool are judged once the tool is known.
    model_config = ConfigDict(extra="allow")

    tool_version: str | None = said("Constraint in the tool's own notation; quote it.")
    depends_on: list[str] | None = said("Stacks that come first, NAME or NAME@ENVIRONMENT.")
    watch: list[Glob] | None = said("Globs outside the folder whose change makes the stack due.")
    owners: list[Who] | None = said("team:NAME or user:NAME.")
    checks: list[CheckKeys] | None = None


class StackKeys(OverrideKeys):
    """One stack: a folder that one tool manages, in each of its environments. Further keys are the tool's own."""

    path: Path = Field(description="The folder, from the repository's root.")
    tool: str | None = said("terraform, opentofu, or any adapter; left out, found from the files.")
    environments: list[Name] | None = said("Left out, the stack has one, named default.")
    moved_from: StackName | None = said("The name before a rename: nothing is created twice.")
    override: Annotated[dict[str, OverrideKeys], Filled] | None = said("By environment.")


class PolicyFileKeys(Keys):
    """Rules over the plan. Not supported yet."""

    rego: Glob
    enforce: dict[str, Literal["warn", "deny"]] | None = None


class NotifyKeys(Keys):
    """Whom to tell. Not supported yet."""

    to: str
    events: list[str] | None = None
    environments: list[Name] | None = None


class IncludedFile(Keys):
    """A file named by include."""

    version: Version = 1
    stacks: Annotated[dict[StackName, StackKeys], Filled] = Field(default_factory=dict)


class StacksFile(Keys):
    """stacks.yaml at the root of a repository."""

    version: Version = Field(description="The version of this file's form: 1.")
    project: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")] | None = said(
        "The identity of this repository's record; left out, the origin's URL."
    )
    include: list[Glob] | None = said("Further files with stacks, globs from the root.")
    discover: Truth = Field(default=True, description="Whether folders that no stack names are looked through.")
    environments: Annotated[dict[Name, Annotated[EnvironmentKeys, Filled]], Filled] = Field(default_factory=dict)
    defaults: Annotated[DefaultKeys, Filled] = Field(default_factory=DefaultKeys)
    stacks: Annotated[dict[StackName, StackKeys], Filled] = Field(default_factory=dict)
    policies: list[PolicyFileKeys] | None = None
    notify: list[NotifyKeys] | None = None
