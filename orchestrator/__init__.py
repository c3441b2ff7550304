"""The orchestrator: what was asked for, what is there, what is allowed, and the loop that closes the difference."""

__version__ = "0.1.0"
