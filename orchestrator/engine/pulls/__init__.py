"""Pull requests: followed at their forge, planned on tracks of their own, told to who reviews them.

Nothing here applies anything. A yes is a consent on the pull request's own track, bound to exactly its plan. The loop
of the source's own ref takes the plan over where it would make the very same one, and ``apply`` before the merge is a
hold of the stack at the revision that the merge would make.
"""
