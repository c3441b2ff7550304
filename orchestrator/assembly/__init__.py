"""Builds everything. The only room that knows every concrete part; the environment is handed to it."""
