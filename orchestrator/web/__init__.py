"""The HTTP door: hooks and the API."""
