"""HF-1xxx: configuration and the command line."""

from __future__ import annotations

from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    "HF-1000": Entry(
        "configuration refused", "A configuration file says something that cannot be meant.", "Mend the place named."
    ),
    "HF-1001": Entry(
        "not YAML",
        "The file cannot be read as YAML.",
        "Mend the place named; quote values that hold braces, colons or @.",
    ),
    "HF-1002": Entry(
        "file refused",
        "The file is too large or too deep, is not UTF-8, or uses anchors, aliases or tags.",
        "Write the values out, in UTF-8; split a large file with include:.",
    ),
    "HF-1003": Entry("unknown key", "Nobody knows this key here.", "Mend its spelling, or remove it."),
    "HF-1004": Entry("wrong value", "The value is not of the kind that its key holds.", "Write what is expected."),
    "HF-1005": Entry("key twice", "One mapping holds the same key twice.", "Keep one of them."),
    "HF-1006": Entry("key missing", "A key that has to be there is not.", "Write it."),
    "HF-1007": Entry(
        "key of another tool",
        "The key belongs to a tool that does not drive this stack.",
        "Remove the key, or change tool:.",
    ),
    "HF-1008": Entry(
        "path refused",
        "A path leaves the repository, or lies in a folder of a tool.",
        "Write it from the repository's root.",
    ),
    "HF-1009": Entry("stack twice", "Two stacks go by one name.", "Rename one of them."),
    "HF-1010": Entry(
        "unknown environment",
        "A stack or an environment names an environment that is not declared.",
        "Declare it under environments:, or mend the name.",
    ),
    "HF-1011": Entry(
        "unknown stack",
        "A reference or depends_on names a stack, or an environment of it, that is not there.",
        "Mend the name.",
    ),
    "HF-1012": Entry(
        "bad reference",
        "A ${...} cannot be meant, or may not stand where it does.",
        "Write ${output:stack.key}, ${secret:path}, ${env.name} or ${stack.name}; $${ is a plain ${.",
    ),
    "HF-1013": Entry(
        "stacks wait for each other",
        "References and depends_on go round in a ring.",
        "Take one of the edges named out.",
    ),
    "HF-1014": Entry(
        "no such folder",
        "The stack's folder is not in this revision, or is a file.",
        "Mend path:, or remove the stack.",
    ),
    "HF-1015": Entry(
        "one place, two stacks",
        "Two stacks would work on the same state.",
        "Give each a workspace, backend or folder of its own.",
    ),
    "HF-1016": Entry(
        "bad window",
        "A window cannot be read.",
        'Write "Mon-Fri 09:00-16:00 Europe/Berlin".',
    ),
    "HF-1017": Entry(
        "no tool found",
        "Nothing in the stack's folder says which tool drives it.",
        "Check path:, or write tool:.",
    ),
    "HF-1018": Entry("nothing included", "No file matches a glob of include:.", "Mend the glob, or add the file."),
    "HF-1019": Entry(
        "old name in use", "moved_from names a stack that is still there.", "Remove moved_from, or the old stack."
    ),
    "HF-1020": Entry(
        "file not readable", "A configuration file cannot be read.", "Check the path and its permissions."
    ),
    "HF-1021": Entry(
        "bad setting given", "A flag or variable gives a value that its setting cannot hold.", "Mend the value."
    ),
    "HF-1022": Entry(
        "number would change",
        "A number is written so that it comes out as another text: 1.10 as 1.1, 0x1F as 31.",
        'Write "1.10" for the text, or the number as it comes out.',
    ),
    "HF-1023": Entry("not text", "A file of the tool is not UTF-8.", "Save it as UTF-8."),
    "HF-1024": Entry(
        "file not understood",
        "Our parser cannot follow a file of the tool: something is not closed, or newer than the parser.",
        "Look at the place named; holdfast validate --tools asks the tool itself.",
    ),
    "HF-1025": Entry(
        "unknown output",
        "A reference names an output that its stack's files do not declare.",
        "Mend the name, or declare the output.",
    ),
    "HF-1026": Entry(
        "no such file", "A stack names a variable or backend file that is not there.", "Mend the name, or add the file."
    ),
    "HF-1050": Entry(
        "not supported yet",
        "The key is read, and has no effect in this release.",
        "Nothing to do; it will count once it is supported.",
    ),
    "HF-1051": Entry(
        "found from the files",
        "A folder looks like a stack, and stacks.yaml does not name it.",
        "Run holdfast init, or write discover: false.",
    ),
    "HF-1052": Entry(
        "no such source",
        "The operator's file declares no source of that name.",
        "Mend the name given with --source or HOLDFAST_SOURCE, or declare it under sources:.",
    ),
    "HF-1060": Entry(
        "nothing to serve",
        "The operator's file declares no source, so there is nothing that a service could watch.",
        "Add one under sources: a git url, or a directory.",
    ),
    "HF-1061": Entry(
        "no key that all hosts have",
        "The record is in PostgreSQL, so plans and inputs lie there for every host: they are encrypted with one key.",
        'Write encryption: {key: "${secret:NAME}"} in the operator\'s file, and put the key into a store of each host.',
    ),
    "HF-1062": Entry(
        "record of one host",
        "A worker shares its record with other hosts, and this one is kept in a file of one host.",
        "Name a PostgreSQL database under database: in the operator's file, or run holdfast serve alone.",
    ),
    "HF-1063": Entry(
        "address taken",
        "The service cannot answer at the address that it is to listen at.",
        "End what listens there, or say another one: listen: in the operator's file, or --listen.",
    ),
    "HF-1064": Entry(
        "not installed",
        "The command needs libraries that come with an extra of Holdfast, and they are not here.",
        "Install it with that extra: pip install 'holdfast[service]'.",
    ),
    "HF-1900": Entry("wrong usage", "A word on the command line makes no sense here.", "Run the command with --help."),
    "HF-1901": Entry("no such stack", "No stack goes by that name or fits that selector.", "See: holdfast status."),
    "HF-1902": Entry("several stacks", "The command takes one stack, and the word means several.", "Write name@env."),
    "HF-1903": Entry("no such environment", "No stack is in an environment of that name.", "See: holdfast status."),
    "HF-1904": Entry("no such run", "The record knows no run with that number.", "See: holdfast runs."),
    "HF-1905": Entry(
        "not confirmed",
        "What destroys, replaces, goes back or touches production asks for the stack's name, all else for a yes.",
        "Answer when asked, or say it beforehand: --yes, --confirm NAME.",
    ),
    "HF-1906": Entry(
        "nothing proposed", "There is no proposal to approve, reject or show.", "Plan first: holdfast plan STACK."
    ),
    "HF-1907": Entry("no such code", "No error goes by that code.", "Copy it from the beginning of an error message."),
    "HF-1908": Entry("not a time", "A time or duration cannot be read.", "Write 2026-11-30, 30m, 12h or 7d."),
    "HF-1909": Entry(
        "nothing to roll back to", "The record knows no earlier revision of the stack.", "Name one: --to REV."
    ),
    "HF-1910": Entry("no log", "The run has left no log on this host.", "See: holdfast show RUN."),
    "HF-1911": Entry("disk full", "No space is left where something had to be written.", "Free some space, run again."),
    "HF-1912": Entry(
        "file unusable", "A file or folder cannot be read or written.", "Check the path and its permissions."
    ),
    "HF-1913": Entry(
        "not our lock",
        "The record knows of no lock that one of our own runs left behind, and others are not ours to free.",
        "Ask whoever holds it, or use the tool's own command.",
    ),
    "HF-1914": Entry(
        "nothing to end", "The run is over, or the stack is neither suspended nor held.", "See: holdfast status."
    ),
    "HF-1915": Entry(
        "for the service's own host",
        "HOLDFAST_URL names a service, and what the command works on is not there: files, a record or keys of a host.",
        "Run it on the service's host, or in a checkout without HOLDFAST_URL; docs/remote.md lists what works where.",
    ),
    "HF-1916": Entry("time is up", "What was waited for did not come in time.", "See: holdfast status."),
    "HF-1917": Entry(
        "still in its source",
        "The stack is in its source under this name, so it can be neither renamed nor forgotten.",
        "Change stacks.yaml and commit first.",
    ),
    "HF-1918": Entry(
        "nothing to take over",
        "The new name has made things of its own, or the old one left nothing.",
        "See holdfast show for both names.",
    ),
    "HF-1919": Entry(
        "nothing to resolve",
        "No attempt of the stack is in doubt, or this host can find out by itself how it ended.",
        "holdfast plan STACK looks; holdfast explain STACK says what is next.",
    ),
    "HF-1920": Entry(
        "not there yet",
        "The stack is not in the revision that it is to go back to, under this name or an earlier one.",
        "Name a later revision: holdfast rollback STACK --to REV.",
    ),
    "HF-1921": Entry(
        "no working tree",
        "A source of the operator's file is read without a checkout: it has no files that are not committed.",
        "Leave out --dirty, or run the command in a checkout without --source.",
    ),
    "HF-1922": Entry(
        "cannot be taken down",
        "The stack's tool knows how to make things and not how to take them down.",
        "Have the files remove what they made, and apply that; then take the stack out of stacks.yaml.",
    ),
    "HF-1930": Entry(
        "which plan",
        "A yes counts for one plan, and nothing said which: by now there may be another than the one that was seen.",
        "Paste the command that plan, apply and show print: holdfast approve STACK --proposal N.",
    ),
    "HF-1931": Entry(
        "no difference named",
        "What is to be ignored as drift is named by its address, and by its attribute after a #.",
        "Copy both from holdfast drift, quoted for the shell: 'aws_s3_bucket.logs#tags.owner'.",
    ),
    "HF-1932": Entry(
        "ignoring what, until when, why",
        "Whoever has drift ignored says for one stack what, until when and why; a rule without an end is forgotten.",
        "holdfast drift STACK --ignore ADDRESS --until 30d --reason TEXT; for good it belongs into stacks.yaml.",
    ),
    "HF-1933": Entry(
        "not ignored",
        "Nobody has exactly this difference ignored by word; what stacks.yaml ignores is taken back there.",
        "holdfast drift STACK --show lists what is ignored, and by whom.",
    ),
    "HF-1940": Entry(
        "no such role",
        "Neither the operator's file nor Holdfast itself has a role of that name.",
        "Name one of those in the message, or add it under auth: roles:.",
    ),
    "HF-1941": Entry(
        "token's name",
        "The name cannot be a token's, or a token that counts bears it.",
        "Take another name, or end the other one first: holdfast token revoke NAME.",
    ),
    "HF-1944": Entry(
        "nobody is called that",
        "A token was to be made for somebody whose name is no address or login.",
        "Name the address that their git bears: holdfast token create NAME --role ROLE --for ana@acme.example.",
    ),
    "HF-1942": Entry("no such token", "No token that counts goes by that name or id.", "See: holdfast token list."),
    "HF-1950": Entry(
        "cannot install",
        "A file of the service could not be written where it belongs.",
        "Run holdfast service install as root, or with --user for a service of your own.",
    ),
    "HF-1951": Entry(
        "out of the unit's sight",
        "A service of the system sees no person's home and no temporary folder, and holdfast lies in one.",
        "Install holdfast for everybody, say in /opt/holdfast, and run its own service install; or take --user.",
    ),
    "HF-1952": Entry(
        "for systemd alone",
        "holdfast service end-leftovers ends what a stop left at work, and only systemd knows that a service stopped.",
        "To end a service: systemctl stop holdfast.",
    ),
    "HF-1960": Entry(
        "no address of a service",
        "HOLDFAST_URL is no https:// address: it cannot be read, holds a password, or would send the token in clear.",
        "Write HOLDFAST_URL=https://holdfast.example.org; HOLDFAST_ALLOW_HTTP=true has http:// be meant.",
    ),
    "HF-1961": Entry(
        "no token to ask with",
        "HOLDFAST_URL names a service, and HOLDFAST_TOKEN holds no token.",
        "Have one made on the service's host: holdfast token create NAME --role ROLE. Then export HOLDFAST_TOKEN.",
    ),
    "HF-1980": Entry(
        "folder taken", "The demo's folder is there already.", "Name another with --dir, or --force to make it anew."
    ),
    "HF-1981": Entry("no tool", "Neither terraform nor tofu is on PATH.", "Install one of the two."),
    "HF-1982": Entry(
        "demo's provider",
        "The Python package of the demo's provider is missing.",
        "pipx inject holdfast tf, or install holdfast with its extra demo.",
    ),
    "HF-1983": Entry("demo's repository", "Git could not make the demo's repository.", "Install git 2.28 or newer."),
}
