"""The third party's own tests run in the third party's own environment, not in ours."""

collect_ignore = ["third_party"]
