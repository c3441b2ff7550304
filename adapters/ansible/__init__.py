"""The adapter for Ansible, over ansible-runner and ansible-core."""
