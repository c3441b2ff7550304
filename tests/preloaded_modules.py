"""What `preloaded` has imported before a command begins: every command, and all that commands import late."""

import importlib

import sqlalchemy.dialects.sqlite

from orchestrator.cli.menu import COMMANDS

for _entry in COMMANDS.values():
    importlib.import_module(_entry.module)
for _name in (
    "adapters.terraform.adapter",
    "orchestrator.assembly.world",
    "orchestrator.cli.at_forge",
    "orchestrator.cli.carrying",
    "orchestrator.cli.comparing",
    "orchestrator.cli.failure",
    "orchestrator.cli.far.answering",
    "orchestrator.cli.far.logs",
    "orchestrator.cli.far.planning",
    "orchestrator.cli.far.seeing",
    "orchestrator.cli.flow",
    "orchestrator.cli.looking",
    "orchestrator.cli.main",
    "orchestrator.engine.crew",
    "orchestrator.cli.serving",
    "orchestrator.cli.show_drift",
    "orchestrator.cli.show_explain",
    "orchestrator.cli.show_github",
    "orchestrator.cli.show_plan",
    "orchestrator.cli.show_runs",
    "orchestrator.cli.show_status",
    "orchestrator.engine.standings",
    "orchestrator.config.schema",
    "orchestrator.config.operator_reading",
    "orchestrator.web.app",
    "orchestrator.web.door",
    "hcl2",
    "tarfile",
    "zipfile",
):
    importlib.import_module(_name)
del sqlalchemy
