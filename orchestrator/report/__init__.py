"""Readers of the record: each has a cursor of its own, and nothing in the loop knows of it."""
