"""CloudFormation, spoken to by a child process: the adapter itself never loads an AWS library."""
