"""HF-48xx: a service that commands are to ask (HOLDFAST_URL), and that does not answer as one."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-4800": Entry(
        "nobody answers",
        "No connection to the service that HOLDFAST_URL names could be made: nothing was asked, and nothing done.",
        "See that holdfast serve is at work there and that the address is right; then run the command again.",
    ),
    "HF-4801": Entry(
        "no Holdfast service",
        "What HOLDFAST_URL names answers, and not as Holdfast does: another program, a login page, or another release.",
        "Check the address. holdfast --version on both sides tells the releases apart.",
    ),
    "HF-4802": Entry(
        "broken off",
        "The service went away before its answer was whole. Where something was only read nothing is lost.",
        "Run the command again once the service answers.",
    ),
    "HF-4803": Entry(
        "sent on elsewhere",
        "The service's address leads to another one. The token is sent to nobody but whom HOLDFAST_URL names.",
        "Set HOLDFAST_URL to where the service itself answers.",
    ),
    "HF-4804": Entry(
        "perhaps heard",
        "The service went away after it was asked to do something: it may have recorded it, and then it will do it.",
        "Once it answers, holdfast status and holdfast runs show what was recorded. Then decide whether to ask again.",
    ),
    "HF-4805": Entry(
        "no certificate that counts",
        "The service's certificate is signed by nobody who is trusted here, is over, or is for another name.",
        "Have it renewed, or name your own authority: SSL_CERT_FILE=/etc/ssl/our-ca.pem.",
    ),
}
