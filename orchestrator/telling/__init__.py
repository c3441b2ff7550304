"""What people and programs are told of values, in the same words through every door. Pure."""
