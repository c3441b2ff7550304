"""What is shown of a change to whoever reviews it: the comment, the checks, the summary of a CI run. Pure.

All of it is drawn from a `Review`; whatever comes from a repository, a tool or a forge passes `escapes` on its way.
"""
