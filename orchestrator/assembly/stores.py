"""The secret stores that the operator names, each opened when it is first asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from orchestrator.config.operator import Operator, StoreKind, VaultPlace
from orchestrator.config.operator import Store as DeclaredStore
from orchestrator.effects.encryption import Cipher
from orchestrator.effects.parcels import PLAN_KEY, keys_in, no_key
from orchestrator.effects.secrets import (
    PREFIX,
    EnvironmentStore,
    FileStore,
    Remembering,
    Shelf,
    Store,
    StoreSecrets,
    SystemdStore,
)
from orchestrator.effects.secrets_sops import SopsStore
from orchestrator.effects.secrets_ssm import ParameterStore
from orchestrator.effects.secrets_vault import VaultStore
from orchestrator.errors import SecretMissing
from orchestrator.model.reference import fill

#: What lets somebody into Vault -> the variable that everybody keeps it in.
_LETS_IN: Final = {"token": "VAULT_TOKEN", "role_id": "VAULT_ROLE_ID", "secret_id": "VAULT_SECRET_ID"}
#: The token of the workflow that we run in, which lets us into its forge.
_WORKFLOW: Final = "GITHUB_TOKEN"


def shelves(operator: Operator, outer: Mapping[str, str]) -> tuple[Shelf, ...]:
    """Return the stores in order, with whom each is granted to; ``outer`` is our own environment."""
    if operator.stores:
        found: tuple[Shelf, ...] = ()
        for one in operator.stores:
            # Outside of systemd there is no folder of its credentials.
            if one.location or one.kind is StoreKind.ENVIRONMENT:
                # What lets us into a store is looked for in those above it.
                above = StoreSecrets(shelves=found, key=b"")
                shelf = Shelf(store=_store(one, outer, above), stacks=one.granted_to, foreign=one.pull_requests)
                found = (*found, shelf)
        return found
    given = outer.get("CREDENTIALS_DIRECTORY", "")
    systemd = (Shelf(store=SystemdStore(folder=Path(given))),) if given else ()
    return (*systemd, Shelf(store=EnvironmentStore(environ=outer)))


def own_secrets(operator: Operator, outer: Mapping[str, str]) -> tuple[str, ...]:
    """Return every value of our own environment that is a secret by the name of its variable."""
    given = (one.location for one in operator.stores if one.kind is StoreKind.ENVIRONMENT and one.location)
    prefixes = (PREFIX, *given)
    known = tuple(value for name, value in outer.items() if name.startswith(prefixes))
    known += tuple(outer.get(PLAN_KEY, "").split())
    return (*known, *(outer[name] for name in (*_LETS_IN.values(), _WORKFLOW) if outer.get(name)))


def plan_cipher(operator: Operator, outer: Mapping[str, str]) -> Cipher:
    """Return what encrypts plans that leave this host: the key in our environment, else the operator's own.

    Raises UsageError (HF-1601) where there is none, (HF-1602) where it is none; SecretMissing.
    """
    given, where = outer.get(PLAN_KEY, ""), PLAN_KEY
    if not given.strip() and operator.encryption_secret:
        where = f"the secret {operator.encryption_secret}"
        given = StoreSecrets(shelves=shelves(operator, outer), key=b"").get(operator.encryption_secret).value
    keys = keys_in(given, where)
    if not keys:
        raise no_key()
    return Cipher(read_keys=lambda: keys)


def _store(one: DeclaredStore, outer: Mapping[str, str], above: StoreSecrets) -> Store:
    match one.kind:
        case StoreKind.CREDENTIALS:
            return SystemdStore(folder=Path(one.location))
        case StoreKind.FILES:
            return FileStore(folder=Path(one.location))
        case StoreKind.ENVIRONMENT:
            return EnvironmentStore(environ=outer, prefix=one.location or PREFIX)
        case StoreKind.SOPS:
            return Remembering(lambda: SopsStore(globs=one.files, environ=outer))
        case StoreKind.AWS_SSM:
            return Remembering(lambda: ParameterStore(prefix=one.location, region=one.region))
        case StoreKind.VAULT:
            return Remembering(lambda: _vault(one, outer, above))


def _vault(one: DeclaredStore, outer: Mapping[str, str], above: StoreSecrets) -> VaultStore:
    place = one.vault or VaultPlace(mount="", path="", auth="token")

    def login() -> Mapping[str, str]:
        wanted = {"token": place.token} if place.auth == "token" else {}
        wanted |= {"role_id": place.role_id, "secret_id": place.secret_id} if place.auth == "approle" else {}
        given = {name: text or outer.get(_LETS_IN[name], "") for name, text in wanted.items()}
        for name, text in given.items():
            if not text:
                raise SecretMissing(
                    f"nothing lets Holdfast into {one.location}: there is no {name}",
                    code="HF-4403",
                    hint=f"set {_LETS_IN[name]}, or say {name}: of the store in the operator's file",
                )
        return {
            name: str(fill(text, lambda inside: above.get(inside.removeprefix("secret:")).value))
            for name, text in given.items()
        }

    return VaultStore(
        address=one.location,
        mount=place.mount,
        path=place.path,
        login=login,
        namespace=place.namespace,
        ca=place.ca,
    )
