"""Commands where HOLDFAST_URL is set: what they are told by a service, printed as everywhere."""
