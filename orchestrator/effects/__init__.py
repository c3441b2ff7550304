"""The outside, one file each. Implements the ports; decides nothing."""
