"""The keys of a stack that only its tool knows. A tool that is not named here judges its own keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from orchestrator.config.values import Backend, Inputs, Keys, Truth, Whole, said


class TerraformKeys(Keys):
    """Terraform and OpenTofu."""

    workspace: str | None = said("The tool's own workspace.")
    var_files: list[str] | None = said("Variable files, from the stack's folder.")
    inputs: Inputs | None = said("Values for variables; may hold ${output:...} and ${secret:...}.")
    backend_config: Backend | None = said("What init is told about the backend: values, or files.")
    parallelism: Whole | None = said("How many resources the tool works on at once.")
    test: Truth | None = said("Whether validate runs the tool's own tests, too.")


class CloudFormationKeys(Keys):
    """CloudFormation."""

    region: str | None = said("Left out, the one that the credentials come with.")
    stack_name: str | None = said("Left out, made of the names of stack and environment.")
    template: str | None = said("From the stack's folder; left out, the deployment file's, or template.yaml or .json.")
    deployment: str | None = said("An AWS Git-sync deployment file, from the stack's folder.")
    parameters: Inputs | None = said("Laid over the deployment file; may hold ${output:...} and ${secret:...}.")
    tags: Inputs | None = said("Laid over the deployment file.")
    capabilities: list[str] | None = said("CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND.")
    role_arn: str | None = said("The role that CloudFormation takes on to make the changes.")
    notification_arns: list[str] | None = said("SNS topics that are told of the stack's events.")
    stack_policy: str | None = said("A file that says what may be updated, from the stack's folder.")
    termination_protection: Truth | None = said("Left out, it stays as it is.")
    bucket: str | None = said("Where nested templates, packaged files and large templates are put.")
    bucket_prefix: str | None = said("What their names in the bucket begin with.")
    revert_drift: Truth | None = said("false where the region offers no change sets that put drift back.")
    lint: Truth | None = said("Whether validate also asks cfn-lint, where it is installed.")


class AnsibleKeys(Keys):
    """Ansible."""

    playbook: str | None = said("The playbook, from the stack's folder; site.yml where none is named.")
    inventory: str | list[str] | None = said(
        "Inventory files, folders or scripts, or a list of hosts with a comma in it."
    )
    limit: str | None = said("Pattern of the hosts to work on.")
    tags: list[str] | None = said("Only tasks with one of these tags.")
    skip_tags: list[str] | None = said("No task with one of these tags.")
    forks: Whole | None = said("How many hosts are worked on at once.")
    become: Truth | None = said("Whether tasks run as another user, root where none is named.")
    become_user: str | None = said("The user that tasks run as.")
    requirements: str | None = said("Collections and roles to install; requirements.yml where none is named.")
    roles_path: list[str] | None = said("Folders of roles, from the stack's folder.")
    known_hosts: str | None = said("Host keys for ssh, a file from the stack's folder. Keys are always checked.")
    facts_cache: Truth | None = said("Whether facts are kept from one run to the next.")
    sensitive_outputs: list[str] | None = said("Names that set_stats hands on and that are secret.")
    extra_vars: Inputs | None = said("Values for variables; may hold ${output:...} and ${secret:...}.")
    vault_ids: Inputs | None = said("Vault passwords by id, as in prod: ${secret:vault-prod}.")
    ssh: Inputs | None = said("private_key and known_hosts as text, as in private_key: ${secret:deploy-key}.")


class PuppetKeys(Keys):
    """Puppet, by ``puppet apply`` on the host that Holdfast runs on."""

    inputs: Inputs | None = said("Hiera data before all other; may hold ${output:...} and ${secret:...}.")
    manifest: str | None = said("File or folder, from the stack's folder; left out, manifests/ or site.pp.")
    modulepath: list[str] | None = said("Folders of modules, from the stack's folder; left out, modules/.")
    hiera_config: str | None = said("The hierarchy, from the stack's folder; left out, hiera.yaml of the environment.")
    environmentpath: str | None = said(
        "Folder of environment folders; left out, the stack's folder is the environment."
    )
    puppet_environment: str | None = said("Puppet's name of the environment; left out, that of Holdfast.")
    certname: str | None = said("The name that node blocks match; left out, the host's own.")
    facts: dict[str, str] | None = said("Facts that are outputs, by the output's name.")


class OtherKeys(Keys):
    """A tool that this release does not know by name."""

    model_config = ConfigDict(extra="allow")

    inputs: Inputs | None = None
    parameters: Inputs | None = None
    extra_vars: Inputs | None = None


TOOL_KEYS: Final[dict[str, type[BaseModel]]] = {
    "terraform": TerraformKeys,
    "opentofu": TerraformKeys,
    "cloudformation": CloudFormationKeys,
    "ansible": AnsibleKeys,
    "puppet": PuppetKeys,
}

#: Tools that stacks.yaml knows by name and that no adapter of this release drives.
LATER_TOOLS: Final = frozenset({"chef", "arm"})

#: Where a stack holds the values that its tool is handed: they may hold references to outputs and secrets.
INPUT_KEYS: Final = ("inputs", "parameters", "extra_vars", "vault_ids", "ssh")

#: Those of them whose values are no variables: the tool is handed them as ``key.name``, beside the others.
NAMED_APART: Final = frozenset({"vault_ids", "ssh"})

#: Values laid over each other key by key; everything else is replaced as a whole.
MERGED_KEYS: Final = frozenset({*INPUT_KEYS, "backend_config", "tags", "drift", "approvals", "credentials"})

#: Keys whose value names files, from the stack's folder.
FILE_KEYS: Final = frozenset(
    {
        *("var_files", "template", "deployment", "stack_policy"),
        *("playbook", "inventory", "requirements", "roles_path", "known_hosts"),
        *("manifest", "modulepath", "hiera_config", "environmentpath"),
    }
)

#: Those of them whose tool goes on where there is nothing: folders that it only searches.
SEARCHED_KEYS: Final = frozenset({"roles_path", "modulepath"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultFile:
    """What a tool works from where ``key`` names nothing else: one of ``names`` in the stack's folder."""

    key: str
    names: tuple[str, ...]
    #: Keys that take its place, and files in the stack's folder that may name another.
    instead: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()


DEFAULT_FILES: Final = {
    "ansible": DefaultFile(key="playbook", names=("site.yml",)),
    "cloudformation": DefaultFile(
        key="template", names=("template.yaml", "template.yml", "template.json"), instead=("deployment",)
    ),
    "puppet": DefaultFile(
        key="manifest",
        names=("manifests", "site.pp"),
        instead=("environmentpath",),
        telling=("environment.conf",),
    ),
}

#: What, beside the path, says whose state a stack works on.
IDENTITY_KEYS: Final = {
    "terraform": ("workspace", "backend_config"),
    "opentofu": ("workspace", "backend_config"),
    "cloudformation": ("region", "stack_name"),
}

#: Tools whose state bears the stack's own name and environment where this key gives it no other.
NAMED_BY: Final = {"cloudformation": "stack_name"}

#: How two stacks over one state are told, and what to do about it.
_WORKSPACE: Final = ("on one workspace", "give each its own, as in workspace: ${env.name}")
ONE_STATE: Final = {
    "terraform": _WORKSPACE,
    "opentofu": _WORKSPACE,
    "cloudformation": ("on one CloudFormation stack", "give each its own, as in stack_name: web-${env.name}"),
}
