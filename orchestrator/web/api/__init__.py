"""``/api/v1``: what the record and the service know, for programs. One module a noun, each with a router."""
