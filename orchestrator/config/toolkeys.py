"""The keys of a stack that only its tool knows. A tool that is not named here judges its own keys."""

from __future__ import annotations

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
    """CloudFormation. Not supported yet."""

    region: str | None = None
    deployment: str | None = said("An AWS Git-sync deployment file, from the stack's folder.")
    parameters: Inputs | None = said("Laid over the deployment file.")
    capabilities: list[str] | None = None


class AnsibleKeys(Keys):
    """Ansible. Not supported yet."""

    playbook: str | None = None
    inventory: str | None = None
    requirements: str | None = None
    extra_vars: Inputs | None = None


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
LATER_TOOLS: Final = frozenset({"ansible", "cloudformation", "chef", "arm"})

#: Where a stack holds the values that its tool is handed: they may hold references to outputs and secrets.
INPUT_KEYS: Final = ("inputs", "parameters", "extra_vars")

#: Values laid over each other key by key; everything else is replaced as a whole.
MERGED_KEYS: Final = frozenset({*INPUT_KEYS, "backend_config", "drift", "approvals", "credentials"})

#: Keys whose value names files, from the stack's folder.
FILE_KEYS: Final = frozenset(
    {
        *("var_files", "deployment", "playbook", "inventory", "requirements"),
        *("manifest", "modulepath", "hiera_config", "environmentpath"),
    }
)

#: What, beside the path, says whose state a stack works on.
IDENTITY_KEYS: Final = {
    "terraform": ("workspace", "backend_config"),
    "opentofu": ("workspace", "backend_config"),
}
