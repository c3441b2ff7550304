"""What the engine needs of the outside, as protocols. `effects` implements them, tests give their own."""

from orchestrator.ports.agenda import Agenda, Due
from orchestrator.ports.artifacts import Artifacts
from orchestrator.ports.attempts import Attempts, Elsewhere, NeverStarted, Place
from orchestrator.ports.clock import Clock
from orchestrator.ports.cursors import Cursors, Spot
from orchestrator.ports.forge import Forge, Forges, ForgeTraits
from orchestrator.ports.journal import Journal, Level
from orchestrator.ports.layouts import Layout, Layouts
from orchestrator.ports.people import People
from orchestrator.ports.record import Entry, Record, Row, Run
from orchestrator.ports.running import Running
from orchestrator.ports.secrets import Credentials, Secret, Secrets
from orchestrator.ports.sources import FileMode, RevisionTree, Sources, TreeEntry
from orchestrator.ports.tools import Adapters, MaskingShell, ShellNeeds, Shells, Witness
from orchestrator.ports.workspaces import Stray, Workspaces

__all__ = [
    "Adapters",
    "Agenda",
    "Artifacts",
    "Attempts",
    "Clock",
    "Credentials",
    "Cursors",
    "Due",
    "Elsewhere",
    "Entry",
    "FileMode",
    "Forge",
    "ForgeTraits",
    "Forges",
    "Journal",
    "Layout",
    "Layouts",
    "Level",
    "MaskingShell",
    "NeverStarted",
    "People",
    "Place",
    "Record",
    "RevisionTree",
    "Row",
    "Run",
    "Running",
    "Secret",
    "Secrets",
    "ShellNeeds",
    "Shells",
    "Sources",
    "Spot",
    "Stray",
    "TreeEntry",
    "Witness",
    "Workspaces",
]
