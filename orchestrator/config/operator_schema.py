"""The keys of the operator's file, holdfast.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.config.schema import PolicyKeys
from orchestrator.config.values import Anything, Duration, Filled, Keys, Name, Times, Truth, Version, said

#: What a set of credentials may never bring: it would take over the tool rather than let it in.
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
#: Somebody as the record names them: an e-mail address, a login where git knows none, or token:NAME of a program.
Member = Annotated[str, Field(pattern=r"^(token:)?[^\s,:]+$", max_length=254)]
Variable = Annotated[str, Field(pattern=VARIABLE)]


class VerifyKeys(Keys):
    """What a revision must prove."""

    commits: Literal["none", "signed"] | None = None
    signers: list[str] | None = said("Files with public keys: allowed_signers, or a GPG keyring.")
    cosign: Anything = None


class AppKeys(Keys):
    """A GitHub App that lets Holdfast in."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", description="The App's id, or its client id.")]
    key: str = Field(description='"${secret:name}": its private key, whole, as GitHub made it.')
    installation: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] | None = said(
        "Its number; left out, GitHub is asked which one the repository is in."
    )


class GitAuthKeys(Keys):
    """How the repository is reached."""

    token: str | None = said('HTTPS: "${secret:name}".')
    ssh_key: str | None = said("SSH: the private key's file.")
    known_hosts: str | None = said("SSH: the file with pinned host keys.")
    github_app: AppKeys | None = said("HTTPS: an App of GitHub's that is installed for the repository.")


class GitKeys(Keys):
    """A Git repository."""

    url: Annotated[str, Field(min_length=1)]
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    every: Duration | None = None
    auth: GitAuthKeys | None = None
    verify: VerifyKeys | None = None
    allow_rewrite: Truth | None = None


class DirectoryKeys(Keys):
    """A plain directory on this host."""

    path: Annotated[str, Field(min_length=1)]
    every: Duration | None = said("How often it is looked at; 1m where left out.")
    watch: Truth | None = said("false: only looked at, never told of changes by the kernel.")


class HookKeys(Keys):
    """Who may say by a webhook that a source is to be looked at."""

    kind: Literal["github", "gitlab", "gitea", "bitbucket", "generic"]
    secret: str | list[str] = Field(description='"${secret:name}", or a list of them while one takes another\'s place.')


class ForgeKeys(Keys):
    """Where the source's pull requests live."""

    kind: Literal["github", "gitlab", "gitea"] = Field(description="gitea: Forgejo, too.")
    repository: str | None = said("OWNER/NAME; left out, as the source's URL has it.")
    api: str | None = said("URL that the API is below; left out, as the source's URL and kind have it.")
    token: str | None = said('"${secret:name}"; left out with app, what the source is fetched with.')
    app: AppKeys | None = said("Of GitHub: an App instead of a token.")
    login: str | None = said("By which login Holdfast writes there; left out, the forge is asked.")
    apply_on: Literal["merge", "comment"] = Field(
        default="merge", description="What has a pull request applied: its merge, or a comment before it."
    )


class SourceKeys(Keys):
    """One source, of one kind."""

    name: Name
    hook: HookKeys | None = None
    forge: ForgeKeys | None = None
    git: GitKeys | None = None
    directory: DirectoryKeys | None = None
    s3: Anything = None
    azure_blob: Anything = None
    oci: Anything = None


class EnvironmentStoreKeys(Keys):
    """Secrets from Holdfast's own environment; for development."""

    prefix: str = ""


class SopsKeys(Keys):
    """Files that sops encrypted."""

    files: str | list[str] = Field(description='Paths with *, from the folder of this file on: "secrets/*.enc.yaml".')


class VaultKeys(Keys):
    """The KV engine, version 2, of Vault or OpenBao."""

    address: Annotated[str, Field(pattern=r"^https?://\S+$")]
    path: Annotated[str, Field(pattern=r"^[^/\s]+(/[^/\s]+)+$", description="MOUNT/PATH of the secrets.")]
    auth: Literal["token", "approle"] = "token"
    token: str | None = said('"${secret:name}" of a store above; left out, $VAULT_TOKEN.')
    role_id: str | None = said("Left out, $VAULT_ROLE_ID.")
    secret_id: str | None = said('"${secret:name}" of a store above; left out, $VAULT_SECRET_ID.')
    namespace: str = ""
    ca: str | None = said("A file with the authorities that may vouch for the address.")


class ParameterStoreKeys(Keys):
    """The Parameter Store of AWS."""

    prefix: Annotated[str, Field(pattern=r"^/([A-Za-z0-9_.-]+/)*$", description="What names begin with: /holdfast/")]
    region: str = ""


class StoreKeys(Keys):
    """One secret store, of one kind."""

    credentials: str | None = said("A systemd credentials directory.")
    files: str | None = said("A folder with one file per secret.")
    environment: Annotated[EnvironmentStoreKeys | None, Filled] = None
    stacks: list[str] | None = said(
        "Who may read it as input: globs over source/name@environment; left out, every stack."
    )
    pull_requests: Truth = Field(default=False, description="Whether what a pull request proposes may read it, too.")
    sops: SopsKeys | None = None
    vault: VaultKeys | None = None
    aws_ssm: ParameterStoreKeys | None = None


class CredentialSetKeys(Keys):
    """What a tool may use, and which stacks may use it."""

    model_config = ConfigDict(protected_namespaces=())

    environment: Annotated[dict[Variable, str], Filled] = Field(default_factory=dict)
    pass_: list[Variable] = Field(default_factory=list, alias="pass")
    stacks: list[str] = Field(description='Globs over source/name@environment: "infra/*@prod".')
    pull_requests: Truth = Field(
        default=False, description="Whether what a pull request proposes may be planned with it: keys that only read."
    )
    assume_role: Anything = None
    oidc: Anything = None
    ssh_key: Anything = None


class LimitKeys(Keys):
    """How many stacks of a kind are worked at once."""

    stacks: str = Field(description='A glob over source/name@environment: "infra/*@prod".')
    at_once: Times | None = None
    drift_at_once: Times | None = None


class WorkerKeys(Keys):
    """How tools are run."""

    count: Times = 4
    limits: list[LimitKeys] = Field(default_factory=list)
    grace: Duration | None = said("How long applies may go on once the service is told to stop; 14m where left out.")
    sandbox: Literal["none", "bwrap"] = "none"
    readable: list[str] = Field(
        default_factory=list,
        description="Folders that a tool in the sandbox may read besides: provider mirrors, for one.",
    )
    plugin_cache: str | None = said("A folder that keeps Terraform's providers for all stacks of this host.")


class RoleKeys(Keys):
    """What the bearers of a role may do, and to which stacks."""

    group: str | None = said(
        'The team of this file whose members bear it below pull requests; "*" is everybody under people.'
    )
    can: list[Literal["view", "plan", "approve", "apply", "unlock", "admin"]]
    stacks: list[str] | None = said(
        'Globs over source/name@environment or name@environment: "web@*"; left out, everything.'
    )


class AuthKeys(Keys):
    """Who may do what through the service."""

    oidc: Anything = None
    roles: Annotated[dict[Name, RoleKeys], Filled] = Field(default_factory=dict)


class NotifyKeys(Keys):
    """Who is told of what happens."""

    name: Name | None = said("Tells it from the others; left out, the secret's name.")
    to: str = Field(description='"${secret:name}": a secret that holds the URL of the receiver, as Apprise writes it.')
    on: list[str] | None = said(
        'What it is told of, by globs: "apply.failed", "drift.*"; left out, all that asks for somebody.'
    )
    stacks: list[str] | None = said('Globs over source/name@environment: "infra/*@prod"; left out, every stack.')
    gather: Duration | None = said("So long what happens is gathered into one message; 10s where left out.")


class EventsKeys(Keys):
    """Which program is sent CDEvents."""

    name: Name | None = said("Tells it from the others; left out, the URL's host.")
    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    secret: str = Field(description='"${secret:name}": what they are signed with, as Standard Webhooks says.')
    stacks: list[str] | None = said('Globs over source/name@environment: "infra/*@prod"; left out, every stack.')
    allow_http: Truth = Field(default=False, description="Whether they may go over the network in clear.")


class EncryptionKeys(Keys):
    """Plans, state copies and outputs at rest."""

    key: str


class OperatorFile(Keys):
    """holdfast.yaml."""

    version: Version
    home: str | None = said("Where the service, and every command about its sources, keeps what is its own.")
    listen: str | None = said('Where the service answers: "127.0.0.1:8080"; "off" for nowhere.')
    external_url: str | None = said("What the service is called from outside: links and hooks begin with it.")
    database: str | None = said(
        "Where the record is kept: sqlite:////path or postgresql://user:${secret:name}@host/name."
    )
    workers: Annotated[WorkerKeys, Filled] = Field(default_factory=WorkerKeys)
    sources: list[SourceKeys] = Field(default_factory=list)
    secrets: list[StoreKeys] = Field(default_factory=list)
    credentials: Annotated[dict[Name, CredentialSetKeys], Filled] = Field(default_factory=dict)
    auth: AuthKeys | None = None
    metrics: Literal["token", "open"] = Field(
        default="token", description="open: /metrics asks for no token; for a network that only Prometheus is in."
    )
    trusted_proxies: list[str] = Field(
        default_factory=list,
        description="Addresses of the proxies in front of the service, whose X-Forwarded-For counts.",
    )
    teams: Annotated[dict[Name, list[Member]], Filled] = Field(
        default_factory=dict,
        description="Who may approve as team:NAME: the e-mail address that their git bears, or token:NAME.",
    )
    people: Annotated[dict[Literal["github", "gitlab", "gitea"], dict[str, Member]], Filled] = Field(
        default_factory=dict,
        description="Who somebody is that a forge knows by a login: the name that the record has of them.",
    )
    ceilings: Annotated[dict[str, PolicyKeys], Filled] = Field(default_factory=dict)
    notify: list[NotifyKeys] = Field(default_factory=list)
    events: list[EventsKeys] = Field(default_factory=list)
    retention: Anything = None
    encryption: EncryptionKeys | None = None


def one_kind(model: BaseModel, kinds: tuple[str, ...]) -> str:
    """Return the one of ``kinds`` that is set. Raises ValueError with a sentence for people."""
    found = [kind for kind in kinds if getattr(model, kind) is not None]
    if len(found) != 1:
        message = f"exactly one of {', '.join(kinds)} is expected, not {len(found)}"
        raise ValueError(message)
    return found[0]
