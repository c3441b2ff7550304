"""A client of a service's API: what the command line speaks through where HOLDFAST_URL is set."""
