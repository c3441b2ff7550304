"""The pages, in the order of their numbers."""
