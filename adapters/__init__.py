"""Drivers of the tools, one room each. They import `adapters.contract` and nothing of the orchestrator."""
