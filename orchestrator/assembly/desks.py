"""Builds the desk at which the pull requests of a source are seen to."""

from __future__ import annotations

from orchestrator.assembly.host import Host
from orchestrator.engine.pulls.desk import Desk
from orchestrator.model.source import Source
from orchestrator.rules.rights import Identity, of_teams


def desk_of(host: Host, source: Source) -> Desk | None:
    """Return it; None where the operator names no forge for the source. Raises ForgeError."""
    forge, operator = host.forges.of(source.id), host.operator
    if forge is None:
        return None

    def whois(login: str) -> Identity | None:
        person = operator.person_at(source.id, login)
        if not person:
            return None
        return Identity(name=person, roles=of_teams(operator.roles.values(), operator.teams_of(person)))

    external = operator.external_url
    return Desk(
        forge=forge,
        whois=whois,
        masker=host.masker,
        base=source.ref,
        apply_on=operator.forges[source.id].apply_on,
        every_s=source.every_s,
        run_url=f"{external}/api/v1/runs/{{run}}" if external else "",
    )
