"""HF-412x: the service's door, and who may come through it."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-4120": Entry(
        "not there, or not yours",
        "There is nothing of that name, or the token's role does not let it be seen; the two are never told apart.",
        "Check the name; an admin sees with holdfast token list which role a token bears.",
    ),
    "HF-4121": Entry(
        "no token",
        "The request bears no token that counts: it is missing, mistyped, revoked or over.",
        "Send Authorization: Bearer TOKEN; make one on the service's host: holdfast token create NAME --role ROLE.",
    ),
    "HF-4122": Entry(
        "not yours to do",
        "The token's role lets this be seen, and not be done.",
        "Ask for a token of a role that can: auth: roles: in the operator's file.",
    ),
    "HF-4123": Entry(
        "too often",
        "Too many wrong tokens or hooks came from one address, or too many hooks for one source, within a minute.",
        "Wait a minute. Behind a proxy, name it under trusted_proxies: in the operator's file.",
    ),
    "HF-4124": Entry(
        "hook refused",
        "No hook goes by that name, or its request is not signed by a secret of it, with SHA-256 and just now.",
        "Compare the secret at the provider with the one that hook: names, and the clocks of both hosts.",
    ),
    "HF-4125": Entry(
        "hook without a secret",
        "No store knows a secret that the hook names: nobody could be told from anybody.",
        "Put the secret into a store; the service's log says which one is missing.",
    ),
    "HF-4126": Entry("body too large", "The body of the request is larger than 1 MiB.", "Send less."),
    "HF-4127": Entry(
        "request unreadable",
        "The request is not what is documented: its body, a parameter, or the hook of another provider.",
        "See the message, and docs/service.md; for a hook check its kind in the operator's file.",
    ),
    "HF-4128": Entry(
        "not JSON", "The body is not sent as application/json.", "Choose application/json as the content type."
    ),
    "HF-4130": Entry(
        "key used before",
        "The Idempotency-Key of the request was used for another request within the last seven days.",
        "Make a new key for each thing that you want done; use the same one only to send the very same request again.",
    ),
    "HF-4131": Entry(
        "not answered yet",
        "A request of this Idempotency-Key is under way, or was when the service ended: nobody knows how far it came.",
        "Wait and send it again. After a restart look at the stack first, and use a new key.",
    ),
    "HF-4132": Entry(
        "outcome not kept",
        "What came of a run is kept for whoever asked for it, until others came after it or the service began anew.",
        "holdfast show RUN tells what was recorded, and holdfast status where the stacks stand.",
    ),
    "HF-4129": Entry("no such method", "Nothing there answers to that method.", "See /openapi.json."),
}
